"""The state machine: the moves there are, and that nothing else moves an order."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, String

from worker.rules import states
from worker.rules.states import FINAL, MOVES, Event, IllegalMoveError, State, advance

ANY_STATE, ANY_EVENT = st.sampled_from(State), st.sampled_from(Event)

BY_A_PERSON = {Event.RETRY, Event.CANCEL}
"""What may move an order out of a final state: our own rules never do."""


@given(ANY_STATE, ANY_EVENT)
def test_an_order_moves_as_the_table_says_or_not_at_all(state: State, event: Event) -> None:
    if (state, event) in MOVES:
        assert advance(state, event) is MOVES[state, event]
    else:
        with pytest.raises(IllegalMoveError, match=f"no move {event} from {state}"):
            advance(state, event)


@given(st.lists(ANY_EVENT, max_size=30))
@settings(max_examples=300)
def test_whatever_happens_an_order_stays_in_a_known_state(happened: list[Event]) -> None:
    state, was_placed = State.QUEUED, False
    for event in happened:
        before = state
        try:
            state = advance(state, event)
        except IllegalMoveError:
            assert state is before
            continue
        was_placed |= state in (State.PLACED, State.UNMATCHED)
        placed = before in (State.PLACED, State.CONFIRMED)
        assert state is not State.CONFIRMED or placed, "confirmed only after it was placed"
        if was_placed:
            assert state in (State.PLACED, State.UNMATCHED, State.CONFIRMED), "what exists is never queued again"


@given(st.sampled_from(sorted(FINAL)), ANY_EVENT)
def test_only_a_person_or_a_late_id_moves_an_order_out_of_a_final_state(state: State, event: Event) -> None:
    if (state, event) in MOVES and event is not Event.CLOSE:
        assert event is Event.ACCEPT or (event in BY_A_PERSON and state in (State.REFUSED, State.DEAD))


def test_an_id_that_comes_late_shows_that_the_order_exists_whatever_we_had_said() -> None:
    for state in (State.REFUSED, State.DEAD, State.CANCELLED):
        assert advance(state, Event.ACCEPT) is State.PLACED


def test_confirmed_is_the_end() -> None:
    assert [event for event in Event if (State.CONFIRMED, event) in MOVES] == [Event.CLOSE]


def test_closing_leaves_an_order_where_it_stands() -> None:
    closed = {before: after for (before, event), after in MOVES.items() if event is Event.CLOSE}
    assert all(before is after for before, after in closed.items())
    assert closed.keys() == set(State) - {State.QUEUED, State.PLACING, State.CANCELLED}


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached(state: State) -> None:
    reached = {State.QUEUED}
    for _ in State:
        reached |= {after for (before, _), after in MOVES.items() if before in reached}
    assert state in reached


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_from_every_state_that_is_not_final_there_is_a_way_to_the_end(state: State) -> None:
    reached = {state}
    for _ in State:
        reached |= {after for (before, _), after in MOVES.items() if before in reached}
    assert reached & FINAL


def test_only_a_claim_leads_to_placing_and_only_from_queued() -> None:
    assert [move for move, after in MOVES.items() if after is State.PLACING] == [(State.QUEUED, Event.CLAIM)]


def _into(state: State) -> list[tuple[State, Event]]:
    return [(before, event) for (before, event), after in MOVES.items() if after is state and before is not state]


def test_only_reading_back_confirms() -> None:
    assert _into(State.CONFIRMED) == [(State.PLACED, Event.CONFIRM)]


def test_only_a_definite_no_to_a_send_refuses() -> None:
    assert _into(State.REFUSED) == [(State.PLACING, Event.REFUSE)]


def test_what_may_exist_at_the_marketplace_cannot_be_cancelled() -> None:
    cancelled = {before for (before, event) in MOVES if event is Event.CANCEL}
    assert cancelled == {State.QUEUED, State.REFUSED, State.DEAD}


@pytest.mark.parametrize("kind", [State, Event])
def test_every_state_and_event_says_what_it_means(kind: type[State | Event]) -> None:
    lines = inspect.getsource(kind).splitlines()
    for member in kind:
        at = next(number for number, line in enumerate(lines) if line.strip().startswith(f"{member.name} ="))
        assert lines[at + 1].strip().startswith('"""'), f"{kind.__name__}.{member.name} has no docstring"


def test_every_event_is_used() -> None:
    assert {event for _, event in MOVES} == set(Event)


def test_the_names_fit_the_columns_they_are_kept_in() -> None:
    from worker.ledger.tables import events, orders

    def room(column: Column[Any]) -> int:
        assert isinstance(column.type, String)
        assert column.type.length
        return column.type.length

    assert max(map(len, State)) <= room(orders.c.state) == room(events.c.to_state)
    assert max(map(len, Event)) <= room(events.c.event)
    assert states.__doc__
