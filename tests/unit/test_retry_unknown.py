"""Decisions on an order whose outcome is unknown, as properties: when it is sent again, and when it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from retry_kit import (
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

from worker.ledger.states import MOVES, Event, State
from worker.outcomes import Absent, Found, ReadOutcome
from worker.retry import (
    ABSENCES_BEFORE_RESEND,
    ABSENT_SECONDS,
    Ability,
    Policy,
    decide_unknown,
    window_closed,
)


@given(orders, abilities, st.none() | read, policies, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_every_decision_on_an_unknown_order_is_a_move_the_state_machine_knows(
    order: Order, ability: Ability, seen: ReadOutcome | None, policy: Policy, now: float
) -> None:
    decision = decide_unknown(order, ability, seen, policy, now)
    assert_something_follows(MOVES[State.UNKNOWN, decision.event], decision)


@given(orders, abilities, st.none() | read, policies, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_an_unknown_order_is_sent_again_only_where_that_is_safe(
    order: Order, ability: Ability, seen: ReadOutcome | None, policy: Policy, now: float
) -> None:
    decision = decide_unknown(order, ability, seen, policy, now)
    if decision.event is not Event.RETRY:
        return
    assert not order.references
    assert not isinstance(seen, Found)
    inside = ability.resend_window_seconds is not None and now < SENT_AT + ability.resend_window_seconds
    absent = isinstance(seen, Absent) and order.absent_since is not None
    if ability.can_look_up and seen is not None:
        assert absent
        assert order.absent_since is not None
        assert order.absences + 1 >= ABSENCES_BEFORE_RESEND == 3
        assert now - order.absent_since >= ABSENT_SECONDS == 60
    else:
        assert inside


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


@pytest.mark.parametrize(
    ("absences", "since", "event"),
    [
        (0, None, Event.SNOOZE),
        (1, SENT_AT, Event.SNOOZE),
        (2, SENT_AT + 40.001, Event.SNOOZE),
        (2, SENT_AT + 40, Event.RETRY),
        (9, SENT_AT + 99, Event.SNOOZE),
        (9, None, Event.SNOOZE),
    ],
)
def test_absent_is_believed_after_three_look_ups_over_a_minute(
    absences: int, since: float | None, event: Event
) -> None:
    order = Order(absences=absences, absent_since=since)
    decision = decide_unknown(order, ABILITIES["look-up"], Absent("none"), POLICY, SENT_AT + 100)
    assert decision.event is event


@given(st.one_of(throttled, not_sent, unknown), orders, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_a_look_up_that_failed_says_nothing_about_the_order(outcome: ReadOutcome, order: Order, now: float) -> None:
    order = replace(order, references=())
    for ability in (ABILITIES["look-up"], ABILITIES["both"]):
        decision = decide_unknown(order, ability, outcome, POLICY, now)
        assert decision.event is Event.SNOOZE


@given(orders, st.floats(SENT_AT, SENT_AT + 3 * WINDOW))
def test_without_a_window_and_without_a_look_up_an_unknown_order_is_parked(order: Order, now: float) -> None:
    decision = decide_unknown(replace(order, references=()), ABILITIES["none"], None, POLICY, now)
    assert (decision.event, decision.code, decision.due_in_seconds) == (Event.PARK, "CANNOT_TELL", None)
