"""Adopting: an id that a person tells for an order is read at the marketplace first, within the account's rate."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.errors import MarketplaceAway, NotAllowed, UnusableId
from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.marketplaces.base import Marketplace
from worker.orders import ids
from worker.rules.adopt import check_read
from worker.rules.outcomes import Found, ReadOutcome
from worker.rules.states import State
from worker.rules.values import Adopted, Waiting
from worker.sending.reads import Reads
from worker.sending.turns import Slots, Turns
from worker.steps.confirm import read_back

PATIENCE_SECONDS = 20.0
"""A person waits no longer than this for the account's turn."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """The step that gives an order the id a person found. Until it was read back, it may be done again."""

    ledger: Ledger
    accounts: Accounts
    turns: Turns
    claims: Claims
    reads: Reads
    bell: Bell

    def run(self, order_id: str, reference: str, actor: str) -> Adopted:
        """Read what stands under an id, and give it to the order where nothing speaks against it.

        Nothing is sent, and nothing is written before the marketplace showed the order. Raises UnusableId,
        UnknownOrder, UnknownAccount; NotAllowed where the order needs no id, or the id is another order's;
        MarketplaceAway and RedisAway where it cannot be read now.
        """
        operator = Operator(self.ledger, actor)
        reference = ids.reference(reference)
        order = operator.adoptable(order_id, reference)
        marketplace = self.accounts.adapter(order.account)
        if not marketplace.reference_form.fits(reference):
            words = f"{marketplace.title} writes its order ids as {marketplace.reference_form.words}; this is none"
            raise UnusableId("reference", words)
        found = self._read(marketplace, order, reference)
        told_by = f"a person, and {marketplace.title} showed the order under it"
        moved = operator.adopt(order.order_id, reference, told_by)
        self.bell.follow([moved], at_once=True)
        return Adopted(moved, found)

    def _read(self, marketplace: Marketplace, order: Waiting, reference: str) -> Found:
        # As of a placed order: an id shows by itself whose it is, so only the place must be the same.
        placed = replace(order, state=State.PLACED, references=(reference,))
        changed = self.claims.sent_otherwise([placed], marketplace.binding).get(order.order_id)
        if changed is not None:
            raise NotAllowed(f"{order.order_id} cannot be read with its account's present settings: {changed.reason}")
        outcome = self._asked(marketplace, placed)
        record = outcome.records[0] if isinstance(outcome, Found) else None
        span = marketplace.made_between(record) if record is not None else None
        return check_read(order.order_id, reference, marketplace.title, outcome, span, order.first_sent_at)

    def _asked(self, marketplace: Marketplace, order: Waiting) -> ReadOutcome:
        until = time.monotonic() + PATIENCE_SECONDS
        times, turn = self.turns.book(marketplace, "read", 1)
        while not times:
            if time.monotonic() + turn > until:
                raise MarketplaceAway(
                    f"the account {order.account} may make its next call in {turn:.0f} s; {order.order_id} stays as it"
                    " was. Repeat the command then"
                )
            time.sleep(turn)
            times, turn = self.turns.book(marketplace, "read", 1)
        slots = Slots(marketplace, "read", {order.order_id: times[0]})
        outcome: ReadOutcome
        (outcome,) = self.reads.of_account(slots, [(order.order_id, read_back(marketplace, order))])
        return outcome
