"""Leases that run out: the order is unknown, its attempt is closed, and what keeps killing workers is set aside."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from config.settings import Settings
from tests.ledger.ledger_kit import (
    ACCOUNT,
    LEASE,
    claim,
    history,
    one_claim,
    place_one,
    reconcile,
    record,
    row,
    rows,
    submit,
    tries,
)
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.moves import LONGEST_LEASE_SECONDS
from worker.ledger.records import Records
from worker.ledger.tables import attempts, orders
from worker.rules.decision import CLOCKS_DIFFER_SECONDS
from worker.rules.outcomes import Declined, NotSent, PlaceOutcome, Refused, Unknown
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


def test_a_lease_that_ends_later_than_any_can_was_counted_by_a_wrong_clock_and_is_over(ledger: Ledger) -> None:
    """Found by the campaign's wrong clocks: 82 orders of a worker that had died stood still for an hour."""
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    one_claim(ledger, "SO-1", now=at + 3600)
    Claims(ledger).claim(ACCOUNT, ["SO-2"], Terms(LONGEST_LEASE_SECONDS, None), at + CLOCKS_DIFFER_SECONDS - 1)
    assert [one.order_id for one in Records(ledger).expire_leases(at)] == ["SO-1"]
    assert (row(ledger).state, row(ledger).in_doubt) == ("unknown", True)
    assert row(ledger, "SO-2").state == "placing", "two hosts' clocks are never quite the same"


def test_the_longest_lease_is_the_one_the_settings_allow() -> None:
    (most,) = (rule.le for rule in Settings.model_fields["lease_seconds"].metadata if hasattr(rule, "le"))
    assert most == LONGEST_LEASE_SECONDS


def not_found_twice(ledger: Ledger) -> float:
    """Let SO-1 be an order that two look-ups did not find, and that goes again; return when it was first not found."""
    submit(ledger, "SO-1")
    since = time.time() - 100
    with ledger.writing() as connection:
        connection.execute(update(orders).values(absences=2, absent_since=since))
    return since


@pytest.mark.parametrize(
    "outcome",
    [Unknown("cut"), NotSent("no connection"), Declined("L", "slow"), Refused("X", "x", "f", retryable=True)],
    ids=lambda outcome: type(outcome).__name__,
)
def test_look_ups_from_before_a_send_prove_nothing_about_it(ledger: Ledger, outcome: PlaceOutcome) -> None:
    """Mutations of `history._answered`: without `absences=0`; without `absent_since=None`; without both."""
    not_found_twice(ledger)
    record(ledger, one_claim(ledger), outcome)
    assert (row(ledger).absences, row(ledger).absent_since) == (0, None)


def test_look_ups_from_before_a_send_prove_nothing_about_it_when_its_worker_does_not_come_back(ledger: Ledger) -> None:
    """Mutations of `history._lost`: without `absences=0`; without `absent_since=None`; without both."""
    not_found_twice(ledger)
    at = time.time()
    one_claim(ledger, now=at)
    Records(ledger).expire_leases(at + LEASE + 1)
    assert (row(ledger).absences, row(ledger).absent_since) == (0, None)


def test_a_claim_alone_forgets_nothing_that_was_looked_up(ledger: Ledger) -> None:
    since = not_found_twice(ledger)
    one_claim(ledger)
    assert (row(ledger).absences, row(ledger).absent_since) == (2, since)
