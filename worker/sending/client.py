"""The only HTTP: sends what adapters ask for and tells what came back, in their own closed words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TypeVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from worker.crashpoints import CrashPoint, reached
from worker.marketplaces.calls import Lost, Reply, Request
from worker.sending.bodies import ASKED, UnusableBodyError, whole_body

T = TypeVar("T")

TOO_LATE = "its time ran out before it was sent"

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))
_note: ContextVar[Callable[[], None] | None] = ContextVar("note", default=None)
"""Notes on disk that the request at hand may leave now; None: it makes nothing."""


class _TooLateError(aiohttp.ClientError):
    """The time in which a request may leave has passed."""


class _TimedRequest(aiohttp.ClientRequest):
    """Looks at the clock once more when the connection is there, a moment before the first byte.

    A process that was frozen, or waited for a connection, must not send under a lease that is no longer its own.
    """

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        note = _note.get()
        if note is not None:
            _noted(note)
        if time.time() >= _deadline.get():
            raise _TooLateError(TOO_LATE)
        reached(CrashPoint.SENDING, self.url)
        return await super().send(conn)


def _noted(note: Callable[[], None]) -> None:
    try:
        note()
    except OSError as error:
        raise _TooLateError(f"its send mark cannot be written ({error.strerror or error})") from None


_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, _TooLateError)


class Client:
    """One HTTP client a worker process, made on its loop. `connections` must cover everything in flight."""

    def __init__(
        self,
        connections: int,
        connect_seconds: float,
        answer_seconds: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._answer_seconds = answer_seconds
        timeout = httpx.Timeout(answer_seconds, connect=connect_seconds, pool=connect_seconds)
        self._extensions = {"timeout": timeout.as_dict()}
        self._transport = transport or AiohttpTransport(client=_session(connections), trust_env=False)

    async def drive(
        self, steps: Generator[Request, Reply | Lost, T], deadline: float, note: Callable[[], None] | None = None
    ) -> T:
        """Run an adapter's call to its outcome. No request leaves after `deadline` (unix seconds).

        `note` is called before the first byte of a request that may make an order; what it raises as OSError keeps
        the request from leaving.
        """
        _deadline.set(deadline)
        try:
            request = next(steps)
            while True:
                if time.time() >= deadline:
                    request = steps.send(Lost(TOO_LATE, may_have_arrived=False))
                else:
                    _note.set(note if request.creates else None)
                    request = steps.send(await self.send(request))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def send(self, request: Request) -> Reply | Lost:
        """Send one request; never raises for what the network or the marketplace does."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await self._exchange(request)
        except TimeoutError:
            return Lost("no complete answer in time", may_have_arrived=True)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            return Lost("the account's address is no http(s) address", may_have_arrived=False)
        except (httpx.HTTPError, httpx.StreamError, aiohttp.ClientError, OSError, UnicodeError) as error:
            return _lost(error)

    async def _exchange(self, request: Request) -> Reply | Lost:
        # Straight to the transport: redirects, cookies and defaults, an AsyncClient's part, are what we do not want.
        outgoing = httpx.Request(
            request.method,
            _url(request.url),
            headers={**ASKED, **request.headers},
            stream=httpx.ByteStream(request.content),  # aiohttp writes Host and Content-Length
            extensions=self._extensions,
        )
        outgoing.read()
        response = await self._transport.handle_async_request(outgoing)
        reached(CrashPoint.ANSWERED)
        try:
            body = await whole_body(response)
        except UnusableBodyError as error:
            return Lost(str(error), may_have_arrived=True)
        finally:
            await response.aclose()
        return Reply(response.status_code, response.headers, body)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


@lru_cache(maxsize=256)
def _url(address: str) -> httpx.URL:
    return httpx.URL(address)


def _session(connections: int) -> aiohttp.ClientSession:
    """Return the session the transport runs on: no cookies, for accounts share it and must not be mixed up."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=15),
        cookie_jar=aiohttp.DummyCookieJar(),
        request_class=_TimedRequest,
    )


def _lost(error: Exception) -> Lost:
    """Tell a request that never left from one that may have arrived.

    The aiohttp transport reports a connection cut after the request as httpx.ConnectTimeout, so its word for the
    kind of failure proves nothing; what aiohttp itself raised does. Without such proof the request may have arrived.
    """
    cause: Any = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    if isinstance(cause, _TooLateError):
        return Lost(str(cause), may_have_arrived=False)
    if isinstance(cause, _NEVER_LEFT) or (isinstance(error, httpx.ConnectError) and cause is error):
        return Lost(f"no connection ({type(cause).__name__})", may_have_arrived=False)
    return Lost(f"the connection broke ({type(cause).__name__})", may_have_arrived=True)
