"""What a person sees of many orders' second life."""

from __future__ import annotations

from collections.abc import Iterable

from worker.rules.life_views import LifeView
from worker.rules.life_words import ago, deadline_words
from worker.terminal.grid import Column, Grid, Page
from worker.terminal.tables import ORDER_COLUMNS, REFERENCE_COLUMNS


def unpaid_table(lives: Iterable[LifeView], now: float) -> Page:
    """Return a table of orders to be paid: what each costs, until when, and when that was read."""
    grid = Grid(
        (
            Column("order", ORDER_COLUMNS, folds=True),
            Column("marketplace id", REFERENCE_COLUMNS, folds=True),
            Column("amount", right=True),
            Column("deadline", 20, folds=True),
            Column("read"),
        )
    )
    return grid.page(
        (
            one.order_id,
            one.reference,
            f"{one.amount} {one.currency}" if one.amount else "not told",
            deadline_words(one),
            ago(one.read_at, now),
        )
        for one in lives
    )
