"""After the storm: everything drains by itself; then a person does what the parked orders ask for."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.faults.campaign.kinds import MARKET_FAULTS
from tests.faults.campaign.stage import Stage
from worker.rules.codes import Code

PATIENCE_SECONDS = 150.0
PATIENCE_WITHOUT_GUARD_SECONDS = 60.0
"""A negative control need not wait long for what will never come."""
ROUNDS = 2
"""What is hurried may turn out to be another order, and then needs the person once more."""
FAR_SECONDS = 35.0
"""What is due later than this was put off on purpose; the person hurries it, so that the run ends."""
_OPEN = """
SELECT order_id, state, due_at, lease_until, attention, code, marketplace, account FROM orders
WHERE state NOT IN ('confirmed', 'refused', 'dead', 'cancelled')
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
    left: Counter[str] = field(default_factory=Counter)
    """What still waits for a person at the very end."""
    refused_adoptions: list[str] = field(default_factory=list)


def calm_down(stage: Stage) -> None:
    """End every fault; whoever still has a crash point ends cleanly and comes back without."""
    for name in MARKET_FAULTS:
        stage.oracle.fault(name, 0)
    stage.crashes.end()
    stage.fleet.restart("place", "read")
    _resume(stage)


def drain(stage: Stage) -> Calm:
    """Wait until the orders have settled; then act as the person the parked ones wait for."""
    calm, begun = Calm(), time.monotonic()
    rows = _wait(stage, lambda row: _goes_on(row, FAR_SECONDS))
    calm.drained_seconds = time.monotonic() - begun
    calm.stuck = [f"{row.order_id} {row.state} {row.code}" for row in rows if _goes_on(row, FAR_SECONDS)]
    calm.put_off = sum(1 for row in rows if row.due_at is not None and not _goes_on(row, FAR_SECONDS))
    calm.parked.update(f"{row.state} {row.code}" for row in rows if row.due_at is None or _waits_for_its_id(row))
    if stage.options.sabotage:
        calm.left = calm.parked
        return calm
    for _ in range(ROUNDS):
        if not stage.options.smoke:
            _adopt(stage, calm)
        _hurry(stage, [row for row in rows if not _waits_for_its_id(row)])
        rows = _wait(stage, lambda row: _goes_on(row, float("inf")))
        if not any(map(_waits_for_its_id, rows)):
            break
    calm.stuck += [f"{row.order_id} {row.state} {row.code} (at the end)" for row in rows if row.due_at is not None]
    calm.left.update(f"{row.state} {row.code}" for row in rows)
    return calm


def _goes_on(row: Any, far: float) -> bool:
    if _waits_for_its_id(row):
        return False
    return row.state == "placing" or (row.due_at is not None and row.due_at < time.time() + far)


def _wait(stage: Stage, goes_on: Any) -> list[Any]:
    end = time.monotonic() + (PATIENCE_WITHOUT_GUARD_SECONDS if stage.options.sabotage else PATIENCE_SECONDS)
    while True:
        rows = stage.ledger.facts(_OPEN)
        if not any(goes_on(row) for row in rows) or time.monotonic() > end:
            return rows
        _resume(stage)
        stage.wait(1.0)


def _resume(stage: Stage) -> None:
    """A person mended what held an account."""
    held = stage.ledger.rows("SELECT account FROM account_pauses WHERE until IS NULL OR code = 'IllegalAccessToken'")
    if held:
        stage.desk.ask("resume", ids=[row.account for row in held])


def _hurry(stage: Stage, rows: list[Any]) -> None:
    later = [row.order_id for row in rows if row.due_at is not None]
    if not stage.options.smoke:
        later += [row.order_id for row in rows if row.due_at is None and row.state == "unknown"]
    for start in range(0, len(later), 200):
        stage.desk.ask("retry", ids=later[start : start + 200])


def _waits_for_its_id(row: Any) -> bool:
    """Tell whether an order was read back as another one: reading goes on, but only a person gets it any further."""
    return bool(row.state == "placed" and row.code == Code.FOREIGN_ORDER)


def _adopt(stage: Stage, calm: Calm) -> None:
    """Give orders the ids a person finds in the buyer's order list, first where another one's is in the place of it."""
    made: dict[tuple[str, str], list[str]] = defaultdict(list)
    for order in stage.oracle.orders():
        made[order["account"], order["key"]] += order["references"]
    for waits in (_waits_for_its_id, lambda row: row.state == "unmatched"):
        rows = [row for row in stage.ledger.facts(_OPEN) if waits(row)]
        pairs = [(row.order_id, made[row.account, row.order_id][0]) for row in rows if made[row.account, row.order_id]]
        for start in range(0, len(pairs), 200):
            answer = stage.desk.ask("adopt", pairs=pairs[start : start + 200])
            refused = answer.get("refused", [str(answer)])
            calm.refused_adoptions += refused
            calm.adopted -= len(refused)
        calm.adopted += len(pairs)
