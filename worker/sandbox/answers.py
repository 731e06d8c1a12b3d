"""What the sandbox makes of a right answer when a fault is to spoil it: other ids, another type, no end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate

from aiohttp import web

from worker.sandbox.fake import Answer, Fake, SandboxOrder

PLAIN = "text/plain;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
HUGE_BYTES = 10_000_000
_GARBAGE = b"<!DOCTYPE html><html><body><h1>\xff Bad gateway</h1><p>{&quot;code&quot;: </body></html>"


def spoiled(answer: Answer, fault: str | None, fake: Fake, made: Sequence[SandboxOrder]) -> Answer:
    """Return what leaves in an answer's place; `made`: the orders the call has just made."""
    match fault:
        case "garbage":
            return Answer(_GARBAGE, content_type=HTML)
        case "empty":
            return Answer(b"")
        case "wrong_type":
            return replace(answer, content_type=HTML)
        case "huge":
            return replace(answer, body=answer.body.ljust(HUGE_BYTES))
        case "wrong_ids" if made:
            return _with_ids_of_another(answer, fake, made)
    return answer


def _with_ids_of_another(answer: Answer, fake: Fake, made: Sequence[SandboxOrder]) -> Answer:
    """Put the ids of the account's order before these in the place of theirs; as it is where there is none."""
    own = [reference for order in made for reference in order.references]
    before = fake.orders[: len(fake.orders) - len(made)]
    another = next((order for order in reversed(before) if order.account == made[0].account), None)
    if another is None or not own:
        return answer
    instead = {
        reference.encode(): another.references[place % len(another.references)].encode()
        for place, reference in enumerate(own)
    }
    # A whole id only: it may stand inside a longer number.
    pattern = rb"(?<![0-9A-Za-z])(?:" + b"|".join(map(re.escape, instead)) + rb")(?![0-9A-Za-z])"
    return replace(answer, body=re.sub(pattern, lambda found: instead[found[0]], answer.body))


def dated(answer: Answer, at: float) -> Answer:
    """Return an answer that says it was given at another time (unix seconds)."""
    return replace(answer, headers={**answer.headers, "Date": formatdate(at, usegmt=True)})


def response(answer: Answer) -> web.Response:
    """Return an answer as it leaves."""
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(body=answer.body, status=answer.status, headers=headers)


async def drip(request: web.BaseRequest, answer: Answer, seconds: float) -> web.StreamResponse:
    """Send an answer a byte at a time, so slowly that at the end of the time its last byte is missing; then cut it."""
    headers = {"Content-Type": answer.content_type, **answer.headers, "Content-Length": str(len(answer.body) or 1)}
    slow = web.StreamResponse(status=answer.status, headers=headers)
    with suppress(ConnectionError):  # the client went away
        await slow.prepare(request)
        for place in range(len(answer.body) - 1):
            await slow.write(answer.body[place : place + 1])
            await asyncio.sleep(seconds / len(answer.body))
        await asyncio.sleep(seconds / (len(answer.body) or 1))
    if request.transport is not None:
        request.transport.abort()
    return slow
