"""Decisions as properties: for every outcome and every history of an order, what must and must not follow."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from worker import retry
from worker.ledger.states import MOVES, Event, State
from worker.outcomes import (
    Absent,
    Accepted,
    Found,
    Money,
    NotSent,
    OrderRecord,
    PlaceOutcome,
    ReadOutcome,
    Refused,
    Throttled,
    Unknown,
)
from worker.retry import (
    ABSENCES_BEFORE_RESEND,
    ABSENT_SECONDS,
    CONFIRM_FLOOR_SECONDS,
    CRASHES_BEFORE_QUARANTINE,
    Ability,
    Decision,
    Policy,
    backoff,
    decide,
    decide_read,
    decide_unknown,
    lease_ran_out,
    window_closed,
)

WINDOW = 22 * 3600.0
SENT_AT = 1_700_000_000.0


@dataclass(frozen=True)
class Order:
    """An order as a decision sees it."""

    spent: int = 1
    holds: int = 0
    in_doubt: bool = False
    references: tuple[str, ...] = ()
    first_sent_at: float = SENT_AT
    absences: int = 0
    absent_since: float | None = None


seconds = st.floats(0, 86400, allow_nan=False)
texts = st.text(max_size=20)
codes = st.sampled_from(["ApiCallLimit", "B_X", "SYSTEM_ERROR"])
ids = st.lists(st.integers(1, 10**16).map(str), max_size=3).map(tuple)
some_ids = ids.filter(bool)
policies = st.builds(
    Policy,
    max_attempts=st.integers(1, 100),
    base_seconds=st.floats(0.1, 600),
    cap_seconds=st.floats(0.1, 3600),
    confirm_delay_seconds=st.floats(10, 3600),
)
orders = st.builds(
    Order,
    spent=st.integers(1, 200),
    holds=st.integers(0, 200),
    in_doubt=st.booleans(),
    references=ids,
    absences=st.integers(0, 10),
    absent_since=st.none() | st.floats(SENT_AT, SENT_AT + WINDOW * 2),
)
throttled = st.builds(Throttled, codes, texts, st.none() | seconds, st.booleans(), st.none() | texts)
refused = st.builds(Refused, codes, texts, texts, st.booleans(), st.booleans(), st.booleans())
not_sent = st.builds(NotSent, texts, st.booleans())
unknown = st.builds(Unknown, texts, st.none() | codes, ids)
accepted = st.builds(Accepted, ids, st.none() | codes, st.none() | texts)
placed: st.SearchStrategy[PlaceOutcome] = st.one_of(accepted, refused, throttled, not_sent, unknown)
records = st.builds(
    OrderRecord,
    reference=st.integers(1).map(str),
    status=texts,
    amount=st.just(Money(Decimal("1.00"), "USD")),
    alert=st.none() | texts.filter(bool),
)
found = st.builds(Found, st.lists(records, min_size=1, max_size=3).map(tuple))
not_found: st.SearchStrategy[ReadOutcome] = st.one_of(st.builds(Absent, texts), throttled, not_sent, unknown)
read: st.SearchStrategy[ReadOutcome] = found | not_found
ABILITIES = {
    "resend window": Ability(can_look_up=False, resend_window_seconds=WINDOW),
    "look-up": Ability(can_look_up=True, resend_window_seconds=None),
    "none": Ability(can_look_up=False, resend_window_seconds=None),
    "both": Ability(can_look_up=True, resend_window_seconds=WINDOW),
}
abilities = st.sampled_from(list(ABILITIES.values()))
POLICY = Policy(8, 2.0, 300.0, 12.0)
USES_NO_ATTEMPT = (Event.SNOOZE,)


@given(placed, orders, policies)
def test_every_decision_on_a_send_is_a_move_the_state_machine_knows(
    outcome: PlaceOutcome, order: Order, policy: Policy
) -> None:
    decision = decide(outcome, order, policy)
    after = MOVES[State.PLACING, decision.event]
    assert_something_follows(after, decision)


def assert_something_follows(after: State, decision: Decision) -> None:
    """Whatever is not final either goes on by itself or asks for a person: nothing is left standing."""
    if after in (State.QUEUED, State.PLACED):
        assert decision.due_in_seconds is not None
    elif after in (State.UNKNOWN, State.UNMATCHED):
        assert decision.due_in_seconds is not None or decision.attention
    else:
        assert decision.due_in_seconds is None
    assert decision.due_in_seconds is None or decision.due_in_seconds >= 0
    if decision.attention:
        assert decision.reason is not None
    if decision.event is Event.PARK:
        assert decision.attention
        assert decision.fix


@given(throttled, orders, policies)
@example(Throttled("ApiCallLimit", "ban", 3.0), Order(spent=10**6, holds=10**6), POLICY)
def test_throttled_never_spends_an_attempt_and_never_ends_an_order(
    outcome: Throttled, order: Order, policy: Policy
) -> None:
    decision = decide(outcome, order, policy)
    assert decision.event in USES_NO_ATTEMPT
    assert MOVES[State.PLACING, decision.event] is State.QUEUED


@given(throttled, orders, policies)
def test_the_wait_a_marketplace_asks_for_is_kept_exactly(outcome: Throttled, order: Order, policy: Policy) -> None:
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


@given(placed, orders, policies)
def test_only_a_reply_that_proves_it_queues_an_order_again(outcome: PlaceOutcome, order: Order, policy: Policy) -> None:
    """Back to queued means: this send surely created nothing."""
    decision = decide(outcome, order, policy)
    if MOVES[State.PLACING, decision.event] is State.QUEUED:
        assert isinstance(outcome, Throttled | NotSent | Refused)
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
    waits = [decide_read(Absent("not synced"), Order(holds=holds), POLICY) for holds in range(9)]
    assert [w.due_in_seconds for w in waits] == [10, 20, 40, 80, 160, 900, 900, 900, 900]
    assert [w.attention for w in waits] == [False] * 5 + [True] * 4


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


@given(st.integers(1, 50))
def test_an_order_that_keeps_killing_its_workers_is_set_aside(crashes: int) -> None:
    decision = lease_ran_out(crashes)
    assert MOVES[State.PLACING, decision.event] is State.UNKNOWN
    assert (decision.event is Event.PARK) == (crashes >= CRASHES_BEFORE_QUARANTINE == 3)
    assert_something_follows(State.UNKNOWN, decision)
