"""Reads one order back: what it shows of status, money and goods, and nothing of the receiver."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from tests.contract.template.codes import find
from tests.contract.template.envelope import Answer, open_body
from tests.contract.template.statuses import life
from worker.marketplaces.calls import Lost, NotRead, Reply
from worker.marketplaces.codes import Clean, read_outcome
from worker.marketplaces.replies import Garbage, lost, text_of
from worker.rules.outcomes import Absent, Money, OrderRecord, Unknown


def read_answer(came: Reply | Lost, reference: str, clean: Clean) -> OrderRecord | NotRead:
    """Return the record of the order that was asked for, or why there is none. `clean` scrubs the vendor's words."""
    if isinstance(came, Lost):
        return lost(came)
    if came.status == 404:
        return Absent("Template does not show the order yet")
    opened = open_body(came.body)
    if isinstance(opened, Garbage):
        return Unknown(f"HTTP {came.status}: {opened.cause}", f"HTTP_{came.status}")
    status, entry = text_of(opened.document.get("status")), find(opened.code)
    if opened.reference == reference and status:
        return _record(opened, status)
    text = clean(opened.text)
    return read_outcome(entry, text) if entry else Unknown(text or "it shows another order")


def _record(opened: Answer, status: str) -> OrderRecord:
    # Keep what a person may want to see, and nothing of the receiver.
    kept: dict[str, Any] = {name: text_of(opened.document.get(name)) for name in ("status", "total", "currency")}
    kept["items"] = opened.document.get("items")
    amount = _money(kept["total"], kept["currency"])
    return OrderRecord(opened.reference, status[:60], amount=amount, details=kept, life=life(status))


def _money(amount: str, currency: str) -> Money | None:
    try:
        value = Decimal(amount)
    except InvalidOperation:
        return None
    return Money(value, currency) if value.is_finite() and 0 < len(currency) <= 10 else None
