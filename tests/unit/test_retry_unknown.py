"""Decisions on an order whose outcome is unknown, as properties: when it is sent again, and when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.retry_kit import (
    ABILITIES,
    POLICY,
    SENT_AT,
    WINDOW,
    Order,
    abilities,
    assert_something_follows,
    not_sent,
    orders,
    policies,
    read,
    throttled,
    unknown,
)
from worker.rules.codes import Code
from worker.rules.decision import Policy
from worker.rules.outcomes import Absent, Found, ReadOutcome
from worker.rules.place import Fate, lease_ran_out, window_closed
from worker.rules.reconcile import Ability, counts_as_absence, decide_unknown
from worker.rules.states import MOVES, Event, State

HOUR = 3600.0
OPTED_IN = Ability(can_look_up=True, resend_window_seconds=None, recreate_after_seconds=HOUR)
SEEN = Absent("none", clock_offset_seconds=0.4)


@given(orders, abilities, st.none() | read, policies, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_every_decision_on_an_unknown_order_is_a_move_the_state_machine_knows(
    order: Order, ability: Ability, seen: ReadOutcome | None, policy: Policy, now: float
) -> None:
    decision = decide_unknown(order, ability, seen, policy, now)
    assert_something_follows(MOVES[State.UNKNOWN, decision.event], decision)


@given(orders, abilities, st.none() | read, policies, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_an_unknown_order_is_sent_again_only_where_that_is_safe_or_a_person_says_so(
    order: Order, ability: Ability, seen: ReadOutcome | None, policy: Policy, now: float
) -> None:
    decision = decide_unknown(order, ability, seen, policy, now)
    if decision.event is not Event.RETRY:
        return
    assert not order.references
    assert not isinstance(seen, Found)
    if ability.can_look_up and seen is not None:
        assert isinstance(seen, Absent)
        if order.absence_told_at is None:
            assert ability.recreate_after_seconds is not None
            assert order.senders_gone
            assert order.absent_since is not None
            assert now - order.absent_since >= ability.recreate_after_seconds
            assert seen.clock_offset_seconds is not None
            assert abs(seen.clock_offset_seconds) <= 60
    else:
        assert ability.resend_window_seconds is not None
        assert now < SENT_AT + ability.resend_window_seconds


@given(orders, abilities, st.none() | read, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_an_unknown_order_whose_ids_are_known_or_that_is_found_is_placed(
    order: Order, ability: Ability, seen: ReadOutcome | None, now: float
) -> None:
    assume(order.references or isinstance(seen, Found))
    decision = decide_unknown(order, ability, seen, POLICY, now)
    assert decision.event is Event.ACCEPT
    assert decision.due_in_seconds is not None
    assert decision.due_in_seconds >= 10
    assert decision.attention == (isinstance(seen, Found) and len(seen.records) > 1)


@pytest.mark.parametrize(
    ("after_seconds", "event"),
    [
        (0.0, Event.RETRY),
        (WINDOW - 0.001, Event.RETRY),
        (WINDOW, Event.PARK),
        (WINDOW + 0.001, Event.PARK),
        (WINDOW * 10, Event.PARK),
    ],
)
def test_the_window_is_open_to_its_last_moment_and_not_a_moment_longer(after_seconds: float, event: Event) -> None:
    decision = decide_unknown(Order(), ABILITIES["resend window"], None, POLICY, SENT_AT + after_seconds)
    assert decision.event is event
    if event is Event.PARK:
        assert decision == window_closed()


@pytest.mark.parametrize("absences", [0, 2, 9, 100_000])
@pytest.mark.parametrize("passed", [0.0, 60.0, HOUR, 30 * 86400.0])
def test_absence_proves_nothing_however_often_and_however_long(absences: int, passed: float) -> None:
    order = Order(absences=absences, absent_since=SENT_AT, senders_gone=True)
    decision = decide_unknown(order, ABILITIES["look-up"], SEEN, POLICY, SENT_AT + passed)
    assert decision.event in (Event.SNOOZE, Event.PARK)
    assert decision.attention == (absences >= 2 and passed >= 60)


def test_a_person_is_told_after_three_look_ups_over_a_minute_with_what_was_looked_up_and_when() -> None:
    told = decide_unknown(Order(absences=2, absent_since=SENT_AT), ABILITIES["look-up"], SEEN, POLICY, SENT_AT + 61)
    assert (told.attention, told.code) == (True, Code.NOT_FOUND)
    assert told.reason is not None
    assert "looked up 3 times from 2023-11-14 22:13:20 to 2023-11-14 22:14:21 UTC and not found" in told.reason
    assert told.fix is not None
    assert "fulfil retry ORDER --absent" in told.fix


def test_looking_goes_on_ever_more_slowly_and_ends_after_a_week() -> None:
    waits = []
    for passed in (60.0, 600.0, 6000.0, 86400.0, 8 * 86400.0):
        order = Order(absences=9, absent_since=SENT_AT)
        waits.append(decide_unknown(order, ABILITIES["look-up"], SEEN, POLICY, SENT_AT + passed).due_in_seconds)
    assert waits == [60.0, 300.0, 3000.0, 3600.0, None]


def test_a_persons_word_that_it_does_not_exist_counts_only_when_the_last_look_up_agrees() -> None:
    order = Order(absences=1, absent_since=SENT_AT, absence_told_at=SENT_AT + 5)
    assert decide_unknown(order, ABILITIES["look-up"], SEEN, POLICY, SENT_AT + 9).event is Event.RETRY


@pytest.mark.parametrize(
    ("change", "seen", "event"),
    [
        ({}, SEEN, Event.RETRY),
        ({"senders_gone": False}, SEEN, Event.SNOOZE),
        ({"absent_since": SENT_AT + 1}, SEEN, Event.SNOOZE),
        ({"absences": 1}, SEEN, Event.SNOOZE),
        ({}, Absent("none", clock_offset_seconds=61.0), Event.SNOOZE),
        ({}, Absent("none", clock_offset_seconds=-61.0), Event.SNOOZE),
        ({}, Absent("none"), Event.SNOOZE),
    ],
)
def test_an_account_that_opted_in_makes_anew_only_with_everything_it_asked_for(
    change: dict[str, object], seen: Absent, event: Event
) -> None:
    order = replace(Order(absences=20, absent_since=SENT_AT, senders_gone=True), **change)  # type: ignore[arg-type]
    assert decide_unknown(order, OPTED_IN, seen, POLICY, SENT_AT + HOUR).event is event


def test_a_look_up_under_clocks_that_disagree_is_no_absence_for_an_account_that_opted_in() -> None:
    assert counts_as_absence(SEEN, OPTED_IN)
    assert not counts_as_absence(Absent("none", clock_offset_seconds=7200.0), OPTED_IN)
    assert counts_as_absence(Absent("none", clock_offset_seconds=7200.0), ABILITIES["look-up"])


@given(st.one_of(throttled, not_sent, unknown), orders, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_a_look_up_that_failed_says_nothing_about_the_order(outcome: ReadOutcome, order: Order, now: float) -> None:
    order = replace(order, references=())
    for ability in (ABILITIES["look-up"], ABILITIES["both"], OPTED_IN):
        decision = decide_unknown(order, ability, outcome, POLICY, now)
        assert decision.event is Event.SNOOZE


@given(orders, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_without_a_window_and_without_a_look_up_an_unknown_order_is_parked(order: Order, now: float) -> None:
    decision = decide_unknown(replace(order, references=()), ABILITIES["none"], None, POLICY, now)
    assert (decision.event, decision.code, decision.due_in_seconds) == (Event.PARK, "CANNOT_TELL", None)


@pytest.mark.parametrize("in_doubt", [False, True])
@pytest.mark.parametrize("fate", list(Fate))
@pytest.mark.parametrize("crashes", [1, 2, 3, 7])
def test_only_what_never_left_and_was_never_in_doubt_goes_again_without_being_settled(
    crashes: int, fate: Fate, in_doubt: bool
) -> None:
    decision = lease_ran_out(crashes, fate, in_doubt)
    after = MOVES[State.PLACING, decision.event]
    assert_something_follows(after, decision)
    if fate is Fate.NEVER_LEFT and not in_doubt:
        assert after is (State.QUEUED if crashes < 3 else State.DEAD)
    else:
        assert after is State.UNKNOWN
    assert decision.attention == (crashes >= 3)
