"""Settles unknown orders: looks them up, lets them go again where that is safe, or parks them for a person."""

from __future__ import annotations

import json
import time

from config.settings import settings
from tasks.admission import Admitted, admit, order_ids, policy, store
from tasks.confirm import read_all
from tasks.report import RESULT_CHARACTERS, lines
from worker.app import app
from worker.crashpoints import CrashPoint, reached
from worker.errors import RedisAway
from worker.ledger.rows import Moved, Settled
from worker.ledger.states import State
from worker.outcomes import ReadOutcome
from worker.retry import Ability, decide_unknown


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
    marketplace, window = admitted.marketplace, admitted.marketplace.resend_window
    ability = Ability(marketplace.can_look_up, window.total_seconds() if window else None)
    orders = store().claim_waiting(list(admitted.times), State.UNKNOWN, settings().lease_seconds)
    reached(CrashPoint.RECONCILING)
    seen: dict[str, ReadOutcome] = {}
    if ability.can_look_up:
        reads = [
            (order, marketplace.look_up(json.loads(order.body), order.order_id, order.first_sent_at))
            for order in orders
            if not order.references
        ]
        seen = {order.order_id: outcome for order, outcome in read_all([(admitted, reads)])}
    settled = []
    for order in orders:
        outcome = seen.get(order.order_id)
        settled.append(Settled(order, outcome, decide_unknown(order, ability, outcome, policy(), time.time())))
    return store().settle(settled)
