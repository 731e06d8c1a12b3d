"""Ids of another order: told by an answer, found by a look-up, or disproved by a read-back; none leads to a confirm."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import (
    LOOKED_UP,
    POLICY,
    claim,
    history,
    known_ids,
    one_claim,
    order_record,
    place_one,
    read_back,
    reconcile,
    record,
    row,
    rows,
    sent,
    submit,
    waiting,
)
from worker.errors import NotAllowed
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.pushes import Pushes
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.ledger.tables import events, orders
from worker.marketplaces.base import Push
from worker.rules.codes import Code
from worker.rules.confirm import READ_LATER_SECONDS, READ_STEPS_SECONDS, decide_read
from worker.rules.outcomes import Absent, Accepted, Found, NotSent, OrderRecord, Unknown
from worker.rules.reconcile import decide_unknown
from worker.rules.states import State
from worker.rules.values import Judged, PushState, Settled

FIRST, SECOND, THIRD = "8198352049850001", "8198352049850002", "8198352049850003"
OTHER_GOODS = Unknown(f"the marketplace shows another order under {FIRST}", Code.FOREIGN_ORDER, (FIRST,))


def first_holds(ledger: Ledger, *others: str) -> None:
    """Let SO-1 hold an id, and take further orders in."""
    submit(ledger, "SO-1", *others)
    place_one(ledger, Accepted((FIRST,)))


@pytest.mark.parametrize("outcome", [Accepted((FIRST,)), Unknown("an id under an error", "500", (FIRST,))])
def test_an_id_of_another_order_is_not_learned_and_a_person_is_told(
    ledger: Ledger, outcome: Accepted | Unknown, caplog: pytest.LogCaptureFixture
) -> None:
    first_holds(ledger, "SO-2")
    with caplog.at_level(logging.ERROR):
        (moved,) = place_one(ledger, outcome, "SO-2")
    order = row(ledger, "SO-2")
    assert (order.state, order.code, order.attention, order.due_at) == ("unmatched", "FOREIGN_ID", True, None)
    assert order.reason == f"the marketplace answered with the id {FIRST}, which belongs to SO-1"
    assert "fulfil adopt" in order.fix
    assert (known_ids(ledger, "SO-2"), moved.references) == ([], ())
    assert rows(ledger, events, "SO-2")[-1].note == order.reason
    assert [r.message for r in caplog.records] == [
        f"SO-2 was told the id {FIRST}, which belongs to SO-1: it is not taken"
    ]
    assert row(ledger).state == "placed", "the order whose id it is goes on"


def test_of_two_orders_told_one_id_in_one_group_the_first_keeps_it(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    both = sorted(claim(ledger, "SO-1", "SO-2"), key=lambda one: one.order_id)
    Records(ledger).record([sent(one, Accepted((FIRST,))) for one in both])
    assert (row(ledger).state, row(ledger, "SO-2").state) == ("placed", "unmatched")
    assert (known_ids(ledger), known_ids(ledger, "SO-2")) == ([FIRST], [])


def test_its_own_ids_in_such_an_answer_are_kept_and_the_order_waits_nevertheless(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    (moved,) = place_one(ledger, Accepted((SECOND, FIRST)), "SO-2")
    assert (row(ledger, "SO-2").state, known_ids(ledger, "SO-2")) == ("unmatched", [SECOND])
    assert moved.references == (SECOND,)
    Operator(ledger, "cli").adopt("SO-2", THIRD)
    assert (row(ledger, "SO-2").state, known_ids(ledger, "SO-2")) == ("placed", [SECOND, THIRD])


def test_an_order_whose_ids_an_earlier_answer_told_goes_on_under_those(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    at = time.time()
    early = one_claim(ledger, "SO-2", at)
    Records(ledger).expire_leases(at + 100)
    reconcile(ledger, at + 200, order_id="SO-2")
    again = one_claim(ledger, "SO-2", at + 300)
    record(ledger, early, Accepted((SECOND,)), at + 301)
    assert row(ledger, "SO-2").state == "placing"
    record(ledger, again, Accepted((FIRST,)), at + 302)
    order = row(ledger, "SO-2")
    assert (order.state, order.code, known_ids(ledger, "SO-2")) == ("placed", "FOREIGN_ID", [SECOND])


def test_a_late_reply_with_an_id_of_another_order_moves_nothing(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    at = time.time()
    late = one_claim(ledger, "SO-2", at)
    Records(ledger).expire_leases(at + 100)
    assert record(ledger, late, Accepted((FIRST,)), at + 101) == []
    assert (row(ledger, "SO-2").state, known_ids(ledger, "SO-2")) == ("unknown", [])


def test_the_same_answer_recorded_twice_parks_the_order_once(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    one = one_claim(ledger, "SO-2")
    record(ledger, one, Accepted((SECOND, FIRST)))
    assert record(ledger, one, Accepted((SECOND, FIRST))) == []
    assert record(ledger, one, Accepted((), "REPEATED_ORDER_ERROR")) == []
    assert row(ledger, "SO-2").state == "unmatched"
    record(ledger, one, Accepted((SECOND,)))
    assert row(ledger, "SO-2").state == "placed", "an answer with its own ids alone settles it"


def test_an_id_in_the_journal_that_is_another_orders_is_not_learned_either(ledger: Ledger, tmp_path: Path) -> None:
    first_holds(ledger, "SO-2")
    spool = Spool(tmp_path)
    spool.keep([sent(one_claim(ledger, "SO-2"), Accepted((FIRST,)))])
    assert spool._file is not None
    os.close(spool._file)  # as the end of the process does
    assert Spool(tmp_path).replay(Records(ledger)) == 1
    assert (row(ledger, "SO-2").state, known_ids(ledger, "SO-2")) == ("unmatched", [])


def test_two_marketplaces_may_use_the_same_id(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    with ledger.writing() as connection:
        connection.execute(update(orders).where(orders.c.order_id == "SO-2").values(marketplace="shoplazza"))
    place_one(ledger, Accepted((FIRST,)), "SO-2")
    assert (row(ledger, "SO-2").state, known_ids(ledger, "SO-2")) == ("placed", [FIRST])


def test_a_look_up_that_finds_only_another_orders_id_has_failed(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    at = time.time()
    place_one(ledger, Unknown("cut"), "SO-2", at)
    found = Found((order_record(FIRST),))
    (moved,) = reconcile(ledger, at + 100, LOOKED_UP, found, "SO-2")
    order = row(ledger, "SO-2")
    assert (order.state, order.code, order.attention) == ("unknown", "FOREIGN_ID", True)
    assert order.reason == f"the look-up found the id {FIRST}, which belongs to SO-1"
    assert order.due_at == pytest.approx(at + 100 + READ_STEPS_SECONDS[0])
    assert (known_ids(ledger, "SO-2"), moved.state) == ([], State.UNKNOWN)


def test_a_look_up_that_finds_its_own_id_besides_goes_on_with_it(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    at = time.time()
    place_one(ledger, Unknown("cut"), "SO-2", at)
    found = Found((order_record(FIRST), order_record(SECOND)))
    (moved,) = reconcile(ledger, at + 100, LOOKED_UP, found, "SO-2")
    assert (moved.state, moved.references, known_ids(ledger, "SO-2")) == (State.PLACED, (SECOND,), [SECOND])
    assert row(ledger, "SO-2").attention


def test_of_two_look_ups_that_find_one_id_at_once_the_first_keeps_it(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    for order_id in ("SO-1", "SO-2"):
        place_one(ledger, Unknown("cut"), order_id, at)
    found, now = Found((order_record(FIRST),)), at + 100
    taken = waiting(ledger, State.UNKNOWN, "SO-1", "SO-2", now=now)
    decision = decide_unknown(taken[0], LOOKED_UP, found, POLICY, now)
    Records(ledger).settle([Settled(one, found, decision) for one in taken], now)
    assert sorted((row(ledger).state, row(ledger, "SO-2").state)) == ["placed", "unknown"]


def misread(ledger: Ledger) -> float:
    """Let SO-2 hold SO-1's id, whose answer was lost, and be read back under it; return when both were sent."""
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    place_one(ledger, Unknown("cut"), "SO-1", at)
    place_one(ledger, Accepted((FIRST,)), "SO-2", at)
    read_back(ledger, OTHER_GOODS, at + 20, "SO-2")
    return at


def test_an_order_read_back_as_another_one_stays_placed_and_a_person_is_told_at_once(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        at = misread(ledger)
        read_back(ledger, OTHER_GOODS, at + 60, "SO-2")
    order = row(ledger, "SO-2")
    assert (order.state, order.code, order.attention, order.snoozes) == ("placed", "FOREIGN_ORDER", True, 2)
    assert (order.reason, order.due_at) == (OTHER_GOODS.cause, pytest.approx(at + 60 + READ_STEPS_SECONDS[1]))
    assert "fulfil adopt" in order.fix
    assert len(caplog.records) == 1, "said once, however often it is read"
    for number in range(8):
        read_back(ledger, OTHER_GOODS, at + 2000 * (number + 1), "SO-2")
    assert row(ledger, "SO-2").due_at == pytest.approx(at + 16000 + READ_LATER_SECONDS)
    assert row(ledger, "SO-2").fix == order.fix


def test_a_read_that_fails_or_a_persons_retry_does_not_end_that_alarm(ledger: Ledger) -> None:
    at = misread(ledger)
    told = row(ledger, "SO-2")
    read_back(ledger, NotSent("down"), at + 60, "SO-2")
    Operator(ledger, "cli").retry("SO-2")
    order = row(ledger, "SO-2")
    assert (order.code, order.reason, order.fix) == (told.code, told.reason, told.fix)
    assert order.attention


def test_a_read_back_that_is_right_after_all_confirms(ledger: Ledger) -> None:
    at = misread(ledger)
    read_back(ledger, Found((order_record(FIRST),)), at + 60, "SO-2")
    order = row(ledger, "SO-2")
    assert (order.state, order.attention, order.code) == ("confirmed", False, None)


def test_adopting_replaces_the_id_that_was_disproved_and_no_other(ledger: Ledger) -> None:
    submit(ledger, "SO-2")
    at = time.time()
    place_one(ledger, Accepted((FIRST, SECOND)), "SO-2", at)
    read_back(ledger, OTHER_GOODS, at + 20, "SO-2")
    moved = Operator(ledger, "cli:anna").adopt("SO-2", THIRD)
    order = row(ledger, "SO-2")
    assert (moved.state, moved.references, known_ids(ledger, "SO-2")) == (
        State.PLACED,
        (SECOND, THIRD),
        [SECOND, THIRD],
    )
    assert (order.code, order.attention, order.snoozes) == (None, False, 0)
    event = rows(ledger, events, "SO-2")[-1]
    assert (event.event, event.note) == (
        "accept",
        f"its id came from a person; it takes the place of {FIRST}",
    )
    read_back(ledger, Found((order_record(SECOND), order_record(THIRD))), time.time() + 60, "SO-2")
    assert history(ledger, "SO-2")[-2:] == ["accept>placed", "confirm>confirmed"]


def test_two_orders_whose_answers_were_swapped_are_both_put_right(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    for order_id, wrong in (("SO-1", SECOND), ("SO-2", FIRST)):
        place_one(ledger, Accepted((wrong,)), order_id, at)
    with pytest.raises(NotAllowed, match="only unmatched and unknown orders are adopted"):
        Operator(ledger, "cli").adopt("SO-1", FIRST)
    for order_id, wrong in (("SO-1", SECOND), ("SO-2", FIRST)):
        read_back(ledger, Unknown("other goods", Code.FOREIGN_ORDER, (wrong,)), at + 20, order_id)
    Operator(ledger, "cli").adopt("SO-1", FIRST)
    Operator(ledger, "cli").adopt("SO-2", SECOND)
    assert (known_ids(ledger), known_ids(ledger, "SO-2")) == ([FIRST], [SECOND])
    for order_id, right in (("SO-1", FIRST), ("SO-2", SECOND)):
        read_back(ledger, Found((order_record(right),)), time.time() + 60, order_id)
        assert row(ledger, order_id).state == "confirmed"


def test_an_id_that_was_disproved_can_be_taken_by_its_order_and_then_confirms_nobody_else(ledger: Ledger) -> None:
    at = misread(ledger)
    Operator(ledger, "cli").adopt("SO-1", FIRST)
    read_back(ledger, Found((order_record(FIRST),)), at + 60, "SO-2")
    order = row(ledger, "SO-2")
    assert (order.state, order.code, order.attention) == ("placed", "FOREIGN_ORDER", True)
    assert order.reason == OTHER_GOODS.cause


def test_what_was_read_under_ids_that_changed_meanwhile_is_not_believed(ledger: Ledger) -> None:
    at = misread(ledger)
    (taken,) = waiting(ledger, State.PLACED, "SO-2", now=at + 60)
    Operator(ledger, "cli").adopt("SO-2", SECOND)
    seen = Found((order_record(FIRST),))
    assert Records(ledger).settle([Settled(taken, seen, decide_read(seen, taken, POLICY))], at + 61) == []
    assert row(ledger, "SO-2").state == "placed"


def test_adopting_has_the_messages_about_the_wrong_id_looked_at_again(ledger: Ledger) -> None:
    at = misread(ledger)
    pushes = Pushes(ledger)
    pushes.take("main", Push(FIRST, "OrderCreated", at, True), at)
    assert pushes.owners("aliexpress", [FIRST]) == {}, "disproved: nobody's"
    (pushed,) = pushes.claim(90, 10, at + 30)
    pushes.settle([Judged(pushed, PushState.KNOWN, "SO-2")], at + 30)
    assert not pushes.any_due(at + 40)
    Operator(ledger, "cli").adopt("SO-2", SECOND)
    assert pushes.any_due()


def test_a_marketplace_that_does_not_show_an_order_yet_raises_no_such_alarm(ledger: Ledger) -> None:
    first_holds(ledger)
    read_back(ledger, Absent("not yet"), time.time() + 20)
    assert (row(ledger).code, row(ledger).attention) == ("NOT_SHOWN_YET", False)


def test_an_order_that_is_read_back_under_an_id_it_was_not_asked_for_learns_no_foreign_one(ledger: Ledger) -> None:
    first_holds(ledger, "SO-2")
    at = time.time()
    place_one(ledger, Accepted((SECOND,)), "SO-2", at)
    read_back(ledger, Found((OrderRecord(FIRST, "PLACED"),)), at + 20, "SO-2")
    assert (row(ledger, "SO-2").state, known_ids(ledger, "SO-2")) == ("placed", [SECOND])
