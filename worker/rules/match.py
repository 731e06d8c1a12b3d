"""Which of our orders a push message is about: pure, and never more certain than goods and time allow.

A message names the marketplace's id and nothing of ours. What the read-back shows of the order (its goods) is checked
against every order that may exist there under an id we do not know. One that fits is the one; where two fit, nothing
tells them apart, and a person decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from worker.rules.decision import CONFIRM_FLOOR_SECONDS
from worker.rules.outcomes import OrderRecord
from worker.rules.states import State
from worker.rules.values import Candidate, Judged, Pushed, PushState

SKEW_SECONDS = 120.0
"""How far the marketplace's clock and ours may be apart."""
MOVING_SECONDS = (5.0, 300.0)
"""Shortest and longest wait while an order that fits is still on its way; between them a quarter of the row's age."""


class Shown(Protocol):
    """What a marketplace's adapter can tell of a record that was read back."""

    def describes(self, order: Mapping[str, Any], record: OrderRecord) -> bool:
        """Tell whether the record holds exactly this order's goods, each in its quantity."""

    def made_between(self, record: OrderRecord) -> tuple[float, float] | None:
        """Return between which unix times the record says its order was made; None where it does not say."""


@dataclass(frozen=True, slots=True)
class Match:
    """The one order a row fits: it may take the id."""

    row: Pushed
    order_id: str


def in_time(row: Pushed, candidates: Iterable[Candidate], now: float) -> list[Candidate]:
    """Return the candidates that the messages' own times allow.

    An order is made between its first send and the close of its last one. A message that tells of something later
    (paid, shipped) has no upper bound. One without a time fits nothing.
    """
    if row.made_at is not None:
        made_at = row.made_at
        return [one for one in candidates if _begin(one) <= made_at <= _end(one, now)]
    if row.pushed_at is not None:
        pushed_at = row.pushed_at
        return [one for one in candidates if _begin(one) <= pushed_at]
    return []


def too_early_seconds(row: Pushed, now: float) -> float:
    """Return how long to wait before the order is read: the marketplace shows it no sooner than 10 s after its making.

    Never longer than that, whatever time the message claims.
    """
    # A message's time is a whole second, and the making anywhere in it.
    made_at = row.first_at if row.made_at is None else min(row.made_at + 1, row.first_at)
    return min(CONFIRM_FLOOR_SECONDS, max(0.0, made_at + CONFIRM_FLOOR_SECONDS - now))


def judge(
    shown: Shown, row: Pushed, record: OrderRecord, candidates: Sequence[Candidate], now: float
) -> Match | Judged:
    """Return the one order that fits a record, or why none can be told, or when to look again.

    `shown`: the adapter that read the record.
    """
    span = shown.made_between(record)
    fitting = [
        one
        for one in in_time(row, candidates, now)
        if _within(span, one, now) and shown.describes(json.loads(one.body), record)
    ]
    if not fitting:
        return no_order(row)
    settled = [one for one in fitting if one.state in (State.UNMATCHED, State.UNKNOWN)]
    if len(fitting) == len(settled) == 1:
        return Match(row, settled[0].order_id)
    if len(fitting) > len(settled) or (len(fitting) > 1 and any(_goes_on(one) for one in settled)):
        return later(row, moving_seconds(row, now))
    names = ", ".join(one.order_id for one in fitting[:3])
    more = f" and {len(fitting) - 3} more" if len(fitting) > 3 else ""
    return orphan(row, f"{len(fitting)} orders have these goods and fit the time: {names}{more}")


def in_contest(matches: Sequence[Match]) -> tuple[list[Match], list[Judged]]:
    """Part the matches that stand alone from those that want the same order, which is then nobody's."""
    wanted = [match.order_id for match in matches]
    alone = [match for match in matches if wanted.count(match.order_id) == 1]
    several = [
        orphan(match.row, f"more than one of the marketplace's orders fits {match.order_id}")
        for match in matches
        if wanted.count(match.order_id) > 1
    ]
    return alone, several


def no_order(row: Pushed) -> Judged:
    """Return what is said of a row nothing fits."""
    if row.made_at is None and row.pushed_at is None:
        return orphan(row, "the message names no time")
    return orphan(row, "no order that waits for an id has these goods and fits the time")


def orphan(row: Pushed, note: str) -> Judged:
    """Return that a person has to look."""
    return Judged(row, PushState.ORPHAN, note=note)


def later(row: Pushed, wait_seconds: float, tries: int | None = None) -> Judged:
    """Return that the row is looked at again; `tries` where that counts."""
    return Judged(row, PushState.NEW, wait_seconds=wait_seconds, tries=row.tries if tries is None else tries)


def moving_seconds(row: Pushed, now: float) -> float:
    """Return the wait for orders that settle by themselves."""
    shortest, longest = MOVING_SECONDS
    return max(shortest, min(longest, (now - row.first_at) / 4))


def _begin(one: Candidate) -> float:
    return one.first_sent_at - SKEW_SECONDS


def _end(one: Candidate, now: float) -> float:
    return (now if one.closed_at is None else one.closed_at) + SKEW_SECONDS


def _within(span: tuple[float, float] | None, one: Candidate, now: float) -> bool:
    return span is None or (span[0] <= _end(one, now) and span[1] >= _begin(one))


def _goes_on(one: Candidate) -> bool:
    """Tell whether an unknown order settles by itself: it may yet learn its id, and then this row is known."""
    return one.state is State.UNKNOWN and one.due_at is not None
