"""A person's word: what each state allows, and the sentence for what it does not."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import (
    ACCOUNT,
    WINDOW,
    claim,
    confirmed,
    history,
    known_ids,
    one_claim,
    order_record,
    ordered,
    place_one,
    read_back,
    reconcile,
    record,
    row,
    rows,
    submit,
)
from worker.errors import NotAllowed, UnknownOrder, UnusableId
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.tables import events, orders
from worker.rules.acts import ActKind
from worker.rules.decision import CONFIRM_FLOOR_SECONDS, Pause
from worker.rules.outcomes import Accepted, Declined, Found, NotSent, Refused, Unknown
from worker.rules.reconcile import Ability
from worker.rules.states import State

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
            ordered(ledger, "cancel", "SO-1")
    assert row(ledger).state == state


@pytest.mark.parametrize("state", ["queued", "refused", "dead"])
def test_retry_lets_an_order_go_again_at_once(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    moved = ordered(ledger, "retry", "SO-1")
    order = row(ledger)
    assert (moved.state, order.state, order.spent, order.attention) == (State.QUEUED, "queued", 0, False)
    assert order.due_at <= time.time()
    event = rows(ledger, events)[-1]
    assert (event.event, event.actor, event.note) == ("retry", "cli:anna", "retried by a person")
    assert claim(ledger, "SO-1")


def test_retry_of_an_unknown_order_settles_it_first_and_sends_nothing(ledger: Ledger) -> None:
    bring(ledger, "unknown")
    moved = ordered(ledger, "retry", "SO-1", window=WINDOW)
    assert moved.state is State.UNKNOWN
    assert row(ledger).due_at <= time.time()
    assert claim(ledger, "SO-1") == []


@pytest.mark.parametrize("window", [None, 3600.0])
def test_retry_of_what_can_neither_be_sent_again_nor_looked_up_names_the_choice(
    ledger: Ledger, window: float | None
) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Unknown("timeout"), at=time.time())
    with ledger.writing() as connection:
        connection.execute(update(orders).values(first_sent_at=time.time() - 3700))
    before = row(ledger)
    with pytest.raises(NotAllowed) as refused:
        ordered(ledger, "retry", "SO-1", window=window)
    for command in ("why SO-1", "adopt SO-1 --reference ID", "retry SO-1 --absent", "close SO-1 --note TEXT"):
        assert f"fulfil {command}" in str(refused.value)
    assert row(ledger) == before
    assert ordered(ledger, "retry", "SO-1", window=window, can_look_up=True).state == "unknown"


def test_retry_of_a_placed_order_reads_it_back_but_never_before_its_ten_seconds(ledger: Ledger) -> None:
    bring(ledger, "placed")
    moved = ordered(ledger, "retry", "SO-1")
    order = row(ledger)
    assert moved.state is State.PLACED
    assert order.due_at >= order.accepted_at + CONFIRM_FLOOR_SECONDS - 0.001


def test_retry_of_an_order_that_was_placed_under_a_clock_that_was_ahead_reads_it_back_soon(ledger: Ledger) -> None:
    """Found by the campaign's wrong clocks: a person's word was put off until that hour."""
    submit(ledger, "SO-1")
    at = time.time()
    record(ledger, one_claim(ledger, now=at), Accepted((ID,)), at + 3 * 3600)
    ordered(ledger, "retry", "SO-1")
    assert time.time() < row(ledger).due_at <= time.time() + CONFIRM_FLOOR_SECONDS


def test_retry_of_an_old_placed_order_reads_it_back_at_once(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    one = one_claim(ledger, now=at)
    record(ledger, one, Accepted((ID,)), at - 500)
    ordered(ledger, "retry", "SO-1")
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
        ordered(ledger, "retry", "SO-1")
    assert row(ledger) == before


def test_an_order_in_doubt_that_a_person_retries_is_not_sent_when_its_key_is_no_longer_safe(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    long_ago = time.time() - WINDOW - 1000
    with ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE orders SET due_at = 0")
    place_one(ledger, Unknown("cut"), at=long_ago)
    reconcile(ledger, long_ago + 100)
    ordered(ledger, "retry", "SO-1")
    assert claim(ledger, "SO-1") == []
    assert (row(ledger).state, row(ledger).code) == ("unknown", "WINDOW_CLOSED")
    assert "fulfil retry ORDER --absent" in row(ledger).fix


def test_an_order_that_surely_was_not_made_may_be_sent_however_long_ago_it_was_refused(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    long_ago = time.time() - WINDOW - 1000
    with ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE orders SET due_at = 0")
    place_one(ledger, Refused("X", "x", "f"), at=long_ago)
    ordered(ledger, "retry", "SO-1")
    (again,) = claim(ledger, "SO-1")
    assert again.first_sent_at > long_ago + WINDOW, "its window begins anew"


@pytest.mark.parametrize("state", ["queued", "refused", "dead"])
def test_cancel_calls_off_what_surely_does_not_exist(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    assert ordered(ledger, "cancel", "SO-1").state is State.CANCELLED
    order = row(ledger)
    assert (order.state, order.due_at, order.attention) == ("cancelled", None, False)
    assert claim(ledger, "SO-1", now=time.time() + 9999) == []


@pytest.mark.parametrize("state", ["placing", "unknown", "unmatched", "placed", "confirmed", "cancelled"])
def test_cancel_is_not_allowed_where_the_order_may_exist(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    with pytest.raises(NotAllowed, match=f"SO-1 is {state}: only queued, refused and dead orders can be cancelled"):
        ordered(ledger, "cancel", "SO-1")
    assert row(ledger).state == state


def test_cancel_of_a_queued_order_in_doubt_is_not_allowed(ledger: Ledger) -> None:
    bring(ledger, "unknown")
    reconcile(ledger, time.time() + 100)
    assert row(ledger).state == "queued"
    with pytest.raises(NotAllowed, match="SO-1 may exist at the marketplace: wait until it is settled"):
        ordered(ledger, "cancel", "SO-1")


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


def test_an_adopted_id_that_was_never_read_back_is_replaced(ledger: Ledger) -> None:
    bring(ledger, "unmatched")
    person(ledger).adopt("SO-1", "8198352049851316")
    moved = person(ledger).adopt("SO-1", ID)
    assert (moved.state, moved.references) == (State.PLACED, (ID,))
    assert "takes the place of 8198352049851316" in (row(ledger).reason or "")
    read_back(ledger, Found((order_record(ID),)), time.time() + 60)
    with pytest.raises(NotAllowed, match="SO-1 is confirmed"):
        person(ledger).adopt("SO-1", "8198352049851316")


def test_one_marketplace_order_is_not_adopted_for_two_of_ours(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    place_one(ledger, Accepted((ID,)), "SO-1")
    place_one(ledger, Unknown("cut"), "SO-2")
    with pytest.raises(NotAllowed, match=f"{ID} belongs to SO-1 already"):
        person(ledger).adopt("SO-2", ID)
    assert known_ids(ledger, "SO-2") == []


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        *(("", "1 to 64 characters without blanks"), ("   ", "1 to 64 characters without blanks")),
        *(("12 34", "1 to 64 characters without blanks"), ("x" * 65, "1 to 64 characters without blanks")),
        *(("1\x00", r"U\+0000 at position 2"), ("1\n2", r"U\+000A at position 2")),
        ("8198352049851315\u202c", r"U\+202C at position 17"),
        *(("8.19842E+15", "a spreadsheet rounded it"), ("8,19842e15", "a spreadsheet rounded it")),
        ("8198352049851315.0", "a number with a decimal part"),
    ],
)
def test_a_reference_that_cannot_be_one_is_not_adopted(ledger: Ledger, reference: str, words: str) -> None:
    bring(ledger, "unknown")
    with pytest.raises(UnusableId, match=f"^reference: .*{words}"):
        person(ledger).adopt("SO-1", reference)
    assert known_ids(ledger) == []


def test_reconcile_settles_an_unknown_order_now_parked_or_not(ledger: Ledger) -> None:
    bring(ledger, "unknown")
    reconcile(ledger, time.time() + 100, Ability(False, None))
    assert row(ledger).due_at is None
    ordered(ledger, "reconcile", "SO-1")
    order = row(ledger)
    assert (order.state, order.attention) == ("unknown", False)
    assert order.due_at <= time.time()


@pytest.mark.parametrize("state", ["queued", "placing", "unmatched", "placed", "confirmed", "refused", "dead"])
def test_reconcile_is_not_allowed_where_nothing_is_unknown(ledger: Ledger, state: str) -> None:
    bring(ledger, state)
    with pytest.raises(NotAllowed, match=f"SO-1 is {state}: only unknown orders are reconciled"):
        ordered(ledger, "reconcile", "SO-1")


@pytest.mark.parametrize("kind", list(ActKind))
def test_an_order_nobody_submitted_is_unknown_to_every_command(ledger: Ledger, kind: ActKind) -> None:
    with pytest.raises(UnknownOrder, match="no order SO-9 in the ledger"):
        ordered(ledger, kind, "SO-9")
    with pytest.raises(UnknownOrder, match="no order SO-9 in the ledger"):
        person(ledger).adopt("SO-9", ID)


def test_two_people_who_retry_at_once_make_one_send(ledger: Ledger) -> None:
    bring(ledger, "dead")
    gate = threading.Barrier(4)

    def one(_: int) -> int:
        gate.wait(10)
        ordered(ledger, "retry", "SO-1")
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
    pause = Pauses(ledger).standing()[ACCOUNT]
    assert (pause.until, pause.actor, pause.reason) == (None, "cli:anna", "paused by a person")
    assert person(ledger).resume(ACCOUNT) is True
    assert person(ledger).resume(ACCOUNT) is False
    assert Pauses(ledger).standing() == {}


def test_a_ban_that_ends_by_itself_does_not_end_a_persons_pause(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    one = one_claim(ledger, now=at)
    person(ledger).pause(ACCOUNT)
    record(ledger, one, Declined("L", "ban will last 5 seconds", 5.0, pauses_account=True), at)
    assert Pauses(ledger).standing(at + 3600)[ACCOUNT].code == "PAUSED"


def test_a_longer_ban_replaces_a_shorter_one(ledger: Ledger) -> None:
    at = time.time()
    Pauses(ledger).pause(ACCOUNT, Pause(5.0, "A", "short", None), at)
    Pauses(ledger).pause(ACCOUNT, Pause(50.0, "B", "long", None), at)
    Pauses(ledger).pause(ACCOUNT, Pause(5.0, "C", "short", None), at)
    pause = Pauses(ledger).standing(at + 1)[ACCOUNT]
    assert (pause.code, pause.until) == ("B", at + 50)
    assert Pauses(ledger).standing(at + 51) == {}
