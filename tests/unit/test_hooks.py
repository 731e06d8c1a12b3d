"""The receiver of push messages over real HTTP: what is answered, what is kept, and what is never said."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.running import until
from worker.errors import ConfigError, LedgerAway, RedisAway, UnknownAccount
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.marketplaces.base import Marketplace, Push
from worker.web import pushes as hooks
from worker.web.ringing import Hints, Ringing

KEYS = AliExpressCredentials(app_key="the-key", app_secret="the-secret", access_token="the-token")
MOST = 20
BODY: dict[str, Any] = {
    "data": {"buyerId": 2671514005, "orderId": 8198352049851315, "orderStatus": "OrderCreated"},
    "message_type": 53,
    "timestamp": int(time.time()),
}


class Silent(AliExpress):
    """A marketplace that sends no messages."""

    takes_pushes = False


class Desk:
    """What the receiver hands on."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Push]] = []
        self.rings = 0
        self.refuse: Exception | None = None
        self.asked = threading.Semaphore(0)
        """Counts what is to be kept."""
        self.may_keep = threading.Event()
        """Cleared by a test whose ledger is slow."""
        self.may_keep.set()

    def keep(self, account: str, push: Push) -> None:
        self.asked.release()
        self.may_keep.wait(10)
        if self.refuse is not None:
            raise self.refuse
        self.kept.append((account, push))

    def ring(self) -> None:
        self.rings += 1
        raise RedisAway("Redis does not answer")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def ringing(desk: Desk) -> Iterator[Ringing]:
    made = Ringing(desk.ring)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(desk: Desk, ringing: Ringing) -> Iterator[httpx.Client]:
    accounts: dict[str, Marketplace] = {"main": AliExpress("main", KEYS), "silent": Silent("silent", KEYS)}

    def adapter(name: str) -> Marketplace:
        if name not in accounts:
            raise UnknownAccount(name)
        return accounts[name]

    known: Any = SimpleNamespace(adapter=adapter)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    listening = run(hooks.listen(hooks.Receiver(known, desk.keep, desk.keep, ringing), "127.0.0.1", 0, most=MOST))
    with httpx.Client(base_url=listening.url, trust_env=False, timeout=20) as opened:
        yield opened
    run(listening.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def signature(raw: bytes, secret: str = "the-secret") -> str:
    return hmac.new(secret.encode(), b"the-key" + raw, hashlib.sha256).hexdigest()


def post(client: httpx.Client, document: Any = BODY, account: str = "main", **headers: str) -> httpx.Response:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return client.post(f"/push/{account}", content=raw, headers={"Authorization": signature(raw)} | headers)


def test_a_genuine_message_is_kept_answered_at_once_and_then_rung_for(client: httpx.Client, desk: Desk) -> None:
    started = time.monotonic()
    assert post(client).status_code == 200
    assert time.monotonic() - started < 0.5
    assert desk.kept == [("main", Push("8198352049851315", "OrderCreated", float(BODY["timestamp"]), True))]
    until("a ring", lambda: desk.rings == 1, 5, every=0.01)


def test_many_messages_are_rung_for_together_and_redis_may_be_away(
    client: httpx.Client, desk: Desk, ringing: Ringing
) -> None:
    with ThreadPoolExecutor(16) as pool:
        codes = list(pool.map(lambda _: post(client).status_code, range(200)))
    assert codes == [200] * 200
    assert len(desk.kept) == 200
    assert ringing.wait_for_round(1)
    assert post(client).status_code == 200, "the receiver lives on"
    ringing.stop()
    assert 2 <= desk.rings < 20


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "0" * 64},
        {"Authorization": signature(json.dumps(BODY).encode(), "another-secret")},
        {"Authorization": signature(b"another body")},
    ],
)
def test_a_forged_message_is_turned_away_and_nothing_is_kept(
    client: httpx.Client, desk: Desk, headers: dict[str, str]
) -> None:
    assert post(client, **headers).status_code == 401
    assert desk.kept == []
    assert desk.rings == 0


def test_an_account_that_nobody_knows_or_that_takes_no_messages_is_404(client: httpx.Client, desk: Desk) -> None:
    assert post(client, account="nobody").status_code == 404
    assert post(client, account="silent").status_code == 404
    assert post(client, account="main/more").status_code in (404, 405)
    assert desk.kept == []


def test_a_message_that_is_not_about_an_order_is_200_and_not_kept(
    client: httpx.Client, desk: Desk, ringing: Ringing
) -> None:
    for document in ({"message_type": 65}, b"", b"not json", [1], {"data": {"orderId": "x", "orderStatus": "y"}}):
        assert post(client, document).status_code == 200
    ringing.stop()
    assert desk.kept == []
    assert desk.rings == 0


def test_a_body_is_64_kib_at_most(client: httpx.Client, desk: Desk) -> None:
    limit = hooks.BODY_LIMIT_BYTES
    padded = json.dumps(BODY).encode().ljust(limit)
    assert post(client, padded).status_code == 200
    assert post(client, padded + b" ").status_code == 413
    assert client.post("/push/main", content=(b" " * 1024 for _ in range(100))).status_code == 413
    assert len(desk.kept) == 1


def test_get_is_a_sign_of_life(client: httpx.Client) -> None:
    assert [client.get(path).status_code for path in ("/", "/push/main", "/push/nobody")] == [200, 200, 200]
    assert client.put("/push/main").status_code == 405


@pytest.mark.parametrize("error", [LedgerAway("the ledger does not answer"), ValueError("a defect: secret text")])
def test_what_cannot_be_kept_is_asked_for_again(
    client: httpx.Client, desk: Desk, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    desk.refuse = error
    assert post(client).status_code == 503
    desk.refuse = None
    assert post(client).status_code == 200
    assert "secret text" not in caplog.text


def test_a_slow_ledger_blocks_nobody_and_is_not_waited_for(client: httpx.Client, desk: Desk) -> None:
    desk.may_keep.clear()
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(post, client) for _ in range(3)]
        assert desk.asked.acquire(timeout=5)
        asked = time.monotonic()
        assert client.get("/").status_code == 200
        assert time.monotonic() - asked < 0.3
        assert [answer.result().status_code for answer in slow] == [503, 503, 503]
    assert time.monotonic() - started < 0.9
    desk.may_keep.set()


def test_no_log_line_holds_a_body(client: httpx.Client, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post(client)
    post(client, {"Quillfeather": 1})
    post(client, {"data": {"orderId": 1, "orderStatus": "x", "Quillfeather": 2671514005}}, Authorization="0")
    desk.refuse = LedgerAway("away")
    post(client)
    with socket.create_connection((client.base_url.host, client.base_url.port or 0)) as raw:
        raw.sendall(b"POST /push/main HTTP/1.1\r\nHost: x\r\nQuillfeather 2671514005\r\n\r\nQuillfeather")
        raw.recv(100)
    said = "".join(f"{r.getMessage()}{r.exc_text or ''}" for r in caplog.records if not r.name.startswith("http"))
    assert "is not kept" in said
    assert "not signed" in said
    for word in ("Quillfeather", "2671514005", "the-secret"):
        assert word not in said


def test_a_taken_port_is_one_sentence(client: httpx.Client) -> None:
    nothing: Any = None

    async def again() -> None:
        await hooks.listen(
            hooks.Receiver(nothing, lambda *_: None, lambda *_: None, nothing), "127.0.0.1", client.base_url.port or 0
        )

    with pytest.raises(ConfigError, match="is taken; see FULFIL_HOOKS_ADDRESS and FULFIL_HOOKS_PORT"):
        asyncio.run(again())


def test_what_messages_only_hint_at_is_rung_for_once_and_nothing_of_others() -> None:
    rung: list[Any] = []
    lives: Any = SimpleNamespace(hint=lambda account, push: ["SO-1"] if push.reference == "81" else [])
    bell: Any = SimpleNamespace(match=lambda: rung.append("match"), life=rung.append)
    hints = Hints(lives, bell)
    for reference in ("81", "81", "82"):
        hints.take("main", Push(reference, "orders/paid", 1.0, False))
    hints.ring()
    hints.ring()
    assert rung == ["match", ["SO-1"], "match"]
