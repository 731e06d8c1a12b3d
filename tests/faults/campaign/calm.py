"""After the storm: everything drains by itself; then a person does what the parked orders ask for."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.campaign.acting import wait_for_acts
from tests.faults.campaign.kinds import MARKET_FAULTS
from tests.faults.campaign.makers import keyless
from tests.faults.campaign.parked import Person, until_nothing_comes_late, waits_for_a_word, waits_for_its_id
from tests.faults.campaign.stage import Stage

PATIENCE_SECONDS = 150.0
PATIENCE_WITHOUT_GUARD_SECONDS = 60.0
"""A negative control need not wait long for what will never come; where no key protects, look-ups take their time."""
ROUNDS = 2
"""What is hurried may turn out to be another order, and then needs the person once more."""
FAR_SECONDS = 35.0
"""What is due later than this was put off on purpose; the person hurries it, so that the run ends."""
_OPEN = """
SELECT order_id, state, due_at, lease_until, attention, code, marketplace, account FROM orders
WHERE state NOT IN ('confirmed', 'refused', 'dead', 'cancelled') AND closed_at IS NULL
"""


@dataclass
class Calm:
    """How the calm went."""

    drained_seconds: float = 0.0
    """Until nothing was due any more that goes on by itself."""
    parked: Counter[str] = field(default_factory=Counter)
    """What waited for a person then, by state and code."""
    put_off: int = 0
    """What was scheduled for later then."""
    stuck: list[str] = field(default_factory=list)
    adopted: int = 0
    told_absent: int = 0
    """Of how many orders a person said that they do not exist."""
    left: Counter[str] = field(default_factory=Counter)
    """What still waits for a person at the very end."""
    refused_adoptions: list[str] = field(default_factory=list)


def calm_down(stage: Stage) -> None:
    """End every fault; whoever still has a crash point ends cleanly and comes back without."""
    for name in (*MARKET_FAULTS, "late_commit", "lagging_list"):
        stage.oracle.fault(name, 0)
    stage.crashes.end()
    stage.fleet.restart("place", "read")
    _resume(stage)


def drain(stage: Stage) -> Calm:
    """Wait until the orders have settled; then act as the person the parked ones wait for."""
    calm, begun = Calm(), time.monotonic()
    wait_for_acts(stage)
    rows = _wait(stage, lambda row: _goes_on(row, FAR_SECONDS))
    calm.drained_seconds = time.monotonic() - begun
    calm.stuck = [f"{row.order_id} {row.state} {row.code}" for row in rows if _goes_on(row, FAR_SECONDS)]
    calm.put_off = sum(1 for row in rows if row.due_at is not None and not _goes_on(row, FAR_SECONDS))
    calm.parked.update(f"{row.state} {row.code}" for row in rows if row.due_at is None or _waits_for_a_person(row))
    until_nothing_comes_late(stage)
    if stage.options.sabotage:
        calm.left = calm.parked
        return calm
    person = Person(stage)
    for _ in range(ROUNDS):
        if not stage.options.smoke:
            person.settle(stage.ledger.facts(_OPEN))
        _hurry(stage, [row for row in rows if not _waits_for_a_person(row)])
        rows = _wait(stage, lambda row: _goes_on(row, float("inf")))
        if not any(map(_waits_for_a_person, rows)):
            break
    _count(calm, person, rows)
    return calm


def settle(stage: Stage) -> None:
    """Wait until nothing goes on by itself: what was looked for in vain may still have been found meanwhile."""
    _wait(stage, lambda row: _goes_on(row, FAR_SECONDS))


def _count(calm: Calm, person: Person, rows: list[Any]) -> None:
    calm.adopted, calm.told_absent, calm.refused_adoptions = person.adopted, person.told_absent, person.refused
    calm.stuck += [
        f"{row.order_id} {row.state} {row.code} (at the end)"
        for row in rows
        if row.due_at is not None and not waits_for_a_word(row)
    ]
    calm.left.update(f"{row.state} {row.code}" for row in rows)


def _waits_for_a_person(row: Any) -> bool:
    return waits_for_its_id(row) or waits_for_a_word(row)


def _goes_on(row: Any, far: float) -> bool:
    if _waits_for_a_person(row):
        return False
    return row.state == "placing" or (row.due_at is not None and row.due_at < time.time() + far)


def _wait(stage: Stage, goes_on: Any) -> list[Any]:
    hurried = stage.options.sabotage and not keyless()
    end = time.monotonic() + (PATIENCE_WITHOUT_GUARD_SECONDS if hurried else PATIENCE_SECONDS)
    while True:
        rows = stage.ledger.facts(_OPEN)
        if not any(goes_on(row) for row in rows) or time.monotonic() > end:
            return rows
        _resume(stage)
        stage.wait(1.0)


def _resume(stage: Stage) -> None:
    """A person mended what held an account."""
    # What lies far ahead was written under a wrong clock.
    held = stage.ledger.rows(
        "SELECT account FROM account_pauses WHERE until IS NULL OR code = 'IllegalAccessToken' OR until > :far",
        far=time.time() + FAR_SECONDS,
    )
    if held:
        stage.desk.ask("resume", ids=[row.account for row in held])


def _hurry(stage: Stage, rows: list[Any]) -> None:
    later = [row.order_id for row in rows if row.due_at is not None]
    if not stage.options.smoke:
        later += [row.order_id for row in rows if row.due_at is None and row.state == "unknown"]
    for start in range(0, len(later), 200):
        stage.desk.ask("retry", ids=later[start : start + 200])
