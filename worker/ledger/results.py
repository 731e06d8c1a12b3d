"""What is written of a send and of a record that was read back, as rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from worker.ledger.moves import CODE_CHARACTERS, told
from worker.rules.outcomes import Declined, Money, NotSent, OrderRecord, PlaceOutcome, Unknown
from worker.rules.values import Sent


def closing(one: Sent) -> dict[str, Any]:
    """Return what closes the attempt of an outcome."""
    outcome = one.outcome
    return {
        "b_order_id": one.claim.order_id,
        "b_number": one.claim.number,
        "sent_at": one.sent_at,
        "closed_at": one.closed_at,
        "outcome": type(outcome).__name__,
        "code": told(getattr(outcome, "code", None), CODE_CHARACTERS),
        "cause": told(_cause(outcome)),
        "request_id": told(getattr(outcome, "request_id", None), CODE_CHARACTERS),
        "duration_ms": round((one.closed_at - one.sent_at) * 1000),
        "sender_gone_at": one.closed_at,
    }


def _cause(outcome: PlaceOutcome) -> str | None:
    if isinstance(outcome, Declined):
        return f"{outcome.kind}: {outcome.reason}"
    return outcome.cause if isinstance(outcome, NotSent | Unknown) else outcome.reason


def result_row(order_id: str, record: OrderRecord, now: float) -> dict[str, Any]:
    """Return what is kept of one record that was read back."""
    return {
        "order_id": order_id,
        "reference": record.reference,
        "read_at": now,
        "status": told(record.status, 60),
        "fulfilment_status": told(record.fulfilment_status, 60),
        "amount": record.amount and str(record.amount.amount),
        "currency": record.amount and told(record.amount.currency, 10),
        "paid_amount": record.paid_amount and str(record.paid_amount.amount),
        "paid_currency": record.paid_amount and told(record.paid_amount.currency, 10),
        "alert": told(record.alert),
        "details": record.details,
    }


def record_of(row: Row[Any]) -> OrderRecord:
    """Return the record a row of results was written of."""
    return OrderRecord(
        reference=row.reference,
        status=row.status,
        fulfilment_status=row.fulfilment_status,
        amount=_money(row.amount, row.currency),
        paid_amount=_money(row.paid_amount, row.paid_currency),
        details=row.details,
        alert=row.alert,
    )


def _money(amount: str | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(Decimal(amount), currency)
