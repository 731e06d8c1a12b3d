"""A supplier order's second life: stages, payment deadline, and when it is read next."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.follow import (
    AFTER_DEADLINE_SECONDS,
    DAY,
    EVERY_SECONDS,
    HOUR,
    JITTER,
    Followed,
    LifeEvent,
    Whole,
    begin,
    first_read,
    made_at,
    next_read,
    read,
    whole,
)
from worker.rules.life import OVER, PAID, Life, Stage

BORN = 1_790_000_000.0
stages = st.sampled_from(Stage)
lives = st.builds(
    Life,
    stage=st.none() | stages,
    paid=st.none() | st.booleans(),
    pay_timeout_seconds=st.none() | st.integers(0, 2_000_000),
    end_reason=st.none() | st.just("CANCELED"),
)


def unpaid(timeout: int | None = 86_400, at: float = BORN) -> Followed:
    order, _ = begin("SO-1", "81", "PLACE_ORDER_SUCCESS", Life(Stage.AWAITING_PAYMENT, False, timeout), at, at)
    return order


def test_a_life_that_begins_unpaid_is_no_news_but_its_deadline_is() -> None:
    _, notes = begin("SO-1", "81", "PLACE_ORDER_SUCCESS", Life(Stage.AWAITING_PAYMENT, False, 60), BORN, BORN)
    assert [note.event for note in notes] == [LifeEvent.DEADLINE]


def test_the_deadline_counts_from_our_create_whatever_was_read_when() -> None:
    order, _ = begin("SO-1", "81", "x", Life(Stage.AWAITING_PAYMENT, False, 3600), BORN, BORN + 900)
    assert order.deadline_at == BORN + 3600


@pytest.mark.parametrize("timeout", [None, 0])
def test_no_deadline_is_made_up(timeout: int | None) -> None:
    assert unpaid(timeout).deadline_at is None


def test_what_is_shipped_unpaid_is_not_called_paid() -> None:
    after, notes = read(unpaid(), "shipped", Life(Stage.SHIPPED, False), BORN + 60)
    assert (after.paid, LifeEvent.PAID in {note.event for note in notes}) == (False, False)


def test_a_word_nobody_documented_moves_nothing_and_is_shown() -> None:
    after, notes = read(unpaid(), "BRAND_NEW_STATE", Life(), BORN + 60)
    assert (after.stage, after.status, notes) == (Stage.AWAITING_PAYMENT, "BRAND_NEW_STATE", ())


def test_a_life_that_begins_with_an_unknown_word_is_unclear() -> None:
    order, notes = begin("SO-1", "81", "BRAND_NEW_STATE", Life(), BORN, BORN)
    assert (order.stage, order.paid, notes) == (Stage.UNCLEAR, None, ())


@given(lives, st.lists(lives, max_size=6))
def test_what_was_paid_stays_paid_and_only_the_marketplace_closes(first: Life, later: list[Life]) -> None:
    order, _ = begin("SO-1", "81", "x", first, BORN, BORN)
    for number, life in enumerate(later):
        before = order
        order, notes = read(before, "x", life, BORN + 60 * number)
        assert not before.paid or order.paid
        assert order.is_over == ((life.stage or before.stage) in OVER)
        told_paid = any(note.event is LifeEvent.PAID for note in notes)
        assert told_paid == (bool(order.paid) and not before.paid)
        assert not told_paid or life.paid or (life.paid is None and order.stage in PAID), "the marketplace's word"


@given(lives, lives, st.floats(0, 30 * DAY))
def test_every_move_of_the_stage_is_an_event(first: Life, then: Life, later: float) -> None:
    before, _ = begin("SO-1", "81", "x", first, BORN, BORN)
    after, notes = read(before, "x", then, BORN + later)
    began = (before.stage, after.stage) == (Stage.UNCLEAR, Stage.AWAITING_PAYMENT)
    moved = after.stage is not before.stage and not began
    told = {note.event for note in notes} - {LifeEvent.PAID, LifeEvent.DEADLINE}
    again = after.stage is Stage.AWAITING_PAYMENT
    assert told == ({LifeEvent.UNPAID_AGAIN if again else LifeEvent(after.stage.value)} if moved else set())


def test_an_unpaid_order_is_read_at_half_at_four_fifths_and_at_its_deadline() -> None:
    order = unpaid(100_000)
    moments = []
    now: float | None = BORN
    for _ in range(3):
        assert now is not None
        now = next_read(order, now)
        moments.append(now)
    assert moments == [BORN + 50_000, BORN + 80_000, BORN + 100_000]


def test_after_its_deadline_it_is_read_until_the_end_is_seen() -> None:
    order, now, waits = unpaid(3600), BORN + 3600, []
    for _ in range(7):
        order, _ = read(order, "PLACE_ORDER_SUCCESS", Life(Stage.AWAITING_PAYMENT, False, 3600), now)
        due = next_read(order, now)
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits == [*AFTER_DEADLINE_SECONDS, AFTER_DEADLINE_SECONDS[-1], AFTER_DEADLINE_SECONDS[-1]]
    closed, _ = read(order, "IN_CANCEL", Life(Stage.CLOSED), now)
    assert next_read(closed, now) is None


@pytest.mark.parametrize("stage", sorted(set(EVERY_SECONDS) - {Stage.AWAITING_PAYMENT}))
def test_each_other_stage_is_read_at_its_own_pace(stage: Stage) -> None:
    order, _ = begin("SO-1", "81", "x", Life(stage), BORN, BORN)
    chance = random.Random(4)
    for _ in range(50):
        due = next_read(order, BORN, chance)
        assert due is not None
        assert abs(due - BORN - EVERY_SECONDS[stage]) <= EVERY_SECONDS[stage] * JITTER + 1


def test_what_an_alarm_stands_of_is_read_every_six_hours() -> None:
    order, _ = begin("SO-1", "81", "x", Life(Stage.SHIPPED), BORN, BORN)
    suspicious = Followed(**{**{name: getattr(order, name) for name in order.__slots__}, "alarms": ("PARCEL_STILL",)})
    due = next_read(suspicious, BORN)
    assert due is not None
    assert due - BORN <= 6 * HOUR * (1 + JITTER)


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([(Stage.AWAITING_PAYMENT, False)], Whole.UNPAID),
        ([(Stage.AWAITING_PAYMENT, False), (Stage.AWAITING_SHIPMENT, True)], Whole.PARTLY_PAID),
        ([(Stage.AWAITING_SHIPMENT, True), (Stage.AWAITING_SHIPMENT, True)], Whole.PAID),
        ([(Stage.SHIPPED, True), (Stage.AWAITING_SHIPMENT, True)], Whole.PARTLY_SHIPPED),
        ([(Stage.SHIPPED, True), (Stage.DELIVERED, True)], Whole.PARTLY_DELIVERED),
        ([(Stage.SHIPPED, True), (Stage.SHIPPED, True)], Whole.SHIPPED),
        ([(Stage.DELIVERED, True), (Stage.DELIVERED, True)], Whole.DELIVERED),
        ([(Stage.DELIVERED, True), (Stage.CLOSED, True)], Whole.PARTLY_CLOSED),
        ([(Stage.CLOSED, False), (Stage.CLOSED, False)], Whole.CLOSED),
        ([(Stage.UNCLEAR, None)], Whole.UNCLEAR),
        ([], Whole.UNCLEAR),
    ],
)
def test_an_order_is_what_all_of_its_supplier_orders_are(parts: list[tuple[Stage, bool | None]], word: Whole) -> None:
    assert whole(parts) is word


@pytest.mark.parametrize("stage", [Stage.PARTLY_SHIPPED, Stage.SHIPPED, Stage.DELIVERED, Stage.DISPUTED])
def test_what_is_on_its_way_when_it_is_confirmed_is_read_at_once_for_its_parcels(stage: Stage) -> None:
    order, _ = begin("SO-1", "81", "x", Life(stage, True), BORN, BORN + 10)
    assert first_read(order, BORN + 10) == BORN + 10


@pytest.mark.parametrize(
    "stage", sorted(set(Stage) - {Stage.PARTLY_SHIPPED, Stage.SHIPPED, Stage.DELIVERED, Stage.DISPUTED})
)
def test_anything_else_is_read_first_as_it_is_read_later(stage: Stage) -> None:
    order, _ = begin("SO-1", "81", "x", Life(stage, False, 3600), BORN, BORN)
    assert first_read(order, BORN, random.Random(1)) == next_read(order, BORN, random.Random(1))


@pytest.mark.parametrize(
    ("first_sent_at", "accepted_at", "since"),
    [
        (BORN, BORN + 2, BORN + 2),
        (BORN, BORN + 3 * HOUR, BORN),
        (None, BORN, BORN),
        (BORN, None, None),
    ],
    ids=["answered", "its answer was lost", "somebody told its id", "never accepted"],
)
def test_a_deadline_is_never_told_later_because_an_answer_was_lost(
    first_sent_at: float | None, accepted_at: float | None, since: float | None
) -> None:
    assert made_at(first_sent_at, accepted_at) == since
