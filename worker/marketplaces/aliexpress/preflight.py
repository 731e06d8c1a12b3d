"""What is asked of AliExpress before an order, and what follows for it: the codes its create would answer with.

No province or city is sent with a question: the answer is then that of the whole country, and is kept under names that
hold nothing of a person (aliexpress.md, 11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from worker.marketplaces.aliexpress.codes import of_result
from worker.marketplaces.aliexpress.create import compact
from worker.marketplaces.aliexpress.offers import read_divisions, read_freight, read_product
from worker.marketplaces.asks import Answer, Ask, AskSteps, Topic
from worker.marketplaces.calls import Request
from worker.marketplaces.codes import Clean
from worker.marketplaces.replies import text_of
from worker.rules.foreseen import Divisions, Doom, Finding, Freight, Line, Product, Verdict, Wanted
from worker.rules.preflight import (
    doom,
    is_deliverable_so_far,
    judged,
    price,
    stores,
    too_dear,
    unheld,
    unknown_name,
    unread,
)

PRODUCT_GET = "aliexpress.ds.product.get"
FREIGHT_QUERY = "aliexpress.ds.freight.query"
ADDRESS_GET = "aliexpress.ds.address.get"
CURRENCY = "USD"
"""What an order is priced in that names no pay_currency."""

CODES: Mapping[Doom, tuple[str, str]] = {
    Doom.OFFLINE: ("PRODUCT_OFFLINE", "product_id"),
    Doom.OFF_SHELF: ("PRODUCT_OFF_SHELF", "product_id"),
    Doom.REMOVED: ("PRODUCT_HAS_BEEN_DELETED", "product_id"),
    Doom.NO_PRODUCT: ("PRODUCT_NOT_EXIST", "product_id"),
    Doom.COUNTRY: ("A005_INVALID_COUNTRIES", "product_id"),
    Doom.UNSALEABLE: ("ERROR_WHEN_BUILD_FOR_PLACE_ORDER", "product_id"),
    Doom.NO_SKU: ("SKU_NOT_EXIST", "sku_attr"),
    Doom.STOCK: ("INSUFFICIENT_INVENTORY", "product_count"),
    Doom.LIMIT: ("A001_ORDER_CANNOT_BE_PLACED", "product_count"),
    Doom.DELIVERY: ("DELIVERY_METHOD_NOT_EXIST", "product_id"),
    Doom.SERVICE: ("DELIVERY_METHOD_NOT_EXIST", "logistics_service_name"),
}
"""The code of the create for each, and the field it is about."""
LIMITED = "one order may not have so many pieces of this product"
"""A001 says nothing; what was read says this."""
SKU_SPELLED = "SKU_SPELLED"
OTHER_PRODUCT_ID = "OTHER_PRODUCT_ID"
NAME_UNKNOWN = "NAME_UNKNOWN"

Call = Callable[[str, Mapping[str, str]], Request]
"""Builds a signed call of a method."""
Answers = Mapping[str, Answer]


class Preflight:
    """Asks for one order, and judges it by the answers. `call` builds requests, `clean` scrubs the vendor's words."""

    def __init__(self, order: Mapping[str, Any], call: Call, clean: Clean) -> None:
        self._call = call
        self._clean = clean
        self._address = order["logistics_address"]
        self._country = text_of(self._address.get("country"))
        payment = (order.get("ds_extend_request") or {}).get("payment") or {}
        self._currency = text_of(payment.get("pay_currency")) or CURRENCY
        self._wanted = [
            Wanted(
                text_of(item.get("product_id")),
                text_of(item.get("sku_attr")),
                int(item["product_count"]),
                text_of(item.get("logistics_service_name")),
            )
            for item in order["product_items"]
        ]

    def asks(self, answers: Answers) -> Iterator[Ask]:
        """Yield what can be asked now: products and names first, then how each SKU that is there is delivered."""
        yield Ask(Topic.ADDRESS, f"address:{self._country}", self._ask_names, Divisions)
        for wanted in self._wanted:
            yield Ask(Topic.PRODUCT, self._product_key(wanted), partial(self._ask_product, wanted.product), Product)
        for line in self._lines(answers):
            sku = line.sku
            if sku is not None and sku.sku_id and is_deliverable_so_far(line):
                key = self._freight_key(line.wanted, sku.sku_id)
                begin = partial(self._ask_freight, line.wanted, sku.sku_id)
                yield Ask(Topic.FREIGHT, key, begin, Freight)

    def verdict(self, answers: Answers, most: Decimal | None, limit: Decimal | None) -> Verdict:
        """Return how the order stands. `most` and `limit`: what it may cost, by its job and by its account."""
        lines = self._lines(answers)
        forecast = price(lines)
        dooms = [_doomed(place, why) for place, line in enumerate(lines) if (why := doom(line))]
        dooms += too_dear(forecast, most, limit)
        warnings = [*self._unread(lines, answers), *self._oddities(lines), *self._names(answers)]
        warnings += () if dooms else unheld(forecast, most, limit)
        return judged(dooms, warnings, forecast, stores(lines))

    def _lines(self, answers: Answers) -> list[Line]:
        return [self._line(wanted, answers) for wanted in self._wanted]

    def _line(self, wanted: Wanted, answers: Answers) -> Line:
        product = answers.get(self._product_key(wanted))
        if not isinstance(product, Product):
            return Line(wanted, None, None)
        known = replace(wanted, sku=_spelled(wanted.sku, product))
        sku = Line(known, product, None).sku
        freight = answers.get(self._freight_key(wanted, sku.sku_id)) if sku else None
        return Line(known, product, freight if isinstance(freight, Freight) else None)

    def _product_key(self, wanted: Wanted) -> str:
        return f"product:{wanted.product}:{self._country}:{self._currency}"

    def _freight_key(self, wanted: Wanted, sku_id: str) -> str:
        return f"freight:{wanted.product}:{sku_id}:{wanted.count}:{self._country}:{self._currency}"

    def _unread(self, lines: Sequence[Line], answers: Answers) -> Iterator[Finding]:
        for place, line in enumerate(lines):
            if line.product is None:
                yield unread(_field(place, "product_id"), "the product", _why(answers, self._product_key(line.wanted)))
            elif line.freight is None and line.sku is not None and doom(line) is None:
                cause = _why(answers, self._freight_key(line.wanted, line.sku.sku_id))
                yield unread(_field(place, "logistics_service_name"), "how it is delivered", cause)

    def _oddities(self, lines: Sequence[Line]) -> Iterator[Finding]:
        """Yield what a create may take all the same, but not as it is meant."""
        for place, (line, wanted) in enumerate(zip(lines, self._wanted, strict=True)):
            if line.wanted.sku != wanted.sku:
                told = "AliExpress writes this SKU in another way"
                fix = "copy sku_attr from aliexpress.ds.product.get, with every # and name in it"
                yield Finding(SKU_SPELLED, _field(place, "sku_attr"), told, fix)
            if line.product is not None and line.product.other_id:
                told = f"in this country the product is ordered under another id: {line.product.other_id}"
                yield Finding(OTHER_PRODUCT_ID, _field(place, "product_id"), told, "write that product_id")

    def _names(self, answers: Answers) -> Iterator[Finding]:
        """Yield a name that AliExpress does not list; never a doom, for list and create disagree in some countries."""
        known = answers.get(f"address:{self._country}")
        if not isinstance(known, Divisions):
            yield unread(
                "order.logistics_address", "the names of the country", _why(answers, f"address:{self._country}")
            )
            return
        found = unknown_name(known, text_of(self._address.get("province")), text_of(self._address.get("city")))
        if found is not None:
            name, nearest = found
            told = f"AliExpress does not list this {name}" + (f"; nearest: {', '.join(nearest)}" if nearest else "")
            fix = "write it as AliExpress' own order page does; an order under another name may be refused"
            yield Finding(NAME_UNKNOWN, f"order.logistics_address.{name}", told, fix)

    def _ask_product(self, product_id: str) -> AskSteps:
        more = {"target_currency": self._currency, "target_language": "en"}
        came = yield self._call(PRODUCT_GET, {"product_id": product_id, "ship_to_country": self._country, **more})
        return read_product(came, self._country, product_id, self._clean)

    def _ask_freight(self, wanted: Wanted, sku_id: str) -> AskSteps:
        asked = {
            "quantity": str(wanted.count),
            "shipToCountry": self._country,
            "productId": wanted.product,
            "selectedSkuId": sku_id,
            "language": "en_US",
            "locale": "en_US",
            "currency": self._currency,
        }
        came = yield self._call(FREIGHT_QUERY, {"queryDeliveryReq": compact(asked)})
        return read_freight(came, self._currency, self._clean)

    def _ask_names(self) -> AskSteps:
        came = yield self._call(
            ADDRESS_GET, {"countryCode": self._country, "language": "en_US", "isMultiLanguage": "false"}
        )
        return read_divisions(came, self._clean)


def _doomed(place: int, why: Doom) -> Finding:
    code, field = CODES[why]
    entry = of_result(code, "")
    if entry is None:  # a test holds that every code is in the table
        return Finding(code, _field(place, field), str(why), "")
    return Finding(code, _field(place, field), LIMITED if why is Doom.LIMIT else entry.meaning, entry.fix)


def _field(place: int, name: str) -> str:
    return f"order.product_items[{place}].{name}"


def _why(answers: Answers, key: str) -> str:
    answer = answers.get(key)
    return text_of(getattr(answer, "cause", "") or getattr(answer, "reason", "")) or "it was not asked for"


def _spelled(attr: str, product: Product) -> str:
    """Return an order's sku_attr as the product has it, where both mean the same values under other names."""
    known = [sku.attr for sku in product.skus]
    if attr in known or not attr:
        return attr
    alike = [one for one in known if _values(one) == _values(attr)]
    return alike[0] if len(alike) == 1 else attr


def _values(attr: str) -> frozenset[str]:
    return frozenset(part.partition("#")[0].strip() for part in attr.split(";"))
