"""Reads the answer to a preview, which creates nothing: what cannot be read of it was simply not placed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.codes import Clean, Kind, KnownCode, outcome, unknown
from worker.marketplaces.replies import Fraction, Garbage, text_of, values
from worker.marketplaces.xportcn.codes import FEWER, clean_code, find, find_gateway, is_known, preview_code
from worker.marketplaces.xportcn.create import RATE_SECONDS, limited
from worker.marketplaces.xportcn.envelope import Answer, Fault, first_text, open_body
from worker.marketplaces.xportcn.goods import CURRENCY
from worker.rules.codes import amending
from worker.rules.outcomes import Money, NotSent, PlaceOutcome, Refused

PREVIEWED = ("flow", "addressParam", "cargoParamList", "outOrderId")
"""What a preview takes of a create's body (and an `aliId` that is not explained)."""
TOO_DEAR = "MAX_AMOUNT_EXCEEDED"
NO_AMOUNT = "PREVIEW_WITHOUT_AMOUNT"
NO_TRADE_MODE = "NO_TRADE_MODE"
PREVIEW_FAILED = "PREVIEW_FAILED"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a good preview told. `fen` is the sum over its orders; None when an amount is missing or no whole number."""

    fen: int | None
    trade_type: str | None

    @property
    def forecast(self) -> Money | None:
        """What the order will cost, where the preview tells it."""
        return None if self.fen is None else Money(Decimal(self.fen).scaleb(-2), CURRENCY)


def read_preview(came: Reply | Lost, success: Sequence[str], clean: Clean) -> Preview | PlaceOutcome:
    """Return what a preview told, or the outcome it settles."""
    if isinstance(came, Lost):
        return NotSent(f"the preview: {came.cause}")
    if came.status == 429:
        return limited(came)
    opened = open_body(came.body)
    if came.status >= 500 or isinstance(opened, Garbage):
        cause = f": {opened.cause}" if isinstance(opened, Garbage) and came.status < 500 else ""
        return _door(came) or NotSent(f"the preview: HTTP {came.status}{cause}")
    if isinstance(opened, Fault):
        return _preview_outcome(find_gateway(opened.code, opened.text), opened.text, clean, None)
    if opened.code not in success:
        entry = find(opened.code, opened.msg)
        if not opened.msg and entry.kind is Kind.REFUSED and not is_known(opened.code):
            return NotSent("the preview: neither success nor a reason")
        return _preview_outcome(entry, opened.msg, clean, opened.request_id)
    return _read_rows(opened, clean)


def _preview_outcome(entry: KnownCode, text: str, clean: Clean, request_id: str | None) -> PlaceOutcome:
    told, code = clean(text), clean_code(entry.code, clean)
    doubt = unknown(entry.meaning, told, code, request_id)
    if entry.kind is Kind.MAY_EXIST:  # of a preview nothing can exist
        return NotSent(f"the preview: {doubt.cause}"[:300])
    return doubt if entry.kind is Kind.EXISTS else outcome(replace(entry, code=code), told, request_id, RATE_SECONDS)


def _read_rows(opened: Answer, clean: Clean) -> Preview | PlaceOutcome:
    data = opened.data
    rows = [row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict) and row]
    if not rows:
        return NotSent("the preview shows nothing")
    return _row_fault(rows, clean, opened.request_id) or Preview(_fen(rows), _trade_type(rows))


def _row_fault(rows: list[dict[str, Any]], clean: Clean, request_id: str | None) -> PlaceOutcome | None:
    """Return the fault a row holds: 1688's own preview reports it there, under a success of the call."""
    for row in rows:
        text = first_text(row, "message", "msg", "errorMsg")
        code = preview_code(first_text(row, "resultCode", "errorCode", "code"))
        if code or row.get("success") is False or row.get("status") is False:
            return _preview_outcome(find(code or PREVIEW_FAILED, text), text, clean, request_id)
    offers = [names for names in values(rows, "tradeModeNameList") if isinstance(names, list)]
    if offers and not any(offers):
        reason = "the preview offers no trade type: this product cannot be ordered by API"  # docs/vendors/xportcn.md, 2
        return Refused(NO_TRADE_MODE, reason, "order it by hand on 1688, or choose another product or supplier")
    return None


def _fen(rows: list[dict[str, Any]]) -> int | None:
    """Return the sum of what the previewed orders cost. sumTotalPayment may be a little more (xportcn.md, 1)."""
    total = 0
    for row in rows:
        amounts = [row[name] for name in ("sumPayment", "sumTotalPayment") if row.get(name) is not None]
        read = [_natural(amount) for amount in amounts]
        known = [amount for amount in read if amount is not None]
        if row.get("sumPayment") is None or len(known) < len(read):
            return None
        total += max(known)
    return total


def _natural(value: object) -> int | None:
    text = "" if isinstance(value, Fraction) else text_of(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _trade_type(rows: list[dict[str, Any]]) -> str | None:
    """Return the first trade type that every previewed order offers, where any does."""
    offers = [list(_modes(row)) for row in rows]
    return next((mode for mode in offers[0] if all(mode in others for others in offers)), None)


def _modes(row: dict[str, Any]) -> Iterator[str]:
    for names in values(row, "tradeModeNameList"):
        for name in names if isinstance(names, list) else text_of(names).split(","):
            yield from filter(None, [text_of(name)])
    for name in values(row, "tradeType"):
        yield from filter(None, [text_of(name)])


def ceiling(preview: Preview, max_amount: int | None, account_limit: Decimal | None = None) -> Refused | None:
    """Return the refusal of an order that is dearer than its ceiling, or whose price the preview does not tell.

    `max_amount`: the order's own ceiling in fen; `account_limit`: that of every order of the account, in yuan.
    """
    if account_limit is not None and preview.fen is not None and preview.fen > account_limit * 100:
        reason = f"the preview is {preview.fen} fen, the account's limit for an order {account_limit:f} yuan"
        return Refused(
            TOO_DEAR,
            reason,
            f"lower the quantity: {FEWER}; or raise the account's MAX_ORDER_AMOUNT, then: fulfil retry ORDER",
        )
    if max_amount is None:
        if account_limit is None or preview.fen is not None:
            return None
        reason = "the preview tells no amount in fen, so the account's MAX_ORDER_AMOUNT cannot be held"
        return Refused(NO_AMOUNT, reason, "order by hand on 1688, or take the account's limit away", retryable=True)
    if preview.fen is None:
        reason = "the preview tells no amount in fen, so max_amount cannot be held"
        return Refused(
            NO_AMOUNT,
            reason,
            f"take max_amount out: {amending('max_amount=')}; or order by hand on 1688",
            retryable=True,
        )
    if preview.fen > max_amount:
        reason = f"the preview is {preview.fen} fen, the order's max_amount {max_amount} fen"
        return Refused(TOO_DEAR, reason, f"raise max_amount or lower the quantity: {amending('max_amount=FEN')}")
    return None


def _door(came: Reply) -> PlaceOutcome | None:
    """Return the outcome of a call turned away by its HTTP status alone."""
    if came.status not in (401, 403, 404, 405):
        return None
    return outcome(replace(find(str(came.status), ""), code=f"HTTP_{came.status}"))
