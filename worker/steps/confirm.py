"""Confirming: reads placed orders back, for an order is confirmed only by what the marketplace itself shows."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.errors import RedisAway
from worker.ledger.claims import Claims
from worker.ledger.records import Records
from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import ReadSteps
from worker.rules.codes import Code
from worker.rules.confirm import decide_read
from worker.rules.decision import Policy
from worker.rules.outcomes import Found, Unknown
from worker.rules.states import State
from worker.rules.values import Moved, Settled, Waiting
from worker.rules.words import lines
from worker.sending.reads import Reads
from worker.sending.turns import Slots, Turns
from worker.steps.messages import order_ids


@dataclass(frozen=True, slots=True)
class Confirm:
    """The step that reads due placed orders back. `lease_seconds`: how long it may take until others try."""

    accounts: Accounts
    turns: Turns
    claims: Claims
    reads: Reads
    records: Records
    bell: Bell
    policy: Policy
    lease_seconds: float

    def run(self, message: Any) -> str:
        """Read back the due placed orders a message names; return a line for each."""
        admitted: list[Slots] = []
        notes = []
        try:
            for slots in self.turns.admit(order_ids(message), State.PLACED, "read", self._ring_again):
                admitted.append(slots)
        except RedisAway as error:
            notes.append(str(error))
        return lines(self._confirm(admitted) if admitted else (), *notes)

    def _ring_again(self, _: str, ids: Sequence[str], countdown: float) -> None:
        self.bell.confirm_at((time.time() + countdown, order_id) for order_id in ids)

    def _confirm(self, admitted: Sequence[Slots]) -> list[Moved]:
        """Read back what several accounts admitted: one message, one claim, one record."""
        ids = [order_id for slots in admitted for order_id in slots.times]
        orders: dict[str, list[Waiting]] = defaultdict(list)
        for order in self.claims.claim_waiting(ids, State.PLACED, self.lease_seconds):
            orders[order.account].append(order)
        settled: list[Settled] = []
        readers = {slots.marketplace.account: slots.marketplace for slots in admitted}
        for account, placed in orders.items():
            changed = self.claims.sent_otherwise(placed, readers[account].binding)
            settled += [Settled(order, None, changed[order.order_id]) for order in placed if order.order_id in changed]
            orders[account] = [order for order in placed if order.order_id not in changed]
        seen = self.reads.of_orders(
            (slots, [(order, read_back(slots.marketplace, order)) for order in orders[slots.marketplace.account]])
            for slots in admitted
        )
        settled += [Settled(order, outcome, decide_read(outcome, order, self.policy)) for order, outcome in seen]
        moved = self.records.settle(settled)
        self.bell.follow(
            moved
        )  # what was not shown yet is read again; the sweep would ring some seconds after it is due
        return moved


def read_back(marketplace: Marketplace, order: Waiting) -> ReadSteps:
    """Read an order back; what shows other goods, or another key, than this order's is not believed.

    What shows fewer goods, or anything else that is not as ordered, is this order all the same, and is told.
    """
    outcome = yield from marketplace.confirm(order.references)
    if not isinstance(outcome, Found):
        return outcome
    body = json.loads(order.body)
    wrong = tuple(one.reference for one in outcome.records if marketplace.contradicts(body, order.order_id, one))
    if wrong:
        return Unknown(f"the marketplace shows another order under {', '.join(wrong)}", Code.FOREIGN_ORDER, wrong)
    differs = marketplace.differs(body, order.order_id, outcome.records, order.forecast, order.differs)
    return Found(outcome.records, differs)
