"""The task `orders.reconcile` on a real ledger: what is looked up, and what a look-up is told of an order."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from ledger_kit import ACCOUNT, POLICY, known_ids, order_record, place_one, row, submit
from sqlalchemy import update

from worker.ledger.engine import Ledger
from worker.ledger.store import Store
from worker.ledger.tables import order_references, orders
from worker.outcomes import Found, ReadOutcome, Unknown

ID = "8198352049851315"


class Shop:
    """A marketplace that finds every order it is asked for, and remembers what it was told."""

    account = ACCOUNT
    resend_window = None
    can_look_up = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def look_up(self, order: Any, key: str, first_sent_at: float) -> Any:
        self.asked.append((key, first_sent_at))
        yield from ()
        return Found((order_record(ID),))


def run_through(parts: Any) -> list[tuple[Any, ReadOutcome]]:
    """Run reads that need no request."""
    found = []
    for _, reads in parts:
        for order, steps in reads:
            try:
                next(steps)
            except StopIteration as stop:
                found.append((order, stop.value))
    return found


@pytest.fixture
def settle(ledger: Ledger, fresh_settings: pytest.MonkeyPatch) -> Any:
    from tasks import reconcile  # not above: its first import reads the settings

    played: dict[str, Any] = {"store": lambda: Store(ledger), "read_all": run_through, "policy": lambda: POLICY}
    for name, value in played.items():
        fresh_settings.setattr(reconcile, name, value)

    def settle(shop: Shop, ids: Sequence[str]) -> None:
        with ledger.writing() as connection:
            connection.execute(update(orders).values(due_at=0.0))
        reconcile._settle(SimpleNamespace(marketplace=shop, times=dict.fromkeys(ids, 0.0)))  # type: ignore[arg-type]

    return settle


def test_an_order_is_looked_for_from_its_first_send_on(ledger: Ledger, settle: Any) -> None:
    """Mutation: the time of the look-up in the place of the first send: what was made before it is not found."""
    submit(ledger, "SO-1")
    at = time.time() - 500
    with ledger.writing() as connection:
        connection.execute(update(orders).values(due_at=at))
    place_one(ledger, Unknown("cut"), at=at)
    shop = Shop()
    settle(shop, ["SO-1"])
    assert shop.asked == [("SO-1", at)]
    assert (row(ledger).state, known_ids(ledger)) == ("placed", [ID])


def test_an_order_whose_ids_are_known_is_read_back_and_not_looked_for(ledger: Ledger, settle: Any) -> None:
    """Mutation: orders with known ids are looked up too, and the answer may contradict."""
    submit(ledger, "SO-1")
    place_one(ledger, Unknown("cut"))
    with ledger.writing() as connection:
        known = {"order_id": "SO-1", "reference": "R-1", "source": "reply", "learned_at": 1.0}
        connection.execute(order_references.insert(), [known])
    shop = Shop()
    settle(shop, ["SO-1"])
    assert shop.asked == []
    assert (row(ledger).state, known_ids(ledger)) == ("placed", ["R-1"])
