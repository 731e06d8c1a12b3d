"""What a person sees of many orders' second life."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from worker.rules.life_views import LifeView
from worker.rules.life_words import ago, deadline_words
from worker.terminal.tables import table


def unpaid_table(lives: Iterable[LifeView], now: float) -> Table:
    """Return a table of orders to be paid: what each costs, until when, and when that was read."""
    return table(
        {
            "order": {"overflow": "fold"},
            "marketplace id": {"no_wrap": True},
            "amount": {"no_wrap": True},
            "deadline": {"overflow": "fold"},
            "read": {"no_wrap": True},
        },
        (
            (
                one.order_id,
                one.reference,
                f"{one.amount} {one.currency}" if one.amount else "not told",
                deadline_words(one),
                ago(one.read_at, now),
            )
            for one in lives
        ),
    )
