"""Reads the answer to aliexpress.ds.order.create: every documented and reported form of it becomes one outcome.

A no is believed only from a documented code in its documented place: in the result of the create's own envelope, or in
one of the gateway's two error forms, with HTTP 200 (facts: section 2), and while its words do not speak against it.
Everything else may have been executed, and is sent again under the same key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from worker.marketplaces.aliexpress.codes import (
    REPEATED,
    Entry,
    Kind,
    ban_seconds,
    is_known,
    of_fault,
    of_result,
    topics_of,
)
from worker.marketplaces.aliexpress.envelope import Answer, Fault, Garbage, open_body
from worker.marketplaces.base import Lost, Reply
from worker.marketplaces.doubts import LIMIT, Words, texts_in
from worker.marketplaces.replies import Fraction, lost, text_of
from worker.marketplaces.searching import values
from worker.rules.outcomes import Accepted, Decline, Declined, PlaceOutcome, Refused, Unknown

CREATED_UNPAID = "CREATED_UNPAID"
"""Our word for "OrderCreated, autoPay fail:…": creating and paying are two steps, the first one stands (doc)."""
NO_CODE = "NO_CODE"
"""Our word for the code of an answer that has none."""

DOOR_SECONDS = 60.0
"""Wait after an answer that a person has to mend (token, keys, clock) before the account is tried again."""

LONGEST_BAN_SECONDS = 86400.0
MOST_CAUSE = 300
"""Characters of a cause, as of a reason."""

_PAY_FAIL = re.compile(r"auto\s*pay|pay\s*fail", re.I)
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def read_create(came: Reply | Lost, words: Words) -> PlaceOutcome:
    """Return what one create came to. Anything that cannot be read for certain is Unknown, never a refusal."""
    if isinstance(came, Lost):
        return lost(came)
    opened = open_body(came.body)
    ids = _shown(opened)
    if ids:
        return _with_ids(ids, opened, words)
    if came.status == 429:
        return _too_many(came, opened, words)
    if came.status >= 500:
        return Unknown(f"HTTP {came.status}", code=f"HTTP_{came.status}")
    match opened:
        case Garbage(cause):
            return Unknown(f"HTTP {came.status}: {cause}")
        case Fault():
            return _from_gateway(opened, came.status, words)
        case Answer():
            return _from_result(opened, came.status, words)


def _shown(opened: Answer | Fault | Garbage) -> tuple[str, ...]:
    """Return every id a reply shows, wherever its order_list stands."""
    lists = () if isinstance(opened, Garbage) else values(opened.document, "order_list")
    return tuple(dict.fromkeys(one for value in lists for one in order_ids(value)))


def too_many(came: Reply) -> Declined:
    """Return the outcome of HTTP 429, with the wait its header or its words ask for."""
    header = came.headers.get("retry-after", "").strip()
    asked = int(header) if header.isascii() and header.isdigit() and len(header) < 8 else None
    seconds = asked if asked is not None else ban_seconds(came.body[:2000].decode("utf-8", "replace"))
    return Declined("HTTP_429", "called too often", _after(seconds), pauses_account=True)


_DECLINES = {
    Kind.TOKEN: Decline.TOKEN,
    Kind.CONFIGURATION: Decline.SETUP,
    Kind.CLOCK: Decline.CLOCK,
    Kind.NOT_SHOWN: Decline.SETUP,
}


def declined(entry: Entry, reason: str, ban: int | None, request_id: str | None) -> Declined | None:
    """Return the outcome of an answer given at the door, where nothing was executed; None for any other kind."""
    if entry.kind is Kind.THROTTLE:
        return Declined(entry.code, reason, _after(ban), pauses_account=True, request_id=request_id)
    if entry.kind in _DECLINES:
        return Declined(entry.code, reason, DOOR_SECONDS, True, entry.fix, request_id, _DECLINES[entry.kind])
    return None


def order_ids(value: object) -> tuple[str, ...]:
    """Return the ids of an `order_list` as digit strings, each once and in its order; nulls and zeros drop out.

    Forms: `{"number": [int]}` (page), strings in it, a single value, a bare list (official demo, simplify).
    """
    return tuple(dict.fromkeys(_ids(value)))


def _ids(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name in ("number", "order_id"):
            yield from _ids(value.get(name))
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, list):
                yield from _ids(inner)
    else:
        text = "" if isinstance(value, Fraction) else text_of(value)
        if text.isascii() and text.isdigit() and len(text) <= 32 and text.strip("0"):
            yield text


def _after(seconds: int | None) -> float | None:
    return None if seconds is None else min(seconds + 1.0, LONGEST_BAN_SECONDS)


def _too_many(came: Reply, opened: Answer | Fault | Garbage, words: Words) -> Declined | Unknown:
    """Believe HTTP 429 only where nothing in its body tells of anything else than too many calls."""
    raw, code = came.body.decode("utf-8", "replace"), ""
    doubt = "its body tells of an order" if words.tells_of_an_order(raw) else None
    if isinstance(opened, Fault):
        entry, code = of_fault(opened.code, opened.sub_code), clean_code(opened.sub_code or opened.code, words.clean)
        doubt = doubt or words.doubts(texts_in(opened.document), LIMIT)
        if entry is not None and topics_of(entry) != LIMIT:
            doubt = doubt or f"its body has the code {code}"
    elif isinstance(opened, Answer) and opened.result:
        doubt = doubt or "the API itself answered in its body"
    return Unknown(f"HTTP 429, but {doubt}", code or "HTTP_429") if doubt else too_many(came)


def _from_gateway(fault: Fault, status: int, words: Words) -> PlaceOutcome:
    code, sub_code = clean_code(fault.code, words.clean), clean_code(fault.sub_code, words.clean)
    entry = of_fault(fault.code, fault.sub_code)
    told = entry.code if entry else sub_code or code or NO_CODE
    if entry is None or entry.kind is Kind.BACKEND_UNKNOWN:
        cause = words.clean(fault.text) or (entry.meaning if entry else "a gateway error that is not documented")
        return Unknown(cause, told, (), fault.request_id)
    if not fault.documented or status != 200:
        return _unknown(_out_of_place(status), fault.text, told, words, fault.request_id)
    return _believed(entry, fault.text, fault, words)


def _from_result(answer: Answer, status: int, words: Words) -> PlaceOutcome:
    result = answer.result
    raw, text = text_of(result.get("error_code")), text_of(result.get("error_msg"))
    success, told = _truth(result.get("is_success")), clean_code(raw, words.clean) or NO_CODE
    entry = of_result(raw, text)
    if status != 200 or (entry is not None and not answer.documented and entry.kind is not Kind.REPEATED):
        return _unknown(_out_of_place(status), text, told, words, answer.request_id)
    if entry is not None and entry.kind is Kind.REPEATED:
        return Accepted((), REPEATED, words.clean(text) or entry.meaning, answer.request_id)
    if success is not False or _truth(result.get("success")):
        cause = "success without an order id" if success else "neither success, an order id nor a clear refusal"
        return _unknown(cause, text, told, words, answer.request_id)
    if entry is None:
        what = "refused with a code that is not documented" if raw else "refused without a code"
        return _unknown(what, text, told, words, answer.request_id)
    return _believed(entry, text, answer, words)


def _out_of_place(status: int) -> str:
    return f"HTTP {status}, where AliExpress answers with 200" if status != 200 else "an answer in no documented form"


def _with_ids(ids: tuple[str, ...], opened: Answer | Fault | Garbage, words: Words) -> Accepted:
    """Ids mean that orders exist, whatever else is said; the read-back tells what became of them."""
    if isinstance(opened, Fault):
        code, text, success = clean_code(opened.sub_code or opened.code, words.clean), words.clean(opened.text), None
    else:
        result = opened.result if isinstance(opened, Answer) else {}
        code, text = (
            clean_code(text_of(result.get("error_code")), words.clean),
            words.clean(text_of(result.get("error_msg"))),
        )
        success = _truth(result.get("is_success", result.get("success")))
    request_id = None if isinstance(opened, Garbage) else opened.request_id
    if _PAY_FAIL.search(text):
        return Accepted(ids, CREATED_UNPAID, text, request_id)
    if not success and not text:
        text = "ids came without a success flag"
    return Accepted(ids, code or None, text or None, request_id)


def _believed(entry: Entry, text: str, opened: Answer | Fault, words: Words) -> PlaceOutcome:
    """Return the no of a documented code in its documented place, unless a text of the answer speaks against it."""
    texts, request_id = texts_in(opened.document), opened.request_id
    doubt = words.doubts(texts, topics_of(entry), entry.texts)
    if doubt is not None:
        return _unknown(f"{entry.code}, but {doubt}", "; ".join(texts), entry.code, words, request_id)
    reason = words.clean(text) or entry.meaning
    return declined(entry, reason, ban_seconds(text), request_id) or Refused(
        entry.code,
        reason,
        entry.fix,
        retryable=entry.kind is Kind.REFUSED_RETRYABLE,
        from_body=entry.kind is Kind.REFUSED_BY_CONTENT,
        stops_account=entry.kind is Kind.ACCOUNT,
        request_id=request_id,
    )


def _unknown(what: str, text: str, code: str, words: Words, request_id: str | None) -> Unknown:
    told = words.clean(text)
    return Unknown(f"{what}: {told}"[:MOST_CAUSE] if told else what, code, (), request_id)


def clean_code(code: str, clean: Callable[[str], str]) -> str:
    """Return a code as it may be stored: one the vendor is known to use as it is, any other scrubbed and cut."""
    return code if not code or is_known(code) else clean(code)[:100]


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTH.get(text_of(value).lower())
