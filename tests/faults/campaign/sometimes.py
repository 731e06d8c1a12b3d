"""The "sometimes" checks: a dangerous path that never happened proves nothing, so the run does not pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.campaign.acting import CHOSEN
from tests.faults.campaign.anew import is_by_itself, is_proof, is_word
from tests.faults.campaign.facts import Facts
from tests.faults.campaign.life_paths import LIFE_PATHS, life_paths
from tests.faults.campaign.makers import ACTOR, MARKETS
from tests.faults.campaign.options import Options
from tests.faults.campaign.stage import Stage
from tests.faults.campaign.storm import Storm
from worker.crashpoints import CrashPoint

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
    counted = _paths(facts) | life_paths(facts.life) | Counter({name: stage.seen[name] for name in _SEEN})
    always = (*_ALWAYS, *(_FULL if options.full else ()), *(_KEYLESS if _looks_up(options) else ()))
    paths = (*_ALWAYS, *_FULL, *_KEYLESS, *_RARE)
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
    *LIFE_PATHS,
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
    *(f"an act on many orders: {kind}" for kind in CHOSEN),
    "an act died in its middle",
    "an amended order was made",
    "an order was closed",
)
_RARE = (
    "a read-back showed another order",
    "an order was made anew by itself",
    "a send was proven never to have left",
    "clock of the read workers behind",
)
"""Needs two faults at one order, or an account that allows it: told, never wanted."""
_KEYLESS = (
    "a look-up found an order",
    "a person said that an order does not exist",
    *(f"a late commit made an order at {market}" for market in MARKETS),
    "a late commit came to a key that had made its order",
    "a list lagged behind look-ups of an order",
    "sender frozen at its send woke past its lease",
    "a frozen sender's create reached the marketplace",
    "an order was claimed under a wrong clock",
    "clock of the place workers ahead",
    "clock of the place workers behind",
    "clock of the read workers ahead",
)
"""What must happen where marketplaces take part at which no key protects."""
_SEEN = tuple(
    name
    for name in (*_ALWAYS, *_FULL, *_KEYLESS, *_RARE)
    if name.startswith(("account held", "duplicate m", "frozen", "spool", "sender", "clock", "an act "))
)


def _late(order: dict[str, Any]) -> Iterator[str]:
    """Yield what of the faults of time happened to one of the marketplaces' orders."""
    made_at, creates = order["created_at"], order["creates"]
    if made_at not in creates:
        yield f"a late commit made an order at {order['marketplace']}"
    elif min(creates) < made_at:
        yield "a late commit came to a key that had made its order"
    shown_at = made_at + order["hidden_seconds"]
    if any(made_at < at < shown_at for at in order["gets"]) and not MARKETS[order["marketplace"]].gets_are_reads:
        yield "a list lagged behind look-ups of an order"


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
            found["an order was made anew by itself"] += is_by_itself(event)
            found["an order was refused"] += event.to_state == "refused"
            found["an order was closed"] += event.event == "close"
            found["an order was cancelled"] += event.to_state == "cancelled"
            found["a person retried an order"] += event.actor == ACTOR and event.event == "retry"
            found["an order was quarantined"] += bool(event.note) and "times in a row" in event.note
            found["an answer told the id of another order"] += bool(event.note) and "which belongs to" in event.note
            found["a read-back showed another order"] += bool(event.note) and "shows another order" in event.note
            found["a person said that an order does not exist"] += is_word(event)
            found["a send was proven never to have left"] += is_proof(event)
            found["an order was claimed under a wrong clock"] += event.event == "claim" and event.at != event.told_at
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
        found.update(_late(order))
        found["an order was sent again with its key"] += len(order["creates"]) - 1
        found["an order became two at the marketplace"] += len(order["references"]) > 1
    frozen = [create for create in facts.late_creates() if create.frozen_at is not None]
    found["a frozen sender's create reached the marketplace"] = len(frozen)
    found["an amended order was made"] += sum(bool(facts.at_oracle(order_id)) for order_id in facts.acted.amended)
    found["two clients handed in one order"] += sum(batch.duplicates for batch in facts.batches.values())
    return found
