"""What is known of the orders' second lives at the end: the ledger's rows and events, the marketplace's own record."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.faults.campaign.hosts import straight

Key = tuple[str, str]
"""Our order's id, and the marketplace's."""


@dataclass(frozen=True, slots=True)
class Played:
    """What the marketplace has of one order; unix seconds.

    `phases`: each with its beginning, those that are still to come as well. `numbers`: of each parcel, since when.
    """

    phases: Sequence[tuple[float, str]]
    paid_at: float | None = None
    deadline_at: float | None = None
    numbers: Sequence[Sequence[tuple[float, str]]] = ()

    def phase(self, at: float) -> str:
        """Return where it stood at a time; before its create: at its beginning."""
        return self.phases[max(bisect_right([begun for begun, _ in self.phases], at) - 1, 0)][1]

    def current(self, at: float) -> set[str]:
        """Return the numbers it showed at a time."""
        shown = ([number for since, number in one if since <= at][-1:] for one in self.numbers)
        return {number for one in shown for number in one}


@dataclass
class LifeFacts:
    """Everything the checkers of the second life look at."""

    rows: Mapping[Key, Any] = field(default_factory=dict)
    events: Mapping[Key, Sequence[Any]] = field(default_factory=dict)
    parcels: Mapping[Key, Sequence[Any]] = field(default_factory=dict)
    played: Mapping[tuple[str, str], Played] = field(default_factory=dict)
    """By marketplace and its id."""
    at: float = 0.0
    """When all of this was read, and everything was refreshed."""
    up: Callable[[float, float], float] = lambda begin, end: max(0.0, end - begin)
    """How many seconds of a time Redis and the ledger were there."""
    paused: tuple[float, float] = (0.0, 0.0)
    """From when to when every account was paused, while deadlines passed."""
    refreshed: bool = False
    """Whether everything was read anew at the end."""

    def of(self, key: Key) -> Played | None:
        """Return what the marketplace has of a supplier order."""
        return self.played.get((self.rows[key].marketplace, key[1]))


_ROWS = """
SELECT order_id, reference, account, marketplace, stage, status, paid, paid_at, accepted_at, deadline_at, read_at
FROM supplier_orders
"""
_EVENTS = """
SELECT order_id, reference, at, event, from_stage, to_stage, number, replaces, note FROM life_events ORDER BY id
"""
_PARCELS = "SELECT order_id, reference, number, internal, replaced_by FROM parcels"


def gather_lives(read: Callable[[str], list[Any]], oracle: Sequence[Mapping[str, Any]], **more: Any) -> LifeFacts:
    """Read everything, once, when nothing moves any more; the ledger's times are put right."""
    now = time.time()
    events = [SimpleNamespace(**{**row._asdict(), "at": straight(row.at, now)}) for row in read(_EVENTS)]
    return LifeFacts(
        {(row.order_id, row.reference): row for row in read(_ROWS)},
        _grouped(events),
        _grouped(read(_PARCELS)),
        {
            (order["marketplace"], reference): Played(**life)
            for order in oracle
            for reference, life in order["lives"].items()
        },
        now,
        **more,
    )


def _grouped(rows: Sequence[Any]) -> dict[Key, list[Any]]:
    found: dict[Key, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.order_id, row.reference].append(row)
    return found
