"""Reads the answer of aliexpress.trade.ds.order.get: every field of the vendor page typed, and what it says.

Reading is lenient where sending is strict: a value that does not fit its type stays as it came, of unknown fields is
kept what tells of nobody, and nothing here raises. Forms beyond the page (aliexpress.md, 4): numbers as text, one
child as a bare object, lists without their inner name, the old method's `ae_` prefixes.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from worker.marketplaces.aliexpress.codes import ban_seconds, clean_code, find_gateway
from worker.marketplaces.aliexpress.create import limited, wait
from worker.marketplaces.aliexpress.envelope import Answer, Fault, open_body
from worker.marketplaces.aliexpress.statuses import Shown, alert, life
from worker.marketplaces.calls import Lost, NotRead, Reply
from worker.marketplaces.codes import Clean, read_outcome, server_error
from worker.marketplaces.replies import Amount, Garbage, Kept, Read, Text, lost, money, text_of
from worker.marketplaces.unlisted import kept
from worker.rules.outcomes import Absent, Money, OrderRecord, Unknown


def _one(value: object) -> object:
    """Take the only element of a list: the page types single objects List[Object]."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _rows(value: object) -> object:
    """Bring a list into one form: `{"aeop_…_info": [row]}`, `{"…_info": row}`, `[row]`, `row` or nothing."""
    if isinstance(value, dict):
        if len(value) == 1:
            (name, inner), *_ = value.items()
            if name.endswith("_info") and isinstance(inner, dict | list):
                return _rows(inner)
        return [value] if value else []
    if isinstance(value, list):
        return [row for row in value if row is not None]
    return [] if value in (None, "") else value


Number = Kept[int]
VARIANT = "sku_attr"
"""Of a child; not on the page, but where it comes, two variants of one product are told apart by it."""


class Part(Read):
    """Base of the parts of an order: the old method's prefixes taken off."""

    def details(self) -> dict[str, Any]:
        """Return what is kept of it, JSON-ready."""
        try:
            return _shown(self, self.model_dump(mode="json", exclude_none=True, warnings=False))
        except (ValueError, RecursionError):  # an unknown field nested some hundred levels deep
            return {}

    @model_validator(mode="before")
    @classmethod
    def _plain_names(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {_plain(name, data): value for name, value in data.items()}


def _plain(name: str, data: dict[str, Any]) -> str:
    plain = name.removeprefix("aeop_").removeprefix("ae_")
    return plain if plain and plain not in data else name


class Fee(Part):
    """An amount as the vendor writes it, with its currency; a shipping fee says whether tax is in the price."""

    amount: Amount = None
    currency_code: Text = None
    already_include_tax: Text = None

    def money(self) -> Money | None:
        """Return it as money where both halves are there and readable."""
        return money(self.amount, self.currency_code)


OneFee = Kept[Annotated[Fee | None, BeforeValidator(_one)]]


class ChildOrder(Part):
    """One product line of the order. `actual_fee` = sale fee - sale discount + actual shipping (page)."""

    product_id: Number = None
    product_name: Text = None
    product_count: Number = None
    product_price: OneFee = None
    sku_id: Text = None
    sale_fee: OneFee = None
    sale_discount_fee: OneFee = None
    shipping_fee: OneFee = None
    shipping_discount_fee: OneFee = None
    actual_shipping_fee: OneFee = None
    actual_tax_fee: OneFee = None
    actual_fee: OneFee = None
    end_reason: Text = None


class LogisticsInfo(Part):
    """One parcel; "no more maintenance, expected to be offline" (page): tracking has its own API."""

    logistics_no: Text = None
    logistics_service: Text = None


class StoreInfo(Part):
    """The shop that sells."""

    store_id: Number = None
    store_name: Text = None
    store_url: Text = None


class AliExpressRecord(Part):
    """One order as order-get shows it."""

    gmt_create: Text = None
    order_status: Text = None
    logistics_status: Text = None
    order_paidtime_string: Text = None
    pay_timeout_second: Text = None
    user_order_amount: OneFee = None
    """In the buyer's pay currency; "0" when never paid (facts: live)."""
    order_amount: OneFee = None
    amount: Amount = None
    """The page's table lists amount and currency_code once more between the others; its sample does not."""
    currency_code: Text = None
    child_order_list: Annotated[Kept[list[ChildOrder]], BeforeValidator(_rows)] = None
    logistics_info_list: Annotated[Kept[list[LogisticsInfo]], BeforeValidator(_rows)] = None
    store_info: Annotated[Kept[StoreInfo], BeforeValidator(_one)] = None


def read_answer(came: Reply | Lost, reference: str, clean: Clean) -> OrderRecord | NotRead:
    """Return the record of the order that was asked for, or why there is none. `clean` scrubs the vendor's words."""
    match opened(came):
        case Fault() as fault:
            return turned_away(fault, clean)
        case Answer(result=result):
            return read_order(reference, result) or Absent("AliExpress does not show the order yet")
        case not_read:
            return not_read


def opened(came: Reply | Lost) -> Answer | Fault | NotRead:
    """Open what came back of any call that only reads; or say why there is nothing in it to read."""
    if isinstance(came, Lost):
        return lost(came)
    if came.status == 429:
        return limited(came)
    if came.status >= 500:
        return server_error(came.status)
    body = open_body(came.body)
    return Unknown(f"HTTP {came.status}: {body.cause}") if isinstance(body, Garbage) else body


def turned_away(fault: Fault, clean: Clean) -> NotRead:
    """Return what it means for a read that the gateway answered in the API's place."""
    entry = find_gateway(clean_code(fault.code, clean), clean_code(fault.sub_code, clean), fault.text)
    return read_outcome(entry, clean(fault.text), fault.request_id, wait(ban_seconds(fault.text)))


def read_order(reference: str, result: Mapping[str, Any]) -> OrderRecord | None:
    """Return the record of one order-get result; None while there is none: no result or an empty status (facts)."""
    read = AliExpressRecord.model_validate(dict(result))
    status, logistics = read.order_status, read.logistics_status
    if not isinstance(status, str) or not status:
        return None
    theirs = read.user_order_amount.money() if isinstance(read.user_order_amount, Fee) else None
    total = read.order_amount.money() if isinstance(read.order_amount, Fee) else None
    told = life(status, _shown_of(read))
    return OrderRecord(
        reference=reference,
        status=status[:60],
        fulfilment_status=logistics[:60] if isinstance(logistics, str) and logistics else None,
        amount=total or theirs,
        # It is what the order costs in the buyer's currency: shown before it is paid as well.
        paid_amount=Money(Decimal(0), theirs.currency) if theirs and told.paid is False else theirs,
        details=read.details(),
        alert=alert(reference, status, _end_reasons(read.child_order_list)),
        life=told,
    )


def _shown_of(read: AliExpressRecord) -> Shown:
    children = read.child_order_list if isinstance(read.child_order_list, list) else []
    readable = bool(children) and all(isinstance(row, ChildOrder) for row in children)
    return Shown(
        logistics_status=text_of(read.logistics_status),
        paid_at=text_of(read.order_paidtime_string),
        pay_timeout=text_of(read.pay_timeout_second),
        lines=len(children) if readable else 0,
        end_reasons=_end_reasons(children),
    )


def _shown(read: Read, dumped: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of a part that is dumped as JSON: what the page lists, of the rest what tells of nobody."""
    extra = read.model_extra or {}
    for name, shown in dumped.items():
        if name in extra:
            dumped[name] = shown if name == VARIANT and isinstance(shown, str) else kept(name, shown)
        elif isinstance(shown, list):
            dumped[name] = [_member(name, *one) for one in zip(getattr(read, name), shown, strict=True)]
        elif isinstance(shown, dict):
            dumped[name] = _member(name, getattr(read, name), shown)
    return dumped


def _member(name: str, value: object, shown: Any) -> Any:
    if isinstance(value, Read):
        return _shown(value, shown)
    # Where an object stands in the place of something else, its members are nothing the page lists.
    return kept(name, shown) if isinstance(value, dict) else shown


def _end_reasons(children: object) -> set[str]:
    rows = children if isinstance(children, list) else []
    ended = {row.end_reason for row in rows if isinstance(row, ChildOrder) and isinstance(row.end_reason, str)}
    return ended - {""}
