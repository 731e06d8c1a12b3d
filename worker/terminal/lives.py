"""What a person sees of many orders' second life."""

from __future__ import annotations

from collections.abc import Iterable

from worker.rules.life_views import LifeView
from worker.rules.life_words import ago, deadline_words
from worker.terminal.grid import Column, Grid, Page


def unpaid_table(lives: Iterable[LifeView], now: float) -> Page:
    """Return a table of orders to be paid: what each costs, until when, and when that was read."""
    columns = (
        Column("order"),
        Column("marketplace id"),
        Column("amount"),
        Column("deadline", 20, text=True),
        Column("read"),
    )
    rows = [
        (
            one.order_id,
            one.reference,
            f"{one.amount} {one.currency}" if one.amount else "not told",
            deadline_words(one),
            ago(one.read_at, now),
        )
        for one in lives
    ]
    return Grid(columns).page(rows)
