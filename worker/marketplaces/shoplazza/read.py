"""Reads an order as GET /orders shows it: every field of the vendor page typed, and what it says of the order.

Reading is lenient where sending is strict: a value that does not fit its type stays as it came, unknown fields are
kept, and nothing here raises. What is personal is read and not kept: the ledger has it in the job's body alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from worker.marketplaces.calls import Lost, NotRead, Reply
from worker.marketplaces.codes import outcome
from worker.marketplaces.replies import Amount, Garbage, Kept, Read, Text, id_of, lost, money, text_of
from worker.marketplaces.shoplazza.codes import find, unauthorised
from worker.marketplaces.shoplazza.create import Context, limited
from worker.marketplaces.shoplazza.envelope import Answer, open_body, request_id_of
from worker.marketplaces.shoplazza.goods import GONE
from worker.marketplaces.shoplazza.statuses import ALERTING, Shown, alert, life
from worker.rules.outcomes import Absent, Declined, OrderRecord, Unknown

PERSONAL = frozenset(
    {
        *("address", "address1", "address2", "area", "billing_address", "city", "company", "customer"),
        *("shipping_address", "zip", "latitude", "longitude", "first_name", "last_name", "name_on_card"),
        *("email", "contact_email", "merchant_email", "phone", "contact_phone", "phone_area_code", "phone_number"),
        *("cpf", "id_number", "tax_number", "browser_ip", "refer_info", "note", "customer_note"),
    }
)
"""Names under which a reply can hold personal data, at any depth."""

Object = Kept[dict[str, Any]]
Objects = Kept[list[dict[str, Any]]]

NOT_TOLD = "NOT_TOLD"
"""The status of an order whose reply shows none."""


class AdditionalPrice(Read):
    """One additional charge."""

    name: Text = None
    price: Amount = None


class ShoplazzaRecord(Read):
    """One order as the vendor page describes it; `addtional_prices` is the vendor's spelling."""

    id: Text = None
    number: Text = None
    note: Text = None
    status: Text = None
    financial_status: Text = None
    fulfillment_status: Text = None
    email_status: Text = None
    cancel_reason: Text = None
    recovery_status: Text = None
    payment_method: Text = None
    discount_applications: Text = None
    customer_note: Text = None
    buyer_accepts_marketing: Kept[bool] = None
    currency: Text = None
    total_price: Amount = None
    sub_total: Amount = None
    total_discount: Amount = None
    total_tax: Amount = None
    total_shipping: Amount = None
    code_discount_total: Amount = None
    gift_card_total: Amount = None
    total_refund_price: Amount = None
    additional_total: Amount = None
    addtional_prices: Kept[list[AdditionalPrice]] = None
    shipping_tax_total: Amount = None
    customer_deleted_at: Text = None
    created_at: Text = None
    updated_at: Text = None
    deleted_at: Text = None
    canceled_at: Text = None
    placed_at: Text = None
    total_tip_received: Amount = None
    tags: Text = None
    total_paid: Amount = None
    shipping_line: Object = None
    customer: Object = None
    shipping_address: Object = None
    billing_address: Object = None
    payment_line: Object = None
    line_items: Objects = None
    fulfillments: Objects = None
    logistics_code: Text = None
    refer_info: Text = None
    config: Object = None
    checkout_url: Text = None
    location_line: Object = None
    invoice_url: Text = None


def declined(came: Reply, context: Context) -> Declined | None:
    """Return the outcome of a read turned away at the door, by its words too; None for any other answer."""
    if came.status == 429:
        return limited(came, context)
    if not 400 <= came.status < 500 or came.status == 406:
        return None
    opened = open_body(came.body)
    text = opened.text if isinstance(opened, Answer) else ""
    entry = unauthorised() if came.status == 401 else find(text)
    found = outcome(entry, context.clean(text), request_id_of(came)) if entry else None
    return found if isinstance(found, Declined) else None


def read_answer(came: Reply | Lost, reference: str, context: Context) -> OrderRecord | NotRead:
    """Return the record of the order that was asked for, or why there is none."""
    if isinstance(came, Lost):
        return lost(came)
    turned_away = declined(came, context)
    if turned_away is not None:
        return turned_away
    if came.status == 404:
        return Absent("Shoplazza does not show the order yet", "HTTP_404")
    opened, request_id = open_body(came.body), request_id_of(came)
    if isinstance(opened, Garbage) or not 200 <= came.status < 300:
        # The words are not told: they could repeat what is personal, and here is no order to scrub them by.
        told = opened.cause if isinstance(opened, Garbage) else "the order could not be read"
        return Unknown(f"HTTP {came.status}: {told}", f"HTTP_{came.status}", (), request_id)
    record = read_order(opened.order())
    if record is None or record.reference != reference or record.status == NOT_TOLD:
        return Unknown("the reply does not show this order and its status", None, (), request_id)
    return record


def read_order(order: Mapping[str, Any]) -> OrderRecord | None:
    """Return the record of one order; None where it has no usable id. Its status is NOT_TOLD where it shows none."""
    read, reference = ShoplazzaRecord.model_validate(dict(order)), id_of(order.get("id"))
    status, fulfilment = read.status, read.fulfillment_status
    words = {name: getattr(read, name) for name in ALERTING}
    if not reference:
        return None
    return OrderRecord(
        reference=reference,
        status=status[:60] if isinstance(status, str) and status.strip() else NOT_TOLD,
        fulfilment_status=fulfilment[:60] if isinstance(fulfilment, str) and fulfilment else None,
        amount=money(read.total_price, read.currency),
        paid_amount=money(read.total_paid, read.currency),
        details=_without_people(read.details()),
        alert=alert(reference, words, _is_told(read.deleted_at), _is_told(read.canceled_at)),
        life=life(_shown_of(read)),
    )


def _shown_of(read: ShoplazzaRecord) -> Shown:
    extra = read.model_extra or {}
    cancelled = _is_told(read.canceled_at) or _is_told(extra.get("cancelled_at"))
    lines = read.line_items if isinstance(read.line_items, list) else []
    return Shown(
        status=text_of(read.status),
        financial=text_of(read.financial_status),
        fulfilment=text_of(read.fulfillment_status),
        ended=cancelled or _is_told(read.deleted_at),
        lost_line=any(text_of(line.get("fulfillment_status")) in GONE for line in lines if isinstance(line, dict)),
        reason=text_of(read.cancel_reason),
    )


def oldest_first(order: Mapping[str, Any]) -> tuple[float, str]:
    """Return the key that sorts orders by their age; one without a readable time comes last."""
    try:
        created = datetime.fromisoformat(str(order.get("created_at")))
        return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp(), id_of(order.get("id"))
    except (ValueError, OverflowError):
        return float("inf"), id_of(order.get("id"))


def _without_people(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_people(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _without_people(inner) for name, inner in value.items() if name.lower() not in PERSONAL}
    return value


def _is_told(time: object) -> bool:
    return isinstance(time, str) and bool(time)
