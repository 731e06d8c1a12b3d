"""Reading back and settling: one reader at a time, and what was read is kept, whatever is read again later."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from tests.ledger.ledger_kit import (
    ACCOUNT,
    LEASE,
    LOOKED_UP,
    POLICY,
    RESENDABLE,
    WINDOW,
    claim,
    confirmed,
    history,
    known_ids,
    order_record,
    place_one,
    read_back,
    reconcile,
    result_rows,
    row,
    submit,
    waiting,
)
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.records import Records
from worker.rules.confirm import decide_read
from worker.rules.decision import Decision
from worker.rules.outcomes import Absent, Accepted, Declined, Found, Money, NotSent, ReadOutcome, Unknown
from worker.rules.reconcile import ABSENCES_BEFORE_ATTENTION, Ability
from worker.rules.states import Event, State
from worker.rules.values import Settled

ID = "8198352049851315"
SOON = 20.0


def placed(ledger: Ledger, *ids: str) -> float:
    """Place SO-1 and return when."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Accepted(ids or (ID,)), at=at)
    return at


def test_a_placed_order_is_not_read_before_it_is_due(ledger: Ledger) -> None:
    at = placed(ledger)
    assert waiting(ledger, State.PLACED, "SO-1", now=at + 10) == []
    (order,) = waiting(ledger, State.PLACED, "SO-1", now=at + SOON)
    assert (order.references, order.epoch, order.account) == ((ID,), 1, ACCOUNT)


def test_who_took_a_placed_order_holds_it_for_a_while(ledger: Ledger) -> None:
    at = placed(ledger)
    assert waiting(ledger, State.PLACED, "SO-1", now=at + SOON)
    assert waiting(ledger, State.PLACED, "SO-1", now=at + SOON + LEASE - 1) == []
    assert waiting(ledger, State.PLACED, "SO-1", now=at + SOON + LEASE + 1), "a reader that died is followed by another"


def test_only_the_state_that_was_asked_for_is_taken(ledger: Ledger) -> None:
    at = placed(ledger)
    assert waiting(ledger, State.UNKNOWN, "SO-1", now=at + SOON) == []
    assert waiting(ledger, State.PLACED, now=at + SOON) == []


def test_a_ban_holds_reads_too_but_a_persons_pause_does_not(ledger: Ledger) -> None:
    at = placed(ledger)
    Operator(ledger, "cli").pause(ACCOUNT)
    assert waiting(ledger, State.PLACED, "SO-1", now=at + SOON)
    Operator(ledger, "cli").resume(ACCOUNT)
    submit(ledger, "SO-2")
    place_one(ledger, Declined("L", "ban will last 300 seconds", 300.0, pauses_account=True), "SO-2")
    assert waiting(ledger, State.PLACED, "SO-1", now=at + SOON + LEASE + 1) == []
    assert waiting(ledger, State.PLACED, "SO-1", now=at + 302)


def test_an_order_that_was_read_is_confirmed_and_its_record_kept(ledger: Ledger) -> None:
    at = placed(ledger)
    record = order_record(amount=Money(Decimal("0.10"), "USD"))
    (moved,) = read_back(ledger, Found((record,)), at + SOON)
    order = row(ledger)
    assert (moved.state, order.state, order.due_at, order.attention) == (State.CONFIRMED, "confirmed", None, False)
    (result,) = result_rows(ledger)
    assert (result.reference, result.status, result.amount, result.currency) == (ID, record.status, "0.10", "USD")
    assert (result.paid_amount, result.paid_currency, result.fulfilment_status) == ("7.90", "EUR", "NO_LOGISTICS")
    assert result.details == record.details, "every field comes back as it went in, odd characters too"


def test_an_order_of_several_marketplace_orders_keeps_a_record_each(ledger: Ledger) -> None:
    at = placed(ledger, ID, "2")
    read_back(ledger, Found((order_record(), order_record("2", amount=None, paid_amount=None))), at + SOON)
    assert [(r.reference, r.amount) for r in result_rows(ledger)] == [("2", None), (ID, "8.34")]


def test_a_record_told_twice_in_one_answer_is_kept_once_with_its_last_word(ledger: Ledger) -> None:
    at = placed(ledger)
    read_back(ledger, Found((order_record(), order_record(status="NEWER"))), at + SOON)
    assert [(r.reference, r.status) for r in result_rows(ledger)] == [(ID, "NEWER")]


def test_of_two_readers_of_one_order_the_first_is_believed(ledger: Ledger) -> None:
    at = placed(ledger)
    first = waiting(ledger, State.PLACED, "SO-1", now=at + SOON)[0]
    late = waiting(ledger, State.PLACED, "SO-1", now=at + SOON + LEASE + 1)[0]
    for number, order in enumerate((first, late)):
        found = Found((order_record(status=f"STATUS_{number}"),))
        Records(ledger).settle([Settled(order, found, decide_read(found, order, POLICY))], at + 200 + number)
    assert [r.status for r in result_rows(ledger)] == ["STATUS_0"]
    assert history(ledger)[-1] == "confirm>confirmed"


def test_a_record_that_should_worry_somebody_asks_for_a_person(ledger: Ledger) -> None:
    at = placed(ledger)
    read_back(ledger, Found((order_record(alert="it was cancelled"),)), at + SOON)
    order = row(ledger)
    assert (order.state, order.attention, order.reason) == ("confirmed", True, "it was cancelled")
    assert result_rows(ledger)[0].alert == "it was cancelled"


@pytest.mark.parametrize(
    "seen", [Absent("not synced"), Unknown("garbage"), NotSent("down"), Declined("L", "slow", 30.0)]
)
def test_what_cannot_be_read_yet_is_waited_out(ledger: Ledger, seen: ReadOutcome) -> None:
    at = placed(ledger)
    for step in range(1, 8):
        now = at + 2000.0 * step
        read_back(ledger, seen, now)
        order = row(ledger)
        assert (order.state, order.snoozes, order.spent) == ("placed", step, 1)
        assert order.due_at > now
    assert order.attention == (not isinstance(seen, Declined)), "a person is told, and the reading goes on"


def test_what_moved_on_meanwhile_is_left_as_it_is(ledger: Ledger) -> None:
    at = placed(ledger)
    (order,) = waiting(ledger, State.PLACED, "SO-1", now=at + SOON)
    found = Found((order_record(),))
    Records(ledger).settle([Settled(order, found, decide_read(found, order, POLICY))], at + SOON)
    after = row(ledger)
    late = Absent("not synced")
    assert Records(ledger).settle([Settled(order, late, decide_read(late, order, POLICY))], at + SOON + 1) == []
    assert row(ledger) == after


def test_a_settling_from_before_a_new_send_is_void(ledger: Ledger) -> None:
    """Unknown, sent again, unknown again: what a look-up of the first round told must not move the second."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    (old,) = waiting(ledger, State.UNKNOWN, "SO-1", now=at + 100)
    reconcile(ledger, at + 300)
    place_one(ledger, Unknown("cut again"), at=at + 400)
    before = row(ledger)
    again = Settled(old, Absent("not found"), Decision(Event.RETRY, 0.0))
    assert Records(ledger).settle([again], at + 401) == []
    assert row(ledger) == before


def test_an_unknown_order_inside_its_window_goes_again_with_the_same_key(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    (moved,) = reconcile(ledger, at + 100, RESENDABLE)
    order = row(ledger)
    assert (moved.state, order.state, order.due_at, order.in_doubt) == (State.QUEUED, "queued", at + 100, True)
    assert claim(ledger, "SO-1", now=at + 101)[0].first_sent_at == at


def test_an_unknown_order_past_its_window_is_parked(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + WINDOW, RESENDABLE)
    order = row(ledger)
    assert (order.state, order.code, order.due_at, order.attention) == ("unknown", "WINDOW_CLOSED", None, True)


def test_an_unknown_order_of_a_marketplace_that_cannot_be_asked_is_parked(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Unknown("cut"))
    reconcile(ledger, time.time() + 100, Ability(False, None))
    assert row(ledger).code == "CANNOT_TELL"


def test_an_unknown_order_that_is_looked_up_and_found_is_placed(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    (moved,) = reconcile(ledger, at + 100, LOOKED_UP, Found((order_record(),)))
    order = row(ledger)
    assert (moved.references, order.state, order.in_doubt) == ((ID,), "placed", False)
    assert order.due_at >= at + 110
    assert result_rows(ledger) == [], "looked up is not read back: only that confirms"


def test_absence_never_sends_an_order_again_and_a_person_is_told(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    for step in range(ABSENCES_BEFORE_ATTENTION):
        assert not row(ledger).attention
        reconcile(ledger, at + 100 + 31 * step, LOOKED_UP, Absent("not found"))
    order = row(ledger)
    assert (order.state, order.attention, order.code) == ("unknown", True, "NOT_FOUND")
    assert "looked up 3 times from " in order.reason
    assert "fulfil retry ORDER --absent" in order.fix
    assert order.due_at > at, "looking goes on: it may come late"
    assert history(ledger)[2:] == ["snooze>unknown"] * 3


def test_ids_known_meanwhile_settle_an_unknown_order_without_a_look_up(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    (order,) = waiting(ledger, State.UNKNOWN, "SO-1", now=at + 100)
    assert order.references == ()
    Operator(ledger, "cli").adopt("SO-1", ID)
    assert known_ids(ledger) == [ID]
    assert row(ledger).state == "placed"


def test_a_confirmed_order_is_through(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    confirmed(ledger)
    assert history(ledger) == ["claim>placing", "accept>placed", "confirm>confirmed"]
    assert claim(ledger, "SO-1", now=time.time() + 99999) == []
    assert waiting(ledger, State.PLACED, "SO-1", now=time.time() + 99999) == []
