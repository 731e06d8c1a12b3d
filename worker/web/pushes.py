"""Receives push messages over HTTP: checks the signature, keeps what is said, answers at once, then rings."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import time
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Handler

from worker.accounts import Accounts
from worker.errors import ConfigError, Unavailable, UnknownAccount
from worker.marketplaces.base import Marketplace, Push
from worker.web.door import Door
from worker.web.ringing import Ringing

log = logging.getLogger(__name__)

BODY_LIMIT_BYTES = 64 * 1024
"""A message has some hundred bytes."""
BODY_SECONDS = 10.0
"""Longest wait for the rest of a message that has begun."""
ANSWER_SECONDS = 0.4
"""The marketplace waits half a second for its 200; without one it sends the message again."""
OLD_SECONDS = 3 * 86400.0
"""How old a message may be: longer than a receiver is away over a week-end and messages are sent again."""
AHEAD_SECONDS = 600.0
"""How far its sender's clock may be ahead of ours."""

_silent = logging.getLogger(f"{__name__}.server")
_silent.disabled = True
"""For aiohttp's own lines: they quote a request that cannot be read."""


class Receiver:
    """Answers `POST /push/<account>`. `keep` and `hint` are called on a thread: they wait for the ledger.

    `hint` takes the messages that only say that an order we know is worth reading.
    """

    def __init__(
        self,
        accounts: Accounts,
        keep: Callable[[str, Push], None],
        hint: Callable[[str, Push], None],
        ringing: Ringing,
    ) -> None:
        self._accounts = accounts
        self._keep = keep
        self._hint = hint
        self._ringing = ringing
        self.door: Door | None = None

    def application(self) -> web.Application:
        """Return the web application."""
        application = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[self._answering])
        application.router.add_get("/{rest:.*}", self._alive)  # AliExpress probes the address it is given
        application.router.add_post("/push/{account}", self._take)
        application.router.add_post("/push/{account}/{secret}", self._take)
        return application

    @web.middleware
    async def _answering(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            if self.door is not None:
                self.door.answered(request.transport)

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _take(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        marketplace = self._receiving(account)
        secret = request.match_info.get("secret", "")
        if marketplace is None or bool(secret) != marketplace.secret_in_address:
            return web.Response(status=404)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.read()  # answers 413 by itself
        except TimeoutError:
            return web.Response(status=408)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not marketplace.is_genuine(headers, body, secret):
            log.warning("a message for %s is not signed with its secret; it is turned away", account)
            return web.Response(status=401)
        push = marketplace.read_push(headers, body)
        if push is None:
            log.warning("a message for %s is not about an order; it is passed over", account)
            return web.Response()
        if not is_fresh(push.at, time.time()):
            log.warning("a message for %s was signed for a time far from now; it is passed over", account)
            return web.Response()
        keep = self._keep if marketplace.takes_pushes else self._hint
        return web.Response(status=await self._kept(account, push, keep))

    async def _kept(self, account: str, push: Push, keep: Callable[[str, Push], None]) -> int:
        try:
            await asyncio.wait_for(asyncio.to_thread(keep, account, push), ANSWER_SECONDS)
        except (Unavailable, TimeoutError) as error:
            log.warning("%s for %s is not kept and must be sent again: %s", push.reference, account, _kind(error))
            return 503
        except Exception as error:
            log.error("%s for %s cannot be kept: %s", push.reference, account, _kind(error))
            return 503
        self._ringing.came()
        return 200

    def _receiving(self, account: str) -> Marketplace | None:
        try:
            marketplace = self._accounts.adapter(account)
        except UnknownAccount:
            return None
        return marketplace if marketplace.hears else None


def is_fresh(at: float | None, now: float) -> bool:
    """Tell whether a message may change anything, by the time it was signed with.

    An old one that somebody kept is worth nothing: the marketplace sends a message again for hours, not for weeks. One
    from the future would stand above every true message that comes before that time.
    """
    return at is None or now - OLD_SECONDS <= at <= now + AHEAD_SECONDS


def _kind(error: Exception) -> str:
    """Name an error without its text, which may hold what was sent."""
    return type(error).__name__


class Listening:
    """The receiver at its port."""

    def __init__(self, runner: web.AppRunner, door: Door, url: str) -> None:
        self._runner, self._door, self.url = runner, door, url

    async def stop(self) -> None:
        """Let nobody in any more, and end what is open."""
        await self._door.close()
        await self._runner.cleanup()


async def listen(receiver: Receiver, address: str, port: int, most: int | None = None) -> Listening:
    """Start to listen; `most`: connections at once. Raises ConfigError when the port is taken."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server((address, port), family=family, backlog=128)
    except OSError as error:
        said = "is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise ConfigError(
            f"push messages cannot be received on {address}:{port}: {said};"
            " see FULFIL_HOOKS_ADDRESS and FULFIL_HOOKS_PORT"
        ) from None
    runner = web.AppRunner(receiver.application(), access_log=None, logger=_silent, shutdown_timeout=2)
    await runner.setup()
    door = Door(listening, cast("Callable[[], asyncio.Protocol]", runner.server), most)
    receiver.door = door
    door.open()
    host, bound = listening.getsockname()[:2]
    return Listening(runner, door, f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}")


def run_hooks(receiver: Receiver, ringing: Ringing, address: str, port: int, ready: Callable[[str], None]) -> None:
    """Receive push messages until SIGTERM or SIGINT; `ready` is told the address. Raises ConfigError."""

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        listening = await listen(receiver, address, port)
        ready(listening.url)
        await stop.wait()
        await listening.stop()

    ringing.start()
    try:
        asyncio.run(until_stopped())
    finally:
        ringing.stop()
