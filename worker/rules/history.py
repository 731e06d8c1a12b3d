"""What is counted of an order, and how each thing that happens to it changes that: one function for every move."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from worker.rules.states import Event, State


class History(NamedTuple):
    """What is counted of one order; times are unix seconds."""

    spent: int
    """Attempts that count against the limit."""
    snoozes: int
    """Snoozes in a row; unknowns in a row count with them."""
    crashes: int
    """Workers in a row that did not come back."""
    absences: int
    """Look-ups in a row that did not find it."""
    absent_since: float | None
    """The first of those."""
    first_sent_at: float | None
    """The first send that reached, or may have reached, the marketplace."""
    absence_told_at: float | None
    """When a person said that it does not exist at the marketplace."""
    in_doubt: bool
    """A send whose fate is not known lies behind us."""
    accepted_at: float | None


class Cause(StrEnum):
    """What made an order move."""

    ANSWER = "answer"
    """A send came to its end, under the claim that it was made with."""
    LATE_ANSWER = "late answer"
    """The answer of an earlier claim told the ids of an order that waits for them."""
    NEVER_LEFT = "never left"
    """A worker that was taken for lost came back: its request never left."""
    LOST = "lost"
    """A worker did not come back; its request may have left."""
    LOST_UNSENT = "lost unsent"
    """A worker did not come back; its request never left."""
    READ = "read"
    """The marketplace was asked: a read-back, or a look-up that did not simply fail to find it."""
    ABSENCE = "absence"
    """A look-up did not find it, and that counts."""
    ABSENCE_UNDER_DOUBT = "absence under doubt"
    """A look-up did not find it, under a clock that cannot be trusted: counting begins anew."""
    ADOPTION = "adoption"
    """A person, or a push message, told its id."""
    NOTHING = "nothing"
    """Something was decided, and nothing happened that is counted."""
    WORD = "word"
    """A person said that it shall go on."""
    WORD_OF_ABSENCE = "word of absence"
    """A person said that it does not exist at the marketplace."""


_EXECUTED = frozenset({Event.ACCEPT, Event.ACCEPT_BLIND, Event.REFUSE})
_NOT_EXECUTED = frozenset({Event.SNOOZE, Event.RETRY, Event.EXHAUST})


def after(history: History, state: State, event: Event, cause: Cause, at: float, first_send: bool = False) -> History:
    """Return an order's history after a move.

    `state`: where it stood. `at`: when it happened (unix seconds). `first_send`: the claim it was sent under was the
    first of a send that might have arrived, so what never left leaves no trace.
    """
    match cause:
        case Cause.ANSWER:
            return _answered(history, event, at, first_send)
        case Cause.LATE_ANSWER:
            return history._replace(accepted_at=at, in_doubt=False, snoozes=0)
        case Cause.NEVER_LEFT:
            return _unsent(history._replace(in_doubt=False, absences=0, absent_since=None), first_send)
        case Cause.LOST | Cause.LOST_UNSENT:
            return _lost(history, event, at, cause is Cause.LOST_UNSENT, first_send)
        case Cause.READ | Cause.ABSENCE | Cause.ABSENCE_UNDER_DOUBT:
            return _read(history, event, cause, at)
        case Cause.ADOPTION:
            return history._replace(accepted_at=history.accepted_at or at, in_doubt=False, snoozes=0)
        case Cause.WORD | Cause.WORD_OF_ABSENCE:
            return _told(history, state, event, cause, at)
        case Cause.NOTHING:
            return history


def _answered(history: History, event: Event, at: float, first_send: bool) -> History:
    accepted = event in (Event.ACCEPT, Event.ACCEPT_BLIND)
    answered = history._replace(
        crashes=0,
        absences=0,
        absent_since=None,
        spent=history.spent if event is Event.SNOOZE else history.spent + 1,
        snoozes=history.snoozes + 1 if event in (Event.SNOOZE, Event.LOSE) else 0,
        in_doubt=event is Event.LOSE or (history.in_doubt and event not in _EXECUTED),
        accepted_at=at if accepted else history.accepted_at,
    )
    return _unsent(answered, first_send) if event in _NOT_EXECUTED and not history.in_doubt else answered


def _lost(history: History, event: Event, at: float, never_left: bool, first_send: bool) -> History:
    accepted = event is Event.ACCEPT
    lost = history._replace(
        crashes=history.crashes + 1,
        spent=history.spent if never_left else history.spent + 1,
        absences=0,  # look-ups from before this send prove nothing about it
        absent_since=None,
        in_doubt=not accepted and (history.in_doubt or not never_left),
        accepted_at=history.accepted_at or (at if accepted else None),
    )
    return _unsent(lost, first_send) if never_left and not lost.in_doubt and not accepted else lost


def _read(history: History, event: Event, cause: Cause, at: float) -> History:
    read = history
    if cause is Cause.ABSENCE:
        read = read._replace(absences=history.absences + 1, absent_since=history.absent_since or at)
    elif cause is Cause.ABSENCE_UNDER_DOUBT:
        read = read._replace(absences=0, absent_since=None)
    if event is Event.SNOOZE:
        return read._replace(snoozes=history.snoozes + 1)
    if event is Event.ACCEPT:
        return read._replace(in_doubt=False, accepted_at=history.accepted_at or at, snoozes=0)
    return read._replace(in_doubt=False) if event is Event.RETRY and cause is not Cause.READ else read


def _told(history: History, state: State, event: Event, cause: Cause, at: float) -> History:
    told = history._replace(snoozes=0, crashes=0, spent=0, absences=0, absent_since=None)
    if cause is Cause.WORD_OF_ABSENCE:
        if event is Event.SNOOZE:
            return told._replace(absence_told_at=at)  # one more look-up decides
        return told._replace(in_doubt=False, first_sent_at=None)
    begins_anew = event is Event.RETRY and state is not State.PLACED and not history.in_doubt
    return _unsent(told, begins_anew)


def _unsent(history: History, first_send: bool) -> History:
    """Forget the first send of an order of which nothing is at the marketplace, so that none is too long ago."""
    return history._replace(first_sent_at=None) if first_send else history
