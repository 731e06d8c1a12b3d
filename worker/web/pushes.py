"""Receives push messages over HTTP: checks the signature, keeps what is said, answers at once, then rings."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from config.settings import settings
from worker.accounts import adapter
from worker.errors import ConfigError, RedisAway, Unavailable, UnknownAccount
from worker.marketplaces.base import Marketplace, Push

log = logging.getLogger(__name__)

BODY_LIMIT_BYTES = 64 * 1024
"""A message has some hundred bytes."""
BODY_SECONDS = 10.0
"""Longest wait for the rest of a message that has begun."""
ANSWER_SECONDS = 0.4
"""The marketplace waits half a second for its 200; without one it sends the message again."""
GATHER_SECONDS = 0.2
"""Messages that come within this time are rung for once."""

_silent = logging.getLogger(f"{__name__}.server")
_silent.disabled = True
"""For aiohttp's own lines: they quote a request that cannot be read."""


class Receiver:
    """Answers `POST /push/<account>`. `keep` and `ring` are called on threads: they wait for the ledger and Redis."""

    def __init__(self, keep: Callable[[str, Push], None], ring: Callable[[], None]) -> None:
        self._keep = keep
        self._ring = ring
        self._came = asyncio.Event()
        self._ringing: asyncio.Task[None] | None = None

    def application(self) -> web.Application:
        """Return the web application."""
        application = web.Application(client_max_size=BODY_LIMIT_BYTES)
        application.router.add_get("/{rest:.*}", self._alive)  # AliExpress probes the address it is given
        application.router.add_post("/push/{account}", self._take)
        application.on_startup.append(self._start)
        application.on_cleanup.append(self._stop)
        return application

    async def _start(self, _: web.Application) -> None:
        self._ringing = asyncio.create_task(self._ring_on())

    async def _stop(self, _: web.Application) -> None:
        if self._ringing is not None:
            self._ringing.cancel()
            with suppress(asyncio.CancelledError):
                await self._ringing

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _take(self, request: web.Request) -> web.Response:
        account = request.match_info["account"]
        marketplace = _receiving(account)
        if marketplace is None:
            return web.Response(status=404)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.read()  # answers 413 by itself
        except TimeoutError:
            return web.Response(status=408)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not marketplace.is_genuine(headers, body):
            log.warning("a message for %s is not signed with its secret; it is turned away", account)
            return web.Response(status=401)
        push = marketplace.read_push(headers, body)
        if push is None:
            log.warning("a message for %s is not about an order; it is passed over", account)
            return web.Response()
        return web.Response(status=await self._kept(account, push))

    async def _kept(self, account: str, push: Push) -> int:
        try:
            await asyncio.wait_for(asyncio.to_thread(self._keep, account, push), ANSWER_SECONDS)
        except (Unavailable, TimeoutError) as error:
            log.warning("%s for %s is not kept and must be sent again: %s", push.reference, account, _kind(error))
            return 503
        except Exception as error:
            log.error("%s for %s cannot be kept: %s", push.reference, account, _kind(error))
            return 503
        self._came.set()
        return 200

    async def _ring_on(self) -> None:
        while True:
            await self._came.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._came.clear()
            try:
                await asyncio.to_thread(self._ring)
            except RedisAway as error:
                log.warning("the sweep will ring: %s", error)
            except Exception as error:
                log.error("the sweep will ring: %s", _kind(error))


def _kind(error: Exception) -> str:
    """Name an error without its text, which may hold what was sent."""
    return type(error).__name__


def _receiving(account: str) -> Marketplace | None:
    try:
        marketplace = adapter(account)
    except UnknownAccount:
        return None
    return marketplace if marketplace.takes_pushes else None


async def listen(receiver: Receiver, address: str, port: int) -> tuple[web.AppRunner, str]:
    """Start to listen; return what to clean up and the address. Raises ConfigError when the port is taken."""
    runner = web.AppRunner(receiver.application(), access_log=None, logger=_silent, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError as error:
        await runner.cleanup()
        said = "is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise ConfigError(
            f"push messages cannot be received on {address}:{port}: {said};"
            " see FULFIL_HOOKS_ADDRESS and FULFIL_HOOKS_PORT"
        ) from None
    host, bound = runner.addresses[0][:2]
    return runner, f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"


def run_hooks(address: str | None, port: int | None, ready: Callable[[str], None]) -> None:
    """Receive push messages until SIGTERM or SIGINT. Raises ConfigError, LedgerAway."""
    from tasks.match import pushes
    from worker.broker.bell import bell

    configured = settings()
    for account in configured.accounts:
        adapter(account)
    kept = pushes()

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        runner, url = await listen(
            Receiver(kept.take, lambda: bell().match()),
            configured.hooks_address if address is None else address,
            configured.hooks_port if port is None else port,
        )
        ready(url)
        await stop.wait()
        await runner.cleanup()

    asyncio.run(until_stopped())
