"""The guards of settling an unknown order, each at its edge, and when a doubt ends: too soon may cost a second order.

Each guard is named with the mutation under which its test fails: a guard nobody misses is soon gone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.retry_kit import ABILITIES, POLICY, SENT_AT, WINDOW, Order, abilities, histories, moments, orders, read
from worker.rules.codes import Code
from worker.rules.history import Cause, History, after
from worker.rules.outcomes import Absent, Declined, Found, NotSent, OrderRecord, ReadOutcome, Unknown
from worker.rules.reconcile import (
    LOOK_UPS_BEFORE_ATTENTION,
    OPTED_IN_LOOK_UP_SECONDS,
    Ability,
    counts_as_absence,
    decide_unknown,
    foreign_look_up,
)
from worker.rules.states import Event, State

HOUR = 3600.0
OPTED_IN = Ability(can_look_up=True, resend_window_seconds=None, recreate_after_seconds=HOUR)
SEEN = Absent("none", clock_offset_seconds=0.4)
FOUND = Found((OrderRecord("8198352049850001", "PLACED"),))
FAILED: list[ReadOutcome] = [NotSent("no connection"), Unknown("not a list"), Declined("L", "slow", 30.0)]
MADE_ANEW = Order(absences=20, absent_since=SENT_AT, senders_gone=True)


@given(st.floats(-WINDOW, 3 * WINDOW), st.integers(1, 200), st.integers(0, 200), st.booleans())
def test_a_window_is_counted_from_the_first_send_and_from_nothing_else(
    after_seconds: float, spent: int, snoozes: int, in_doubt: bool
) -> None:
    """Mutations: `>` for `>=`; the window counted from the last send, or stretched by what was tried."""
    order, now = Order(spent=spent, snoozes=snoozes, in_doubt=in_doubt), SENT_AT + after_seconds
    decision = decide_unknown(order, ABILITIES["resend window"], None, POLICY, now)
    assert decision.event is (Event.RETRY if now < SENT_AT + WINDOW else Event.PARK)


@pytest.mark.parametrize("told_at", [None, SENT_AT + 5])
def test_a_persons_word_opens_no_window_that_has_closed(told_at: float | None) -> None:
    order = Order(absence_told_at=told_at)
    decision = decide_unknown(order, ABILITIES["resend window"], None, POLICY, SENT_AT + WINDOW)
    assert (decision.event, decision.code) == (Event.PARK, Code.WINDOW_CLOSED)


@pytest.mark.parametrize("seen", FAILED, ids=lambda seen: type(seen).__name__)
def test_a_persons_word_does_not_stand_for_the_look_up_that_failed(seen: ReadOutcome) -> None:
    """Mutation: `absence_told_at` is asked before what the look-up came to."""
    order = replace(MADE_ANEW, absence_told_at=SENT_AT + 5)
    for ability in (ABILITIES["look-up"], ABILITIES["both"], OPTED_IN):
        assert decide_unknown(order, ability, seen, POLICY, SENT_AT + HOUR).event is Event.SNOOZE


@pytest.mark.parametrize("ability", ["look-up", "both", "resend window", "none"])
def test_what_is_found_is_placed_whatever_a_person_said(ability: str) -> None:
    order = replace(MADE_ANEW, absence_told_at=SENT_AT + 5)
    assert decide_unknown(order, ABILITIES[ability], FOUND, POLICY, SENT_AT + HOUR).event is Event.ACCEPT
    known = replace(order, references=("8198352049850001",))
    assert decide_unknown(known, ABILITIES[ability], SEEN, POLICY, SENT_AT + HOUR).event is Event.ACCEPT


@pytest.mark.parametrize(
    ("change", "seen", "passed", "event"),
    [
        ({}, SEEN, HOUR, Event.RETRY),
        ({}, SEEN, HOUR - 0.001, Event.SNOOZE),
        ({"absent_since": None}, SEEN, 30 * 86400.0, Event.SNOOZE),
        ({"absences": 2}, SEEN, HOUR, Event.RETRY),
        ({"absences": 1}, SEEN, HOUR, Event.SNOOZE),
        ({}, Absent("none", clock_offset_seconds=60.0), HOUR, Event.RETRY),
        ({}, Absent("none", clock_offset_seconds=-60.0), HOUR, Event.RETRY),
        ({}, Absent("none", clock_offset_seconds=60.001), HOUR, Event.SNOOZE),
        ({}, Absent("none", clock_offset_seconds=-60.001), HOUR, Event.SNOOZE),
    ],
)
def test_an_account_that_opted_in_gets_each_thing_it_asked_for_to_its_edge(
    change: dict[str, object], seen: Absent, passed: float, event: Event
) -> None:
    """Mutations of `may_be_made_anew`: each condition taken away, or off by one; `_clocks_agree` without `abs`."""
    order = replace(MADE_ANEW, **change)  # type: ignore[arg-type]
    assert decide_unknown(order, OPTED_IN, seen, POLICY, SENT_AT + passed).event is event


def test_who_opted_in_is_looked_up_often_enough_for_its_whole_time() -> None:
    """Mutation of `_absent`: the longest wait of those that did not opt in; the time would have gaps."""
    for ability, longest in ((OPTED_IN, OPTED_IN_LOOK_UP_SECONDS), (ABILITIES["look-up"], HOUR)):
        waiting = replace(MADE_ANEW, senders_gone=False)
        assert decide_unknown(waiting, ability, SEEN, POLICY, SENT_AT + 86400.0).due_in_seconds == longest


@pytest.mark.parametrize(
    ("snoozes", "told"), [(LOOK_UPS_BEFORE_ATTENTION - 1, False), (LOOK_UPS_BEFORE_ATTENTION, True)]
)
@pytest.mark.parametrize("seen", FAILED[:2], ids=lambda seen: type(seen).__name__)
def test_a_person_is_told_of_look_ups_that_keep_failing(seen: ReadOutcome, snoozes: int, told: bool) -> None:
    decision = decide_unknown(Order(snoozes=snoozes), ABILITIES["look-up"], seen, POLICY, SENT_AT + HOUR)
    assert (decision.event, decision.code, decision.attention) == (Event.SNOOZE, Code.LOOK_UP_FAILED, told)
    assert decision.due_in_seconds is not None, "looking goes on"


def test_a_look_up_that_found_another_orders_id_settles_nothing() -> None:
    decision = foreign_look_up("8198352049850001", "SO-2", Order())
    assert (decision.event, decision.code, decision.attention) == (Event.SNOOZE, Code.FOREIGN_ID, True)
    assert decision.due_in_seconds is not None
    assert "SO-2" in (decision.reason or "")


def settled(history: History, order: Order, ability: Ability, seen: ReadOutcome | None, now: float) -> History:
    """Return an unknown order's history after it was settled once, as the ledger writes it."""
    decision = decide_unknown(order, ability, seen, POLICY, now)
    cause = Cause.READ
    if isinstance(seen, Absent):
        cause = Cause.ABSENCE if counts_as_absence(seen, ability) else Cause.ABSENCE_UNDER_DOUBT
    return after(history, State.UNKNOWN, decision.event, cause, now)


@given(histories, orders, abilities, st.none() | read, moments)
def test_a_doubt_ends_when_the_order_is_found_or_is_made_anew_and_not_when_it_is_sent_again_under_its_key(
    history: History, order: Order, ability: Ability, seen: ReadOutcome | None, now: float
) -> None:
    """Mutation of `history._read`: every RETRY ends the doubt, also the one inside a resend window."""
    if not ability.can_look_up and isinstance(seen, Absent):
        seen = None  # nobody looks up there
    event = decide_unknown(order, ability, seen, POLICY, now).event
    ends = event is Event.ACCEPT or (event is Event.RETRY and isinstance(seen, Absent))
    assert settled(history._replace(in_doubt=True), order, ability, seen, now).in_doubt == (not ends)


@given(histories, orders, st.sampled_from(FAILED), moments)
def test_a_look_up_that_failed_leaves_the_doubt_and_the_absences_as_they_were(
    history: History, order: Order, seen: ReadOutcome, now: float
) -> None:
    order = replace(order, references=())
    for ability in (ABILITIES["look-up"], ABILITIES["both"], OPTED_IN):
        became = settled(history, order, ability, seen, now)
        assert became == history._replace(snoozes=history.snoozes + 1)


@pytest.mark.parametrize("seen", [None, FOUND, *FAILED], ids=lambda seen: type(seen).__name__)
def test_only_an_order_that_was_looked_for_in_vain_is_absent(seen: ReadOutcome | None) -> None:
    """Mutation of `counts_as_absence`: without its look at `Absent`."""
    assert not counts_as_absence(seen, ABILITIES["look-up"])
    assert not counts_as_absence(seen, OPTED_IN)
