"""What the stub answers by itself, called by a client that does next to nothing: nobody measured here comes near it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bench import job
from bench.rig import Rig

CONNECTIONS = 50


class _Caller(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answers = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self.answers += 1
        self._transport.write(self._request)


def answers_per_second(rig: Rig, seconds: float = 3.0) -> float:
    """Return how many creates a second a rig's stub answers."""
    rig.reset(0)
    return asyncio.run(_answers(rig.stub_port, seconds))


async def _answers(port: int, seconds: float) -> float:
    body = job.create_body(job.order_id(0))
    request = b"POST /sync HTTP/1.1\r\nHost: stub\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: _Caller(request), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    before, started = sum(caller.answers for _, caller in opened), time.monotonic()
    await asyncio.sleep(seconds)
    answers = sum(caller.answers for _, caller in opened) - before
    took = time.monotonic() - started
    for transport, _ in opened:
        transport.close()
    return answers / took
