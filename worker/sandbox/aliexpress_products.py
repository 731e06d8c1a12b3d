"""What the sandbox's AliExpress answers before an order: product get and freight query, by the rules of its catalogue.

Their forms vary by the product id, as all of them were seen: lists wrapped, bare, or one object in their place;
`rsp_code` as a number and as text; product get with and without its envelope (`unwrapped`).
"""

from __future__ import annotations

from typing import Any

from worker.sandbox import catalogue
from worker.sandbox.catalogue import Sku

STORE_URL = "https://www.aliexpress.com/store/"
STORES = {"1103800006": "Sandbox Bottles Store", "1103800032": "Sandbox Second Store"}
DAYS = {"CAINIAO_STANDARD": (9, 15), "CAINIAO_FULFILLMENT_STD": (7, 12), "SANDBOX_EXPRESS": (3, 5)}
NOT_ALLOWED = ("602", "Item is not allowed to this country")
NOT_FOUND = ("605", "ITEM_ID_NOT_FOUND")
UNSALEABLE = ("600", "All SKU Unsaleable")
NOT_DELIVERED = {505: "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS", 501: "DELIVERY_INFO_EMPTY"}


def unwrapped(product_id: int) -> bool:
    """Tell whether product get answers about this product without its envelope."""
    return product_id % 7 == 0


def product(product_id: int, country: str, currency: str) -> dict[str, Any]:
    """Return what is inside product get's envelope: its `rsp_code`, and the product where there is one."""
    doom = catalogue.kind_of(product_id)
    name = doom.name if doom else ""
    refused = {"unknown_product": NOT_FOUND, "all_unsaleable": UNSALEABLE}.get(name)
    if refused is None and catalogue.country_refused(product_id, country):
        refused = NOT_ALLOWED
    if refused is not None:
        code, text = refused
        return {"rsp_code": code if product_id % 2 else int(code), "rsp_msg": text}
    store = catalogue.store_of(product_id)
    rows = [_sku(product_id, sku, currency) for sku in catalogue.skus(product_id)]
    result = {
        "ae_item_base_info_dto": {
            "product_id": product_id,
            "subject": f"Sandbox product {product_id}",
            "product_status_type": catalogue.STATUSES.get(name, "onSelling"),
            "currency_code": currency,
            "category_id": 200_000_000 + product_id % 1000,
        },
        "ae_item_sku_info_dtos": _listed(rows, product_id),
        "ae_store_info": {"store_id": int(store), "store_name": STORES[store], "store_country_code": "CN"},
        "logistics_info_dto": {"delivery_time": 9, "ship_to_country": country},
        "package_info_dto": {"gross_weight": "0.35", "package_length": 12, "package_width": 8, "package_height": 8},
        "product_id_converter_result": {"main_product_id": product_id, "sub_product_id": "{}"},
        "has_whole_sale": False,
    }
    return {"rsp_code": "200" if product_id % 2 else 200, "rsp_msg": "Call succeeds", "result": result}


def _sku(product_id: int, sku: Sku, currency: str) -> dict[str, Any]:
    most = catalogue.limit(product_id)
    return {
        "sku_id": sku.sku_id,
        "sku_attr": sku.attr,
        "sku_available_stock": sku.stock,
        "offer_sale_price": _decimal(sku.price),
        "sku_price": _decimal(catalogue.price(product_id)),
        "currency_code": currency,
        "price_include_tax": False,
        "tax_amount": "0",
        "sku_bulk_order": False,
        "buy_amount_limit_set_by_promotion": None if most is None else str(most),
        "limit_strategy": None if most is None else "create_order_fail",
        "ae_sku_property_dtos": {"ae_sku_property_d_t_o": []},
    }


def _listed(rows: list[dict[str, Any]], product_id: int) -> Any:
    """Return a list in one of its forms."""
    if product_id % 3 == 1:
        return rows
    return {"ae_item_sku_info_d_t_o": rows[0] if len(rows) == 1 and product_id % 3 == 2 else rows}


def freight(product_id: int, sku_id: str, quantity: int, country: str, currency: str) -> dict[str, Any]:
    """Return the result of freight query; a SKU the product has not (its `sku_attr` too) finds nothing, as seen."""
    failure = catalogue.freight_failure(product_id, country)
    known = {sku.sku_id: sku for sku in catalogue.skus(product_id)}
    doom = catalogue.kind_of(product_id)
    dead = doom is not None and doom.name in (*catalogue.STATUSES, "unknown_product", "all_unsaleable")
    if failure is None and (dead or sku_id not in known or known[sku_id].stock < quantity):
        failure = 501
    if failure is None and catalogue.country_refused(product_id, country):
        failure = 505
    if failure is not None:
        return {"success": False, "code": failure, "msg": NOT_DELIVERED[failure]}
    stock = known[sku_id].stock
    options = [_option(name, cents, stock, currency) for name, cents in catalogue.services(product_id).items()]
    told: Any = {"delivery_option_d_t_o": options} if product_id % 3 else options
    return {"success": True, "code": 200, "msg": "Call succeeds", "delivery_options": told}


def _option(name: str, cents: int, stock: int, currency: str) -> dict[str, Any]:
    least, most = DAYS[name]
    return {
        "code": name,
        "company": name.replace("_", " ").title(),
        # In the main unit, whatever the name says.
        "shipping_fee_cent": _decimal(cents),
        "shipping_fee_currency": currency,
        "shipping_fee_format": f"{currency} {_decimal(cents)}",
        "free_shipping": cents == 0,
        "mayHavePFS": False,
        "free_shipping_threshold": "0",
        "min_delivery_days": least,
        "max_delivery_days": most,
        "guaranteed_delivery_days": str(most + 20),
        "ship_from_country": "CN",
        "tracking": "true",
        "available_stock": str(stock),
        "ddpIncludeVATTax": "false",
    }


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
