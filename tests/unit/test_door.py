"""Who may stay connected to the receiver: whoever is answered, and nobody who only holds the line."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import resource
import time
from types import SimpleNamespace
from typing import Any

import pytest

from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.marketplaces.base import Push
from worker.web import door, pushes

MOST = 8
QUIET = 0.4
SOON = QUIET * 5
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Heard:
    def __init__(self) -> None:
        self.kept: list[Push] = []

    def keep(self, _account: str, push: Push) -> None:
        self.kept.append(push)

    def came(self) -> None:
        pass


def with_receiver(monkeypatch: pytest.MonkeyPatch, visit: Any) -> Heard:
    """Run `visit(connect)` against a receiver that is soon tired of quiet connections."""
    monkeypatch.setattr(door, "QUIET_SECONDS", QUIET)
    heard = Heard()
    known: Any = SimpleNamespace(
        adapter=lambda name: AliExpress(
            name, AliExpressCredentials(app_key="the-key", app_secret="the-secret", access_token="the-token")
        )
    )
    ringing: Any = heard

    async def run() -> None:
        listening = await pushes.listen(
            pushes.Receiver(known, heard.keep, heard.keep, ringing), "127.0.0.1", 0, most=MOST
        )
        port = int(listening.url.rpartition(":")[2])
        try:
            await visit(lambda: asyncio.open_connection("127.0.0.1", port))
        finally:
            await listening.stop()

    asyncio.run(run())
    return heard


async def ended(reader: asyncio.StreamReader) -> float:
    """Return after how many seconds the other side closed."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(SOON):
            while await reader.read(4096):
                pass
    except ConnectionError:
        pass
    return time.monotonic() - begun


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"POST /push/main HTTP/1.1\r\nContent-Length: 9\r\n\r\nx", GET])
def test_who_says_nothing_more_is_sent_away(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def visit(connect: Any) -> None:
        reader, writer = await connect()
        writer.write(said)
        assert await ended(reader) < SOON
        writer.close()

    with_receiver(monkeypatch, visit)


def test_a_byte_now_and_then_keeps_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async def visit(connect: Any) -> None:
        reader, writer = await connect()

        async def drip() -> None:
            for byte in GET * 20:
                writer.write(bytes([byte]))
                await asyncio.sleep(QUIET / 10)

        dripping = asyncio.create_task(drip())
        assert await ended(reader) < SOON
        dripping.cancel()
        writer.close()

    with_receiver(monkeypatch, visit)


def test_who_is_answered_may_go_on_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    async def visit(connect: Any) -> None:
        reader, writer = await connect()
        for _ in range(6):
            writer.write(GET)
            assert b"200 OK" in await reader.readuntil(b"ok\n")
            await asyncio.sleep(QUIET / 2)
        writer.close()

    with_receiver(monkeypatch, visit)


def signed(at: float) -> bytes:
    told = {"data": {"orderId": 8198352049851315, "orderStatus": "OrderCreated"}, "timestamp": int(at)}
    body = json.dumps(told).encode()
    sign = hmac.new(b"the-secret", b"the-key" + body, hashlib.sha256).hexdigest()
    head = f"POST /push/main HTTP/1.1\r\nHost: x\r\nAuthorization: {sign}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_a_crowd_that_holds_the_line_does_not_keep_a_message_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def visit(connect: Any) -> None:
        crowd = [await connect() for _ in range(MOST * 5)]
        reader, writer = await connect()
        writer.write(signed(time.time()))
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        for _, other in [*crowd, (reader, writer)]:
            other.close()

    assert len(with_receiver(monkeypatch, visit).kept) == 1


@pytest.mark.parametrize("days", [-400, -4, 0.1, 1, 400_000])
def test_a_time_far_from_now_changes_nothing(days: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered with 200, or the sender would send it again for hours."""

    async def visit(connect: Any) -> None:
        reader, writer = await connect()
        writer.write(signed(time.time() + days * 86400))
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()

    assert with_receiver(monkeypatch, visit).kept == []


@pytest.mark.parametrize("seconds", [-2 * 86400, -60, 0, 300])
def test_a_message_sent_again_or_by_a_clock_that_is_a_little_off_counts(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def visit(connect: Any) -> None:
        reader, writer = await connect()
        writer.write(signed(time.time() + seconds))
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()

    assert len(with_receiver(monkeypatch, visit).kept) == 1


def test_there_is_never_more_room_than_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, most in ((64, 4), (100, 36), (1024, 256), (resource.RLIM_INFINITY, 256)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert door.room() == most
