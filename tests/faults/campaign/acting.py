"""Operators' acts on many orders in the storm: forecast, begun, killed in their middle, and gone on with."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.campaign.people import some_ids
from tests.faults.campaign.stage import Stage
from worker.crashpoints import CrashPoint

ORDERS = 12
"""Of one act, four groups of them."""
DIES = 0.5
"""How likely an act's process dies after each group."""
SETTLED_SECONDS = 3.0
"""What was taken in sooner may be handed in once more by a client whose process died, as it was first."""
PATIENCE_SECONDS = 45.0
"""The sweep goes on with an act nobody works on after 15 s."""
CHOSEN: Mapping[str, str] = {
    "retry": "state IN ('refused', 'dead', 'unknown', 'placed', 'queued')",
    "cancel": "state IN ('queued', 'refused', 'dead')",
    "close": "state IN ('refused', 'dead', 'unmatched')",
    "amend": "marketplace = 'aliexpress' AND state IN ('queued', 'refused', 'dead') AND created_at < {settled}",
}
"""Which orders an act is for, so that it does something with most of them and has to leave some."""
MOVES: Mapping[str, tuple[str, ...]] = {
    "retry": ("retry", "snooze"),
    "cancel": ("cancel",),
    "close": ("close",),
    "amend": ("retry",),
}
"""What an act's move is called in the history."""


def operator_acts(stage: Stage, seconds: float, dice: Random) -> None:
    """One person acts on a dozen orders at once and another retries some of them; the first may die in the middle."""
    kind = dice.choice((*sorted(CHOSEN), "amend"))
    ids = some_ids(stage, dice, ORDERS, CHOSEN[kind].format(settled=time.time() - SETTLED_SECONDS))
    if not ids:
        return
    crash = {CrashPoint.RETRYING: DIES} if dice.random() < 0.7 else {}
    pieces = dice.randint(2, 9)
    changes = [f"product_items[0].product_count={pieces}", "product_items[0].order_memo="] if kind == "amend" else []
    answer = stage.desk.ask(
        "act", kind=kind, ids=ids, actor=f"cli:act-{dice.randrange(10**9)}", changes=changes, crash=crash
    )
    stage.note(f"an act on many orders: {kind}")
    stage.note("an act died in its middle", int(answer.get("exit", 0) != 0))
    stage.desk.ask("retry", ids=ids[:2])


def wait_for_acts(stage: Stage) -> list[str]:
    """Wait until every act that was begun has ended, as the sweep sees to; return those that have not."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = stage.ledger.facts("SELECT act_id FROM acts WHERE begun_at IS NOT NULL AND ended_at IS NULL")
        if not rows or time.monotonic() > end:
            return [row.act_id for row in rows]
        stage.wait(1.0)


@dataclass
class Acted:
    """What the ledger holds of acts at the end."""

    acts: dict[str, Any] = field(default_factory=dict)
    """By its id: who, of what kind, whether it was begun and has ended."""
    verdicts: dict[str, list[Any]] = field(default_factory=dict)
    """The orders of each act, with the verdict on each."""
    amended: dict[str, int] = field(default_factory=dict)
    """Pieces that each order holds since its amendment."""

    @classmethod
    def of(cls, stage: Stage) -> Acted:
        """Read it, once, when nothing moves any more."""
        import json

        read = stage.ledger.facts
        verdicts: dict[str, list[Any]] = defaultdict(list)
        for row in read("SELECT act_id, order_id, outcome, reason FROM act_orders ORDER BY number"):
            verdicts[row.act_id].append(row)
        bodies = read(
            "SELECT order_id, body FROM orders WHERE order_id IN (SELECT order_id FROM order_versions)"
            " AND marketplace = 'aliexpress'"
        )
        pieces = {
            row.order_id: sum(i["product_count"] for i in json.loads(row.body)["product_items"]) for row in bodies
        }
        acts = {row.act_id: row for row in read("SELECT act_id, kind, actor, begun_at, ended_at FROM acts")}
        return cls(acts, dict(verdicts), pieces)


def acts_done(acted: Acted, events: Mapping[str, list[Any]]) -> Iterator[str]:
    """An act that was begun and did not end, an order of it with no verdict, or with one that its history denies."""
    for act_id, act in acted.acts.items():
        if act.begun_at is None:
            continue
        if act.ended_at is None:
            yield f"{act_id} ({act.kind}) was begun and has not ended"
        rows = acted.verdicts.get(act_id, [])
        if len({row.order_id for row in rows}) != len(rows):
            yield f"{act_id} ({act.kind}) has an order more than once"
        for row in rows:
            if row.outcome is None and act.ended_at is not None:
                yield f"{act_id} ({act.kind}) has ended without a verdict on {row.order_id}"
            moves = [event for event in events.get(row.order_id, []) if event.actor == act.actor]
            wrong = [event.event for event in moves if event.event not in MOVES[act.kind]]
            if len(moves) != (row.outcome == "done") or wrong:
                told = ", ".join(event.event for event in moves) or "nothing"
                yield f"{act_id} ({act.kind}) says {row.outcome} of {row.order_id}, and did: {told}"


def amended_sent(acted: Acted, made_of: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """An order that was amended, and that the marketplace made as it was before."""
    for order_id, pieces in acted.amended.items():
        for order in made_of.get(order_id, []):
            if order["pieces"] != pieces:
                yield f"{order_id} holds {pieces} pieces since it was amended, the marketplace made {order['pieces']}"


def closed_stays(orders: Mapping[str, Any], events: Mapping[str, list[Any]]) -> Iterator[str]:
    """An order that a person closed, and that somebody let go again or sent."""
    for order_id, history in events.items():
        closed = next((number for number, event in enumerate(history) if event.event == "close"), None)
        if closed is None:
            continue
        after = [event.event for event in history[closed + 1 :]]
        if {"claim", "retry", "cancel", "snooze"} & set(after):
            yield f"{order_id} was closed, and after that: {', '.join(after)}"
        row = orders.get(order_id)
        if not after and row is not None and (row.closed_at is None or row.due_at is not None or row.attention):
            yield f"{order_id} was closed and goes on (due {row.due_at}, attention {row.attention})"
