"""Reads one page of a look-up and says what was found; absent only where nothing can have been missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.marketplaces.base import Lost, Reply
from worker.marketplaces.replies import lost, text_of
from worker.marketplaces.shoplazza.create import Context, declined, request_id_of
from worker.marketplaces.shoplazza.envelope import open_body
from worker.marketplaces.shoplazza.read import oldest_first, read_order
from worker.marketplaces.shoplazza.wire import Mark
from worker.rules.outcomes import Absent, Declined, Found, NotSent, Unknown

LOOK_BACK_SECONDS = 300.0
"""How far before the first send a look-up by time begins, for clocks that differ."""
PAGES = 10
"""Pages a look-up turns at most; their requests are not booked one by one."""
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


def read_page(came: Reply | Lost, context: Context) -> Page | Declined | NotSent | Unknown:
    """Return the page a list call came to, or why there is none."""
    if isinstance(came, Lost):
        return lost(came)
    turned_away = declined(came, context)
    if turned_away is not None:
        return turned_away
    opened, request_id, code = open_body(came.body), request_id_of(came), f"HTTP_{came.status}"
    if isinstance(opened, str):
        return Unknown(f"HTTP {came.status}: {opened}", code, (), request_id)
    orders = opened.orders() if 200 <= came.status < 300 else None
    if orders is None:
        text = context.scrub(opened.text)
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
