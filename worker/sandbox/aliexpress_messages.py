"""What the sandbox's AliExpress tells of an order: the answer of order get, and its push messages."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from worker.sandbox import catalogue
from worker.sandbox.aliexpress_products import STORE_URL, STORES
from worker.sandbox.fake import Message, SandboxOrder
from worker.sandbox.lives import Life, Move, Phase, Standing

# The vendor does not name the zone of its times; they look like the US Pacific coast's.
PACIFIC = timezone(timedelta(hours=-8))
BUYER_ID = "2671514005"
CANCELLING_SECONDS = 3600.0
STATUSES: dict[Phase, tuple[str, str]] = {
    Phase.UNPAID: ("PLACE_ORDER_SUCCESS", "NO_LOGISTICS"),
    Phase.PAYING: ("PAYMENT_PROCESSING", "NO_LOGISTICS"),
    Phase.HELD: ("RISK_CONTROL", "NO_LOGISTICS"),
    Phase.FROZEN: ("IN_FROZEN", "NO_LOGISTICS"),
    Phase.PAID: ("WAIT_SELLER_SEND_GOODS", "WAIT_SELLER_SEND_GOODS"),
    Phase.PART_SHIPPED: ("SELLER_PART_SEND_GOODS", "SELLER_SEND_PART_GOODS"),
    Phase.SHIPPED: ("WAIT_BUYER_ACCEPT_GOODS", "SELLER_SEND_GOODS"),
    Phase.DISPUTED: ("IN_ISSUE", "SELLER_SEND_GOODS"),
    Phase.DELIVERED: ("FINISH", "BUYER_ACCEPT_GOODS"),
    Phase.CANCELLED: ("FINISH", "NO_LOGISTICS"),
}
"""`order_status` and `logistics_status`."""
PUSHED: dict[Move, str] = {
    Move.PAY: "PaymentAuthorized",
    Move.PAY_FAILS: "paymentFailedEvent",
    Move.SHIP_PART: "OrderShipped",
    Move.SHIP: "OrderShipped",
    Move.DELIVER: "OrderConfirmed",
    Move.SELLER_CANCELS: "OrderClosed",
    Move.LAPSE: "OrderClosed",
    Move.REFUND: "OrderClosed",
}
"""The `orderStatus` of the message a move sends; the others send none, only a read finds them."""


def buyer_id(keys: Mapping[str, str]) -> str:
    """Return the id of the buyer behind an account: its `buyer_id`, or the one all others share."""
    return str(keys.get("buyer_id") or BUYER_ID)


def order_message(reference: str, status: str, at: float, keys: Mapping[str, str]) -> Message:
    """Return one push message about an order; it names nothing of the caller's, as the real one."""
    buyer = buyer_id(keys)
    told = {
        "data": {
            "buyerId": int(buyer) if buyer.isdecimal() else buyer,
            "orderId": int(reference),
            "orderStatus": status,
        },
        "message_type": 53,
        "seller_id": buyer,
        "site": "ae_global",
        "timestamp": int(at),
    }
    body = json.dumps(told, separators=(",", ":")).encode()
    signed = str(keys.get("app_key", "")).encode() + body
    signature = hmac.new(str(keys.get("app_secret", "")).encode(), signed, hashlib.sha256).hexdigest()
    return Message({"Authorization": signature, "Content-Type": "application/json"}, body)


def order_as_shown(order: SandboxOrder, reference: str, at: float) -> dict[str, Any]:
    """Return one order as order get shows it at a time, with every field its page documents."""
    store, lines = order.request["parts"][reference]
    life, currency = order.lives[reference], order.request["currency"]
    standing = life.at(at)
    paid_at = standing.paid_at
    children = [_child(line, currency, place in standing.cancelled) for place, line in enumerate(lines)]
    # An internal number, from the payment on; the carrier's is told by tracking get alone.
    number = f"LP{reference[2:]}" if paid_at is not None else ""
    parcels = [{"logistics_service": line["service"] or "CAINIAO_STANDARD", "logistics_no": number} for line in lines]
    total = sum(_fees(line)["actual_fee"] for line in lines)
    status, logistics = _statuses(standing, life, at)
    created = datetime.fromtimestamp(order.created_at, PACIFIC)
    timeout = {"pay_timeout_second": f"{life.pay_timeout_seconds or 0:.0f}"} if life.tells_deadline else {}
    return {
        "gmt_create": f"{created:%Y-%m-%d %H:%M:%S}",
        "order_status": status,
        "logistics_status": logistics,
        **timeout,
        "order_paidtime_string": "" if paid_at is None else _zoned(paid_at),
        "order_amount": _money(total, currency),
        # Seen live: "0" as long as nothing was paid.
        "user_order_amount": _money(total, currency)
        if paid_at is not None
        else {"amount": "0", "currency_code": currency},
        "store_info": {"store_id": int(store), "store_name": STORES[store], "store_url": STORE_URL + store},
        "child_order_list": {"aeop_child_order_info": _bare(children, reference)},
        "logistics_info_list": {"aeop_order_logistics_info": _bare(parcels, reference)},
    }


def _statuses(standing: Standing, life: Life, at: float) -> tuple[str, str]:
    """Return both statuses; what was paid is being cancelled for a while before it is ended."""
    status, logistics = STATUSES[standing.phase]
    was_paid = standing.paid_at is not None and standing.phase is Phase.CANCELLED
    over_at = (standing.ended_at or at) + min(CANCELLING_SECONDS, life.eta_seconds / 10)
    return ("IN_CANCEL" if was_paid and at < over_at else status), logistics


def _zoned(at: float) -> str:
    return f"{datetime.fromtimestamp(at, PACIFIC):%Y-%m-%dT%H:%M:%S}-08:00[America/Los_Angeles]"


def _bare(rows: list[dict[str, Any]], reference: str) -> list[dict[str, Any]] | dict[str, Any]:
    """Return a list of one as the bare object for even ids: seen live, it arrives either way."""
    return rows[0] if len(rows) == 1 and int(reference) % 2 == 0 else rows


def _money(cents: int, currency: str) -> dict[str, str]:
    return {"amount": f"{cents // 100}.{cents % 100:02d}", "currency_code": currency}


def _fees(line: Mapping[str, Any]) -> dict[str, int]:
    """Return a line's amounts in cents, which follow from the product id and the service."""
    price = catalogue.price(line["product_id"])
    sale = price * line["count"]
    shipping = catalogue.shipping(line["product_id"], line["service"])
    rebate = 20 if shipping else 0
    return {
        "product_price": price,
        "sale_fee": sale,
        "sale_discount_fee": sale // 10,
        "shipping_fee": shipping + rebate,
        "shipping_discount_fee": rebate,
        "actual_shipping_fee": shipping,
        "actual_tax_fee": 0,
        "actual_fee": sale - sale // 10 + shipping,
    }


def sku_id(line: Mapping[str, Any]) -> str:
    """Return the SKU of a line as reads tell it: the catalogue's own where the line names one of its SKUs."""
    product_id = line["product_id"]
    if catalogue.in_catalogue(product_id):
        return next((sku.sku_id for sku in catalogue.skus(product_id) if sku.attr == line.get("sku_attr", "")), "")
    return f"12000{product_id % 10**11:011d}"


def _child(line: Mapping[str, Any], currency: str, cancelled: bool) -> dict[str, Any]:
    child: dict[str, Any] = {name: _money(cents, currency) for name, cents in _fees(line).items()}
    child["actual_shipping_fee"]["already_include_tax"] = "false"
    product_id = line["product_id"]
    child.update(product_id=product_id, product_name=f"Sandbox product {product_id}", product_count=line["count"])
    child.update(sku_id=sku_id(line), end_reason="CANCELED" if cancelled else "")
    return child
