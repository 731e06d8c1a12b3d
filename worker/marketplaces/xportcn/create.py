"""What is sent to create an order, and what the answer means: a no is a documented code in its documented place.

That is one of 1688's codes for an order, as the code of Xportcn's envelope or of 1688's own answer inside it; a code of
1688's gateway in the gateway's form; or HTTP's own 401, 403, 404, 405 and 429 (xportcn.md, 1, 2). And only while no
word of the answer speaks against it. Everything else may have been executed, and is looked up before anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.codes import Kind, KnownCode, outcome, server_error, too_many, too_many_creates, unknown
from worker.marketplaces.doubts import LIMIT, Words, texts_in
from worker.marketplaces.replies import Garbage, lost, retry_after, values
from worker.marketplaces.xportcn.codes import clean_code, find, of_gateway, of_http, of_order, says_success
from worker.marketplaces.xportcn.envelope import Answer, Fault, Verdict, open_body, shown_ids, verdict
from worker.marketplaces.xportcn.goods import failed_offers
from worker.rules.codes import Code
from worker.rules.outcomes import Accepted, Declined, Differs, PlaceOutcome, Unknown

OURS = "max_amount"
RATE_SECONDS = 10.0
"""Clients of 1688's gateway begin at this wait (docs/vendors/xportcn.md, 2)."""
GATEWAY_STATUSES = frozenset({200, 400})
"""1688's gateway was seen with both (docs/vendors/xportcn.md, 2)."""


@dataclass(frozen=True, slots=True)
class Create:
    """What reading an answer needs to know of its create."""

    order: Mapping[str, Any]
    success: Sequence[str]
    words: Words
    differing: Callable[[Sequence[str]], Differs]

    def failed(self, document: object) -> list[str]:
        """Say which lines the answer names as not taken."""
        return failed_offers(self.order, document, self.words.clean)


def create_body(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return the create's body without outOrderId; offerId is a number on the page, our own ceiling is not sent."""
    lines = [{**line, "offerId": int(line["offerId"])} for line in order["cargoParamList"]]
    return {**{name: value for name, value in order.items() if name != OURS}, "cargoParamList": lines}


def read_create(came: Reply | Lost, create: Create) -> PlaceOutcome:
    """Return what one create came to. An id that is present means an order exists, whatever the rest says."""
    if isinstance(came, Lost):
        return lost(came)
    opened = open_body(came.body)
    ids = shown_ids(opened.document)
    if ids:
        return _with_ids(ids, opened, came.status, create)
    if came.status == 429:
        return _limited(came, opened, create)
    if came.status >= 500:
        return server_error(came.status)
    match opened:
        case Garbage(cause):
            return Unknown(f"HTTP {came.status}: {cause}")
        case Fault():
            return _from_gateway(opened, came.status, create)
        case Answer():
            return _without_ids(opened, came.status, create)


def _with_ids(
    ids: tuple[str, ...], opened: Answer | Fault | Garbage, status: int, create: Create
) -> Accepted | Unknown:
    if isinstance(opened, Garbage):
        return Unknown(f"HTTP {status}: {opened.cause}, but it shows ids", None, ids)
    scrub = create.words.clean
    request_id = opened.request_id if isinstance(opened, Answer) else None
    failed = create.failed(opened.document)
    if failed:
        differs = create.differing(failed)
        return Accepted(ids, Code.GOODS_DIFFER, differs.reason, request_id, differs)
    if isinstance(opened, Answer) and opened.code in create.success and status < 400:
        inner = verdict(opened.data)
        code, text = (inner.code, inner.text) if inner.success is False else ("", "")
        return Accepted(ids, clean_code(code, scrub) or None, scrub(text) or None, request_id)
    code, text = clean_code(opened.code, scrub), opened.msg if isinstance(opened, Answer) else opened.text
    return Accepted(ids, code, scrub(text) or f"ids came with code {code} and HTTP {status}", request_id)


def limited(came: Reply) -> Declined:
    """Return the outcome of HTTP 429, with the wait its header asks for."""
    asked = retry_after(came)
    return too_many(RATE_SECONDS if asked is None else asked)


def _limited(came: Reply, opened: Answer | Fault | Garbage, create: Create) -> Declined | Unknown:
    words, code = create.words, "" if isinstance(opened, Garbage) else opened.code
    doubts = [words.doubts(texts_in(opened.document), LIMIT)]
    entry = of_order(code) or of_gateway(code)
    if code in create.success or (entry is not None and entry.kind is not Kind.RATE):
        doubts.append("its body has a code that says otherwise")
    return too_many_creates(came, words, limited(came), clean_code(code, words.clean), *doubts)


def _from_gateway(fault: Fault, status: int, create: Create) -> PlaceOutcome:
    entry = of_gateway(fault.code)
    if entry is None or status not in GATEWAY_STATUSES:
        return _unknown("a gateway error that is not documented", fault.text, fault.code, create, None)
    return _believed(entry, fault.text, texts_in(fault.document), create, None)


def _without_ids(opened: Answer, status: int, create: Create) -> PlaceOutcome:
    inner = verdict(opened.data)
    if opened.code in create.success:
        return _outer_yes(opened, inner, status, create)
    entry = of_order(opened.code) if status in GATEWAY_STATUSES else of_http(status, opened.code)
    said = f"{opened.msg} {inner.text}".strip()
    if entry is None:
        return _unknown(_explained(opened, said), said, opened.code, create, opened)
    if inner.success or (inner.code and of_order(inner.code) is None):
        return _unknown("what stands inside the answer speaks against it", said, opened.code, create, opened)
    return _believed(entry, opened.msg or inner.text, texts_in(opened.document), create, opened)


def _outer_yes(opened: Answer, inner: Verdict, status: int, create: Create) -> PlaceOutcome:
    """Read 1688's own no inside Xportcn's yes; a yes without an id is none, and no no either."""
    if inner.success is not False:
        told = "success without an order id"
        return _unknown(told, inner.text, inner.code or opened.code, create, opened)
    entry = of_order(inner.code)
    # Xportcn's own "success" is of the call and says nothing of the order.
    texts = [text for text in texts_in(opened.document) if text != opened.msg or not says_success(text)]
    if entry is None or status != 200:
        what, code = "Xportcn says success, 1688 inside it does not", inner.code or opened.code
        return _unknown(what, "; ".join(texts), code, create, opened)
    return _believed(entry, inner.text, texts, create, opened)


def _believed(
    entry: KnownCode, reason: str, texts: Sequence[str], create: Create, opened: Answer | None
) -> PlaceOutcome:
    """Return the no of a documented code in its documented place, unless a text of the answer speaks against it."""
    doubt = create.words.doubts(texts, entry.topics) or _made_something(opened)
    if doubt is not None:
        return _unknown(f"{entry.code}, but {doubt}", "; ".join(texts), entry.code, create, opened)
    return outcome(entry, create.words.clean(reason), opened.request_id if opened else None, RATE_SECONDS)


def _made_something(opened: Answer | None) -> str | None:
    """Tell of an amount that succeeded: 1688 answers with `totalSuccessAmount` where it made one (xportcn.md, 2)."""
    amounts = values(opened.document if opened else None, "totalSuccessAmount")
    return "it tells an amount that succeeded" if any(str(one or "").strip("0. ") for one in amounts) else None


def _explained(opened: Answer, said: str) -> str:
    if not said:
        return "neither success, an order id nor a reason"
    entry = find(opened.code, said)
    doubtful = entry.kind in {Kind.MAY_EXIST, Kind.EXISTS}
    return entry.meaning if doubtful else "an answer with a code that is not documented"


def _unknown(what: str, said: str, code: str, create: Create, opened: Answer | None) -> Unknown:
    clean, failed = create.words.clean, create.failed(opened.document) if opened else []
    told = "; ".join(filter(None, [clean(said), *failed]))
    return unknown(what, told, clean_code(code, clean), opened.request_id if opened else None)
