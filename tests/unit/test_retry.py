"""Decisions as properties: for every outcome and every history of an order, what must and must not follow."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.retry_kit import (
    POLICY,
    SENT_AT,
    WINDOW,
    Order,
    accepted,
    assert_something_follows,
    found,
    orders,
    placed,
    policies,
    read,
    refused,
    throttled,
    unknown,
)
from worker.rules import place as retry
from worker.rules.confirm import decide_read
from worker.rules.decision import CONFIRM_FLOOR_SECONDS, Policy, backoff
from worker.rules.outcomes import (
    Absent,
    Accepted,
    Declined,
    Found,
    NotSent,
    PlaceOutcome,
    ReadOutcome,
    Refused,
    Unknown,
)
from worker.rules.place import CRASHES_BEFORE_QUARANTINE, decide, lease_ran_out, may_send_until
from worker.rules.states import MOVES, Event, State

USES_NO_ATTEMPT = (Event.SNOOZE,)


@given(placed, orders, policies)
def test_every_decision_on_a_send_is_a_move_the_state_machine_knows(
    outcome: PlaceOutcome, order: Order, policy: Policy
) -> None:
    decision = decide(outcome, order, policy)
    after = MOVES[State.PLACING, decision.event]
    assert_something_follows(after, decision)


@given(throttled, orders, policies)
@example(Declined("ApiCallLimit", "ban", 3.0), Order(spent=10**6, snoozes=10**6), POLICY)
def test_throttled_never_spends_an_attempt_and_never_ends_an_order(
    outcome: Declined, order: Order, policy: Policy
) -> None:
    decision = decide(outcome, order, policy)
    assert decision.event in USES_NO_ATTEMPT
    assert MOVES[State.PLACING, decision.event] is State.QUEUED


@given(throttled, orders, policies)
def test_the_wait_a_marketplace_asks_for_is_kept_exactly(outcome: Declined, order: Order, policy: Policy) -> None:
    decision = decide(outcome, order, policy)
    if outcome.retry_after_seconds is not None:
        assert decision.due_in_seconds == outcome.retry_after_seconds
    assert (decision.pause is not None) == outcome.pauses_account
    if decision.pause is not None:
        assert decision.pause.seconds == decision.due_in_seconds


@given(orders, policies, st.booleans())
def test_what_never_arrived_ends_dead_when_its_attempts_are_used_up_and_never_in_doubt(
    order: Order, policy: Policy, counted: bool
) -> None:
    decision = decide(NotSent("no connection", counted), order, policy)
    if not counted:
        assert (decision.event, decision.due_in_seconds) == (Event.SNOOZE, 0.0)
    elif order.spent < policy.max_attempts:
        assert decision.event is Event.RETRY
    elif order.in_doubt:
        assert decision.event is Event.PARK
    else:
        assert decision.event is Event.EXHAUST


@given(policies, st.booleans())
def test_an_order_that_never_arrives_comes_to_an_end(policy: Policy, in_doubt: bool) -> None:
    for spent in range(1, policy.max_attempts + 1):
        decision = decide(NotSent("down"), Order(spent=spent, in_doubt=in_doubt), policy)
        assert (decision.event is Event.RETRY) == (spent < policy.max_attempts)
    assert decision.event is (Event.PARK if in_doubt else Event.EXHAUST)


@given(unknown, orders, policies)
def test_an_unknown_outcome_never_leads_to_a_blind_second_send(outcome: Unknown, order: Order, policy: Policy) -> None:
    decision = decide(outcome, order, policy)
    assert MOVES[State.PLACING, decision.event] in (State.UNKNOWN, State.PLACED)
    assert (decision.event is Event.ACCEPT) == bool(outcome.references)


@given(st.integers(0, 300), st.sampled_from(["SYSTEM_ERROR", "9999", "isp.anything", "NO_CODE", "HTTP_422"]), policies)
def test_a_marketplace_that_keeps_answering_what_nobody_documents_is_told_and_asked_slowly(
    snoozes: int, code: str, policy: Policy
) -> None:
    decision = decide(Unknown("System busy", code), Order(snoozes=snoozes), policy)
    told = snoozes >= retry.UNKNOWNS_BEFORE_ATTENTION
    assert (decision.event, decision.attention, decision.code) == (Event.LOSE, told, code)
    assert decision.reason == "System busy"
    assert decision.due_in_seconds is not None, "it goes on"
    if told:
        assert decision.due_in_seconds >= policy.cap_seconds / 10
        assert "fulfil show ORDER" in (decision.fix or "")
        assert "fulfil adopt ORDER --reference ID" in (decision.fix or "")


@pytest.mark.parametrize("outcome", [Unknown("cut"), Unknown("HTTP 503", "HTTP_503"), Unknown("garbage", "HTTP_200")])
def test_answers_that_are_lost_for_long_are_no_person_s_matter(outcome: Unknown) -> None:
    assert not decide(outcome, Order(snoozes=300), POLICY).attention


@given(placed, orders, policies)
def test_only_a_reply_that_proves_it_queues_an_order_again(outcome: PlaceOutcome, order: Order, policy: Policy) -> None:
    """Back to queued means: this send surely created nothing."""
    decision = decide(outcome, order, policy)
    if MOVES[State.PLACING, decision.event] is State.QUEUED:
        assert isinstance(outcome, Declined | NotSent | Refused)
        assert not isinstance(outcome, Refused) or outcome.retryable


@given(refused, orders, policies)
def test_a_refusal_in_doubt_is_parked_unless_the_content_earned_it(
    outcome: Refused, order: Order, policy: Policy
) -> None:
    decision = decide(outcome, order, policy)
    if decision.event is Event.RETRY:
        assert outcome.retryable
        assert order.spent <= retry.RETRYABLE_REFUSALS
    elif order.in_doubt and not outcome.from_body:
        assert decision.event is Event.PARK
    else:
        assert decision.event is Event.REFUSE
        assert (decision.code, decision.reason, decision.fix) == (outcome.code, outcome.reason, outcome.fix)


@given(refused, orders, policies)
def test_a_refusal_that_concerns_the_account_holds_it_until_a_person_acts(
    outcome: Refused, order: Order, policy: Policy
) -> None:
    decision = decide(outcome, order, policy)
    if decision.event is not Event.RETRY:
        assert (decision.pause is not None) == outcome.stops_account
        assert decision.pause is None or decision.pause.seconds is None


@given(refused, policies)
def test_a_refusal_that_may_pass_is_believed_in_the_end(outcome: Refused, policy: Policy) -> None:
    decision = decide(outcome, Order(spent=retry.RETRYABLE_REFUSALS + 1), policy)
    assert decision.event is Event.REFUSE


@given(placed, orders, policies)
def test_no_order_is_read_back_sooner_than_ten_seconds_after_its_create(
    outcome: PlaceOutcome, order: Order, policy: Policy
) -> None:
    for decision in (decide(outcome, order, policy), decide(outcome, order, policy).with_known_references()):
        if decision.event is Event.ACCEPT:
            assert decision.due_in_seconds is not None
            assert decision.due_in_seconds >= CONFIRM_FLOOR_SECONDS == 10


@given(accepted, orders, policies)
def test_accepted_is_placed_with_ids_and_unmatched_without(outcome: Accepted, order: Order, policy: Policy) -> None:
    decision = decide(outcome, order, policy)
    if outcome.references:
        assert (decision.event, decision.due_in_seconds) == (Event.ACCEPT, policy.confirm_delay_seconds)
    else:
        assert decision.event is Event.ACCEPT_BLIND
        assert "fulfil adopt" in (decision.fix or "")


@given(placed, orders, policies)
def test_an_order_whose_ids_are_known_is_placed_whatever_its_last_send_came_to(
    outcome: PlaceOutcome, order: Order, policy: Policy
) -> None:
    decision = decide(outcome, order, policy).with_known_references()
    assert MOVES[State.PLACING, decision.event] is State.PLACED
    assert not decision.attention


@given(st.integers(1, 10**6), policies, st.integers())
def test_backoff_lies_above_zero_and_never_above_its_cap(step: int, policy: Policy, seed: int) -> None:
    wait = backoff(step, policy, random.Random(seed))
    assert 0 < wait <= policy.cap_seconds
    assert wait <= policy.base_seconds * 2.0 ** min(step - 1, 30)


@given(policies, st.integers(1, 40))
def test_the_bound_of_the_backoff_doubles_until_its_cap(policy: Policy, step: int) -> None:
    class Highest(random.Random):
        def uniform(self, low: float, high: float) -> float:
            return high

    bounds = [backoff(step + more, policy, Highest()) for more in (0, 1)]
    assert bounds[1] == pytest.approx(min(bounds[0] * 2, policy.cap_seconds))


def test_backoff_is_jittered_over_its_whole_width() -> None:
    chance = random.Random(1)
    waits = [backoff(5, POLICY, chance) for _ in range(2000)]
    bound = 32.0
    assert min(waits) < bound * 0.15
    assert max(waits) > bound * 0.95
    assert sum(w < bound * 0.55 for w in waits) == pytest.approx(1000, abs=120)


@given(placed, orders, policies, st.integers())
def test_a_decision_depends_on_nothing_but_what_it_is_given(
    outcome: PlaceOutcome, order: Order, policy: Policy, seed: int
) -> None:
    first, second = (decide(outcome, order, policy, random.Random(seed)) for _ in range(2))
    assert first == second


@given(read, orders, policies)
def test_reading_back_never_fails_an_order(outcome: ReadOutcome, order: Order, policy: Policy) -> None:
    decision = decide_read(outcome, order, policy)
    after = MOVES[State.PLACED, decision.event]
    assert after in (State.PLACED, State.CONFIRMED)
    assert (after is State.CONFIRMED) == isinstance(outcome, Found)
    assert_something_follows(after, decision)


@given(found, orders, policies)
def test_a_record_that_should_worry_somebody_is_confirmed_and_shown_to_a_person(
    outcome: Found, order: Order, policy: Policy
) -> None:
    decision = decide_read(outcome, order, policy)
    assert decision.attention == any(record.alert for record in outcome.records)


def test_reading_back_waits_ten_seconds_then_longer_then_a_quarter_of_an_hour_for_ever() -> None:
    waits = [decide_read(Absent("not synced"), Order(snoozes=snoozes), POLICY) for snoozes in range(9)]
    assert [w.due_in_seconds for w in waits] == [10, 20, 40, 80, 160, 900, 900, 900, 900]
    assert [w.attention for w in waits] == [False] * 5 + [True] * 4


times = st.floats(SENT_AT, SENT_AT + 10 * WINDOW)


@given(times, times, st.floats(0, 300), st.none() | st.floats(1, 2 * WINDOW))
def test_a_request_leaves_only_while_its_answer_can_come_within_the_lease_and_its_key_is_safe(
    lease_until: float, first_sent_at: float, answer_seconds: float, window: float | None
) -> None:
    """Mutations of `may_send_until`: without the window; without the answer's time; `max` for `min`."""
    claim = SimpleNamespace(lease_until=lease_until, first_sent_at=first_sent_at)
    until = may_send_until(claim, answer_seconds, window)
    assert until <= lease_until - answer_seconds
    assert window is None or until <= first_sent_at + window
    assert until == lease_until - answer_seconds or (window is not None and until == first_sent_at + window)


@given(st.integers(1, 50))
def test_an_order_that_keeps_killing_its_workers_is_set_aside(crashes: int) -> None:
    decision = lease_ran_out(crashes)
    assert MOVES[State.PLACING, decision.event] is State.UNKNOWN
    assert (decision.event is Event.PARK) == (crashes >= CRASHES_BEFORE_QUARANTINE == 3)
    assert_something_follows(State.UNKNOWN, decision)
