"""What a marketplace will do with an order, from what was read beforehand: doomed, warned or good, and its price.

A preflight is a forecast, never a reservation: stock and prices are those of the moment they were read.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from worker.rules.foreseen import Divisions, Doom, Finding, Line, Option, Standing, Verdict
from worker.rules.outcomes import Money

TOO_DEAR = "MAX_AMOUNT_EXCEEDED"
NOT_READ = "NOT_READ"
"""Our word for what the marketplace did not tell."""


def doom(line: Line) -> Doom | None:
    """Return why a create would refuse a line: the first reason, in the order in which a create looks."""
    product, sku, wanted = line.product, line.sku, line.wanted
    if product is None or product.doom is not None:
        return product.doom if product else None
    if sku is None:
        return Doom.NO_SKU
    if sku.stock is not None and sku.stock < wanted.count:
        return Doom.STOCK
    if sku.limit_refuses and sku.limit is not None and sku.limit < wanted.count:
        return Doom.LIMIT
    if line.freight is None:
        return None
    if not line.freight.options:
        return Doom.DELIVERY
    return None if not wanted.service or _chosen(line) else Doom.SERVICE


def is_deliverable_so_far(line: Line) -> bool:
    """Tell whether it is worth asking how a line is delivered: what is refused anyway is not asked for."""
    return line.product is not None and doom(Line(line.wanted, line.product, None)) is None


def price(lines: Sequence[Line]) -> Money | None:
    """Return what an order would cost: goods, delivery, and tax where it is told; None while a part is not known.

    Without a service the cheapest counts. Lines of one store are delivered free from what the store asks for.
    """
    goods = [_goods(line) for line in lines]
    spent: dict[str, Decimal] = {}
    for line, cost in zip(lines, goods, strict=True):
        if cost is None or line.product is None:
            return None
        spent[line.product.store] = spent.get(line.product.store, Decimal(0)) + cost.amount
    fees = [_fee(line, spent[line.product.store]) for line in lines if line.product]
    parts = [*goods, *fees]
    known = [part for part in parts if part is not None]
    currencies = {part.currency for part in known}
    if len(known) < len(parts) or len(currencies) != 1:
        return None
    return Money(sum((part.amount for part in known), Decimal(0)), currencies.pop())


def stores(lines: Iterable[Line]) -> int:
    """Return into how many orders the marketplace would split an order: one a store; 0 where a store is not known."""
    names = {line.product.store if line.product else "" for line in lines}
    return 0 if "" in names else len(names)


def judged(dooms: Iterable[Finding], warnings: Iterable[Finding], forecast: Money | None, orders: int = 0) -> Verdict:
    """Return the verdict that follows from what was found."""
    bad, odd = tuple(dooms), tuple(warnings)
    standing = Standing.DOOMED if bad else Standing.WARNED if odd else Standing.GOOD
    return Verdict(standing, bad, odd, forecast, orders)


def too_dear(forecast: Money | None, most: Decimal | None, limit: Decimal | None) -> Iterator[Finding]:
    """Yield what an order costs too much for: the ceiling `most` of its job, and the account's own, `limit`."""
    for ceiling, field, what, fix in (
        (most, "max_amount", "the job's max_amount", "raise max_amount, or lower the quantity"),
        (limit, "order", "the account's limit for an order", "lower the quantity, or raise MAX_ORDER_AMOUNT"),
    ):
        if ceiling is not None and forecast is not None and forecast.amount > ceiling:
            told = f"it would cost {forecast.amount:f} {forecast.currency}, {what} is {ceiling:f}"
            yield Finding(TOO_DEAR, field, told, fix)


def unheld(forecast: Money | None, most: Decimal | None, limit: Decimal | None) -> Iterator[Finding]:
    """Yield that a ceiling could not be held against a price, where there is a ceiling and no price."""
    if forecast is None and (most is not None or limit is not None):
        field = "max_amount" if most is not None else "order"
        told = "its price is not known, so its ceiling was compared with nothing"
        yield Finding(NOT_READ, field, told, "check it again, or compare the price by hand")


def unread(field: str, what: str, cause: str) -> Finding:
    """Return that something could not be read."""
    return Finding(NOT_READ, field, f"{what} could not be read: {cause}", "check it again later")


def unknown_name(known: Divisions, province: str, city: str) -> tuple[str, tuple[str, ...]] | None:
    """Return which name of an address the marketplace does not know, `province` or `city`, and the nearest it knows.

    None: both are known, or the marketplace lists none there.
    """
    provinces = dict(known.provinces)
    found = _known(province, provinces)
    if not provinces or not province:
        return None
    if found is None:
        return "province", _nearest(province, provinces)
    cities = provinces[found]
    return None if not cities or not city or _known(city, cities) else ("city", _nearest(city, cities))


def _chosen(line: Line) -> Option | None:
    options = line.freight.options if line.freight else ()
    if line.wanted.service:
        return next((option for option in options if option.service == line.wanted.service), None)
    priced = [option for option in options if option.fee is not None]
    return min(priced, key=lambda option: option.fee or Decimal(0), default=None)


def _goods(line: Line) -> Money | None:
    sku, count = line.sku, line.wanted.count
    if sku is None or sku.price is None:
        return None
    each = min((sku.price, *(low for least, low in sku.tiers if count >= least)))
    if sku.limit is not None and count > sku.limit and sku.full_price is not None:
        each = sku.full_price
    return Money((each + sku.tax) * count, sku.currency)


def _fee(line: Line, of_store: Decimal) -> Money | None:
    option = _chosen(line)
    if option is None or option.fee is None:
        return None
    is_free = option.free_from is not None and of_store >= option.free_from
    return Money(Decimal(0) if is_free else option.fee, option.currency)


def _plain(name: str) -> str:
    """Return a name as it is compared: without accents, signs and case."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in letters if sign.isalnum())


def _known(name: str, names: Iterable[str]) -> str | None:
    return next((one for one in names if _plain(one) == _plain(name)), None)


def _nearest(name: str, names: Iterable[str]) -> tuple[str, ...]:
    by_plain = {_plain(one): one for one in names}
    return tuple(by_plain[one] for one in difflib.get_close_matches(_plain(name), by_plain, 3))
