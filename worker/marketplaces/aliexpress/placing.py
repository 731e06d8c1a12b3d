"""Reads the answer to aliexpress.ds.order.create: every documented and reported form of it becomes one outcome."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from worker.marketplaces.aliexpress.codes import REPEATED, Entry, Kind, ban_seconds, find_gateway, find_result, is_known
from worker.marketplaces.aliexpress.envelope import Answer, Fault, Garbage, open_body
from worker.marketplaces.base import Lost, Reply
from worker.marketplaces.replies import Fraction, lost, text_of
from worker.outcomes import Accepted, PlaceOutcome, Refused, Throttled, Unknown

Scrub = Callable[[str], str]

CREATED_UNPAID = "CREATED_UNPAID"
"""Our word for "OrderCreated, autoPay fail:…": creating and paying are two steps, the first one stands (doc)."""

DOOR_SECONDS = 60.0
"""Wait after an answer that a person has to mend (token, keys, clock) before the account is tried again."""

LONGEST_BAN_SECONDS = 86400.0

_PAY_FAIL = re.compile(r"auto\s*pay|pay\s*fail", re.I)
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def read_create(came: Reply | Lost, scrub: Scrub) -> PlaceOutcome:
    """Return what one create came to. Anything that cannot be read for certain is Unknown, never a refusal."""
    if isinstance(came, Lost):
        return lost(came)
    if came.status == 429:
        return too_many(came)
    opened = open_body(came.body)
    if came.status >= 500 and not (isinstance(opened, Answer) and order_ids(opened.result.get("order_list"))):
        return Unknown(f"HTTP {came.status}", code=f"HTTP_{came.status}")
    match opened:
        case Garbage(cause):
            return Unknown(f"HTTP {came.status}: {cause}")
        case Fault():
            return _from_gateway(opened, scrub)
        case Answer(result, request_id):
            return _from_result(result, scrub, request_id)


def too_many(came: Reply) -> Throttled:
    """Return the outcome of HTTP 429, with the wait its header or its words ask for."""
    header = came.headers.get("retry-after", "").strip()
    asked = int(header) if header.isascii() and header.isdigit() and len(header) < 8 else None
    seconds = asked if asked is not None else ban_seconds(came.body[:2000].decode("utf-8", "replace"))
    return Throttled("HTTP_429", "called too often", _after(seconds), pauses_account=True)


def declined(entry: Entry, reason: str, ban: int | None, request_id: str | None) -> Throttled | None:
    """Return the outcome of an answer given at the door, where nothing was executed; None for any other kind."""
    if entry.kind is Kind.THROTTLE:
        return Throttled(entry.code, reason, _after(ban), pauses_account=True, request_id=request_id)
    if entry.kind in {Kind.TOKEN, Kind.CONFIGURATION, Kind.CLOCK, Kind.NOT_SHOWN}:
        return Throttled(entry.code, reason, DOOR_SECONDS, True, entry.fix, request_id)
    return None


def order_ids(value: object) -> tuple[str, ...]:
    """Return the ids of an `order_list` as digit strings, each once and in its order; nulls and zeros drop out.

    Forms: `{"number": [int]}` (page), strings in it, a single value, a bare list (official demo, simplify).
    """
    return tuple(dict.fromkeys(_ids(value)))


def _ids(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _ids(value.get("number"))
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, dict | list):
                yield from _ids(inner)
    else:
        text = "" if isinstance(value, Fraction) else text_of(value)
        if text.isascii() and text.isdigit() and len(text) <= 32 and text.strip("0"):
            yield text


def _after(seconds: int | None) -> float | None:
    return None if seconds is None else min(seconds + 1.0, LONGEST_BAN_SECONDS)


def _from_gateway(fault: Fault, scrub: Scrub) -> PlaceOutcome:
    code, sub_code = clean_code(fault.code, scrub), clean_code(fault.sub_code, scrub)
    entry = find_gateway(code, sub_code, fault.text)
    return _outcome(entry, fault.text, scrub, fault.request_id)


def _from_result(result: Mapping[str, Any], scrub: Scrub, request_id: str | None) -> PlaceOutcome:
    ids = order_ids(result.get("order_list"))
    code, text = clean_code(text_of(result.get("error_code")), scrub), text_of(result.get("error_msg"))
    success = _truth(result.get("is_success", result.get("success")))
    if ids:
        return _with_ids(ids, code, scrub(text), success, request_id)
    entry = find_result(code, text)
    if entry.kind is Kind.REPEATED:
        return Accepted((), REPEATED, scrub(text) or entry.meaning, request_id)
    if success is False and (code or text):
        return _outcome(entry, text, scrub, request_id)
    cause = "success without an order id" if success else "neither success, an order id nor a clear refusal"
    return Unknown(f"{cause}: {scrub(text)}" if text else cause, code or None, (), request_id)


def _with_ids(ids: tuple[str, ...], code: str, reason: str, success: bool | None, request_id: str | None) -> Accepted:
    """Ids mean that orders exist, whatever else is said; the read-back tells what became of them."""
    if _PAY_FAIL.search(reason):
        return Accepted(ids, CREATED_UNPAID, reason, request_id)
    if not success and not reason:
        reason = "ids came without a success flag"
    return Accepted(ids, code or None, reason or None, request_id)


def _outcome(entry: Entry, text: str, scrub: Scrub, request_id: str | None) -> PlaceOutcome:
    kind, reason = entry.kind, scrub(text) or entry.meaning
    if kind is Kind.BACKEND_UNKNOWN:
        return Unknown(reason, entry.code, (), request_id)
    return declined(entry, reason, ban_seconds(text), request_id) or Refused(
        entry.code,
        reason,
        entry.fix,
        retryable=kind is Kind.REFUSED_RETRYABLE,
        from_body=kind is Kind.REFUSED_BY_CONTENT,
        stops_account=kind is Kind.ACCOUNT,
        request_id=request_id,
    )


def clean_code(code: str, scrub: Scrub) -> str:
    """Return a code as it may be stored: one the vendor is known to use as it is, any other scrubbed and cut."""
    return code if not code or is_known(code) else scrub(code)[:100]


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTH.get(text_of(value).lower())
