"""Reads the answer to a create: every documented and reported form of it becomes one outcome.

A no is believed only by a documented text in a documented form with a documented status (`codes.of_create`), or by HTTP
401, 403 and 429, and only while nothing else in the answer speaks against it. Everything else is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.marketplaces.base import Lost, Reply
from worker.marketplaces.doubts import LIMIT, Topics, Words
from worker.marketplaces.replies import id_of, lost
from worker.marketplaces.shoplazza.codes import DOCUMENTED, Entry, Kind, find, of_create, topics_of, unauthorised
from worker.marketplaces.shoplazza.envelope import Document, open_body
from worker.rules.outcomes import Accepted, Decline, Declined, PlaceOutcome, Refused, Unknown

DOOR_SECONDS = 60.0
"""Wait after an answer that a person has to mend (token, scope, shop) before the account is tried again."""
LEAK_PER_SECOND = 2.0
"""The bucket's leak, for one app in one shop (facts: B1)."""
LONGEST_WAIT_SECONDS = 3600.0
BACKEND_CODES = frozenset({"1", "2", "4", "10", "13", "14", "15"})
"""gRPC's numbers for cancelled, unknown, deadline, aborted, internal, unavailable and data loss. The vendor answers
with gRPC's codes (facts: B1, `{"code": 5, …}`), and its page lists most of these under 500."""

_SECONDS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")
_USED = re.compile(r"\s*([0-9]{1,6})\s*/\s*([0-9]{1,6})\s*")
_LIMIT_HEADER = re.compile(r"call-limit|ratelimit|rate-limit")
_PRINTED_ID = re.compile(r"order_id:?\s*([0-9A-Za-z][0-9A-Za-z_-]{0,63})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Context:
    """What reading an answer needs to know of its call."""

    version: str
    limit_headers: tuple[str, ...]
    words: Words

    @property
    def scrub(self) -> Callable[[str], str]:
        """What makes a text fit to be told."""
        return self.words.clean


def read_create(came: Reply | Lost, context: Context) -> PlaceOutcome:
    """Return what one create came to. Anything that cannot be read for certain is Unknown, never a refusal."""
    if isinstance(came, Lost):
        return lost(came)
    opened, request_id = open_body(came.body), request_id_of(came)
    reference = "" if isinstance(opened, str) else id_of(opened.order().get("id"))
    if reference and not 200 <= came.status < 300:
        return Unknown(f"HTTP {came.status}, but it shows the order", f"HTTP_{came.status}", (reference,), request_id)
    if came.status == 429:
        return _limited(came, opened, context)
    if isinstance(opened, str):
        return Unknown(f"HTTP {came.status}: {opened}", f"HTTP_{came.status}", (), request_id)
    if 200 <= came.status < 300:
        return _created(opened, context, request_id)
    return _failed(came.status, opened, context, request_id)


def declined(came: Reply, context: Context) -> Declined | None:
    """Return the outcome of a read turned away at the door, by its words too; None for any other answer."""
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
    return Declined(entry.code, reason, DOOR_SECONDS, True, entry.fix, request_id_of(came), _kind(entry))


def request_id_of(came: Reply) -> str | None:
    """Return the id under which Shoplazza's support finds this call."""
    text = "".join(sign for sign in came.headers.get("request-id", "") if sign.isascii() and sign.isprintable())
    return text.strip()[:100] or None


def _kind(entry: Entry) -> Decline:
    return Decline.TOKEN if entry.code == "AccessToken" else Decline.SETUP


def _too_many(came: Reply, context: Context) -> Declined:
    """A 429 was not executed. Without a Retry-After a place in the bucket is free after what leaks in between."""
    header = came.headers.get("retry-after", "").strip()
    used, size = _bucket(came.headers, context.limit_headers)
    wait = float(header) if _SECONDS.fullmatch(header) else (max(used - size, 0) + 1) / LEAK_PER_SECOND
    reason = f"called too often ({used}/{size})" if size else "called too often"
    return Declined("HTTP_429", reason, min(wait, LONGEST_WAIT_SECONDS), True, request_id=request_id_of(came))


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


def _limited(came: Reply, opened: Document | str, context: Context) -> Declined | Unknown:
    """Believe HTTP 429 only where nothing in its body tells of anything else than too many calls."""
    words = context.words
    doubt = "its body tells of an order" if words.tells_of_an_order(came.body.decode("utf-8", "replace")) else None
    if isinstance(opened, Document):
        doubt = doubt or _against(opened, opened.text, LIMIT, words)
        if any(of_create(422, [problem], "", context.version) for problem in opened.problems or ()):
            doubt = doubt or "its body refuses the order"
    if doubt is not None:
        return Unknown(f"HTTP 429, but {doubt}", "HTTP_429", (), request_id_of(came))
    return _too_many(came, context)


def _failed(status: int, opened: Document, context: Context, request_id: str | None) -> PlaceOutcome:
    text, code = context.scrub(opened.text), _code(opened.code, context)
    known = find(f"{opened.code} {opened.text}") if status in DOCUMENTED else None
    if known is not None and known.kind is Kind.MAY_EXIST:
        return Unknown(_doubt(known, opened.text, text), known.code, (), request_id)
    entry = of_create(status, opened.problems or (), code, context.version)
    if entry is None:
        cause = f"HTTP {status}: {text}" if text else f"HTTP {status} without a clear word"
        return Unknown(cause, code if code and status in DOCUMENTED else f"HTTP_{status}", (), request_id)
    # A documented text is whole as it is; any other has to be looked at.
    doubt = _against(opened, "" if entry.texts else opened.text, topics_of(entry), context.words)
    if doubt is not None:
        return Unknown(f"{entry.code}, but {doubt}: {text}", entry.code, (), request_id)
    return _believed(entry, text, request_id)


def _believed(entry: Entry, text: str, request_id: str | None) -> Refused | Declined:
    reason = text or entry.meaning
    if entry.kind is Kind.CONFIGURATION:
        return Declined(entry.code, reason, DOOR_SECONDS, True, entry.fix, request_id, _kind(entry))
    return Refused(
        entry.code,
        reason,
        entry.fix,
        retryable=entry.kind is Kind.REFUSED_RETRYABLE,
        from_body=entry.kind is Kind.REFUSED_BY_CONTENT,
        stops_account=entry.kind is Kind.ACCOUNT,
        request_id=request_id,
    )


def _against(opened: Document, text: str, meant: Topics, words: Words) -> str | None:
    """Return what speaks against an answer's no: its code or its words, each for itself."""
    if opened.claims_success:
        return "its code says success"
    if opened.code in BACKEND_CODES:
        return "its code tells of a failing backend"
    return words.doubt(opened.code, meant) or words.doubt(text, meant)


def _doubt(entry: Entry, raw: str, text: str) -> str:
    """Say what failed. An id the text prints is a hint for a person: only a look-up proves whose order it is."""
    printed = _PRINTED_ID.search(raw)
    hint = f"; it names order {printed[1]}, which the look-up has to bear out" if printed else ""
    return f"{entry.meaning}: {text[:120]}{hint}"


def _code(code: str, context: Context) -> str:
    """Return the vendor's code where it is a word; a bare number (gRPC's) says less than the HTTP status."""
    return "" if code.lstrip("-").isdigit() else context.scrub(code)[:100]
