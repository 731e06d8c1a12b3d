"""Finds an order by its mark, and says "absent" only where nothing can have been missed.

2022-01 has no filter by tag, of 2025-06 it is not known (shoplazza.md, 1): there the orders since the first send are
walked through, and absent means that all of them were seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.marketplaces.calls import Lost, ReadSteps, Reply, Request
from worker.marketplaces.replies import Garbage, id_of, lost, text_of
from worker.marketplaces.shoplazza.create import Context
from worker.marketplaces.shoplazza.credentials import LEGACY
from worker.marketplaces.shoplazza.envelope import open_body, request_id_of
from worker.marketplaces.shoplazza.read import declined, oldest_first, read_order
from worker.marketplaces.shoplazza.signing import Mark
from worker.rules.outcomes import Absent, Declined, Found, NotSent, Unknown

LOOK_BACK_SECONDS = 300.0
"""How far before the first send a look-up by time begins, for clocks that differ."""
PAGES = 10
"""Pages a look-up turns at most; their requests are not booked one by one."""
LIST_LIMIT = 250
"""Orders a page, the most the vendor allows."""
SHORT_PAGE = 10
"""A page with fewer orders is the last one, even where the vendor ignored the size asked for (its default is 10)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `has_more` is None where the reply does not say (2022-01 never does)."""

    orders: Sequence[Mapping[str, Any]]
    cursor: str
    has_more: bool | None

    @property
    def is_last(self) -> bool:
        """Whether nothing can come after it."""
        if self.has_more is None:
            return not self.cursor and len(self.orders) < SHORT_PAGE
        return not self.has_more


@dataclass(frozen=True, slots=True)
class Search:
    """One look-up. `ask` builds the request for a list with this query."""

    ask: Callable[[Mapping[str, str]], Request]
    mark: Mark
    context: Context

    def find(self, first_sent_at: float) -> ReadSteps:
        """Find the order by its mark. An answer with strangers in it shows that the filter was not applied."""
        hits: list[Mapping[str, Any]] = []
        if self.context.version != LEGACY:
            came = yield self.ask({"order_tags": self.mark.token, "page_size": str(SHORT_PAGE)})
            page = read_page(came, self.context)
            if not isinstance(page, Page):
                return page
            hits = [shown for shown in page.orders if self.mark.is_on(shown)]
            if page.is_last and len(hits) == len(page.orders):
                return settle(hits, self.mark)
        return (yield from self._walk(first_sent_at - LOOK_BACK_SECONDS, hits))

    def _walk(self, since: float, hits: list[Mapping[str, Any]]) -> ReadSteps:
        seen: set[str] = set()
        cursor = ""
        for number in range(1, PAGES + 1):
            came = yield self.ask(listing(self.context.version, since, number, cursor))
            page = read_page(came, self.context)
            if not isinstance(page, Page):
                return page
            hits += [shown for shown in page.orders if self.mark.is_on(shown)]
            if page.is_last:
                return settle(hits, self.mark)
            fresh = {id_of(shown.get("id")) for shown in page.orders} - seen
            if not fresh or (self.context.version != LEGACY and not page.cursor):
                break  # the vendor ignores what turns the page
            seen |= fresh
            cursor = page.cursor
        cause = f"the orders since the first send could not all be seen ({len(seen)} were)"
        return settle(hits, self.mark) if hits else Unknown(cause, "LIST_INCOMPLETE")


def listing(version: str, since: float, page: int, cursor: str) -> dict[str, str]:
    """Return the query of one page of the orders created since then: pages in 2022-01, a cursor later."""
    query = {"created_at_min": f"{datetime.fromtimestamp(max(since, 0), UTC):%Y-%m-%dT%H:%M:%SZ}"}
    if version == LEGACY:
        return query | {"limit": str(LIST_LIMIT), "page": str(page)}
    return query | {"page_size": str(LIST_LIMIT)} | ({"cursor": cursor} if cursor else {})


def read_page(came: Reply | Lost, context: Context) -> Page | Declined | NotSent | Unknown:
    """Return the page a list call came to, or why there is none."""
    if isinstance(came, Lost):
        return lost(came)
    turned_away = declined(came, context)
    if turned_away is not None:
        return turned_away
    opened, request_id, code = open_body(came.body), request_id_of(came), f"HTTP_{came.status}"
    if isinstance(opened, Garbage):
        return Unknown(f"HTTP {came.status}: {opened.cause}", code, (), request_id)
    orders = opened.orders() if 200 <= came.status < 300 else None
    if orders is None:
        text = context.clean(opened.text)
        return Unknown(f"the look-up was not answered with a list (HTTP {came.status}) {text}".strip(), code)
    more = opened.data.get("has_more")
    return Page(orders, text_of(opened.data.get("cursor")), more if isinstance(more, bool) else None)


def settle(hits: Sequence[Mapping[str, Any]], mark: Mark) -> Found | Absent | Unknown:
    """Return what was found: nothing, the order, or several of them, the oldest first."""
    records = [read_order(order) for order in sorted(hits, key=oldest_first)]
    readable = {record.reference: record for record in records if record is not None}
    if readable:
        return Found(tuple(readable.values()))
    if hits:
        return Unknown(f"an order carries the tag {mark.token} but shows no id", "NO_ID")
    return Absent(f"no order carries the tag {mark.token}")
