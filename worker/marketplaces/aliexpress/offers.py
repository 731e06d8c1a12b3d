"""Reads what AliExpress says before an order: product.get, freight.query and address.get, in every form seen.

Stock and price may come as numbers or text, lists wrapped, bare or as one object, and a reply with or without its
envelope (aliexpress.md, 11). What is not told stays open: a preflight never refuses for what it could not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.marketplaces.aliexpress.codes import clean_code
from worker.marketplaces.aliexpress.envelope import Answer, Fault
from worker.marketplaces.aliexpress.read import opened, turned_away
from worker.marketplaces.calls import Lost, NotRead, Reply
from worker.marketplaces.codes import Clean
from worker.marketplaces.goods import pieces
from worker.marketplaces.parcels import rows_with
from worker.marketplaces.replies import text_of, values
from worker.rules.foreseen import Divisions, Doom, Freight, Option, Product, Sku
from worker.rules.outcomes import Unknown

GOOD = "200"
DOOM_CODES = {"602": Doom.COUNTRY, "605": Doom.NO_PRODUCT}
"""`rsp_code` of product.get (aliexpress.md, 11)."""
DOOM_WORDS = {
    "not allowed to this country": Doom.COUNTRY,
    "item_id_not_found": Doom.NO_PRODUCT,
    "all sku unsaleable": Doom.UNSALEABLE,
}
NO_FREIGHT = frozenset({"501", "505"})
"""`code` of freight.query where nothing delivers (aliexpress.md, 11)."""
ALIVE = "onselling"
REFUSES_ABOVE = "create_order_fail"
MOST_SKUS, MOST_OPTIONS, MOST_NAMES = 2000, 100, 20_000


def read_product(came: Reply | Lost, country: str, product_id: str, clean: Clean) -> Product | NotRead:
    """Return a product, or why it cannot be ordered, or why it could not be read."""
    document = _document(came, "rsp_code", clean)
    if not isinstance(document, dict):
        return document
    said = next(rows_with(document, "rsp_code"), document)
    code, words = text_of(said.get("rsp_code")), text_of(said.get("rsp_msg"))
    doom = DOOM_CODES.get(code) or _by_words(words)
    if doom is not None:
        return Product(doom)
    base = _first_object(document, "ae_item_base_info_dto")
    if code not in (GOOD, "") or base is None:
        return Unknown(clean(words) or "the reply shows no product", clean_code(code, clean) or None)
    status = text_of(base.get("product_status_type"))
    if status and status.casefold() != ALIVE:
        return Product(_of_status(status))
    if next(values(document, "ae_item_sku_info_dtos"), None) is None:
        return Unknown("the reply shows no SKUs")
    store = _first_object(document, "ae_store_info") or {}
    skus = tuple(_sku(row) for row in _rows(document, "ae_item_sku_info_dtos", "sku_id", "sku_attr"))
    return Product(None, skus[:MOST_SKUS], text_of(store.get("store_id")), _other_id(document, country, product_id))


def read_freight(came: Reply | Lost, currency: str, clean: Clean) -> Freight | NotRead:
    """Return how pieces can be delivered; no option means not at all."""
    document = _document(came, "success", clean)
    if not isinstance(document, dict):
        return document
    said = next(rows_with(document, "success"), document)
    options = (*_options(document, currency), *_old_options(document, currency))[:MOST_OPTIONS]
    code, words = text_of(said.get("code")), text_of(said.get("msg"))
    if options:
        return Freight(options)
    is_empty = _is_true(said.get("success")) and next(values(document, "delivery_options"), None) is not None
    if code in NO_FREIGHT or is_empty:
        return Freight()
    return Unknown(clean(words) or "the reply shows no way to deliver", clean_code(code, clean) or None)


def read_divisions(came: Reply | Lost, clean: Clean) -> Divisions | NotRead:
    """Return the names of a country's provinces and cities."""
    document = _document(came, "data", clean)
    if not isinstance(document, dict):
        return document
    data = next(values(document, "data"), None)
    if data is None:
        said = next(rows_with(document, "ret"), document)
        return Unknown(clean(text_of(said.get("msg"))) or "the reply shows no names")
    trees = [one for one in (data if isinstance(data, list) else [data]) if isinstance(one, Mapping)]
    provinces = [node for tree in trees for node in _nodes(tree.get("children"))]
    named = [(text_of(node.get("name"))[:100], _names(node)) for node in provinces[:MOST_NAMES]]
    return Divisions(tuple((name, cities) for name, cities in named if name))


def _document(came: Reply | Lost, mark: str, clean: Clean) -> dict[str, Any] | NotRead:
    """Return what a reply holds, or why it could not be read. `mark`: a member that the API's own answer has."""
    answer = opened(came)
    if not isinstance(answer, Answer | Fault):
        return answer
    document = answer.document if isinstance(answer.document, dict) else {}
    if isinstance(answer, Fault) and next(rows_with(document, mark), None) is None:
        return turned_away(answer, clean)
    return document


def _by_words(words: str) -> Doom | None:
    lowered = words.casefold()
    return next((doom for known, doom in DOOM_WORDS.items() if known in lowered), None)


def _of_status(status: str) -> Doom:
    plain = status.casefold().replace("_", "").replace(" ", "")
    if "delete" in plain:
        return Doom.REMOVED
    return Doom.OFF_SHELF if "offshelf" in plain else Doom.OFFLINE


def _sku(row: Mapping[str, Any]) -> Sku:
    price, full = _amount(row.get("offer_sale_price")), _amount(row.get("sku_price"))
    limit = pieces(row.get("buy_amount_limit_set_by_promotion"))
    included, tax = _is_true(row.get("price_include_tax")), _amount(row.get("tax_amount"))
    tiers = ((pieces(one.get("min_quantity")), _amount(one.get("wholesale_price"))) for one in _tiers(row))
    return Sku(
        attr=text_of(row.get("sku_attr")),
        sku_id=text_of(row.get("sku_id")),
        stock=pieces(row.get("sku_available_stock")),
        price=full if price is None else price,
        full_price=full,
        currency=text_of(row.get("currency_code"))[:10],
        tax=Decimal(0) if included or tax is None else tax,
        limit=limit or None,
        limit_refuses=text_of(row.get("limit_strategy")).casefold() == REFUSES_ABOVE,
        tiers=tuple((least, low) for least, low in tiers if least and low is not None),
    )


def _tiers(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return rows_with(row.get("wholesale_price_tiers"), "min_quantity")


def _options(document: Mapping[str, Any], currency: str) -> Iterator[Option]:
    for row in _rows(document, "delivery_options", "code"):
        fee = _amount(row.get("shipping_fee_cent"))  # in the main unit, whatever its name says (aliexpress.md, 11)
        free_from = _amount(row.get("free_shipping_threshold")) or Decimal(0)
        is_free = _is_true(row.get("free_shipping"))
        yield Option(
            service=text_of(row.get("code"))[:100],
            fee=Decimal(0) if is_free else fee,
            currency=(text_of(row.get("shipping_fee_currency")) or currency)[:10],
            free_from=free_from if _is_true(row.get("mayHavePFS")) else None,
        )


def _old_options(document: Mapping[str, Any], currency: str) -> Iterator[Option]:
    """Read the form of the call before this one, should it still answer."""
    for row in _rows(document, "aeop_freight_calculate_result_for_buyer_dtolist", "service_name"):
        fee = next(rows_with(row.get("freight"), "amount"), {})
        told = text_of(fee.get("currency_code")) or currency
        yield Option(text_of(row.get("service_name"))[:100], _amount(fee.get("amount")), told[:10])


def _rows(document: object, holder: str, *names: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a list in any of its forms: wrapped, bare, one object in its place, or JSON text."""
    for value in values(document, holder):
        yield from rows_with(_parsed(value), *names)
        return


def _first_object(document: object, name: str) -> Mapping[str, Any] | None:
    return next((value for value in values(document, name) if isinstance(value, Mapping)), None)


def _other_id(document: object, country: str, product_id: str) -> str:
    """Return the id under which a product is ordered to this country, where that is another one."""
    ids = _parsed(next(values(document, "sub_product_id"), None))
    other = text_of(ids.get(country)) if isinstance(ids, Mapping) else ""
    return other if other.isascii() and other.isdigit() and other != product_id else ""


def _nodes(children: object) -> list[Mapping[str, Any]]:
    parsed = _parsed(children)
    rows = parsed if isinstance(parsed, list) else [parsed]
    return [row for row in rows if isinstance(row, Mapping)]


def _names(node: Mapping[str, Any]) -> tuple[str, ...]:
    found = (text_of(one.get("name"))[:100] for one in _nodes(node.get("children"))[:MOST_NAMES])
    return tuple(dict.fromkeys(filter(None, found)))


def _parsed(value: object) -> Any:
    """Return what JSON in a text holds, anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _amount(value: object) -> Decimal | None:
    try:
        amount = Decimal(text_of(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**12 else None


def _is_true(value: object) -> bool:
    return value is True or text_of(value).casefold() == "true"
