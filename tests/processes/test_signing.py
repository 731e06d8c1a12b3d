"""Signed messages: with a key set, what somebody without it puts into Redis does nothing, at every door."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.worker import state

from config.settings import Settings
from tests.harness import Shop, job
from worker.broker.signing import DROPPED, WORD_SECONDS, Seals, sign_what_is_sent, signature

KEY, OTHER = "an old key, thirty-two signs long", "a new key, also thirty-two and more"
BODY = b'[["SO-1"], {}, {"callbacks": null}]'
HEADERS = {"task": "orders.place", "id": "7d9a4c52", "eta": None, "expires": None}
ROOT = Path(__file__).resolve().parents[2]


def seals(key: str | None = KEY, also: str | None = None) -> Seals:
    return Seals(Settings(_env_file=None, message_key=key, message_key_also=also))


def message(headers: Any, body: Any = BODY) -> Any:
    return SimpleNamespace(headers=headers, body=body)


def signed(key: str = KEY, at: float | None = None, body: bytes = BODY, **changes: Any) -> dict[str, Any]:
    headers = HEADERS | changes
    return headers | {"signature": signature(key, headers, body, int(time.time() if at is None else at))}


def test_without_a_key_every_message_may_be_acted_on() -> None:
    assert seals(None).admits(message({}))
    assert seals(None, OTHER).admits(message({})), "a second key alone asks for no signature"


@pytest.mark.parametrize("body", [BODY, BODY.decode()])
def test_what_was_signed_with_a_key_that_is_known_is_admitted(body: Any) -> None:
    assert seals().admits(message(signed(), body))
    assert seals(OTHER, KEY).admits(message(signed(), body)), "while the key is changed"
    assert not seals(OTHER).admits(message(signed(), body))


@pytest.mark.parametrize(
    "changed",
    [
        {"task": "admin.cancel"},
        {"id": "another"},
        {"eta": "2026-01-01T00:00:00+00:00"},
        {"expires": "2036-01-01T00:00:00+00:00"},
        {"signature": ""},
        {"signature": None},
        {"signature": 5},
        {"signature": "v1"},
        {"signature": "v1,,"},
        {"signature": "v1,x,y"},
        {"signature": "v2,1,00"},
        {"signature": "v1,٣,00"},
        {"signature": f"v1,{'9' * 5000},00"},
        {"task": None},
        {"task": ["orders.place"]},
        {"task": "orders.place\n7d9a4c52", "id": ""},
    ],
)
def test_a_header_that_was_changed_is_not_admitted(changed: dict[str, Any]) -> None:
    assert not seals().admits(message(signed() | changed))


@pytest.mark.parametrize("headers", [{}, None, [], "x", HEADERS])
def test_a_message_without_a_signature_is_not_admitted(headers: Any) -> None:
    assert not seals().admits(message(headers))


def test_a_body_that_was_changed_is_not_admitted() -> None:
    assert not seals().admits(message(signed(), BODY.replace(b"SO-1", b"SO-2")))


def test_a_persons_word_is_old_after_an_hour_and_an_order_is_not() -> None:
    long_ago = time.time() - WORD_SECONDS - 5
    assert not seals().admits(message(signed(at=long_ago, task="admin.resume")))
    assert seals().admits(message(signed(at=time.time() - 60, task="admin.resume")))
    assert seals().admits(message(signed(at=long_ago, task="orders.submit")))


def test_what_is_dropped_is_counted_and_logged_once_without_its_content(caplog: pytest.LogCaptureFixture) -> None:
    before, one = state.total_count[DROPPED], seals()
    for _ in range(3):
        one.admits(message(HEADERS, b"Philippa Quillfeather"))
    assert state.total_count[DROPPED] == before + 3
    assert len(caplog.messages) == 1
    assert "Philippa" not in caplog.text


@pytest.fixture
def signing() -> Iterator[Callable[[str | None], None]]:
    yield lambda key: sign_what_is_sent(Settings(_env_file=None, message_key=key))
    sign_what_is_sent(Settings(_env_file=None))


@pytest.mark.parametrize("options", [{}, {"countdown": 5}, {"expires": 30}])
def test_what_celery_sends_is_signed_as_it_is_on_the_wire(
    signing: Callable[[str | None], None], options: dict[str, Any], real_redis: Any, real_redis_url: str
) -> None:
    from config.queues import for_celery

    signing(KEY)
    producer = Celery("ours", broker=for_celery(real_redis_url)[0], set_as_current=False)
    for task in ("orders.submit", "somebody.elses"):
        producer.send_task(task, args=[[job("SO-1", memo="für Ünï, 你好")]], queue="signed", **options)
    producer.close()
    sent = [json.loads(raw) for raw in real_redis.lrange("signed", 0, -1)]
    ours, other = sorted(sent, key=lambda one: one["headers"]["task"])
    assert seals().admits(message(ours["headers"], base64.b64decode(ours["body"])))
    assert "signature" not in other["headers"]


def documented() -> Callable[[str, list[Any]], str]:
    """Return the function of the operations guide."""
    text = (ROOT / "docs" / "operations.md").read_text()
    block = re.search(r"<!-- signed message -->\n```python\n(.*?)```", text, re.DOTALL)
    assert block
    names: dict[str, Any] = {}
    exec(block[1], names)
    made: Callable[[str, list[Any]], str] = names["signed_message"]
    return made


def test_with_a_key_only_signed_messages_do_anything(tmp_path: Path) -> None:
    with Shop(tmp_path, message_key=KEY) as shop:
        shop.start_redis()
        shop.start_sandbox()
        shop.start("place", "confirm", "beat", "flower")
        make = documented()
        unsigned = json.loads(make(KEY, [job("SO-NO-1")]))
        del unsigned["headers"]["signature"]
        moved = json.loads(make(KEY, [job("SO-NO-2")]))
        moved["headers"]["id"] = "another"
        first_protocol = {**unsigned, "headers": {}}
        first_protocol["body"] = json.dumps(
            {"task": "orders.submit", "id": "1", "args": [[job("SO-NO-3")]], "kwargs": {}, "retries": 0}
        )
        with shop.redis() as client:
            for bad in (unsigned, moved, first_protocol, json.loads(make(OTHER, [job("SO-NO-4")]))):
                client.lpush("admin", json.dumps(bad))
            client.lpush("admin", make(KEY, [job("SO-YES")]))
        shop.wait_for("SO-YES", "confirmed")
        shop.until("Flower to answer", shop.flower_answers, 60)
        with shop.flower() as flower:
            flower.post("/api/task/async-apply/admin.pause", json={"args": ["main"]}).raise_for_status()
        shop.until("the word to arrive", lambda: shop.cli("status", "--json").json()["paused"], 30)
        orders = shop.cli("list", "--json").json()
        assert [one["order_id"] for one in orders] == ["SO-YES"]
        assert shop.log("confirm").count("signature is missing or wrong") == 1
        assert KEY not in "".join(path.read_text() for path in shop.logs.iterdir())
