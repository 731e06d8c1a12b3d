"""Reads the answer to a create: every documented and reported form of it becomes one outcome."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.marketplaces.base import Lost, Reply
from worker.marketplaces.replies import id_of, lost
from worker.marketplaces.shoplazza.codes import DOCUMENTED, Entry, Kind, by_status, find, unauthorised
from worker.marketplaces.shoplazza.wire import Document, open_body
from worker.outcomes import Accepted, PlaceOutcome, Refused, Throttled, Unknown

DOOR_SECONDS = 60.0
"""Wait after an answer that a person has to mend (token, scope, shop) before the account is tried again."""
LEAK_PER_SECOND = 2.0
"""The bucket's leak, for one app in one shop (facts: B1)."""
LONGEST_WAIT_SECONDS = 3600.0

_SECONDS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")
_USED = re.compile(r"\s*([0-9]{1,6})\s*/\s*([0-9]{1,6})\s*")
_LIMIT_HEADER = re.compile(r"call-limit|ratelimit|rate-limit")
_PRINTED_ID = re.compile(r"order_id:?\s*([0-9A-Za-z][0-9A-Za-z_-]{0,63})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Context:
    """What reading an answer needs to know of its call."""

    version: str
    limit_headers: tuple[str, ...]
    scrub: Callable[[str], str]


def read_create(came: Reply | Lost, context: Context) -> PlaceOutcome:
    """Return what one create came to. Anything that cannot be read for certain is Unknown, never a refusal."""
    if isinstance(came, Lost):
        return lost(came)
    turned_away = declined(came, context)
    if turned_away is not None:
        return turned_away
    opened, request_id = open_body(came.body), request_id_of(came)
    if isinstance(opened, str):
        return Unknown(f"HTTP {came.status}: {opened}", f"HTTP_{came.status}", (), request_id)
    if 200 <= came.status < 300:
        return _created(opened, context, request_id)
    return _failed(came.status, opened, context, request_id)


def declined(came: Reply, context: Context) -> Throttled | None:
    """Return the outcome of an answer given at the door, to a create or a read; None for any other answer."""
    if came.status == 429:
        return _too_many(came, context)
    if not 400 <= came.status < 500 or came.status == 406:
        return None
    opened = open_body(came.body)
    text = opened.text if isinstance(opened, Document) else ""
    entry = unauthorised() if came.status == 401 else find(text)
    if entry is None or entry.kind is not Kind.CONFIGURATION:
        return None
    reason = context.scrub(text) or entry.meaning
    return Throttled(entry.code, reason, DOOR_SECONDS, True, entry.fix, request_id_of(came))


def request_id_of(came: Reply) -> str | None:
    """Return the id under which Shoplazza's support finds this call."""
    text = "".join(sign for sign in came.headers.get("request-id", "") if sign.isascii() and sign.isprintable())
    return text.strip()[:100] or None


def _too_many(came: Reply, context: Context) -> Throttled:
    """A 429 was not executed. Without a Retry-After a place in the bucket is free after what leaks in between."""
    header = came.headers.get("retry-after", "").strip()
    used, size = _bucket(came.headers, context.limit_headers)
    wait = float(header) if _SECONDS.fullmatch(header) else (max(used - size, 0) + 1) / LEAK_PER_SECOND
    reason = f"called too often ({used}/{size})" if size else "called too often"
    return Throttled("HTTP_429", reason, min(wait, LONGEST_WAIT_SECONDS), True, request_id=request_id_of(came))


def _bucket(headers: Mapping[str, str], names: tuple[str, ...]) -> tuple[int, int]:
    """Return how full the bucket is, and its size; no stored copy of the docs tells the header's name."""
    guessed = (name for name in headers if _LIMIT_HEADER.search(name))
    for name in (*(name.lower() for name in names), *guessed):
        found = _USED.fullmatch(headers.get(name, ""))
        if found:
            return int(found[1]), int(found[2])
    return 0, 0


def _created(opened: Document, context: Context, request_id: str | None) -> PlaceOutcome:
    """An id in an `order` means that the order exists, whatever else is said; without one nothing is certain."""
    reference = id_of(opened.order().get("id"))
    text, code = context.scrub(opened.text), context.scrub(opened.code)[:100]
    if reference and opened.succeeded:
        return Accepted((reference,), request_id=request_id)
    if reference:
        return Accepted((reference,), code or None, text or None, request_id)
    cause = "a success without an order id"
    return Unknown(f"{cause}: {text}" if text else cause, code or None, (), request_id)


def _failed(status: int, opened: Document, context: Context, request_id: str | None) -> PlaceOutcome:
    text = context.scrub(opened.text)
    entry = find(opened.text) if status in DOCUMENTED else None
    if entry is None and status in DOCUMENTED and opened.definite and opened.text:
        entry = by_status(status, _code(opened.code, context), context.version)
    if entry is None:
        cause = f"HTTP {status}: {text}" if text else f"HTTP {status} without a clear word"
        return Unknown(cause, f"HTTP_{status}", (), request_id)
    if entry.kind is Kind.MAY_EXIST:
        return Unknown(_doubt(entry, opened.text, text), entry.code, (), request_id)
    return Refused(
        entry.code,
        text or entry.meaning,
        entry.fix,
        retryable=entry.kind is Kind.REFUSED_RETRYABLE,
        from_body=entry.kind is Kind.REFUSED_BY_CONTENT,
        stops_account=entry.kind is Kind.ACCOUNT,
        request_id=request_id,
    )


def _doubt(entry: Entry, raw: str, text: str) -> str:
    """Say what failed. An id the text prints is a hint for a person: only a look-up proves whose order it is."""
    printed = _PRINTED_ID.search(raw)
    hint = f"; it names order {printed[1]}, which the look-up has to bear out" if printed else ""
    return f"{entry.meaning}: {text[:120]}{hint}"


def _code(code: str, context: Context) -> str:
    """Return the vendor's code where it is a word; a bare number (gRPC's) says less than the HTTP status."""
    return "" if code.lstrip("-").isdigit() else context.scrub(code)[:100]
