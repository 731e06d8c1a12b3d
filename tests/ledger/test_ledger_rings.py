"""Messages that end without a claim: their orders are rung for again by the next sweep, not after a long wait."""

from __future__ import annotations

import time

from sqlalchemy import select

from tests.ledger.ledger_kit import ACCOUNT, LEASE, POLICY, RESENDABLE, claim, job, one_claim, waiting
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.pauses import Pauses
from worker.ledger.records import Records
from worker.ledger.tables import orders
from worker.rules.decision import Pause
from worker.rules.reconcile import decide_unknown
from worker.rules.states import State
from worker.rules.values import Settled


def rung(ledger: Ledger, *order_ids: str) -> None:
    """Take orders in and ring for them, as a submission does."""
    take(ledger, open_batch(ledger, "orders.jsonl"), [job(order_id) for order_id in order_ids], [], time.time())


def rung_at(ledger: Ledger, order_id: str) -> float | None:
    with ledger.reading() as connection:
        found: float | None = connection.execute(select(orders.c.rung_at).where(orders.c.order_id == order_id)).scalar()
        return found


def test_a_message_that_meets_a_paused_account_ends_and_is_rung_again_after_it(ledger: Ledger) -> None:
    rung(ledger, "SO-1", "SO-2")
    Pauses(ledger).pause(ACCOUNT, Pause(2.0, "ApiCallLimit", "too often", None))
    assert claim(ledger, "SO-1") == []
    assert rung_at(ledger, "SO-1") is None
    assert rung_at(ledger, "SO-2") is not None  # another message's
    now = time.time()
    assert Due(ledger).standing_still(State.QUEUED, now, now - 15, 10, ACCOUNT) == ["SO-1"]


def test_a_worker_that_stops_lets_its_message_go(ledger: Ledger) -> None:
    rung(ledger, "SO-1", "SO-2")
    Due(ledger).forget_message(["SO-1"])
    assert rung_at(ledger, "SO-1") is None
    assert rung_at(ledger, "SO-2") is not None


def test_a_message_that_comes_late_lets_go_of_nothing_that_is_under_way(ledger: Ledger) -> None:
    rung(ledger, "SO-1")
    one_claim(ledger)
    Due(ledger).forget_message(["SO-1"])
    Due(ledger).mark_rung(["SO-1"])
    Due(ledger).forget_message(["SO-1"])
    assert rung_at(ledger, "SO-1") is not None


def test_a_ring_of_a_clock_that_was_ahead_does_not_keep_an_order_standing_still(ledger: Ledger) -> None:
    """Found by the campaign's wrong clocks: the order stood still until that hour had come."""
    rung(ledger, "SO-1", "SO-2", "SO-3")
    now = time.time()
    Due(ledger).mark_rung(["SO-1"], now + 3 * 3600)
    Due(ledger).mark_rung(["SO-2"], now + 5)  # two hosts' clocks are never quite the same
    assert Due(ledger).standing_still(State.QUEUED, now, now - 15, 10, ACCOUNT) == ["SO-1"]
    one_claim(ledger, "SO-3", now)
    Records(ledger).expire_leases(now + LEASE + 1)
    later = now + LEASE + 10
    (unknown,) = waiting(ledger, State.UNKNOWN, "SO-3", now=later)
    Records(ledger).settle([Settled(unknown, None, decide_unknown(unknown, RESENDABLE, None, POLICY, later))], later)
    Due(ledger).mark_rung(["SO-3"], later + 3 * 3600)
    assert Due(ledger).suspects(ACCOUNT, later + 1, 0.0) == ["SO-3"]


def test_a_claim_says_whether_the_orders_last_worker_died(ledger: Ledger) -> None:
    rung(ledger, "SO-1")
    now = time.time()
    assert not one_claim(ledger, now=now).suspect
    Records(ledger).expire_leases(now + LEASE + 1)
    later = now + LEASE + 10
    (unknown,) = waiting(ledger, State.UNKNOWN, "SO-1", now=later)
    Records(ledger).settle([Settled(unknown, None, decide_unknown(unknown, RESENDABLE, None, POLICY, later))], later)
    assert one_claim(ledger, now=later + 1).suspect
