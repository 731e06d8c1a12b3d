"""The state machine of an order: a dict of moves and one `advance()`."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where an order stands."""

    QUEUED = "queued"
    """Accepted by us, to be sent when due."""
    PLACING = "placing"
    """Claimed by one worker under a lease; a request may be under way."""
    UNKNOWN = "unknown"
    """It may or may not exist at the marketplace; nothing is sent before that is settled."""
    UNMATCHED = "unmatched"
    """The marketplace has it but told us no id of its own; it waits for a push message or `fulfil adopt`."""
    PLACED = "placed"
    """The marketplace gave its ids; to be read back."""
    CONFIRMED = "confirmed"
    """Read back from the marketplace. Final."""
    REFUSED = "refused"
    """A definite no. Final unless a person retries it."""
    DEAD = "dead"
    """It never arrived in all attempts allowed. Final unless a person retries it."""
    CANCELLED = "cancelled"
    """Called off by a person while it surely did not exist at the marketplace. Final."""


class Event(StrEnum):
    """What moves an order."""

    CLAIM = "claim"
    """A worker takes it, to send it."""
    SNOOZE = "snooze"
    """Not now; uses no attempt."""
    RETRY = "retry"
    """Once more, later; by our own rule or a person's command."""
    ACCEPT = "accept"
    """The marketplace has it and its ids are known."""
    ACCEPT_BLIND = "accept_blind"
    """The marketplace has it and told no id."""
    REFUSE = "refuse"
    """A definite no."""
    EXHAUST = "exhaust"
    """No attempts are left."""
    LOSE = "lose"
    """The reply, or the worker, was lost: it may have been executed."""
    PARK = "park"
    """It cannot be settled by us; a person is needed."""
    CONFIRM = "confirm"
    """Read back from the marketplace."""
    CANCEL = "cancel"
    """A person calls it off."""


MOVES: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.CLAIM): State.PLACING,
    (State.QUEUED, Event.SNOOZE): State.QUEUED,
    (State.QUEUED, Event.RETRY): State.QUEUED,
    (State.QUEUED, Event.ACCEPT): State.PLACED,
    (State.QUEUED, Event.PARK): State.UNKNOWN,
    (State.QUEUED, Event.CANCEL): State.CANCELLED,
    (State.PLACING, Event.ACCEPT): State.PLACED,
    (State.PLACING, Event.ACCEPT_BLIND): State.UNMATCHED,
    (State.PLACING, Event.REFUSE): State.REFUSED,
    (State.PLACING, Event.SNOOZE): State.QUEUED,
    (State.PLACING, Event.RETRY): State.QUEUED,
    (State.PLACING, Event.EXHAUST): State.DEAD,
    (State.PLACING, Event.LOSE): State.UNKNOWN,
    (State.PLACING, Event.PARK): State.UNKNOWN,
    (State.UNKNOWN, Event.RETRY): State.QUEUED,
    (State.UNKNOWN, Event.SNOOZE): State.UNKNOWN,
    (State.UNKNOWN, Event.ACCEPT): State.PLACED,
    (State.UNKNOWN, Event.PARK): State.UNKNOWN,
    (State.UNMATCHED, Event.ACCEPT): State.PLACED,
    (State.PLACED, Event.ACCEPT): State.PLACED,
    (State.PLACED, Event.SNOOZE): State.PLACED,
    (State.PLACED, Event.RETRY): State.PLACED,
    (State.PLACED, Event.CONFIRM): State.CONFIRMED,
    (State.REFUSED, Event.RETRY): State.QUEUED,
    (State.REFUSED, Event.CANCEL): State.CANCELLED,
    (State.REFUSED, Event.ACCEPT): State.PLACED,
    (State.DEAD, Event.RETRY): State.QUEUED,
    (State.DEAD, Event.CANCEL): State.CANCELLED,
    (State.DEAD, Event.ACCEPT): State.PLACED,
    (State.CANCELLED, Event.ACCEPT): State.PLACED,
}

FINAL = frozenset({State.CONFIRMED, State.REFUSED, State.DEAD, State.CANCELLED})
"""Nothing more happens by itself; a late answer with an id shows nevertheless that the order exists."""


class IllegalMoveError(Exception):
    """A move the state machine does not know: a defect of ours, never a user's mistake."""


def advance(state: State, event: Event) -> State:
    """Return the state `event` leads to from `state`; raise IllegalMoveError where there is no such move."""
    try:
        return MOVES[state, event]
    except KeyError:
        raise IllegalMoveError(f"no move {event} from {state}") from None
