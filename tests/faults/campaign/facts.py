"""What is known at the end: the ledger by plain SQL, the oracle's record, what was acknowledged."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.faults.campaign.acting import Acted
from tests.faults.campaign.hosts import straight
from tests.faults.campaign.life_facts import LifeFacts, gather_lives
from tests.faults.campaign.makers import Made
from tests.faults.campaign.options import Options
from tests.faults.campaign.stage import Stage
from tests.faults.campaign.storm import Storm

CLOCK_SECONDS = 0.02
"""Two processes of one machine read one clock, a moment apart; a message may come 5 ms early."""
WAKING_SECONDS = 3.0
"""A program that was stopped sends its next byte this soon, on a busy machine too."""


@dataclass(frozen=True, slots=True)
class LateCreate:
    """A create that came when nobody held its order; `frozen_at`: when the program that may have sent it stopped."""

    order_id: str
    at: float
    claimed_at: float | None
    frozen_at: float | None


@dataclass
class Facts:
    """Everything the checkers look at."""

    options: Options
    made: dict[str, Made]
    """Every order of the plan, by its id."""
    acknowledged: set[str]
    batches_told: dict[str, dict[str, Any]]
    orders: dict[str, Any]
    events: dict[str, list[Any]]
    attempts: dict[str, list[Any]]
    references: dict[str, set[str]]
    results: dict[str, set[str]]
    batches: dict[str, Any]
    oracle: list[dict[str, Any]]
    committed: list[dict[str, Any]]
    wrong_clocks: Sequence[tuple[float, float]] = ()
    """From when to when a host's clock was wrong. The ledger's times are put right: `told_at` is what it says."""
    frozen_sends: Sequence[tuple[float, float]] = ()
    """When a program was stopped at the moment of a send, and when it went on."""
    recreating: frozenset[str] = frozenset()
    """Accounts that have opted in to orders being made anew when they were not found for long enough."""
    acted: Acted = field(default_factory=Acted)
    """What operators did to many orders at once."""
    life: LifeFacts = field(default_factory=LifeFacts)
    """What became of orders after they were confirmed."""
    by_content: dict[tuple[str, str], list[dict[str, Any]]] = field(init=False)
    by_key: dict[tuple[str, str], list[dict[str, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_content, self.by_key = defaultdict(list), defaultdict(list)
        for order in self.oracle:
            self.by_content[order["marketplace"], order["content"]].append(order)
            self.by_key[order["account"], order["key"]].append(order)

    def under_a_wrong_clock(self, begin: float, end: float) -> bool:
        """Tell whether a clock was wrong at any moment of a time."""
        return any(begin <= until and end >= since for since, until in self.wrong_clocks)

    def late_creates(self) -> Iterator[LateCreate]:
        """Yield the creates that came while no claim covered them, and no wrong clock explains it."""
        lease = self.options.lease_seconds
        for order in self.oracle:
            if order["key"] not in self.events:
                continue  # its key is not ours: another checker's business
            claims = [event.at for event in self.events[order["key"]] if event.event == "claim"]
            for at in order["creates"]:
                # It leaves before the lease ends minus the answer's time; arriving takes a busy machine a moment.
                if any(-CLOCK_SECONDS <= at - claim <= lease for claim in claims):
                    continue
                nearest = max((claim for claim in claims if claim <= at), default=None)
                # A lease is worth what the clock is worth that it was counted by.
                if nearest is None or not self.under_a_wrong_clock(nearest, at):
                    yield LateCreate(order["key"], at, nearest, self._frozen_at(claims, at))

    def _frozen_at(self, claims: Sequence[float], at: float) -> float | None:
        lease = self.options.lease_seconds
        return next(
            (
                froze
                for froze, woke in self.frozen_sends
                if woke - 0.1 <= at <= woke + WAKING_SECONDS
                and any(froze - lease <= claim <= froze for claim in claims)
            ),
            None,
        )

    def at_oracle(self, order_id: str) -> list[dict[str, Any]]:
        """Return what the marketplace made of one of our orders, whatever key it came under."""
        made = self.made.get(order_id)
        return [] if made is None else self.by_content.get((made.marketplace, made.content), [])


_ORDERS = """
SELECT order_id, account, marketplace, batch_id, state, epoch, attempts, due_at, lease_until, in_doubt, attention, code,
reason, closed_at, created_at FROM orders
"""


def gather(stage: Stage, storm: Storm, made: list[Made], **life: Any) -> Facts:
    """Read everything, once, when nothing moves any more; `life`: what is known of the second lives already."""
    read, oracle = stage.ledger.facts, stage.oracle.orders()
    return Facts(
        stage.options,
        {order.order_id: order for order in made},
        storm.acknowledged_orders,
        storm.acknowledged,
        {row.order_id: row for row in read(_ORDERS)},
        _grouped(_put_right(read(_EVENTS), "at")),
        _grouped(_put_right(read(_ATTEMPTS), "sent_at", "closed_at")),
        {
            i: {row.reference for row in rows}
            for i, rows in _grouped(read("SELECT order_id, reference FROM order_references")).items()
        },
        {
            i: {row.reference for row in rows}
            for i, rows in _grouped(read("SELECT order_id, reference FROM results")).items()
        },
        {row.batch_id: row for row in read("SELECT batch_id, accepted, duplicates, rejected FROM batches")},
        oracle,
        stage.oracle.committed(),
        stage.wrong_clocks,
        stage.frozen_sends,
        acted=Acted.of(stage),
        life=gather_lives(read, oracle, **life),
    )


_EVENTS = "SELECT order_id, at, event, from_state, to_state, epoch, actor, note FROM events ORDER BY id"
_ATTEMPTS = "SELECT order_id, number, epoch, sent_at, closed_at, outcome, code FROM attempts ORDER BY number"


def _put_right(rows: list[Any], *names: str) -> list[Any]:
    """Put times right that a wrong clock told."""
    end, found = time.time(), []
    for row in rows:
        told = row._asdict()
        right = {name: straight(told[name], end) for name in names if told[name] is not None}
        found.append(SimpleNamespace(**{**told, **right, "told_at": told[names[0]]}))
    return found


def _grouped(rows: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.order_id].append(row)
    return found
