"""Marketplaces of three kinds, as far as they differ in what can be known of an order."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from typing import ClassVar

from worker.rules.outcomes import (
    Absent,
    Accepted,
    Declined,
    Found,
    NotSent,
    OrderRecord,
    PlaceOutcome,
    ReadOutcome,
    Refused,
    Unknown,
)
from worker.rules.reconcile import Ability

HOUR = 3600.0

LATE_COMMIT_SECONDS = 1800.0
"""How much later a create is executed that was answered by a cut connection: long after anybody looked it up."""


@dataclass
class Market:
    """Keeps every order it made, by key; `tells_ids`: whether a repeat is told the first one's ids."""

    name: ClassVar[str]
    ability: ClassVar[Ability]
    forgets_after: ClassVar[float | None] = None
    """How long a key makes only one order; None: every create makes one."""
    lag_seconds: ClassVar[float] = 5.0

    tells_ids: bool = False
    made: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    sends: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    pending: list[tuple[float, str]] = field(default_factory=list)
    """Creates it took in and will execute only then, whatever it answered: (when, key)."""
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def create(self, key: str, now: float, fault: str) -> PlaceOutcome:
        """Answer one create; `fault` is what goes wrong on the way there, here, or on the way back."""
        if fault == "refused_connection":
            return NotSent("no connection")
        if fault == "lost_before":
            return Unknown("no answer")
        if fault == "throttled":
            return Declined("AppApiCallLimit", "too often", 5.0)
        if fault == "refused" and key not in self.made:
            return Refused("DELIVERY_METHOD_NOT_EXIST", "no", "mend it")
        self.sends[key].append(now)
        if fault == "late_commit":
            self.pending.append((now + LATE_COMMIT_SECONDS, key))
            return Unknown("the answer was lost")
        before = [made[-1][1] for other, made in self.made.items() if made and other != key]
        answer = self._execute(key, now)
        if fault == "wrong_ids" and before and answer.references:
            return Accepted((before[-1],))
        return Unknown("the answer was lost") if fault == "lost_after" else answer

    def land(self, now: float) -> None:
        """Execute what was taken in before and is due."""
        for at, key in [one for one in self.pending if one[0] <= now]:
            self.pending.remove((at, key))
            self._execute(key, at)

    def may_come(self, key: str) -> bool:
        """Tell whether an order was made, or may yet be, of what was sent."""
        return bool(self.made.get(key)) or any(waiting == key for _, waiting in self.pending)

    def _execute(self, key: str, now: float) -> Accepted:
        held = self.made[key]
        if held and self.forgets_after is not None and now < held[-1][0] + self.forgets_after:
            return Accepted((held[-1][1],) if self.tells_ids else (), "REPEATED_ORDER_ERROR")
        reference = f"{self.name}-{next(self._ids)}"
        held.append((now, reference))
        return Accepted((reference,))

    def read(self, reference: str, now: float) -> ReadOutcome:
        """Answer a read by id."""
        for orders in self.made.values():
            for at, known in orders:
                if known == reference and now >= at + self.lag_seconds:
                    return Found((OrderRecord(reference, "PLACE_ORDER_SUCCESS"),))
        return Absent("not shown yet")

    def is_of(self, reference: str, key: str) -> bool:
        """Tell whether an id is an order's own."""
        return reference in {known for _, known in self.made.get(key, [])}

    def look_up(self, key: str, now: float) -> ReadOutcome:
        """Answer a search by our own key."""
        shown = [reference for at, reference in self.made.get(key, []) if now >= at + self.lag_seconds]
        return Found(tuple(OrderRecord(r, "placed") for r in shown)) if shown else Absent("nothing found")


class OnceADay(Market):
    """Like AliExpress: a key makes one order in 24 hours, and nobody can be asked."""

    name = "onceaday"
    ability = Ability(can_look_up=False, resend_window_seconds=22 * HOUR)
    forgets_after = 24 * HOUR


class Searchable(Market):
    """Like Shoplazza: every create makes an order; a look-up finds it after a while."""

    name = "searchable"
    ability = Ability(can_look_up=True, resend_window_seconds=None)
    lag_seconds = 20.0


class Blind(Market):
    """Every create makes an order, and nobody can be asked."""

    name = "blind"
    ability = Ability(can_look_up=False, resend_window_seconds=None)


KINDS: dict[str, type[Market]] = {kind.name: kind for kind in (OnceADay, Searchable, Blind)}
