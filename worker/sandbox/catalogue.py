"""The sandbox's AliExpress goods: good products and twenty kinds of doomed ones, all made by rule from the product id.

1009000000000001 … 1009000000000800   good: every check passes, and their amounts are exact multiples
1009900000001nnn … 1009900000020nnn   doomed: the two digits before nnn are the kind (`DOOMS`, by its number), nnn any
any other id                          good for create with any SKU and service, as ever; it reads like a good product

A good product has two SKUs, `14:365458#Brown` and `14:193#Black`; those whose id ends in 0 have one, ``, and those
whose id ends in 5 ship free. Every product can go by CAINIAO_STANDARD, CAINIAO_FULFILLMENT_STD and the dearer
SANDBOX_EXPRESS. A country in `NOWHERE` is refused for every product of the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GOOD = range(1_009_000_000_000_001, 1_009_000_000_000_801)
DOOMED = range(1_009_900_000_001_000, 1_009_900_000_021_000)
BROWN, BLACK, WHITE = "14:365458#Brown", "14:193#Black", "14:29#White"
SERVICES = {"CAINIAO_STANDARD": 73, "CAINIAO_FULFILLMENT_STD": 73, "SANDBOX_EXPRESS": 412}
"""What each costs for a line, in cents, its rebate taken off."""
NOWHERE = frozenset({"KP", "AQ"})
PLENTY = 5000


@dataclass(frozen=True, slots=True)
class Doom:
    """Why an order of these products is refused. `create_code`: what create says; `says`: when it is so."""

    name: str
    create_code: str
    says: str


DOOMS: dict[int, Doom] = {
    number: Doom(*row)
    for number, row in enumerate(
        [
            ("offline", "PRODUCT_OFFLINE", "the product's status is offline"),
            ("off_shelf", "PRODUCT_OFF_SHELF", "the product's status is offShelf"),
            ("removed", "PRODUCT_HAS_BEEN_DELETED", "the product's status is violationDeleted"),
            ("unknown_product", "PRODUCT_NOT_EXIST", "product.get answers 605"),
            ("country_refused", "A005_INVALID_COUNTRIES", "product.get answers 602 for every country"),
            ("us_refused", "A005_INVALID_COUNTRIES", "product.get answers 602 for the US; other countries are good"),
            ("all_unsaleable", "ERROR_WHEN_BUILD_FOR_PLACE_ORDER", "product.get says All SKU Unsaleable"),
            ("no_skus", "SKU_NOT_EXIST", "the product has no SKU any more"),
            ("unknown_sku", "SKU_NOT_EXIST", f"it has {WHITE} alone; {BROWN}, {BLACK} and none are unknown"),
            ("single_sku", "SKU_NOT_EXIST", "it has one SKU without attributes; any sku_attr is unknown"),
            ("no_stock", "INSUFFICIENT_INVENTORY", "no SKU has any stock"),
            ("short_stock", "INSUFFICIENT_INVENTORY", "two pieces are left: three or more are too many"),
            ("sku_sold_out", "INSUFFICIENT_INVENTORY", f"{BROWN} has no stock; {BLACK} is good"),
            ("limit_one", "A001_ORDER_CANNOT_BE_PLACED", "at most one piece an order, else create fails"),
            ("limit_five", "A001_ORDER_CANNOT_BE_PLACED", "at most five pieces an order, else create fails"),
            ("not_deliverable", "DELIVERY_METHOD_NOT_EXIST", "freight.query answers 505"),
            ("no_delivery_info", "DELIVERY_METHOD_NOT_EXIST", "freight.query answers 501"),
            ("no_delivery_option", "DELIVERY_METHOD_NOT_EXIST", "freight.query knows no option"),
            ("service_gone", "DELIVERY_METHOD_NOT_EXIST", "only SANDBOX_EXPRESS is offered; no other service is"),
            ("domestic_only", "DELIVERY_METHOD_NOT_EXIST", "freight.query answers 505 but for the US"),
        ],
        1,
    )
}
"""The kinds of doomed products by their number."""
STATUSES = {"offline": "offline", "off_shelf": "offShelf", "removed": "violationDeleted"}


@dataclass(frozen=True, slots=True)
class Sku:
    """One SKU of a product; `price` in cents, discounts taken off."""

    attr: str
    sku_id: str
    stock: int
    price: int


def kind_of(product_id: int) -> Doom | None:
    """Return why orders of a product are refused; None: it is a good one."""
    return DOOMS[(product_id - DOOMED.start) // 1000 + 1] if product_id in DOOMED else None


def in_catalogue(product_id: int) -> bool:
    """Tell whether create checks the product against this catalogue."""
    return product_id in GOOD or product_id in DOOMED


def price(product_id: int) -> int:
    """Return a product's price in cents before its discount of a tenth."""
    cents = 199 + product_id * 7919 % 4801
    return cents - cents % 10 if in_catalogue(product_id) else cents


def shipping(product_id: int, service: str) -> int:
    """Return what the shipping of one line costs in cents; an unknown service costs as the standard one."""
    if product_id in GOOD and product_id % 10 == 5:
        return 0
    return SERVICES.get(service, SERVICES["CAINIAO_STANDARD"]) if in_catalogue(product_id) else 73


def store_of(product_id: int) -> str:
    """Return the store that sells a product: an order over both becomes two orders."""
    second = str(product_id).startswith("32") or (in_catalogue(product_id) and product_id % 4 == 3)
    return "1103800032" if second else "1103800006"


def skus(product_id: int) -> list[Sku]:
    """Return what a product comes in."""
    doom = kind_of(product_id)
    name = doom.name if doom else ""
    attrs: Sequence[str] = (BROWN, BLACK)
    if name == "no_skus":
        attrs = ()
    elif name == "unknown_sku":
        attrs = (WHITE,)
    elif name == "single_sku" or (product_id in GOOD and product_id % 10 == 0):
        attrs = ("",)
    elif not in_catalogue(product_id):
        attrs = ("", BROWN, BLACK)
    cents = price(product_id)
    first = 12_000_000_000_000_000 + product_id % 10**11 * 10
    found = []
    for place, attr in enumerate(attrs):
        stock = {"no_stock": 0, "short_stock": 2}.get(name, PLENTY)
        if name == "sku_sold_out" and attr == BROWN:
            stock = 0
        found.append(Sku(attr, str(first + place), stock, cents - cents // 10))
    return found


def limit(product_id: int) -> int | None:
    """Return the most pieces an order may have, beyond which create fails; None: any number."""
    doom = kind_of(product_id)
    return {"limit_one": 1, "limit_five": 5}.get(doom.name) if doom else None


def country_refused(product_id: int, country: str) -> bool:
    """Tell whether product.get refuses the product to this country."""
    doom = kind_of(product_id)
    name = doom.name if doom else ""
    nowhere = in_catalogue(product_id) and country in NOWHERE
    return nowhere or name == "country_refused" or (name == "us_refused" and country == "US")


def freight_failure(product_id: int, country: str) -> int | None:
    """Return the code freight.query refuses with; None: it answers with options."""
    doom = kind_of(product_id)
    name = doom.name if doom else ""
    if name == "not_deliverable" or (name == "domestic_only" and country != "US"):
        return 505
    return 501 if name == "no_delivery_info" else None


def services(product_id: int) -> dict[str, int]:
    """Return the services that take a product, with what a line costs in cents."""
    doom = kind_of(product_id)
    names = {"no_delivery_option": (), "service_gone": ("SANDBOX_EXPRESS",)}.get(doom.name if doom else "", SERVICES)
    return {name: shipping(product_id, name) for name in names}


def refusal(product_id: int, count: int, sku_attr: str, service: str, country: str) -> str | None:
    """Return the code create refuses a line with; None: it takes it. Ids outside the catalogue are taken as ever."""
    if not in_catalogue(product_id):
        return None
    doom = kind_of(product_id)
    if doom is not None and doom.name in (*STATUSES, "unknown_product", "all_unsaleable"):
        return doom.create_code
    if country_refused(product_id, country):
        return "A005_INVALID_COUNTRIES"
    sku = next((sku for sku in skus(product_id) if sku.attr == sku_attr), None)
    if sku is None:
        return "SKU_NOT_EXIST"
    if count > sku.stock:
        return "INSUFFICIENT_INVENTORY"
    most = limit(product_id)
    if most is not None and count > most:
        return "A001_ORDER_CANNOT_BE_PLACED"
    if freight_failure(product_id, country) is not None:
        return "DELIVERY_METHOD_NOT_EXIST"
    offered = services(product_id)
    return None if (service in offered if service else offered) else "DELIVERY_METHOD_NOT_EXIST"
