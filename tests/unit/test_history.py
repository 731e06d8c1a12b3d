"""What is counted of an order: laws that hold for every move, whatever made it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.retry_kit import histories, moments
from worker.rules.history import Cause, History, after
from worker.rules.states import MOVES, Event, State

SENDS = {
    Cause.ANSWER: [event for state, event in MOVES if state is State.PLACING],
    Cause.LOST: [Event.LOSE, Event.PARK, Event.ACCEPT],
    Cause.LOST_UNSENT: [Event.LOSE, Event.PARK, Event.ACCEPT, Event.RETRY, Event.EXHAUST],
}
ELSE = {
    Cause.LATE_ANSWER: [(State.UNKNOWN, Event.ACCEPT), (State.REFUSED, Event.ACCEPT)],
    Cause.NEVER_LEFT: [(State.UNKNOWN, Event.RETRY)],
    Cause.READ: [
        *[(State.PLACED, event) for event in (Event.SNOOZE, Event.CONFIRM)],
        *[(State.UNKNOWN, event) for event in (Event.SNOOZE, Event.ACCEPT, Event.RETRY, Event.PARK)],
    ],
    Cause.ABSENCE: [(State.UNKNOWN, event) for event in (Event.SNOOZE, Event.RETRY, Event.PARK)],
    Cause.ABSENCE_UNDER_DOUBT: [(State.UNKNOWN, event) for event in (Event.SNOOZE, Event.PARK)],
    Cause.ADOPTION: [(State.UNKNOWN, Event.ACCEPT), (State.UNMATCHED, Event.ACCEPT)],
    Cause.WORD: [
        *[(state, Event.RETRY) for state in (State.REFUSED, State.PLACED)],
        *[(State.UNKNOWN, Event.SNOOZE), (State.QUEUED, Event.CANCEL)],
    ],
    Cause.WORD_OF_ABSENCE: [(State.UNKNOWN, Event.SNOOZE), (State.UNKNOWN, Event.RETRY)],
    Cause.NOTHING: [(State.QUEUED, Event.SNOOZE), (State.QUEUED, Event.PARK)],
}
sends = st.sampled_from([(State.PLACING, event, cause) for cause, events in SENDS.items() for event in events])
others = st.sampled_from([(*move, cause) for cause, moves in ELSE.items() for move in moves])
moves = sends | others
PROOFS = {
    (Cause.ANSWER, Event.ACCEPT),
    (Cause.ANSWER, Event.ACCEPT_BLIND),
    (Cause.ANSWER, Event.REFUSE),
    (Cause.LOST, Event.ACCEPT),
    (Cause.LOST_UNSENT, Event.ACCEPT),
    (Cause.LATE_ANSWER, Event.ACCEPT),
    (Cause.NEVER_LEFT, Event.RETRY),
    (Cause.READ, Event.ACCEPT),
    (Cause.ABSENCE, Event.RETRY),
    (Cause.ADOPTION, Event.ACCEPT),
    (Cause.WORD_OF_ABSENCE, Event.RETRY),
}
"""What ends a doubt, and nothing else does."""
TELLS_OF_ABSENCE = (Cause.ABSENCE, Cause.ABSENCE_UNDER_DOUBT, Cause.WORD, Cause.WORD_OF_ABSENCE, Cause.NEVER_LEFT)


def test_every_cause_is_tried_here() -> None:
    assert {*SENDS, *ELSE} == set(Cause)
    assert all((State.PLACING, event) in MOVES for events in SENDS.values() for event in events)
    assert all(move in MOVES for tried in ELSE.values() for move in tried)


@given(histories, moves, moments, st.booleans())
def test_a_doubt_ends_only_with_a_proof(
    history: History, move: tuple[State, Event, Cause], at: float, first: bool
) -> None:
    state, event, cause = move
    became = after(history._replace(in_doubt=True), state, event, cause, at, first)
    assert became.in_doubt == ((cause, event) not in PROOFS)


@given(histories, moves, moments, st.booleans())
def test_the_first_send_is_never_set_and_forgotten_only_where_nothing_may_be_at_the_marketplace(
    history: History, move: tuple[State, Event, Cause], at: float, first: bool
) -> None:
    state, event, cause = move
    became = after(history, state, event, cause, at, first)
    assert became.first_sent_at in (history.first_sent_at, None)
    if became.first_sent_at is None and history.first_sent_at is not None:
        assert not became.in_doubt
        assert cause is Cause.LOST_UNSENT or event in (Event.SNOOZE, Event.RETRY, Event.EXHAUST)
        assert event is not Event.ACCEPT


@given(histories, moves, moments, st.booleans())
def test_attempts_are_spent_by_sends_and_given_back_by_a_person_alone(
    history: History, move: tuple[State, Event, Cause], at: float, first: bool
) -> None:
    state, event, cause = move
    spent = after(history, state, event, cause, at, first).spent
    if cause in (Cause.WORD, Cause.WORD_OF_ABSENCE):
        assert spent == 0
    else:
        assert spent - history.spent == int(
            (cause is Cause.ANSWER and event is not Event.SNOOZE) or cause is Cause.LOST
        )  # fmt: skip


@given(histories, sends, moments, st.booleans())
def test_look_ups_from_before_a_send_prove_nothing_after_it(
    history: History, move: tuple[State, Event, Cause], at: float, first: bool
) -> None:
    became = after(history, *move, at, first)
    assert (became.absences, became.absent_since) == (0, None)


@given(histories, moments)
def test_absences_are_counted_in_a_row_from_the_first(history: History, at: float) -> None:
    began = history._replace(absences=0, absent_since=None)
    once = after(began, State.UNKNOWN, Event.SNOOZE, Cause.ABSENCE, at)
    twice = after(once, State.UNKNOWN, Event.SNOOZE, Cause.ABSENCE, at + 30)
    assert (twice.absences, twice.absent_since) == (2, at)
    broken = after(twice, State.UNKNOWN, Event.SNOOZE, Cause.ABSENCE_UNDER_DOUBT, at + 60)
    assert (broken.absences, broken.absent_since) == (0, None)


@given(histories, moves, moments, st.booleans())
def test_the_marketplace_accepted_it_when_it_said_so_first(
    history: History, move: tuple[State, Event, Cause], at: float, first: bool
) -> None:
    state, event, cause = move
    became = after(history, state, event, cause, at, first)
    accepts = event in (Event.ACCEPT, Event.ACCEPT_BLIND)
    assert became.accepted_at in ((at, history.accepted_at) if accepts else (history.accepted_at,))
    assert not accepts or became.accepted_at is not None


@given(histories, st.sampled_from(list(SENDS[Cause.LOST_UNSENT])), moments)
def test_crashes_are_counted_in_a_row_and_an_answer_ends_the_row(history: History, event: Event, at: float) -> None:
    lost = after(history, State.PLACING, event, Cause.LOST_UNSENT, at)
    assert lost.crashes == history.crashes + 1
    assert after(lost, State.PLACING, Event.REFUSE, Cause.ANSWER, at).crashes == 0


@given(histories, others, moments)
def test_what_tells_nothing_of_an_absence_neither_counts_nor_forgets_one(
    history: History, move: tuple[State, Event, Cause], at: float
) -> None:
    """A look-up that failed is among them: it neither found the order nor failed to find it."""
    became = after(history, *move, at)
    if move[2] not in TELLS_OF_ABSENCE:
        assert (became.absences, became.absent_since) == (history.absences, history.absent_since)


@given(histories, moments, st.sampled_from([Event.SNOOZE, Event.RETRY, Event.PARK]))
def test_each_absence_that_counts_is_one_more_whatever_follows_from_it(
    history: History, at: float, event: Event
) -> None:
    became = after(history, State.UNKNOWN, event, Cause.ABSENCE, at)
    assert became.absences == history.absences + 1
    assert became.absent_since == (at if history.absent_since is None else history.absent_since)


@given(histories, moments)
def test_after_a_look_up_under_a_wrong_clock_counting_begins_with_the_next(history: History, at: float) -> None:
    broken = after(history, State.UNKNOWN, Event.SNOOZE, Cause.ABSENCE_UNDER_DOUBT, at)
    again = after(broken, State.UNKNOWN, Event.SNOOZE, Cause.ABSENCE, at + 30)
    assert (again.absences, again.absent_since) == (1, at + 30)


@given(histories, others, moments)
def test_after_a_persons_word_counting_begins_anew(
    history: History, move: tuple[State, Event, Cause], at: float
) -> None:
    became = after(history, *move, at)
    if move[2] in (Cause.WORD, Cause.WORD_OF_ABSENCE, Cause.NEVER_LEFT):
        assert (became.absences, became.absent_since) == (0, None)


@given(histories, moves, moments, st.booleans())
def test_that_it_does_not_exist_is_noted_when_a_person_says_so_and_by_nothing_else(
    history: History, move: tuple[State, Event, Cause], at: float, first: bool
) -> None:
    _, event, cause = move
    said = cause is Cause.WORD_OF_ABSENCE and event is Event.SNOOZE
    assert after(history, *move, at, first).absence_told_at == (at if said else history.absence_told_at)
