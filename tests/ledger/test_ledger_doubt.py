"""What is in doubt, since when, and what ends it: a doubt that ends too soon may cost a second order.

Each guard is named with the mutation under which its test fails: a guard nobody misses is soon gone.
"""

from __future__ import annotations

import time

import pytest

from tests.ledger.ledger_kit import (
    ACCOUNT,
    LOOKED_UP,
    WINDOW,
    claim,
    one_claim,
    place_one,
    read_back,
    reconcile,
    record,
    row,
    sent,
    submit,
    tries,
    waiting,
)
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.records import Records
from worker.rules.decision import Decision
from worker.rules.outcomes import Absent, Accepted, Declined, NotSent, PlaceOutcome, ReadOutcome, Refused, Unknown
from worker.rules.states import Event, State
from worker.rules.values import Settled

ID = "8198352049851315"
REPEATED = Accepted((), "REPEATED_ORDER_ERROR")
CONTENT = Refused("X", "the goods are gone", "mend it", from_body=True)
NOT_EXECUTED = [NotSent("no connection"), Declined("L", "slow"), Refused("X", "x", "f", retryable=True)]


def lost(ledger: Ledger) -> float:
    """Let SO-1 be sent and its answer lost, and be allowed to go again; return when it was sent."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + 100)
    assert (row(ledger).state, row(ledger).in_doubt) == ("queued", True)
    return at


@pytest.mark.parametrize("outcome", [Accepted((ID,)), REPEATED, CONTENT], ids=["ids", "repeated", "refused"])
def test_a_clear_answer_ends_the_doubt(ledger: Ledger, outcome: PlaceOutcome) -> None:
    """Mutations of `history._answered`: `in_doubt` that stays; REFUSE, or ACCEPT_BLIND, not among `_EXECUTED`."""
    at = lost(ledger)
    place_one(ledger, outcome, at=at + 200)
    assert not row(ledger).in_doubt


def test_a_person_may_cancel_what_was_clearly_refused_in_the_end(ledger: Ledger) -> None:
    at = lost(ledger)
    place_one(ledger, CONTENT, at=at + 200)
    Operator(ledger, "cli").cancel("SO-1")
    assert row(ledger).state == "cancelled"


@pytest.mark.parametrize("outcome", NOT_EXECUTED, ids=lambda outcome: type(outcome).__name__)
def test_a_later_send_that_was_not_executed_says_nothing_about_an_earlier_one(
    ledger: Ledger, outcome: PlaceOutcome
) -> None:
    """Mutations: `in_doubt` of this send alone; `first_sent_at` forgotten without a look at what was sent before."""
    at = lost(ledger)
    place_one(ledger, outcome, at=at + 200)
    assert (row(ledger).in_doubt, row(ledger).first_sent_at) == (True, at)
    assert claim(ledger, "SO-1", now=at + WINDOW + 1) == [], "its key is counted from the first send"


@pytest.mark.parametrize("outcome", NOT_EXECUTED, ids=lambda outcome: type(outcome).__name__)
def test_what_is_made_anew_after_absence_is_looked_for_from_its_first_send_on(
    ledger: Ledger, outcome: PlaceOutcome
) -> None:
    """Mutation of `history._unsent`: `first_sent_at` forgotten although the claim was not the first of a send."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    (order,) = waiting(ledger, State.UNKNOWN, "SO-1", now=at + 100)
    anew = Decision(Event.RETRY, 0.0, reason="made anew")
    Records(ledger).settle([Settled(order, Absent("not there"), anew, absent=True)], at + 100)
    assert (row(ledger).state, row(ledger).in_doubt) == ("queued", False)
    place_one(ledger, outcome, at=at + 200)
    assert row(ledger).first_sent_at == at


def test_each_answer_that_is_lost_in_a_row_makes_the_next_wait_longer(ledger: Ledger) -> None:
    """Mutation of `history._answered`: `snoozes` that do not grow with LOSE."""
    at = lost(ledger)
    assert row(ledger).snoozes == 1
    place_one(ledger, Unknown("cut"), at=at + 200)
    assert row(ledger).snoozes == 2
    reconcile(ledger, at + 400)
    place_one(ledger, Accepted((ID,)), at=at + 500)
    assert row(ledger).snoozes == 0


def test_of_two_answers_to_one_send_the_first_is_the_attempts(ledger: Ledger) -> None:
    """Mutation of `_CLOSE_ATTEMPT`: without its look at `outcome`, what is closed is closed anew."""
    submit(ledger, "SO-1")
    one = one_claim(ledger)
    Records(ledger).record([sent(one, Accepted((ID,))), sent(one, Unknown("cut"))])
    assert (row(ledger).state, tries(ledger)) == ("placed", [(1, "Accepted")])
    record(ledger, one, Unknown("cut"))
    assert (row(ledger).state, tries(ledger)) == ("placed", [(1, "Accepted")])


@pytest.mark.parametrize(
    "seen",
    [Declined("L", "slow"), NotSent("no connection"), Unknown("not a list")],
    ids=lambda one: type(one).__name__,
)
def test_a_look_up_that_failed_is_no_look_up_that_found_nothing(ledger: Ledger, seen: ReadOutcome) -> None:
    """Mutation of `Records._settled_move`: ABSENCE whatever a look-up told."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + 100, LOOKED_UP, seen)
    assert (row(ledger).absences, row(ledger).absent_since) == (0, None)


def test_what_was_looked_up_before_a_persons_word_is_looked_up_anew(ledger: Ledger) -> None:
    """Mutations of `history._told`: without `absences=0`; without `absent_since=None`."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + 100, LOOKED_UP, Absent("not there"))
    assert (row(ledger).absences, row(ledger).absent_since) == (1, at + 100)
    Operator(ledger, "cli").reconcile("SO-1")
    assert (row(ledger).absences, row(ledger).absent_since) == (0, None)


def test_a_placed_order_that_is_not_shown_yet_is_not_counted_as_not_found(ledger: Ledger) -> None:
    """Mutation of `Records._settled_move`: ABSENCE in any state; they would stand for look-ups later."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Accepted((ID,)), at=at)
    read_back(ledger, Absent("not shown yet"), at + 60)
    assert (row(ledger).absences, row(ledger).absent_since) == (0, None)


def test_a_look_up_that_was_told_to_wait_holds_its_account(ledger: Ledger) -> None:
    """Mutation of `Records.settle`: without `pause_accounts`, the next calls go on into a ban."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + 100, LOOKED_UP, Declined("ApiCallLimit", "too often", 60.0, pauses_account=True))
    assert Pauses(ledger).standing(at + 110)[ACCOUNT].until == at + 160
