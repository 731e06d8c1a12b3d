"""The one job every contender does: a signed form POST that creates, and later one that reads back."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from urllib.parse import urlencode

URL = os.environ.get("BENCH_URL", "http://127.0.0.1:8970/sync")
REDIS = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/0")
DELAY_SECONDS = float(os.environ.get("BENCH_DELAY", "1"))
IN_FLIGHT = int(os.environ.get("BENCH_IN_FLIGHT", "200"))
HEADERS = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}

ORDER = {
    "logistics_address": {
        "address": "1200 Main Street West",
        "city": "Vineland",
        "contact_person": "Malik Jack",
        "full_name": "Malik Jack",
        "country": "US",
        "mobile_no": "5593600000",
        "phone_country": "+1",
        "province": "New Jersey",
        "zip": "08360",
    },
    "product_items": [{"product_id": "1005004638293060", "product_count": 1, "sku_attr": "14:365458#Brown"}],
}


def order_id(number: int) -> str:
    """Return the order_id of one of the bench's orders; each process that hands in has ids of its own."""
    return f"N-{os.getpid()}-{number}"


def create_body(key: str) -> bytes:
    """Return the signed form of a create."""
    order = json.dumps({"out_order_id": key, **ORDER}, separators=(",", ":"))
    return _signed("aliexpress.ds.order.create", "param_place_order_request4_open_api_d_t_o", order)


def read_body(reference: str) -> bytes:
    """Return the signed form of a read."""
    query = json.dumps({"order_id": reference}, separators=(",", ":"))
    return _signed("aliexpress.trade.ds.order.get", "single_order_query", query)


def reference_of(body: bytes) -> str:
    """Return the id a create's answer tells."""
    answer = json.loads(body)["aliexpress_ds_order_create_response"]["result"]
    return str(answer["order_list"]["number"][0])


def result_of(body: bytes) -> str:
    """Return what is kept of a read's answer."""
    return json.dumps(json.loads(body)["aliexpress_trade_ds_order_get_response"]["result"])


def _signed(method: str, name: str, value: str) -> bytes:
    fields = {
        "app_key": "k",
        "format": "json",
        "method": method,
        "session": "t",
        "sign_method": "sha256",
        "timestamp": str(int(time.time() * 1000)),
        name: value,
    }
    joined = "".join(key + fields[key] for key in sorted(fields))
    fields["sign"] = hmac.new(b"s", joined.encode(), hashlib.sha256).hexdigest().upper()
    return urlencode(fields).encode()
