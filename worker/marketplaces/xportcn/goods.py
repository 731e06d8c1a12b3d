"""Compares a 1688 order's goods with those of its details, and reads which of them a create did not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from worker.marketplaces.codes import Clean
from worker.marketplaces.goods import Line, Names, differences, pieces, readable
from worker.marketplaces.prices import other_currency
from worker.marketplaces.replies import objects, text_of, values
from worker.marketplaces.xportcn.statuses import ENDED
from worker.rules.outcomes import OrderRecord

OFFER_NAMES = ("offerId", "productID", "productId")
LINE_LISTS = ("productItems", "orderEntries")
"""Where 1688's own object has its lines; of Xportcn's own forms nothing is stored, and any list of offers counts."""
FAILED = "failedOfferList"
"""What a create did not take, beside the id of the order it made of the rest (1688's createCrossOrder)."""
CURRENCY = "CNY"
_YUAN = frozenset({"CNY", "RMB", "CNH"})
_MANY = 50


def differing(order: Mapping[str, Any], records: Sequence[OrderRecord], who: str) -> list[str]:
    """Say how the goods and the currency of all of an order's records differ from what was ordered."""
    shown = [_shown(record) for record in records]
    told = [text_of(word) for record in records for word in values(record.details, "currency", "currencyCode")]
    return [
        *differences(ordered(order), shown, Names(who, "offer", "specId")),
        *other_currency(who, CURRENCY, [word for word in told if word.upper() not in _YUAN]),
    ]


def shows_goods(record: OrderRecord) -> bool:
    """Tell whether a record shows its offers and how many of each."""
    return readable(_shown(record))


def ended_lines(details: Mapping[str, Any]) -> list[str]:
    """Return the words for lines of an order that will not come, each once."""
    return sorted({line.ended for line in _lines(details) if line.ended})


def failed_offers(order: Mapping[str, Any], document: object, clean: Clean) -> list[str]:
    """Say which lines an answer to a create names as not taken: offer, specification, quantity ordered, and why."""
    rows = [row for found in values(document, FAILED) for row in (found if isinstance(found, list) else [found])]
    return [_failed(order, row, clean) for row in rows[:_MANY] if isinstance(row, dict) and row]


def _failed(order: Mapping[str, Any], row: Mapping[str, Any], clean: Clean) -> str:
    offer, spec = _offer(row), text_of(row.get("specId"))
    of_offer = [line for line in ordered(order) if line.product == offer]
    exact = [line for line in of_offer if spec and line.variant == spec] or of_offer
    wanted = sum(line.quantity or 0 for line in exact)
    told = [text_of(row.get(name)) for name in ("errorCode", "errorMessage", "errorMsg", "message")]
    why = " ".join(dict.fromkeys(filter(None, told)))
    named = f"offer {offer or 'without an id'}{f' (specId {spec})' if spec else ''}"
    many = f", {wanted} ordered" if wanted else ""
    return clean(f"1688 did not take {named}{many}{f': {why}' if why else ''}")


def ordered(order: Mapping[str, Any]) -> list[Line]:
    """Return the lines of an order."""
    return [_line(row) for row in order.get("cargoParamList") or () if isinstance(row, Mapping)]


def _shown(record: OrderRecord) -> list[Line]:
    return _lines(record.details)


def _lines(details: Mapping[str, Any]) -> list[Line]:
    """Return the lines an order shows: one list of them, for a reply may show the same goods in several."""
    known = values(details, *LINE_LISTS)
    other = (value for node in objects(details) for name, value in node.items() if name != FAILED)
    rows = next(filter(None, map(_rows, chain(known, other, [details]))), [])
    return [_line(row) for row in rows]


def _rows(value: object) -> list[Mapping[str, Any]]:
    """Return a list's rows where any of them names an offer; one bare row counts as a list of it."""
    rows = [row for row in (value if isinstance(value, list) else [value]) if isinstance(row, Mapping)]
    return rows if any(_offer(row) for row in rows) else []


def _line(row: Mapping[str, Any]) -> Line:
    status = text_of(row.get("status"))
    ended = status if status.lower() in ENDED else ""
    return Line(_offer(row), text_of(row.get("specId")), pieces(row.get("quantity")), ended[:60])


def _offer(row: Mapping[str, Any]) -> str:
    text = next(filter(None, (text_of(row.get(name)) for name in OFFER_NAMES)), "")
    return text.lstrip("0") if text.isascii() and text.isdigit() else ""
