"""What is sent to create an order, and what the answer means: every known form of it becomes one outcome.

A no is believed only by a documented text in a documented form with a documented status (`codes.of_create`), or by HTTP
401, 403 and 429, and only while nothing else in the answer speaks against it. Everything else is looked up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.codes import Clean, Kind, KnownCode, outcome, too_many, too_many_creates
from worker.marketplaces.doubts import LIMIT, Topics, Words
from worker.marketplaces.replies import Garbage, id_of, lost, retry_after
from worker.marketplaces.shoplazza.codes import DOCUMENTED, find, of_create
from worker.marketplaces.shoplazza.credentials import LEGACY
from worker.marketplaces.shoplazza.envelope import Answer, open_body, request_id_of
from worker.marketplaces.shoplazza.models import UNSENT
from worker.marketplaces.shoplazza.signing import Mark
from worker.rules.outcomes import Accepted, Declined, PlaceOutcome, Unknown

LEAK_PER_SECOND = 2.0
"""The bucket's leak, for one app in one shop (docs/vendors/shoplazza.md, 1)."""
LONGEST_WAIT_SECONDS = 3600.0
BACKEND_CODES = frozenset({"1", "2", "4", "10", "13", "14", "15"})
"""gRPC's numbers for cancelled, unknown, deadline, aborted, internal, unavailable and data loss. The vendor answers
with gRPC's codes (docs/vendors/shoplazza.md, 1, `{"code": 5, …}`), and its page lists most of these under 500."""

_RENAMED = {"name": "shipping_name", "desc": "shipping_desc"}
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
    def clean(self) -> Clean:
        """What makes a text fit to be told."""
        return self.words.clean


def create_body(order: Mapping[str, Any], mark: Mark, version: str) -> bytes:
    """Return the body of a create: bare in 2022-01; later in `order`, its shipping_line with other key names."""
    body = {name: value for name, value in order.items() if name not in UNSENT}
    body |= {"tags": mark.tags(order.get("tags")), "note": mark.note(order.get("note"))}
    if version != LEGACY:
        line = order.get("shipping_line")
        if line:
            body["shipping_line"] = {_RENAMED.get(name, name): value for name, value in line.items()}
        body = {"order": body}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def read_create(came: Reply | Lost, context: Context) -> PlaceOutcome:
    """Return what one create came to. Anything that cannot be read for certain is Unknown, never a refusal."""
    if isinstance(came, Lost):
        return lost(came)
    opened, request_id = open_body(came.body), request_id_of(came)
    reference = "" if isinstance(opened, Garbage) else id_of(opened.order().get("id"))
    if reference and not 200 <= came.status < 300:
        return Unknown(f"HTTP {came.status}, but it shows the order", f"HTTP_{came.status}", (reference,), request_id)
    if came.status == 429:
        return _limited(came, opened, context)
    if isinstance(opened, Garbage):
        return Unknown(f"HTTP {came.status}: {opened.cause}", f"HTTP_{came.status}", (), request_id)
    if 200 <= came.status < 300:
        return _created(opened, context, request_id)
    return _failed(came.status, opened, context, request_id)


def limited(came: Reply, context: Context) -> Declined:
    """Return the outcome of HTTP 429. Without a Retry-After a place in the bucket is free after what leaks between."""
    asked, (used, size) = retry_after(came), _bucket(came.headers, context.limit_headers)
    wait = (max(used - size, 0) + 1) / LEAK_PER_SECOND if asked is None else asked
    reason = f"called too often ({used}/{size})" if size else "called too often"
    return too_many(min(wait, LONGEST_WAIT_SECONDS), reason, request_id_of(came))


def _bucket(headers: Mapping[str, str], names: tuple[str, ...]) -> tuple[int, int]:
    """Return how full the bucket is, and its size; no stored copy of the docs tells the header's name."""
    guessed = (name for name in headers if _LIMIT_HEADER.search(name))
    for name in (*(name.lower() for name in names), *guessed):
        found = _USED.fullmatch(headers.get(name, ""))
        if found:
            return int(found[1]), int(found[2])
    return 0, 0


def _created(opened: Answer, context: Context, request_id: str | None) -> PlaceOutcome:
    """An id in an `order` means that the order exists, whatever else is said; without one nothing is certain."""
    reference = id_of(opened.order().get("id"))
    text, code = context.clean(opened.text), context.clean(opened.code)[:100]
    if reference and opened.succeeded:
        return Accepted((reference,), request_id=request_id)
    if reference:
        return Accepted((reference,), code or None, text or None, request_id)
    cause = "a success without an order id"
    return Unknown(f"{cause}: {text}" if text else cause, code or None, (), request_id)


def _limited(came: Reply, opened: Answer | Garbage, context: Context) -> Declined | Unknown:
    doubts = list[str | None]()
    if isinstance(opened, Answer):
        doubts.append(_against(opened, opened.text, LIMIT, context.words))
        if any(of_create(422, [problem], "", context.version) for problem in opened.problems or ()):
            doubts.append("its body refuses the order")
    return too_many_creates(came, context.words, limited(came, context), "", *doubts)


def _failed(status: int, opened: Answer, context: Context, request_id: str | None) -> PlaceOutcome:
    text, code = context.clean(opened.text), _code(opened.code, context)
    known = find(f"{opened.code} {opened.text}") if status in DOCUMENTED else None
    if known is not None and known.kind is Kind.MAY_EXIST:
        return Unknown(_doubt(known, opened.text, text), known.code, (), request_id)
    entry = of_create(status, opened.problems or (), code, context.version)
    if entry is None:
        cause = f"HTTP {status}: {text}" if text else f"HTTP {status} without a clear word"
        return Unknown(cause, code if code and status in DOCUMENTED else f"HTTP_{status}", (), request_id)
    # A documented text is whole as it is; any other has to be looked at.
    doubt = _against(opened, "" if entry.texts else opened.text, entry.topics, context.words)
    if doubt is not None:
        return Unknown(f"{entry.code}, but {doubt}: {text}", entry.code, (), request_id)
    return outcome(entry, text, request_id)


def _against(opened: Answer, text: str, meant: Topics, words: Words) -> str | None:
    """Return what speaks against an answer's no: its code or its words, each for itself."""
    if opened.claims_success:
        return "its code says success"
    if opened.code in BACKEND_CODES:
        return "its code tells of a failing backend"
    return words.doubt(opened.code, meant) or words.doubt(text, meant)


def _doubt(entry: KnownCode, raw: str, text: str) -> str:
    """Say what failed. An id the text prints is a hint for a person: only a look-up proves whose order it is."""
    printed = _PRINTED_ID.search(raw)
    hint = f"; it names order {printed[1]}, which the look-up has to bear out" if printed else ""
    return f"{entry.meaning}: {text[:120]}{hint}"


def _code(code: str, context: Context) -> str:
    """Return the vendor's code where it is a word; a bare number (gRPC's) says less than the HTTP status."""
    return "" if code.lstrip("-").isdigit() else context.clean(code)[:100]
