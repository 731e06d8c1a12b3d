"""Settles unknown orders: looks them up, lets them go again where that is safe, or parks them for a person."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace

from config.settings import settings
from tasks.confirm import read_all
from worker.accounts import ability, binding
from worker.app import app
from worker.crashpoints import CrashPoint, reached
from worker.errors import RedisAway
from worker.ledger.engine import ledger
from worker.ledger.leases import open_senders
from worker.marketplaces.base import Marketplace, ReadSteps
from worker.marketplaces.replies import clock_offset
from worker.rules.outcomes import Absent, ReadOutcome
from worker.rules.reconcile import counts_as_absence, decide_unknown
from worker.rules.states import State
from worker.rules.values import Moved, Settled, Waiting
from worker.rules.words import RESULT_CHARACTERS, lines
from worker.sending.turns import Admitted, admit, graves, order_ids, policy, store


@app.task(name="orders.reconcile", resultrepr_maxsize=RESULT_CHARACTERS)
def reconcile(ids: list[str]) -> str:
    """Settle the due unknown orders of `ids`; tell a line an order. What may go again is rung for by the sweep."""
    moved: list[Moved] = []
    try:
        for admitted in admit(order_ids(ids), State.UNKNOWN, "read", None):
            settled = _settle(admitted)
            moved += settled
    except RedisAway as error:
        return lines(moved, str(error))
    return lines(moved)


def _settle(admitted: Admitted) -> list[Moved]:
    marketplace = admitted.marketplace
    can = ability(marketplace.account)
    orders = store().claim_waiting(list(admitted.times), State.UNKNOWN, settings().lease_seconds)
    reached(CrashPoint.RECONCILING)
    changed = store().sent_otherwise(orders, binding(marketplace))
    settled = [Settled(order, None, changed[order.order_id]) for order in orders if order.order_id in changed]
    orders = [order for order in orders if order.order_id not in changed]
    if can.recreate_after_seconds is not None:
        orders = _with_senders(orders)
    seen: dict[str, ReadOutcome] = {}
    if can.can_look_up:
        reads = [(order, _look_up(marketplace, order)) for order in orders if not order.references]
        seen = {order.order_id: outcome for order, outcome in read_all([(admitted, reads)])}
    for order in orders:
        outcome = seen.get(order.order_id)
        decision = decide_unknown(order, can, outcome, policy(), time.time())
        settled.append(Settled(order, outcome, decision, counts_as_absence(outcome, can)))
    return store().settle(settled)


def _look_up(marketplace: Marketplace, order: Waiting) -> ReadSteps:
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


def _with_senders(orders: Sequence[Waiting]) -> list[Waiting]:
    """Return the orders with what is known of the processes that sent them: whether all are gone."""
    known = open_senders(ledger(), [order.order_id for order in orders])
    return [
        replace(
            order,
            senders_gone=all(sender and graves().is_dead(sender) for sender in known.get(order.order_id, ())),
        )
        for order in orders
    ]
