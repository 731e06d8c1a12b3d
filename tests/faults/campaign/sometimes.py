"""The "sometimes" checks: a dangerous path that never happened proves nothing, so the run does not pass."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.faults.campaign.facts import Facts
from tests.faults.campaign.options import Options
from tests.faults.campaign.stage import Stage
from tests.faults.campaign.storm import Storm
from worker.crashpoints import CrashPoint

ACTOR = "chaos"
"""Who the rig's operators say they are."""
LATE = "the reply of an earlier send came late and told the ids"
FEWEST_POINTS = 5
"""A small storm is too short for every crash point; this many it must meet."""


@dataclass(frozen=True, slots=True)
class Happened:
    """How often something happened, and how often it has to."""

    what: str
    times: int
    wanted: int

    @property
    def enough(self) -> bool:
        """Tell whether it happened often enough."""
        return self.times >= self.wanted


def happened(facts: Facts, stage: Stage, storm: Storm, kinds: list[str]) -> list[Happened]:
    """Return everything that had to happen in a run of this size, with how often it did."""
    options = stage.options
    hits = stage.crashes.hits()
    each = 0 if options.smoke else options.hits
    found = [Happened(f"crash point {point}", hits[point], each) for point in CrashPoint]
    found += [Happened("crash points of all nine", len(hits), FEWEST_POINTS)]
    found += [Happened(f"fault {kind}", storm.injected[kind], 1) for kind in kinds]
    counted = _paths(facts) | Counter({name: stage.seen[name] for name in _SEEN})
    always = (*_ALWAYS, *(_FULL if options.full else ()), *(_LOOKED_UP if _looks_up(options) else ()))
    paths = (*_ALWAYS, *_FULL, *_LOOKED_UP, *_RARE)
    return found + [Happened(path, counted[path], 1 if path in always else 0) for path in paths]


def _looks_up(options: Options) -> bool:
    return options.full and not {"xportcn", "shoplazza"}.isdisjoint(options.markets)


_ALWAYS = (
    "a lease ran out",
    "an order was sent again with its key",
    "REPEATED was answered",
    "an unknown order settled by itself",
    "two clients handed in one order",
    "duplicate message",
    "frozen worker woke past its lease",
)
_FULL = (
    "a person retried an order",
    "a reply came late",
    "REPEATED told the ids",
    "REPEATED told no ids",
    "an order became two at the marketplace",
    "account held: BREAKER_OPEN",
    "account held: IllegalAccessToken",
    "account held: ApiCallLimit",
    "spool replay",
    "an order was refused",
    "an order was cancelled",
    "an order was quarantined",
    "an answer told the id of another order",
)
_RARE = ("a read-back showed another order",)
"""Needs two faults at one order: told, never wanted."""
_LOOKED_UP = ("a look-up found an order", "look-ups proved an order absent")
_SEEN = tuple(
    name for name in (*_ALWAYS, *_FULL) if name.startswith(("account held", "duplicate m", "frozen", "spool"))
)


def _paths(facts: Facts) -> Counter[str]:
    found: Counter[str] = Counter()
    for history in facts.events.values():
        for event in history:
            found["a reply came late"] += event.note == LATE
            found["an unknown order settled by itself"] += event.from_state == "unknown" and event.event in (
                "retry",
                "accept",
            )
            found["a look-up found an order"] += event.note == "it was found at the marketplace"
            found["look-ups proved an order absent"] += bool(event.note) and event.note.startswith("not found in ")
            found["an order was refused"] += event.to_state == "refused"
            found["an order was cancelled"] += event.to_state == "cancelled"
            found["a person retried an order"] += event.actor == ACTOR and event.event == "retry"
            found["an order was quarantined"] += bool(event.note) and "times in a row" in event.note
            found["an answer told the id of another order"] += bool(event.note) and "which belongs to" in event.note
            found["a read-back showed another order"] += bool(event.note) and "shows another order" in event.note
    for tries in facts.attempts.values():
        repeated = [attempt for attempt in tries if attempt.code == "REPEATED_ORDER_ERROR"]
        found["a lease ran out"] += sum(1 for attempt in tries if attempt.code == "LEASE_RAN_OUT")
        found["REPEATED was answered"] += len(repeated)
    for order_id, history in facts.events.items():
        blind = any(event.event == "accept_blind" and "which belongs to" not in (event.note or "") for event in history)
        again = any(attempt.code == "REPEATED_ORDER_ERROR" for attempt in facts.attempts.get(order_id, []))
        found["REPEATED told no ids"] += blind
        found["REPEATED told the ids"] += again and not blind
    for order in facts.oracle:
        found["an order was sent again with its key"] += len(order["creates"]) - 1
        found["an order became two at the marketplace"] += len(order["references"]) > 1
    found["two clients handed in one order"] += sum(batch.duplicates for batch in facts.batches.values())
    return found
