"""The ledger finds what is overdue: of its line, nothing moves, nothing is held, and no lease is on it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import claim, submit
from worker.ledger.engine import Ledger
from worker.ledger.pauses import Pauses
from worker.ledger.queries import Queries
from worker.ledger.selection import Filter
from worker.ledger.tables import orders
from worker.rules.decision import Pause
from worker.rules.overdue import OVERDUE_SECONDS

LONG_AGO = OVERDUE_SECONDS + 5


def late(ledger: Ledger, order_id: str, **values: Any) -> None:
    with ledger.writing() as connection:
        changed = {"due_at": time.time() - LONG_AGO} | values
        connection.execute(update(orders).where(orders.c.order_id == order_id).values(changed))


def overdue(ledger: Ledger) -> list[str]:
    queries = Queries(ledger)
    found = [view.order_id for view in queries.orders(Filter(attention=True))]
    assert queries.attention_count() == len(found)
    for order_id in found:
        view = queries.order(order_id).order
        assert (view.code, view.attention) == ("OVERDUE", True)
        assert "fulfil doctor" in (view.fix or "")
    return found


def test_an_order_that_is_due_for_long_is_told_and_no_longer_waited_for(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    late(ledger, "SO-1")
    assert overdue(ledger) == ["SO-1"]
    assert Queries(ledger).moving_count() == 1


@pytest.mark.parametrize(("ago", "told"), [(LONG_AGO, ["SO-1"]), (10, [])])
def test_a_turn_that_moves_is_a_backlog(ledger: Ledger, ago: float, told: list[str]) -> None:
    submit(ledger, "SO-1", "SO-2")
    late(ledger, "SO-1")
    late(ledger, "SO-2")
    assert claim(ledger, "SO-2", now=time.time() - ago)
    assert [one for one in overdue(ledger) if one == "SO-1"] == told


def test_a_pause_is_a_stated_reason(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    late(ledger, "SO-1")
    Pauses(ledger).pause("main", Pause(None, "PAUSED", "a person paused it", None))
    assert overdue(ledger) == []


def test_a_lease_is_waited_for_until_it_ran_out_for_long(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    late(ledger, "SO-1")
    assert claim(ledger, "SO-1")
    assert overdue(ledger) == []
    late(ledger, "SO-1", lease_until=time.time() - LONG_AGO)
    assert overdue(ledger) == ["SO-1"]
