"""Leases that run out: the order is unknown, its attempt is closed, and what keeps killing workers is set aside."""

from __future__ import annotations

import time

from ledger_kit import LEASE, claim, history, one_claim, place_one, reconcile, row, rows, submit, tries

from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.records import Records
from worker.ledger.tables import attempts
from worker.rules.outcomes import Declined
from worker.rules.place import CRASHES_BEFORE_QUARANTINE


def test_a_lease_that_holds_is_left_alone(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    one_claim(ledger, now=at)
    assert Records(ledger).expire_leases(at + LEASE - 1) == []
    assert row(ledger).state == "placing"


def test_a_lease_that_ran_out_makes_its_order_unknown_and_closes_the_attempt(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    claim(ledger, "SO-1", "SO-2", now=at)
    moved = Records(ledger).expire_leases(at + LEASE + 1)
    assert [str(one.state) for one in moved] == ["unknown", "unknown"]
    order = row(ledger)
    assert (order.code, order.in_doubt, order.crashes, order.spent) == ("LEASE_RAN_OUT", True, 1, 1)
    assert order.due_at > at + LEASE + 1
    (attempt,) = rows(ledger, attempts)
    assert (attempt.outcome, attempt.code, attempt.closed_at) == ("Unknown", "LEASE_RAN_OUT", at + LEASE + 1)


def test_two_sweeps_at_once_find_a_lost_order_once(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    one_claim(ledger, now=at)
    assert len(Records(ledger).expire_leases(at + 100)) == 1
    assert Records(ledger).expire_leases(at + 101) == []
    assert history(ledger) == ["claim>placing", "lose>unknown"]


def test_an_order_whose_workers_die_three_times_is_quarantined(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    for crash in range(CRASHES_BEFORE_QUARANTINE):
        one_claim(ledger, now=at + crash * 1000)
        Records(ledger).expire_leases(at + crash * 1000 + 100)
        if crash < CRASHES_BEFORE_QUARANTINE - 1:
            reconcile(ledger, at + crash * 1000 + 200)
    order = row(ledger)
    assert (order.state, order.code, order.attention, order.due_at) == ("unknown", "QUARANTINED", True, None)
    assert tries(ledger) == [(1, "Unknown"), (2, "Unknown"), (3, "Unknown")]
    assert Claims(ledger).claim_waiting(["SO-1"], order.state, LEASE, at + 99999) == []


def test_an_answer_in_between_shows_that_the_order_does_not_kill_its_worker(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    one_claim(ledger, now=at)
    Records(ledger).expire_leases(at + 100)
    reconcile(ledger, at + 200)
    place_one(ledger, Declined("ApiCallLimit", "slow", 1.0), at=at + 300)
    assert row(ledger).crashes == 0
