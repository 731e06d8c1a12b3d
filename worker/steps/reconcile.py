"""Settling unknown orders: looks them up, lets them go again where that is safe, or parks them for a person."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import RedisAway
from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.leases import open_senders
from worker.ledger.marks import Graves
from worker.ledger.records import Records
from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import ReadSteps
from worker.marketplaces.replies import clock_offset
from worker.rules.decision import Policy
from worker.rules.outcomes import Absent, ReadOutcome
from worker.rules.reconcile import counts_as_absence, decide_unknown
from worker.rules.states import State
from worker.rules.values import Moved, Settled, Waiting
from worker.rules.words import lines
from worker.sending.reads import Reads
from worker.sending.turns import Slots, Turns
from worker.steps.messages import order_ids


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The step that settles due unknown orders. `lease_seconds`: how long it may take until others try."""

    accounts: Accounts
    turns: Turns
    ledger: Ledger
    claims: Claims
    graves: Graves
    reads: Reads
    records: Records
    bell: Bell
    policy: Policy
    lease_seconds: float

    def run(self, message: Any) -> str:
        """Settle the due unknown orders of a message; return a line for each. The sweep rings for what goes again."""
        moved: list[Moved] = []
        try:
            for slots in self.turns.admit(order_ids(message), State.UNKNOWN, "read", None):
                moved += self._settle(slots)
        except RedisAway as error:
            return lines(moved, str(error))
        return lines(moved)

    def _settle(self, slots: Slots) -> list[Moved]:
        marketplace = slots.marketplace
        can = self.accounts.ability(marketplace.account)
        orders = self.claims.claim_waiting(list(slots.times), State.UNKNOWN, self.lease_seconds)
        reached(CrashPoint.RECONCILING)
        changed = self.claims.sent_otherwise(orders, marketplace.binding)
        settled = [Settled(order, None, changed[order.order_id]) for order in orders if order.order_id in changed]
        orders = [order for order in orders if order.order_id not in changed]
        if can.recreate_after_seconds is not None:
            orders = self._with_senders(orders)
        seen: dict[str, ReadOutcome] = {}
        if can.can_look_up:
            reads = [(order, look_up(marketplace, order)) for order in orders if not order.references]
            seen = {order.order_id: outcome for order, outcome in self.reads.of_orders([(slots, reads)])}
        for order in orders:
            outcome = seen.get(order.order_id)
            decision = decide_unknown(order, can, outcome, self.policy, time.time())
            settled.append(Settled(order, outcome, decision, counts_as_absence(outcome, can)))
        moved = self.records.settle(settled)
        self.bell.follow(moved)
        return moved

    def _with_senders(self, orders: Sequence[Waiting]) -> list[Waiting]:
        """Return the orders with what is known of the processes that sent them: whether all are gone."""
        known = open_senders(self.ledger, [order.order_id for order in orders])
        return [
            replace(
                order,
                senders_gone=all(sender and self.graves.is_dead(sender) for sender in known.get(order.order_id, ())),
            )
            for order in orders
        ]


def look_up(marketplace: Marketplace, order: Waiting) -> ReadSteps:
    """Look an order up; an absence is told with how far the marketplace's clock is from ours, at its worst reply."""
    steps = marketplace.look_up(json.loads(order.body), order.order_id, order.first_sent_at)
    offsets: list[float | None] = []
    try:
        request = next(steps)
        while True:
            came = yield request
            offsets.append(clock_offset(came, time.time()))
            request = steps.send(came)
    except StopIteration as stop:
        outcome: ReadOutcome = stop.value
    told = [offset for offset in offsets if offset is not None]
    if not isinstance(outcome, Absent) or len(told) < len(offsets):
        return outcome
    return replace(outcome, clock_offset_seconds=max(told, key=abs, default=None))
