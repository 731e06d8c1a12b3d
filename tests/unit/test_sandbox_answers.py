"""Answers the sandbox spoils: ids of another order, another type, ten megabytes, a byte at a time; all executed."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.running import until
from worker.sandbox.answers import HUGE_BYTES
from worker.sandbox.fake import Answer, Call, Fake, SandboxOrder
from worker.sandbox.server import Running, background

HANG = 0.4


class Teller(Fake):
    """Creates an order with two ids for every POST (`key`, `account` in the form): tells them, a number and a text.

    A key that was there before is told its ids again, and a GET what it asks for.
    """

    name = "teller"
    paths = ("/teller",)
    built_in = {"token": "t"}  # noqa: RUF012

    def key_of(self, call: Call) -> str | None:
        return call.form.get("key", "") if call.method == "POST" else None

    def handle(self, call: Call) -> Answer:
        if call.method != "POST":
            return Answer(json.dumps({"asked": call.query.get("id")}).encode())
        key, account = call.form["key"], call.form.get("account", "sandbox")
        order = next((one for one in self.orders if one.key == key), None)
        if order is None:
            number = next(self._sequence)
            order = SandboxOrder(self.name, account, key, [str(1000 + number), f"T-{number}"], call.at, [call.at])
            self.commit(order)
        first, second = order.references
        return Answer(json.dumps({"ids": [int(first), second], "longer": f"9{first}"}).encode(), headers={"X-Id": "1"})

    def fault_answer(self, fault: str, call: Call) -> Answer:
        return Answer(b"", 429)


@pytest.fixture
def running() -> Iterator[Running]:
    with background([Teller()], hang_seconds=HANG) as server:
        yield server


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=10, trust_env=False) as client:
        yield client


def create(client: httpx.Client, key: str, account: str = "sandbox") -> httpx.Response:
    return client.post("/teller", data={"key": key, "account": account})


def made(client: httpx.Client) -> list[str]:
    return [order["key"] for order in client.get("/_sandbox/orders").json()]


def switch_on(client: httpx.Client, fault: str, **more: Any) -> None:
    assert client.post("/_sandbox/faults", json={"fault": fault, **more}).status_code == 200


def test_wrong_ids_are_those_of_the_accounts_order_before(client: httpx.Client) -> None:
    own = create(client, "SO-1").json()
    create(client, "SO-2", account="other")
    told = create(client, "SO-3~wrong_ids").json()
    assert told["ids"] == own["ids"] == [1001, "T-1"]
    assert told["longer"] == "91003", "a number that only holds the id is left alone"
    assert made(client) == ["SO-1", "SO-2", "SO-3~wrong_ids"]
    assert client.get("/_sandbox/orders").json()[2]["references"] == ["1003", "T-3"], "the record tells the truth"
    assert create(client, "SO-3~wrong_ids").json()["ids"] == [1003, "T-3"], "a repeat made nothing and is told its own"


def test_the_first_order_of_an_account_has_nobody_elses_ids(client: httpx.Client) -> None:
    create(client, "SO-1")
    assert create(client, "SO-2~wrong_ids", account="other").json()["ids"] == [1002, "T-2"]


def test_wrong_ids_change_neither_a_read_nor_a_repeat(client: httpx.Client) -> None:
    create(client, "SO-1")
    create(client, "SO-2")
    switch_on(client, "wrong_ids", operation="any")
    assert client.get("/teller", params={"id": "1002"}).json() == {"asked": "1002"}
    assert create(client, "SO-2").json()["ids"] == [1002, "T-2"]


def test_a_wrong_type_has_the_right_answer(client: httpx.Client) -> None:
    switch_on(client, "wrong_type")
    answer = create(client, "SO-1")
    assert answer.headers["content-type"].startswith("text/html")
    assert (answer.json()["ids"], answer.headers["x-id"]) == ([1001, "T-1"], "1")
    assert made(client) == ["SO-1"]


def test_a_huge_answer_has_ten_megabytes_and_was_executed(client: httpx.Client) -> None:
    answer = create(client, "SO-1~huge")
    assert len(answer.content) == HUGE_BYTES
    assert answer.json()["ids"] == [1001, "T-1"]
    assert made(client) == ["SO-1~huge"]


def test_an_answer_that_drips_never_ends_and_was_executed(client: httpx.Client) -> None:
    started = time.monotonic()
    seen = bytearray()
    with client.stream("POST", "/teller", data={"key": "SO-1~drip"}) as answer:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):  # noqa: PT012
            for part in answer.iter_raw():
                seen += part
        whole = int(answer.headers["content-length"])
    assert 1 < len(seen) < whole, "all but the end of it came"
    assert HANG <= time.monotonic() - started < HANG + 3
    assert made(client) == ["SO-1~drip"]


def handlers(running: Running) -> int:
    """Return how much the sandbox has under way: every connection is a task of its loop."""

    async def count() -> int:
        return len(asyncio.all_tasks())

    return asyncio.run_coroutine_threadsafe(count(), running.loop).result(5)


@pytest.mark.parametrize("fault", ["drip", "huge"])
def test_a_client_that_goes_away_meanwhile_leaves_no_trace(
    running: Running, client: httpx.Client, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = f"key=SO-1~{fault}".encode()
    idle = handlers(running)
    with caplog.at_level(logging.DEBUG), socket.create_connection((running.host, running.port), timeout=5) as raw:
        head = f"POST /teller HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        raw.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body)
        assert raw.recv(64).startswith(b"HTTP/1.1 200")
    until("the handler to end", lambda: handlers(running) <= idle, HANG + 5, every=0.02)
    assert made(client) == [f"SO-1~{fault}"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_sandbox_that_ends_cuts_what_drips() -> None:
    with background([Teller()], hang_seconds=60) as running:
        raw = socket.create_connection((running.host, running.port), timeout=5)
        raw.sendall(b"POST /teller HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n")
        raw.sendall(b"Content-Type: application/x-www-form-urlencoded\r\n\r\nkey=SO-1~drip")
        assert raw.recv(64).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
    raw.close()
    assert time.monotonic() - started < 5
