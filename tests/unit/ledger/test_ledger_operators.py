"""A person's word: what each state allows, and the sentence for what it does not."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ledger_kit import (
    ACCOUNT,
    WINDOW,
    claim,
    confirmed,
    history,
    known_ids,
    one_claim,
    place_one,
    reconcile,
    record,
    row,
    rows,
    submit,
)

from worker.errors import NotAllowed, UnknownOrder
from worker.ledger import reports
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.states import State
from worker.ledger.store import Store
from worker.ledger.tables import events
from worker.outcomes import Accepted, NotSent, Refused, Throttled, Unknown
from worker.retry import CONFIRM_FLOOR_SECONDS, Ability, Pause

ID = "8198352049851315"
NO = Refused("DELIVERY_METHOD_NOT_EXIST", "no delivery", "choose another product")


def person(ledger: Ledger) -> Operator:
    return Operator(ledger, "cli:anna")


def bring(ledger: Ledger, state: str) -> None:
    """Bring SO-1 to a state."""
    submit(ledger, "SO-1")
    match state:
        case "placing":
            one_claim(ledger)
        case "unknown":
            place_one(ledger, Unknown("cut"))
        case "unmatched":
            place_one(ledger, Accepted((), "REPEATED_ORDER_ERROR"))
        case "placed":
            place_one(ledger, Accepted((ID,)))
        case "confirmed":
            confirmed(ledger)
        case "refused":
            place_one(ledger, NO)
        case "dead":
            for number in range(3):
                place_one(ledger, NotSent("down"), at=time.time() + 1000 * number)
        case "cancelled":
            person(ledger).cancel("SO-1")
    assert row(ledger).state == state


@pytest.mark.parametrize("state", ["queued", "refused", "dead"])
def test_retry_lets_an_order_go_again_at_once(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    moved = person(ledger).retry("SO-1", WINDOW)
    order = row(ledger)
    assert (moved.state, order.state, order.spent, order.attention) == (State.QUEUED, "queued", 0, False)
    assert order.due_at <= time.time()
    event = rows(ledger, events)[-1]
    assert (event.event, event.actor, event.note) == ("retry", "cli:anna", "retried by a person")
    assert claim(ledger, "SO-1")


def test_retry_of_an_unknown_order_settles_it_first_and_sends_nothing(ledger: Ledger) -> None:
    bring(ledger, "unknown")
    moved = person(ledger).retry("SO-1", WINDOW)
    assert moved.state is State.UNKNOWN
    assert row(ledger).due_at <= time.time()
    assert claim(ledger, "SO-1") == []


def test_retry_of_a_placed_order_reads_it_back_but_never_before_its_ten_seconds(ledger: Ledger) -> None:
    bring(ledger, "placed")
    moved = person(ledger).retry("SO-1", WINDOW)
    order = row(ledger)
    assert moved.state is State.PLACED
    assert order.due_at >= order.accepted_at + CONFIRM_FLOOR_SECONDS - 0.001


def test_retry_of_an_order_that_was_placed_under_a_clock_that_was_ahead_reads_it_back_soon(ledger: Ledger) -> None:
    """Found by the campaign's wrong clocks: a person's word was put off until that hour."""
    submit(ledger, "SO-1")
    at = time.time()
    record(ledger, one_claim(ledger, now=at), Accepted((ID,)), at + 3 * 3600)
    person(ledger).retry("SO-1", WINDOW)
    assert time.time() < row(ledger).due_at <= time.time() + CONFIRM_FLOOR_SECONDS


def test_retry_of_an_old_placed_order_reads_it_back_at_once(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    one = one_claim(ledger, now=at)
    record(ledger, one, Accepted((ID,)), at - 500)
    person(ledger).retry("SO-1", WINDOW)
    assert row(ledger).due_at <= time.time()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("unmatched", "SO-1 exists at the marketplace and is never sent again; find its id, then: fulfil adopt SO-1"),
        ("placing", "SO-1 is placing: there is nothing to retry"),
        ("confirmed", "SO-1 is confirmed: there is nothing to retry"),
        ("cancelled", "SO-1 is cancelled: there is nothing to retry"),
    ],
)
def test_retry_is_not_allowed_where_it_could_buy_twice_or_means_nothing(ledger: Ledger, state: str, text: str) -> None:
    bring(ledger, state)
    before = row(ledger)
    with pytest.raises(NotAllowed, match=text):
        person(ledger).retry("SO-1", WINDOW)
    assert row(ledger) == before


def test_retry_is_not_allowed_when_the_key_is_no_longer_safe(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    long_ago = time.time() - WINDOW - 1000
    with ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE orders SET due_at = 0")
    place_one(ledger, Unknown("cut"), at=long_ago)
    reconcile(ledger, long_ago + 100)
    with pytest.raises(NotAllowed, match="SO-1 was first sent over 22 hours ago, its key is no longer safe"):
        person(ledger).retry("SO-1", WINDOW)
    place_one(ledger, Refused("X", "x", "f", from_body=True), at=long_ago + 200)
    assert row(ledger).state == "refused"
    with pytest.raises(NotAllowed, match="submit it under a new order_id"):
        person(ledger).retry("SO-1", WINDOW)


@pytest.mark.parametrize("state", ["queued", "refused", "dead"])
def test_cancel_calls_off_what_surely_does_not_exist(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    assert person(ledger).cancel("SO-1").state is State.CANCELLED
    order = row(ledger)
    assert (order.state, order.due_at, order.attention) == ("cancelled", None, False)
    assert claim(ledger, "SO-1", now=time.time() + 9999) == []


@pytest.mark.parametrize("state", ["placing", "unknown", "unmatched", "placed", "confirmed", "cancelled"])
def test_cancel_is_not_allowed_where_the_order_may_exist(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    with pytest.raises(NotAllowed, match=f"SO-1 is {state}: only queued, refused and dead orders can be cancelled"):
        person(ledger).cancel("SO-1")
    assert row(ledger).state == state


def test_cancel_of_a_queued_order_in_doubt_is_not_allowed(ledger: Ledger) -> None:
    bring(ledger, "unknown")
    reconcile(ledger, time.time() + 100)
    assert row(ledger).state == "queued"
    with pytest.raises(NotAllowed, match="SO-1 may exist at the marketplace: let it be settled first"):
        person(ledger).cancel("SO-1")


@pytest.mark.parametrize("state", ["unknown", "unmatched"])
def test_adopt_gives_an_order_its_id_and_has_it_read_back(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    moved = person(ledger).adopt("SO-1", f"  {ID} ")
    order = row(ledger)
    assert (moved.references, moved.state) == ((ID,), State.PLACED)
    assert (order.state, order.in_doubt, order.attention, order.code) == ("placed", False, False, None)
    assert order.due_at >= time.time() + CONFIRM_FLOOR_SECONDS - 1
    assert known_ids(ledger) == [ID]


@pytest.mark.parametrize("state", ["queued", "placing", "placed", "confirmed", "refused", "dead", "cancelled"])
def test_adopt_is_not_allowed_where_no_id_is_missing(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    with pytest.raises(NotAllowed, match=f"SO-1 is {state}: only unmatched and unknown orders are adopted"):
        person(ledger).adopt("SO-1", "4711")
    assert "4711" not in known_ids(ledger)


def test_one_marketplace_order_is_not_adopted_for_two_of_ours(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    place_one(ledger, Accepted((ID,)), "SO-1")
    place_one(ledger, Unknown("cut"), "SO-2")
    with pytest.raises(NotAllowed, match=f"{ID} belongs to SO-1 already"):
        person(ledger).adopt("SO-2", ID)
    assert known_ids(ledger, "SO-2") == []


@pytest.mark.parametrize("reference", ["", "   ", "12 34", "x" * 65, "1\x00", "1\n2"])
def test_a_reference_that_cannot_be_one_is_not_adopted(ledger: Ledger, reference: str) -> None:
    bring(ledger, "unknown")
    with pytest.raises(NotAllowed, match="1 to 64 characters without blanks"):
        person(ledger).adopt("SO-1", reference)


def test_reconcile_settles_an_unknown_order_now_parked_or_not(ledger: Ledger) -> None:
    bring(ledger, "unknown")
    reconcile(ledger, time.time() + 100, Ability(False, None))
    assert row(ledger).due_at is None
    person(ledger).reconcile("SO-1")
    order = row(ledger)
    assert (order.state, order.attention) == ("unknown", False)
    assert order.due_at <= time.time()


@pytest.mark.parametrize("state", ["queued", "placing", "unmatched", "placed", "confirmed", "refused", "dead"])
def test_reconcile_is_not_allowed_where_nothing_is_unknown(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    with pytest.raises(NotAllowed, match=f"SO-1 is {state}: only unknown orders are reconciled"):
        person(ledger).reconcile("SO-1")


@pytest.mark.parametrize("act", ["retry", "cancel", "adopt", "reconcile"])
def test_an_order_nobody_submitted_is_unknown_to_every_command(ledger: Ledger, act: str) -> None:
    more = {"retry": [None], "adopt": [ID]}.get(act, [])
    with pytest.raises(UnknownOrder, match="no order SO-9 in the ledger"):
        getattr(person(ledger), act)("SO-9", *more)


def test_two_people_who_retry_at_once_make_one_send(ledger: Ledger) -> None:
    bring(ledger, "dead")
    gate = threading.Barrier(4)

    def one(_: int) -> int:
        gate.wait(10)
        Operator(ledger, "cli").retry("SO-1", WINDOW)
        return len(claim(ledger, "SO-1"))

    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(one, number) for number in range(4)]
        won = 0
        for future in results:
            try:
                won += future.result(20)
            except NotAllowed:
                continue  # somebody's claim was faster than this retry
    assert won == 1
    assert history(ledger).count("claim>placing") == 4, "three sends died, one is under way"


def test_pause_holds_and_resume_lets_go(ledger: Ledger) -> None:
    person(ledger).pause(ACCOUNT)
    held = reports.paused_accounts(ledger)[ACCOUNT]
    assert (held["until"], held["actor"], held["reason"]) == (None, "cli:anna", "paused by a person")
    assert person(ledger).resume(ACCOUNT) is True
    assert person(ledger).resume(ACCOUNT) is False
    assert reports.paused_accounts(ledger) == {}


def test_a_ban_that_ends_by_itself_does_not_end_a_persons_pause(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    one = one_claim(ledger, now=at)
    person(ledger).pause(ACCOUNT)
    record(ledger, one, Throttled("L", "ban will last 5 seconds", 5.0, pauses_account=True), at)
    assert reports.paused_accounts(ledger, at + 3600)[ACCOUNT]["code"] == "PAUSED"


def test_a_longer_ban_replaces_a_shorter_one(ledger: Ledger) -> None:
    at = time.time()
    Store(ledger).hold(ACCOUNT, Pause(5.0, "A", "short", None), at)
    Store(ledger).hold(ACCOUNT, Pause(50.0, "B", "long", None), at)
    Store(ledger).hold(ACCOUNT, Pause(5.0, "C", "short", None), at)
    held = reports.paused_accounts(ledger, at + 1)[ACCOUNT]
    assert (held["code"], held["until"]) == ("B", at + 50)
    assert reports.paused_accounts(ledger, at + 51) == {}
