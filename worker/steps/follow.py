"""Following: reads supplier orders after they were confirmed, until the marketplace says that they are over."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.errors import RedisAway, UnknownAccount
from worker.ledger.life_writer import LifeWriter, Look
from worker.ledger.lives import Due, Lives
from worker.ledger.pauses import Pauses
from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import Lost, NotRead, Reply, Request
from worker.rules.confirm import decide_read
from worker.rules.decision import Policy
from worker.rules.life import Parcels, Stage
from worker.rules.outcomes import Declined, OrderRecord
from worker.rules.words import lines
from worker.sending.reads import Reads
from worker.sending.turns import Slots, Turns
from worker.steps.messages import order_ids

Seen = tuple[OrderRecord, Parcels | None]
"""A supplier order's record, and its parcels where they were read."""
HAS_PARCELS = frozenset({Stage.PARTLY_SHIPPED, Stage.SHIPPED, Stage.DELIVERED, Stage.DISPUTED, Stage.UNCLEAR})
"""Stages in which a call of its own for the parcels is worth its share of the rate."""
LIMITS_AWAY_SECONDS = 15.0
AFTER_SECONDS = 0.05
"""How long after it is due an order is rung for; a message that comes sooner finds nothing."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a decision about a read asks of an order; reading uses no attempts."""

    snoozes: int
    spent: int = 0
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Follow:
    """The step that reads due supplier orders. `lease_seconds`: how long it may take until others try."""

    accounts: Accounts
    turns: Turns
    reads: Reads
    lives: Lives
    writer: LifeWriter
    pauses: Pauses
    bell: Bell
    policy: Policy
    lease_seconds: float

    def run(self, message: Any) -> str:
        """Read the due supplier orders of the orders a message names; return a line for each."""
        by_account: dict[str, list[Due]] = defaultdict(list)
        for one in self.lives.claim(order_ids(message), self.lease_seconds):
            by_account[one.account].append(one)
        told: list[str] = []
        for account, due in by_account.items():
            try:
                told += self._follow(self.accounts.adapter(account), due)
            except UnknownAccount:
                continue  # `fulfil doctor` tells; they wait for the account to be configured again
        return lines((), *told)

    def _follow(self, marketplace: Marketplace, due: Sequence[Due]) -> list[str]:
        going, slots = self._admitted(marketplace, due)
        if slots is None:
            return []
        steps = [(one.order.reference, _look(marketplace, one)) for one in going]
        outcomes: list[Seen | NotRead] = self.reads.of_account(slots, steps)
        looks = [self._judged(marketplace, one, seen) for one, seen in zip(going, outcomes, strict=True)]
        self.writer.keep(self._compared(marketplace, looks))
        return [
            f"{one.order.reference} {_told(look)} {one.order.order_id}" for one, look in zip(going, looks, strict=True)
        ]

    def _admitted(self, marketplace: Marketplace, due: Sequence[Due]) -> tuple[Sequence[Due], Slots | None]:
        """Return what may be read now, with its slots; the rest is put off until there is room."""
        try:
            times, wait = self.turns.book(marketplace, "follow", len(due))
        except RedisAway:
            times, wait = (), LIMITS_AWAY_SECONDS
        going = due[: len(times)]
        if len(going) < len(due):
            self._put_off(due[len(times) :], max(1.0, wait))
        if not going:
            return [], None
        at = {one.order.reference: slot for one, slot in zip(going, times, strict=True)}
        return going, Slots(marketplace, "follow", dict(at))

    def _put_off(self, due: Sequence[Due], seconds: float) -> None:
        """Read these later. Rung for here: a sweep later, most of the account's share would have gone unused."""
        self.lives.put_off(due, time.time() + seconds)
        with suppress(RedisAway):
            self.bell.life(list(dict.fromkeys(one.order.order_id for one in due)), seconds + AFTER_SECONDS)

    def _judged(self, marketplace: Marketplace, one: Due, seen: Seen | NotRead) -> Look:
        order = one.order
        if isinstance(seen, tuple):
            return Look(order.order_id, order.reference, *seen)
        decision = decide_read(seen, _Standing(order.misses), self.policy)
        if decision.pause is not None:
            self.pauses.pause(marketplace.account, decision.pause)
        wait = decision.due_in_seconds if isinstance(seen, Declined) else None
        return Look(order.order_id, order.reference, None, again_in_seconds=wait)

    def _compared(self, marketplace: Marketplace, looks: Sequence[Look]) -> list[Look]:
        """Compare all records of each order, those read now among them, with what was ordered, as at its confirm."""
        seen: dict[str, list[OrderRecord]] = defaultdict(list)
        for one in looks:
            if one.record is not None:
                seen[one.order_id].append(one.record)
        found = {}
        for order_id, held in self.lives.confirmed(list(seen)).items():
            body, new = json.loads(held.body), {record.reference for record in seen[order_id]}
            records = [*seen[order_id], *(one for one in held.records if one.reference not in new)]
            wrong = {one.reference for one in seen[order_id] if marketplace.contradicts(body, order_id, one)}
            found[order_id] = wrong, marketplace.differs(body, order_id, records, held.forecast, held.differs)
        compared = []
        for one in looks:
            wrong, differs = found.get(one.order_id, (set(), None))
            # Where the marketplace shows another order under this id, nothing of it is believed.
            is_wrong = one.reference in wrong
            compared.append(Look(one.order_id, one.reference, None) if is_wrong else replace(one, differs=differs))
        return compared


def _look(marketplace: Marketplace, due: Due) -> Generator[Request, Reply | Lost, Seen | NotRead]:
    """Read a supplier order and, where it can have parcels, those; parcels that cannot be read change nothing."""
    record = yield from marketplace.read(due.order.reference)
    if not isinstance(record, OrderRecord):
        return record
    if marketplace.calls_for_parcels and (record.life.stage or due.order.stage) not in HAS_PARCELS:
        return record, None
    parcels = yield from marketplace.parcels(record)
    return record, parcels if isinstance(parcels, Parcels) else None


def _told(look: Look) -> str:
    return "not read" if look.record is None else look.record.status
