"""The calls of the sandbox's AliExpress that concern no order: product get, freight query, address get, and quotas."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from worker.sandbox.aliexpress_addresses import divisions
from worker.sandbox.aliexpress_checks import GatewayError, digits, json_object, text_of
from worker.sandbox.aliexpress_products import freight, product, unwrapped

TRACKING_GET = "aliexpress.ds.order.tracking.get"
PRODUCT_GET = "aliexpress.ds.product.get"
FREIGHT_QUERY = "aliexpress.ds.freight.query"
ADDRESS_GET = "aliexpress.ds.address.get"
QUOTAS = {TRACKING_GET: 100, PRODUCT_GET: 500, FREIGHT_QUERY: 350, ADDRESS_GET: 4}
"""Calls a second for the whole platform; above it a call is turned down."""


def product_get(form: Mapping[str, str]) -> dict[str, Any]:
    """Answer product get, in its envelope or without."""
    product_id, country = int(digits(form, "product_id")), _needed(form, "ship_to_country").upper()
    told = product(product_id, country, form.get("target_currency") or "USD")
    return told if unwrapped(product_id) else {"aliexpress_ds_product_get_response": told}


def freight_query(form: Mapping[str, str]) -> dict[str, Any]:
    """Answer freight query."""
    asked = json_object(form, "queryDeliveryReq")
    for name in ("selectedSkuId", "shipToCountry", "language", "locale", "currency"):
        _needed(asked, name)
    if text_of(asked.get("province")) and text_of(asked.get("provinceCode")):
        raise GatewayError("InvalidParameter", "province")
    product_id, quantity = int(digits(asked, "productId")), int(digits(asked, "quantity"))
    country, sku_id = text_of(asked["shipToCountry"]).upper(), text_of(asked["selectedSkuId"])
    result = freight(product_id, sku_id, quantity, country, text_of(asked["currency"]))
    return {"aliexpress_ds_freight_query_response": {"result": result}}


def address_get(form: Mapping[str, str]) -> dict[str, Any]:
    """Answer address get."""
    result = divisions(_needed(form, "countryCode").upper())
    return {"aliexpress_ds_address_get_response": {"result": result}}


READS: dict[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
    PRODUCT_GET: product_get,
    FREIGHT_QUERY: freight_query,
    ADDRESS_GET: address_get,
}


def with_request_id(body: dict[str, Any], request_id: str) -> bytes:
    """Return an answer's bytes, the request id inside its envelope or, without one, beside the rest."""
    inside = next(iter(body.values())) if len(body) == 1 else body
    inside["request_id"] = request_id
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _needed(values: Mapping[str, Any], name: str) -> str:
    text = text_of(values.get(name))
    if not text:
        raise GatewayError("MissingParameter", name)
    return text
