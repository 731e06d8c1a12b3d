"""The task `orders.reconcile` on a real ledger: what is looked up, and what a look-up is told of an order."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import ACCOUNT, LOOKED_UP, POLICY, known_ids, order_record, place_one, row, submit
from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.records import Records
from worker.ledger.tables import order_references, orders
from worker.rules.binding import Binding
from worker.rules.outcomes import Found, ReadOutcome, Unknown
from worker.rules.reconcile import Ability
from worker.sending.turns import Slots
from worker.steps.reconcile import Reconcile

ID = "8198352049851315"


class Shop:
    """A marketplace that finds every order it is asked for, and remembers what it was told."""

    account = ACCOUNT
    resend_window = None
    can_look_up = True
    binding = Binding(ACCOUNT, {})

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def look_up(self, order: Any, key: str, first_sent_at: float) -> Any:
        self.asked.append((key, first_sent_at))
        yield from ()
        return Found((order_record(ID),))


class Desk:
    """The step on a real ledger, everything around ledger and adapter played."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._shop = ledger, Shop()
        self.asked = self._shop.asked
        played: Any = self
        self._step = Reconcile(
            accounts=played,
            turns=played,
            ledger=ledger,
            claims=Claims(ledger),
            graves=played,
            reads=played,
            records=Records(ledger),
            bell=played,
            policy=POLICY,
            lease_seconds=60.0,
        )

    def settle(self, *ids: str) -> None:
        """Let every order be due, and settle these."""
        with self._ledger.writing() as connection:
            connection.execute(update(orders).values(due_at=0.0))
        self._step.run(ids)

    def admit(self, ids: Sequence[str], *_: Any) -> Iterator[Slots]:
        """Let everything go now."""
        shop: Any = self._shop
        yield Slots(shop, "read", dict.fromkeys(ids, 0.0))

    def ability(self, account: str) -> Ability:
        return LOOKED_UP

    @staticmethod
    def of_orders(parts: Iterable[tuple[Any, Sequence[tuple[Any, Any]]]]) -> list[tuple[Any, ReadOutcome]]:
        """Run the steps without a network."""
        return [(order, _run(steps)) for _, reads in parts for order, steps in reads]

    def follow(self, moved: Any) -> None:
        """Take what is rung for."""


def _run(steps: Any) -> ReadOutcome:
    try:
        next(steps)
    except StopIteration as stop:
        outcome: ReadOutcome = stop.value
        return outcome
    raise AssertionError("it asked the network")


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)


def test_an_order_is_looked_for_from_its_first_send_on(ledger: Ledger, desk: Desk) -> None:
    """Mutation: the time of the look-up in the place of the first send: what was made before it is not found."""
    submit(ledger, "SO-1")
    at = time.time() - 500
    with ledger.writing() as connection:
        connection.execute(update(orders).values(due_at=at))
    place_one(ledger, Unknown("cut"), at=at)
    desk.settle("SO-1")
    assert desk.asked == [("SO-1", at)]
    assert (row(ledger).state, known_ids(ledger)) == ("placed", [ID])


def test_an_order_whose_ids_are_known_is_read_back_and_not_looked_for(ledger: Ledger, desk: Desk) -> None:
    """Mutation: orders with known ids are looked up too, and the answer may contradict."""
    submit(ledger, "SO-1")
    place_one(ledger, Unknown("cut"))
    with ledger.writing() as connection:
        known = {"order_id": "SO-1", "reference": "R-1", "source": "reply", "learned_at": 1.0}
        connection.execute(order_references.insert(), [known])
    desk.settle("SO-1")
    assert desk.asked == []
    assert (row(ledger).state, known_ids(ledger)) == ("placed", ["R-1"])
