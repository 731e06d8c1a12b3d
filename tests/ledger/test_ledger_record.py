"""Recording: each outcome moves its order; an old epoch writes nothing, but no id it learned is ever lost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.ledger.ledger_kit import (
    ACCOUNT,
    LOOKED_UP,
    claim,
    history,
    known_ids,
    one_claim,
    place_one,
    reconcile,
    record,
    row,
    rows,
    sent,
    submit,
    tries,
)
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.records import Records
from worker.ledger.tables import attempts, order_references
from worker.rules.decision import CONFIRM_FLOOR_SECONDS, Decision
from worker.rules.outcomes import Absent, Accepted, Declined, NotSent, PlaceOutcome, Refused, Unknown
from worker.rules.reconcile import ABSENCES_BEFORE_ATTENTION
from worker.rules.states import Event, State
from worker.rules.values import Claim, Sent

IDS = ("8198352049851315", "8198352049851316")
REPEATED = Accepted((), "REPEATED_ORDER_ERROR", "repeated order", "req-2")
NO = Refused("DELIVERY_METHOD_NOT_EXIST", "no delivery", "choose another product", from_body=True, request_id="req-1")


def test_accepted_is_placed_with_its_ids_and_read_back_twelve_seconds_later(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    (moved,) = place_one(ledger, Accepted(IDS, request_id="req-1"), at=at)
    order = row(ledger)
    assert (order.state, order.lease_until, order.spent, order.in_doubt) == ("placed", None, 1, False)
    assert order.accepted_at == at + 0.25
    assert order.due_at == pytest.approx(at + 0.25 + 12)
    assert moved.references == IDS
    assert known_ids(ledger) == list(IDS)
    (attempt,) = rows(ledger, attempts)
    assert (attempt.outcome, attempt.request_id, attempt.duration_ms) == ("Accepted", "req-1", 250)


def test_repeated_without_ids_is_unmatched_and_waits_for_a_person(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, REPEATED)
    order = row(ledger)
    assert (order.state, order.code, order.attention, order.due_at) == (
        "unmatched",
        "REPEATED_ORDER_ERROR",
        True,
        None,
    )
    assert "fulfil adopt" in order.fix


def test_refused_keeps_code_reason_and_fix(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, NO)
    order = row(ledger)
    assert (order.state, order.code, order.reason, order.fix) == ("refused", NO.code, NO.reason, NO.fix)
    assert order.attention


def test_a_refusal_that_may_pass_is_tried_again_and_believed_in_the_end(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    soft = Refused("SYSTEM_ERROR", "busy", "later", retryable=True)
    for number in range(1, 5):
        place_one(ledger, soft, at=time.time() + number * 1000)
    assert row(ledger).state == "refused"
    assert history(ledger)[1::2] == ["retry>queued"] * 3 + ["refuse>refused"]


def test_throttled_goes_back_without_using_an_attempt(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Declined("ApiCallLimit", "slow down", 7.0), at=at)
    order = row(ledger)
    assert (order.state, order.spent, order.snoozes) == ("queued", 0, 1)
    assert order.due_at == pytest.approx(at + 0.25 + 7)
    assert Pauses(ledger).standing() == {}


def test_a_ban_holds_the_whole_account_and_a_shorter_one_does_not_end_it(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    pair = claim(ledger, "SO-1", "SO-2", now=at)
    record(ledger, pair[0], Declined("ApiCallLimit", "ban will last 60 seconds", 60.0, pauses_account=True), at)
    record(ledger, pair[1], Declined("ApiCallLimit", "ban will last 5 seconds", 5.0, pauses_account=True), at)
    paused = Pauses(ledger).standing(at + 1)
    assert paused[ACCOUNT].until == at + 60


def test_a_refusal_that_concerns_the_account_holds_it_until_a_person_resumes_it(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Refused("B_DROPSHIPPER_BLOCKED", "blocked", "ask the vendor", stops_account=True))
    paused = Pauses(ledger).standing()
    assert (paused[ACCOUNT].until, paused[ACCOUNT].fix) == (None, "ask the vendor")


def test_what_never_arrived_is_tried_again_until_it_is_dead(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    for number in range(3):
        place_one(ledger, NotSent("no connection"), at=time.time() + 1000 * number)
    order = row(ledger)
    assert (order.state, order.spent, order.attention, order.first_sent_at) == ("dead", 3, True, None)
    assert tries(ledger) == [(1, "NotSent"), (2, "NotSent"), (3, "NotSent")]


def test_what_we_held_back_ourselves_is_due_at_once_and_costs_nothing(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, NotSent("the worker was told to stop", counted=False), at=at)
    order = row(ledger)
    assert (order.state, order.spent, order.due_at) == ("queued", 0, at + 0.25)


def test_a_lost_reply_is_unknown_and_in_doubt(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Unknown("cut"))
    order = row(ledger)
    assert (order.state, order.in_doubt, order.attention) == ("unknown", True, False)
    assert order.due_at > time.time()


def test_an_unclear_reply_that_shows_ids_is_placed(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Unknown("neither yes nor no", references=IDS))
    assert row(ledger).state == "placed"
    assert known_ids(ledger) == list(IDS)


def test_outcomes_that_come_together_are_written_together(ledger: Ledger) -> None:
    ids = [f"SO-{n}" for n in range(4)]
    submit(ledger, *ids)
    outcomes: list[PlaceOutcome] = [Accepted(IDS), NO, Declined("L", "slow"), Unknown("cut")]
    claims = claim(ledger, *ids)
    moved = Records(ledger).record([sent(c, o) for c, o in zip(claims, outcomes, strict=True)])
    assert [str(one.state) for one in moved] == ["placed", "refused", "queued", "unknown"]
    assert [row(ledger, o).state for o in ids] == ["placed", "refused", "queued", "unknown"]


def test_an_illegal_move_writes_nothing_of_its_group(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    good, bad = claim(ledger, "SO-1", "SO-2")
    wrong = Sent(bad, Unknown("x"), Decision(Event.CONFIRM), time.time(), time.time())
    with pytest.raises(Exception, match="no move confirm from placing"):
        Records(ledger).record([sent(good, Accepted(IDS)), wrong])
    assert row(ledger, "SO-1").state == "placing"
    assert known_ids(ledger, "SO-1") == []


@pytest.mark.parametrize("outcome", [NO, Declined("L", "slow"), NotSent("x"), Unknown("x"), REPEATED])
def test_a_worker_that_slept_through_its_lease_writes_nothing(ledger: Ledger, outcome: PlaceOutcome) -> None:
    asleep = slept_through(ledger)
    again = one_claim(ledger, now=time.time() + 400)
    before, moves, sends = row(ledger), history(ledger), [_without_sender(one) for one in rows(ledger, attempts)]
    assert record(ledger, asleep, outcome) == []
    assert row(ledger) == before
    assert history(ledger) == moves
    after = rows(ledger, attempts)
    assert [_without_sender(one) for one in after] == sends, "the first one stays closed as lost, the second open"
    assert [one.sender_gone_at is not None for one in after] == [True, False], "the sleeper sends nothing more of it"
    assert record(ledger, again, Accepted(IDS))[0].state is State.PLACED


def test_the_same_answer_recorded_twice_moves_once(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    one = one_claim(ledger)
    record(ledger, one, Accepted(IDS))
    after = row(ledger)
    assert record(ledger, one, Accepted(IDS)) == []
    assert record(ledger, one, NO) == []
    assert row(ledger) == after
    assert tries(ledger) == [(1, "Accepted")]


def _without_sender(attempt: Any) -> dict[str, Any]:
    return {name: value for name, value in attempt._mapping.items() if name != "sender_gone_at"}


def slept_through(ledger: Ledger) -> Claim:
    """Let a worker fall asleep over SO-1 until others found it lost and let it go again; return its old claim."""
    submit(ledger, "SO-1")
    at = time.time()
    asleep = one_claim(ledger, now=at)
    Records(ledger).expire_leases(at + 100)
    reconcile(ledger, at + 200)
    assert row(ledger).state == "queued"
    return asleep


def test_late_ids_settle_an_unknown_order(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    asleep = one_claim(ledger, now=at)
    Records(ledger).expire_leases(at + 100)
    (moved,) = record(ledger, asleep, Accepted(IDS), at + 101)
    order = row(ledger)
    assert (moved.state, order.state, order.in_doubt) == (State.PLACED, "placed", False)
    assert order.due_at >= at + 101 + CONFIRM_FLOOR_SECONDS
    assert tries(ledger) == [(1, "Unknown")], "the attempt was closed as lost, and history is not rewritten"


def test_late_ids_settle_an_unmatched_order(ledger: Ledger) -> None:
    asleep = slept_through(ledger)
    place_one(ledger, REPEATED, at=time.time() + 400)
    assert row(ledger).state == "unmatched"
    record(ledger, asleep, Accepted(IDS))
    order = row(ledger)
    assert (order.state, order.attention) == ("placed", False)


def test_late_ids_keep_a_queued_order_from_being_sent_again(ledger: Ledger) -> None:
    asleep = slept_through(ledger)
    (moved,) = record(ledger, asleep, Accepted(IDS))
    assert moved.state is State.PLACED
    assert claim(ledger, "SO-1", now=time.time() + 1000) == []


@pytest.mark.parametrize(
    "outcome",
    [REPEATED, NO, Unknown("cut"), Declined("L", "slow"), NotSent("no connection"), Refused("X", "x", "f")],
)
def test_late_ids_outweigh_whatever_the_next_send_came_to(ledger: Ledger, outcome: PlaceOutcome) -> None:
    """The marketplace named the order's ids once: it exists, so it is neither refused, dead nor to be sent again."""
    asleep = slept_through(ledger)
    again = one_claim(ledger, now=time.time() + 400)
    assert record(ledger, asleep, Accepted(IDS)) == [], "the order is under another worker's lease"
    assert known_ids(ledger) == list(IDS)
    (moved,) = record(ledger, again, outcome)
    order = row(ledger)
    assert (moved.state, order.state, moved.references) == (State.PLACED, "placed", IDS)
    assert order.due_at is not None
    assert not order.attention


def test_known_ids_settle_an_order_whose_next_worker_dies(ledger: Ledger) -> None:
    asleep = slept_through(ledger)
    one_claim(ledger, now=time.time() + 400)
    record(ledger, asleep, Accepted(IDS))
    (moved,) = Records(ledger).expire_leases(time.time() + 1000)
    assert (moved.state, moved.references) == (State.PLACED, IDS)


def test_an_unknown_order_whose_ids_are_known_is_read_back_whatever_a_late_reply_says(ledger: Ledger) -> None:
    """A late blind or refused reply schedules nothing by itself; the order must still be read back."""
    asleep = slept_through(ledger)
    with ledger.writing() as connection:
        known = {"order_id": "SO-1", "reference": IDS[0], "source": "reply", "learned_at": 1.0}
        connection.execute(order_references.insert(), [known])
    record(ledger, asleep, REPEATED)
    order = row(ledger)
    assert order.state == "placed"
    assert order.due_at is not None


def test_two_late_answers_of_one_order_move_it_once(ledger: Ledger) -> None:
    asleep = slept_through(ledger)
    second = one_claim(ledger, now=time.time() + 400)
    Records(ledger).expire_leases(time.time() + 1000)
    moved = Records(ledger).record([sent(asleep, Accepted(IDS[:1])), sent(second, Accepted(IDS[1:]))])
    assert [one.state for one in moved] == [State.PLACED]
    assert sorted(known_ids(ledger)) == sorted(IDS)
    assert history(ledger)[-1] == "accept>placed"


def test_late_ids_of_an_order_that_is_through_are_kept_and_change_nothing(ledger: Ledger) -> None:
    asleep = slept_through(ledger)
    place_one(ledger, Accepted(IDS[:1]), at=time.time() + 400)
    before = row(ledger)
    assert record(ledger, asleep, Accepted(IDS)) == []
    assert row(ledger) == before
    assert known_ids(ledger) == list(IDS)


def test_a_refusal_in_doubt_is_parked_unless_the_content_earned_it(ledger: Ledger) -> None:
    slept_through(ledger)
    place_one(ledger, Refused("BLACKLIST", "no", "f"), at=time.time() + 400)
    order = row(ledger)
    assert (order.state, order.attention, order.in_doubt) == ("unknown", True, True)


def test_look_ups_from_before_a_crash_prove_nothing_about_the_send_that_crashed(ledger: Ledger) -> None:
    """Otherwise one look-up after a crash would do where an hour of them is asked for: a second order."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    for step in range(ABSENCES_BEFORE_ATTENTION):
        reconcile(ledger, at + 100 + step * 100, LOOKED_UP, Absent("not found"))
    Operator(ledger, "cli").absent("SO-1", can_look_up=False, is_alive=lambda _: False)
    assert row(ledger).state == "queued"
    one_claim(ledger, now=at + 1000)
    Records(ledger).expire_leases(at + 2000)
    order = row(ledger)
    assert (order.state, order.absences, order.absent_since) == ("unknown", 0, None)
    reconcile(ledger, at + 2100, LOOKED_UP, Absent("not found"))
    assert row(ledger).state == "unknown"


@pytest.mark.parametrize("outcome", ["accepted", "refused", "unknown", "throttled"])
def test_no_text_of_a_vendor_is_too_long_or_too_odd_to_be_recorded(ledger: Ledger, outcome: str) -> None:
    """Between the answer and its record nothing may fail: PostgreSQL takes no NUL, no lone surrogate, no 101st sign."""
    odd = "long " * 60 + "\x00 \ud800"
    made: dict[str, PlaceOutcome] = {
        "accepted": Accepted(IDS, odd, odd, odd),
        "refused": Refused(odd, odd, odd, request_id=odd, stops_account=True),
        "unknown": Unknown(odd, odd, (), odd),
        "throttled": Declined(odd, odd, 1.0, True, odd, odd),
    }
    submit(ledger, "SO-1", "SO-2")
    first, second = claim(ledger, "SO-1", "SO-2")
    both = [sent(first, made[outcome]), sent(second, Accepted(("8198352049851317",)))]
    assert len(Records(ledger).record(both)) == 2
    assert row(ledger, "SO-2").state == "placed", "its neighbour is recorded with it"
    assert len(row(ledger).code) <= 100
