"""What the tests of decisions share: every outcome and every history of an order, drawn by Hypothesis."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from worker.rules.decision import Decision, Policy
from worker.rules.history import History
from worker.rules.outcomes import (
    Absent,
    Accepted,
    Declined,
    Found,
    Money,
    NotSent,
    OrderRecord,
    PlaceOutcome,
    ReadOutcome,
    Refused,
    Unknown,
)
from worker.rules.reconcile import Ability
from worker.rules.states import Event, State

WINDOW = 22 * 3600.0
SENT_AT = 1_700_000_000.0


@dataclass(frozen=True)
class Order:
    """An order as a decision sees it."""

    spent: int = 1
    snoozes: int = 0
    in_doubt: bool = False
    references: tuple[str, ...] = ()
    first_sent_at: float = SENT_AT
    absences: int = 0
    absent_since: float | None = None
    absence_told_at: float | None = None
    senders_gone: bool = False


seconds = st.floats(0, 86400, allow_nan=False)
texts = st.text(max_size=20)
codes = st.sampled_from(["ApiCallLimit", "B_X", "SYSTEM_ERROR"])
ids = st.lists(st.integers(1, 10**16).map(str), max_size=3).map(tuple)
moments = st.floats(1e9, 2e9)
maybe = st.none() | moments
histories = st.builds(
    History,
    spent=st.integers(0, 9),
    snoozes=st.integers(0, 9),
    crashes=st.integers(0, 5),
    absences=st.integers(0, 9),
    absent_since=maybe,
    first_sent_at=maybe,
    absence_told_at=maybe,
    in_doubt=st.booleans(),
    accepted_at=maybe,
)
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
    snoozes=st.integers(0, 200),
    in_doubt=st.booleans(),
    references=ids,
    absences=st.integers(0, 10),
    absent_since=st.none() | st.floats(SENT_AT, SENT_AT + WINDOW * 2),
    absence_told_at=st.none() | st.floats(SENT_AT, SENT_AT + WINDOW * 2),
    senders_gone=st.booleans(),
)
throttled = st.builds(Declined, codes, texts, st.none() | seconds, st.booleans(), st.none() | texts)
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
absent = st.builds(Absent, texts, clock_offset_seconds=st.none() | st.floats(-9e3, 9e3))
not_found: st.SearchStrategy[ReadOutcome] = st.one_of(absent, throttled, not_sent, unknown)
read: st.SearchStrategy[ReadOutcome] = found | not_found
ABILITIES = {
    "resend window": Ability(can_look_up=False, resend_window_seconds=WINDOW),
    "look-up": Ability(can_look_up=True, resend_window_seconds=None),
    "none": Ability(can_look_up=False, resend_window_seconds=None),
    "both": Ability(can_look_up=True, resend_window_seconds=WINDOW),
    "opted in": Ability(can_look_up=True, resend_window_seconds=None, recreate_after_seconds=3600.0),
}
abilities = st.sampled_from(list(ABILITIES.values()))
POLICY = Policy(8, 2.0, 300.0, 12.0)


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
