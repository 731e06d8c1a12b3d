"""Asks for an order's fulfilments and reads their parcels: a fulfilment has one number, or from 2026-01 on several.

Nothing is written: a fulfilment that is made or changed here would mail the shop's customer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from worker.marketplaces.calls import Lost, NotRead, ParcelSteps, Reply, Request
from worker.marketplaces.parcels import carrier, items, numbers, rows_with, together
from worker.marketplaces.replies import Garbage, id_of, lost, text_of
from worker.marketplaces.shoplazza.create import Context
from worker.marketplaces.shoplazza.envelope import open_body, request_id_of
from worker.marketplaces.shoplazza.read import declined
from worker.rules.life import Parcel, Parcels
from worker.rules.outcomes import OrderRecord, Unknown

NUMBERS = ("tracking_number",)
CARRIERS = ("tracking_company", "tracking_company_code")
PAGES = 10
"""Pages that are turned at most; an order has a few fulfilments."""
NOT_ALLOWED = frozenset({403, 404})
"""Statuses of a version or a token without this call (shoplazza.md, 4); the order itself shows its fulfilments too."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of fulfilments."""

    rows: tuple[Mapping[str, Any], ...]
    cursor: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class Tracking:
    """One reading of an order's parcels. `ask` builds the request for a path with this query."""

    ask: Callable[[str, Mapping[str, str]], Request]
    context: Context

    def parcels(self, record: OrderRecord) -> ParcelSteps:
        """Read every page of the order's fulfilments; one that is missing leaves the whole open."""
        path, rows, cursor = f"/orders/{quote(record.reference, safe='')}/fulfillments", list[Mapping[str, Any]](), ""
        for _ in range(PAGES):
            came = yield self.ask(path, {"cursor": cursor} if cursor else {})
            page = self._page(came)
            if page is None:
                return in_details(record)
            if not isinstance(page, Page):
                return page
            rows += page.rows
            if not page.has_more:
                return together(_parcels(rows, record.reference))
            if not page.cursor or page.cursor == cursor:
                break
            cursor = page.cursor
        return Unknown(f"the order's fulfilments could not all be seen ({len(rows)} were)", "LIST_INCOMPLETE")

    def _page(self, came: Reply | Lost) -> Page | NotRead | None:
        """Return a page, or why there is none; None where the call is not allowed or not known."""
        if isinstance(came, Lost):
            return lost(came)
        if came.status in NOT_ALLOWED:
            return None
        turned_away = declined(came, self.context)
        if turned_away is not None:
            return turned_away
        opened, code, request_id = open_body(came.body), f"HTTP_{came.status}", request_id_of(came)
        if isinstance(opened, Garbage):
            return Unknown(f"HTTP {came.status}: {opened.cause}", code, (), request_id)
        rows = opened.data.get("fulfillments")
        if rows is None and opened.succeeded and "fulfillments" in opened.data:
            rows = []  # how Go writes an empty list
        if not 200 <= came.status < 300 or not isinstance(rows, list):
            text = self.context.clean(opened.text)
            told = f"the fulfilments were not answered with a list (HTTP {came.status}) {text}".strip()
            return Unknown(told, code, (), request_id)
        cursor, more = text_of(opened.data.get("cursor")), opened.data.get("has_more")
        has_more = more if isinstance(more, bool) else text_of(more).lower() == "true"
        return Page(tuple(row for row in rows if isinstance(row, dict)), cursor, has_more)


def in_details(record: OrderRecord) -> Parcels:
    """Return the parcels the order shows by itself."""
    rows = record.details.get("fulfillments")
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return together(_parcels(found, record.reference))


def _parcels(rows: Sequence[Mapping[str, Any]], reference: str) -> Iterator[Parcel]:
    for row in rows:
        named = id_of(row.get("order_id"))
        if named and named != reference:
            continue
        several = list(rows_with(row.get("tracking_items"), *NUMBERS))
        known = [(number, one) for one in several or [row] for number in numbers(one, *NUMBERS)]
        lines = row.get("line_items")
        inside = items(lines if isinstance(lines, list) else [], ("line_item_id", "id"), ("ship_quantity", "quantity"))
        for number, one in known:
            told = carrier(one, *CARRIERS) or (carrier(row, *CARRIERS) if len(known) == 1 else None)
            # Which of several parcels holds what is not told.
            yield Parcel(number=number, carrier=told, items=inside if len(known) == 1 else ())
