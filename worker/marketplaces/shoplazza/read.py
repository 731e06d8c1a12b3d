"""The order as GET /orders shows it, every field of the vendor page typed, and what it says of an order.

Reading is lenient where sending is strict: a value that does not fit its type stays as it came, unknown fields are
kept, and nothing here raises. What is personal is read and not kept: the ledger has it in the job's body alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from worker.marketplaces.replies import Kept, Text, id_of
from worker.marketplaces.shoplazza.statuses import ALERTING, meaning
from worker.rules.outcomes import Money, OrderRecord

PERSONAL = frozenset(
    {
        *("address", "address1", "address2", "area", "billing_address", "city", "company", "customer"),
        *("shipping_address", "zip", "latitude", "longitude", "first_name", "last_name", "name_on_card"),
        *("email", "contact_email", "merchant_email", "phone", "contact_phone", "phone_area_code"),
        *("cpf", "id_number", "tax_number", "browser_ip", "refer_info", "note", "customer_note"),
    }
)
"""Names under which a reply can hold personal data, at any depth."""

Amount = Kept[Annotated[Decimal, Field(max_digits=30)]]
Object = Kept[dict[str, Any]]
Objects = Kept[list[dict[str, Any]]]

NOT_TOLD = "NOT_TOLD"
"""The status of an order whose reply shows none."""


class Read(BaseModel):
    """Base of what is read: unknown fields kept."""

    model_config = ConfigDict(extra="allow", frozen=True, str_strip_whitespace=True)


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


def read_order(order: Mapping[str, Any]) -> OrderRecord | None:
    """Return the record of one order; None where it has no usable id. Its status is NOT_TOLD where it shows none."""
    read, reference = ShoplazzaRecord.model_validate(dict(order)), id_of(order.get("id"))
    status, fulfilment = read.status, read.fulfillment_status
    if not reference:
        return None
    return OrderRecord(
        reference=reference,
        status=status[:60] if isinstance(status, str) and status.strip() else NOT_TOLD,
        fulfilment_status=fulfilment[:60] if isinstance(fulfilment, str) and fulfilment else None,
        amount=_money(read.total_price, read.currency),
        paid_amount=_money(read.total_paid, read.currency),
        details=_details(read),
        alert=_alert(reference, read),
    )


def oldest_first(order: Mapping[str, Any]) -> tuple[float, str]:
    """Return the key that sorts orders by their age; one without a readable time comes last."""
    try:
        created = datetime.fromisoformat(str(order.get("created_at")))
        return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp(), id_of(order.get("id"))
    except (ValueError, OverflowError):
        return float("inf"), id_of(order.get("id"))


def _money(amount: object, currency: object) -> Money | None:
    if isinstance(amount, Decimal) and isinstance(currency, str) and 0 < len(currency) <= 10:
        return Money(amount, currency)
    return None


def _details(read: ShoplazzaRecord) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = _without_people(read.model_dump(mode="json", exclude_none=True, warnings=False))
    except (ValueError, RecursionError):  # an unknown field nested some hundred levels deep
        return {}
    return kept


def _without_people(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_people(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _without_people(inner) for name, inner in value.items() if name.lower() not in PERSONAL}
    return value


def _alert(reference: str, read: ShoplazzaRecord) -> str | None:
    """Name what a person should know although the order exists: it was deleted, cancelled, refunded or not paid."""
    if isinstance(read.deleted_at, str) and read.deleted_at:
        return f"{reference} was deleted in the shop: submit a new one if the goods are still wanted"
    words = {name: getattr(read, name) for name in ALERTING}
    for name, word in words.items():
        fix = ALERTING[name].get(word) if isinstance(word, str) else None
        if fix:
            return f"{reference} has {name} {word} ({meaning(name, str(word))}): {fix}"
    if isinstance(read.canceled_at, str) and read.canceled_at:
        return f"{reference} was cancelled: {ALERTING['status']['cancelled']}"
    return None
