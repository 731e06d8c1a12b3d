"""The values the ledger hands out and takes back."""

from __future__ import annotations

from dataclasses import dataclass

from worker.ledger.states import State
from worker.outcomes import PlaceOutcome, ReadOutcome
from worker.retry import Decision


@dataclass(frozen=True, slots=True)
class Claim:
    """An order one worker may send now, until `lease_until`, under `epoch`."""

    order_id: str
    account: str
    body: str
    epoch: int
    number: int
    lease_until: float
    first_sent_at: float
    sent_before: bool
    spent: int
    holds: int
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one claim: the outcome, what was decided, and when it was sent and answered."""

    claim: Claim
    outcome: PlaceOutcome
    decision: Decision
    sent_at: float
    closed_at: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A placed or unknown order whose next step (read back, settle) is due."""

    order_id: str
    account: str
    state: State
    epoch: int
    body: str
    references: tuple[str, ...]
    first_sent_at: float
    updated_at: float
    spent: int
    holds: int
    absences: int
    absent_since: float | None
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one waiting order."""

    order: Waiting
    outcome: ReadOutcome | None
    decision: Decision


@dataclass(frozen=True, slots=True)
class Moved:
    """How one order stands after a move."""

    order_id: str
    account: str
    state: State
    due_at: float | None
    code: str | None
    references: tuple[str, ...] = ()
