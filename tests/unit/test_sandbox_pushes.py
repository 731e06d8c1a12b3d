"""The sandbox's push messages: where they go, how often, and that a dead receiver costs the marketplace nothing."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.running import until
from worker.errors import ConfigError
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.fake import SandboxOrder
from worker.sandbox.pushes import MOST_WAITING, Pusher, PushPlan
from worker.sandbox.server import Running, background

KEYS = {name: {"app_key": f"{name}-key", "app_secret": f"{name}-secret"} for name in ("main", "second")}


class Receiver:
    """A receiver that answers what it is told to, in turn, then 200."""

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes, float]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.came.append((self.path, headers, body, time.time()))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/push"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def running() -> Iterator[Running]:
    with background([AliExpressFake(KEYS)]) as made:
        yield made


def plan(running: Running, **changes: Any) -> httpx.Response:
    return httpx.post(f"{running.url}/_sandbox/pushes", json={"delay_seconds": 0} | changes, trust_env=False)


def told(running: Running) -> dict[str, Any]:
    return dict(httpx.get(f"{running.url}/_sandbox/pushes", trust_env=False).json())


def commit(running: Running, *references: str, account: str = "main") -> None:
    """Let the fake make an order."""
    order = SandboxOrder("aliexpress", account, "SO-1", list(references or ["8190000000000001"]), time.time(), [])

    async def make() -> None:
        running.sandbox.fakes["aliexpress"].commit(order)

    asyncio.run_coroutine_threadsafe(make(), running.loop).result(5)


def until_came(receiver: Receiver, count: int) -> None:
    until(f"{count} messages", lambda: len(receiver.came) == count, 8, every=0.02)


def until_told(running: Running, what: str, count: int) -> None:
    until(f"{count} {what}", lambda: told(running)[what] >= count, 8, every=0.02)


def test_without_an_address_nothing_is_sent(running: Running, receiver: Receiver) -> None:
    commit(running)
    plain: dict[str, Any] = {
        "url": None,
        "urls": {},
        "probability": 1.0,
        "repeat": 1,
        "delay_seconds": 0.5,
        "spread_seconds": 0,
    }
    assert told(running) == plain | {"taken": 0, "failed": 0, "dropped": 0, "waiting": 0}
    assert plan(running, url=receiver.url).status_code == 200
    commit(running)
    until_came(receiver, 1)
    assert plan(running, url=None).json()["url"] is None
    commit(running)
    assert told(running)["waiting"] == 0, "what does not wait is never sent"
    assert len(receiver.came) == 1


def test_a_message_is_signed_with_the_accounts_secret_and_names_nothing_of_ours(
    running: Running, receiver: Receiver
) -> None:
    plan(running, url=receiver.url + "/{account}")
    commit(running, "8190000000000001", "8190000000000002")
    commit(running, "8190000000000003", account="second")
    until_came(receiver, 3)
    for path, headers, body, _ in receiver.came:
        account = path.rpartition("/")[2]
        keys = AliExpressCredentials(**KEYS[account], access_token="t")
        assert AliExpress(account, keys).is_genuine(headers, body)
        assert b"SO-1" not in body
    ids = {json.loads(body)["data"]["orderId"] for _, _, body, _ in receiver.came}
    assert ids == {8190000000000001, 8190000000000002, 8190000000000003}
    assert told(running)["taken"] == 3


def test_it_comes_about_half_a_second_after_the_commit(receiver: Receiver) -> None:
    with background([AliExpressFake(KEYS)], push_url=receiver.url) as running:
        at = time.time()
        commit(running)
        until_came(receiver, 1)
    assert 0.45 <= receiver.came[0][3] - at < 2


def test_it_is_sent_until_it_is_taken_three_times_at_most(running: Running, receiver: Receiver) -> None:
    plan(running, url=receiver.url)
    receiver.answers = [503, 401]
    commit(running)
    until_told(running, "taken", 1)
    assert len(receiver.came) == 3
    receiver.answers = [503] * 10
    commit(running)
    until_told(running, "failed", 1)
    assert len(receiver.came) == 6


def test_messages_can_be_doubled_and_lost(running: Running, receiver: Receiver) -> None:
    plan(running, url=receiver.url, repeat=3)
    commit(running)
    until_came(receiver, 3)
    assert len({body for _, _, body, _ in receiver.came}) == 1
    plan(running, url=receiver.url, probability=0)
    commit(running)
    assert told(running)["waiting"] == 0, "what does not wait is never sent"
    assert len(receiver.came) == 3


def test_a_receiver_that_is_away_holds_nothing_up(running: Running) -> None:
    plan(running, url="http://127.0.0.1:9/push")
    started = time.monotonic()
    for number in range(50):
        commit(running, str(8190000000000000 + number))
    assert time.monotonic() - started < 1
    until_told(running, "failed", 1)


def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fill() -> Pusher:
        pusher, fake = Pusher(), AliExpressFake()
        pusher.plan = PushPlan(url="http://127.0.0.1:9")
        for number in range(MOST_WAITING + 5):
            pusher.offer(fake, SandboxOrder("aliexpress", "sandbox", "SO-1", [str(number)], 0.0, []))
        return pusher

    pusher = asyncio.run(fill())
    assert (pusher.dropped, pusher.public()["waiting"]) == (5, MOST_WAITING)
    pusher.clear()
    assert pusher.public()["waiting"] == 0


def test_reset_forgets_what_waits(running: Running, receiver: Receiver) -> None:
    plan(running, url=receiver.url, delay_seconds=60)
    for number in range(40):
        commit(running, str(8190000000000000 + number))
    httpx.post(f"{running.url}/_sandbox/reset", trust_env=False)
    assert told(running)["waiting"] == 0


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"url": "ftp://x"}, "url: "),
        ({"url": 5}, "url: "),
        ({"probability": 2}, "probability: "),
        ({"repeat": 0}, "repeat: "),
        ({"speed": 1}, "speed: "),
    ],
)
def test_a_wrong_plan_is_answered_with_a_sentence(running: Running, body: dict[str, Any], word: str) -> None:
    answer = httpx.post(f"{running.url}/_sandbox/pushes", json=body, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(word)
    assert told(running)["url"] is None


def test_an_address_that_is_none_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="cannot send push messages to 'nowhere'"), background([], push_url="nowhere"):
        pass
