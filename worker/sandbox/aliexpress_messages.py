"""What the sandbox's AliExpress tells of an order: the answer of order get, and the push message of its making."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from worker.sandbox.fake import Message, SandboxOrder

# The vendor does not name the zone of its times; they look like the US Pacific coast's.
PACIFIC = timezone(timedelta(hours=-8))
STORE_URL = "https://www.aliexpress.com/store/"
STORES = {"1103800006": "Sandbox Bottles Store", "1103800032": "Sandbox Second Store"}
BUYER_ID = 2671514005


def order_created(order: SandboxOrder, reference: str, keys: Mapping[str, str]) -> Message:
    """Return the push message that an order was made; it names nothing of the caller's, as the real one."""
    told = {
        "data": {"buyerId": BUYER_ID, "orderId": int(reference), "orderStatus": "OrderCreated"},
        "message_type": 53,
        "seller_id": str(BUYER_ID),
        "site": "ae_global",
        "timestamp": int(order.created_at),
    }
    body = json.dumps(told, separators=(",", ":")).encode()
    signed = str(keys.get("app_key", "")).encode() + body
    signature = hmac.new(str(keys.get("app_secret", "")).encode(), signed, hashlib.sha256).hexdigest()
    return Message({"Authorization": signature, "Content-Type": "application/json"}, body)


def order_as_shown(order: SandboxOrder, reference: str) -> dict[str, Any]:
    """Return one order as order get shows it, with every field its page documents."""
    store, lines = order.request["parts"][reference]
    paid, currency = order.request["paid"], order.request["currency"]
    children = [_child(line, currency) for line in lines]
    number = f"LP{reference[2:]}" if paid else ""
    parcels = [{"logistics_service": line["service"] or "CAINIAO_STANDARD", "logistics_no": number} for line in lines]
    total = sum(_fees(line)["actual_fee"] for line in lines)
    created = datetime.fromtimestamp(order.created_at, PACIFIC)
    return {
        "gmt_create": f"{created:%Y-%m-%d %H:%M:%S}",
        "order_status": "WAIT_SELLER_SEND_GOODS" if paid else "PLACE_ORDER_SUCCESS",
        "logistics_status": "WAIT_SELLER_SEND_GOODS" if paid else "NO_LOGISTICS",
        "pay_timeout_second": "86400",
        "order_paidtime_string": f"{created:%Y-%m-%dT%H:%M:%S}-08:00[America/Los_Angeles]" if paid else "",
        "order_amount": _money(total, currency),
        # Seen live: "0" as long as nothing was paid.
        "user_order_amount": _money(total, currency) if paid else {"amount": "0", "currency_code": currency},
        "store_info": {"store_id": int(store), "store_name": STORES[store], "store_url": STORE_URL + store},
        "child_order_list": {"aeop_child_order_info": _bare(children, reference)},
        "logistics_info_list": {"aeop_order_logistics_info": _bare(parcels, reference)},
    }


def _bare(rows: list[dict[str, Any]], reference: str) -> list[dict[str, Any]] | dict[str, Any]:
    """Return a list of one as the bare object for even ids: seen live, it arrives either way."""
    return rows[0] if len(rows) == 1 and int(reference) % 2 == 0 else rows


def _money(cents: int, currency: str) -> dict[str, str]:
    return {"amount": f"{cents // 100}.{cents % 100:02d}", "currency_code": currency}


def _fees(line: Mapping[str, Any]) -> dict[str, int]:
    """Return a line's amounts in cents; the price follows from the product id, so that it can be foretold."""
    price = 199 + line["product_id"] * 7919 % 4801
    sale = price * line["count"]
    return {
        "product_price": price,
        "sale_fee": sale,
        "sale_discount_fee": sale // 10,
        "shipping_fee": 93,
        "shipping_discount_fee": 20,
        "actual_shipping_fee": 73,
        "actual_tax_fee": 0,
        "actual_fee": sale - sale // 10 + 73,
    }


def _child(line: Mapping[str, Any], currency: str) -> dict[str, Any]:
    child: dict[str, Any] = {name: _money(cents, currency) for name, cents in _fees(line).items()}
    child["actual_shipping_fee"]["already_include_tax"] = "false"
    product_id = line["product_id"]
    child.update(product_id=product_id, product_name=f"Sandbox product {product_id}", product_count=line["count"])
    child.update(sku_id=f"12000{product_id % 10**11:011d}", end_reason="")
    return child
