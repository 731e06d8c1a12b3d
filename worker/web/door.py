"""Lets connections in: not more than there is room for, and none for long that says nothing.

Whoever can reach the port can open connections and leave them, or send a byte now and then. aiohttp waits for them for
ever, and asyncio, out of file descriptors, writes a traceback for each try.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

QUIET_SECONDS = 12.0
"""How long a connection may be without an answered request: from its start, and from one answer to the next."""
MOST_CONNECTIONS = 256
SPARE_DESCRIPTORS = 64
"""File descriptors that are left to the ledger, Redis and the logs."""
WAIT_SECONDS = 0.5
"""Wait before another connection is tried for where the system had no descriptor left."""
TELL_SECONDS = 60.0

Factory = Callable[[], asyncio.Protocol]


def room() -> int:
    """Return how many connections there is room for, by the process's limit of file descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(4, min(MOST_CONNECTIONS, soft - SPARE_DESCRIPTORS, soft // 2))


class Door:
    """Accepts connections on a listening socket and hands each to a protocol of the server's own."""

    def __init__(self, listening: socket.socket, factory: Factory, most: int | None = None) -> None:
        self._listening = listening
        self._factory = factory
        self._most = most or room()
        self._open: dict[asyncio.BaseTransport, _Visit] = {}
        self._task: asyncio.Task[None] | None = None
        self._told_at = float("-inf")

    def open(self) -> None:
        """Begin to accept."""
        self._listening.setblocking(False)
        self._task = asyncio.get_running_loop().create_task(self._accept())

    async def close(self) -> None:
        """Accept no more; what is open stays with the server."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._listening.close()

    def answered(self, transport: asyncio.BaseTransport | None) -> None:
        """Note that a request of this connection was answered: it may be quiet anew."""
        if transport is not None and (visit := self._open.get(transport)) is not None:
            visit.begin()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError as error:
                self._tell(f"no connection can be accepted ({error.strerror}); trying again")
                self._end_quietest()
                await asyncio.sleep(WAIT_SECONDS)
                continue
            if len(self._open) >= self._most:
                self._tell(f"{self._most} connections are open; the one that was quiet for longest is closed")
                self._end_quietest()
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(lambda: _Visit(self._factory(), self._open), connection)

    def _end_quietest(self) -> None:
        if self._open:
            min(self._open.values(), key=lambda visit: visit.since).end()

    def _tell(self, what: str) -> None:
        if time.monotonic() - self._told_at >= TELL_SECONDS:
            self._told_at = time.monotonic()
            log.warning("%s", what)


class _Visit(asyncio.Protocol):
    """A connection: everything goes on to the server's protocol, and when it is quiet for too long it is ended."""

    def __init__(self, inner: asyncio.Protocol, visits: dict[asyncio.BaseTransport, _Visit]) -> None:
        self._inner = inner
        self._visits = visits
        self._transport: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self.since = time.monotonic()
        """When it began to be without an answered request."""

    def begin(self) -> None:
        """Count the quiet time from now."""
        self.since = time.monotonic()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(QUIET_SECONDS, self.end)

    def end(self) -> None:
        """Close at once."""
        self._visits.pop(self._transport, None)
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._visits[transport] = self
        self.begin()
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._visits.pop(self._transport, None)
        if self._timer is not None:
            self._timer.cancel()
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
