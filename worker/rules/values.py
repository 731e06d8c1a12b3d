"""The values the ledger hands out and takes back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from worker.rules.decision import Decision
from worker.rules.outcomes import Decline, Found, Money, OrderRecord, PlaceOutcome, ReadOutcome
from worker.rules.states import Event, State


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
    snoozes: int
    in_doubt: bool
    suspect: bool = False
    """Its last worker died while it had claimed the order."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One claim that was answered: the outcome, what was decided, and when it was sent and answered."""

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
    snoozes: int
    absences: int
    absent_since: float | None
    in_doubt: bool
    absence_told_at: float | None = None
    binding: str | None = None
    """The fingerprint of what it was sent with."""
    senders_gone: bool = False
    """Whether it is known that nobody can still send it; asked for only where that matters."""
    forecast: Money | None = None
    """What a preview said it will cost."""
    differs: str | None = None
    """What is known since its create of goods that were not taken."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A waiting order after its read: the outcome and what was decided. `absent`: this adds to its absences."""

    order: Waiting
    outcome: ReadOutcome | None
    decision: Decision
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """How one order stands after a move."""

    order_id: str
    account: str
    state: State
    due_at: float | None
    code: str | None
    references: tuple[str, ...] = ()
    event: Event | None = None
    declined: Decline | None = None
    """Why the marketplace processed nothing, where that moved it."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """An order that took the id a person told, and what the marketplace showed under it."""

    moved: Moved
    found: Found


class PushState(StrEnum):
    """How far the messages about one of the marketplace's orders are understood."""

    NEW = "new"
    """To be looked at when due."""
    KNOWN = "known"
    """It is about an order whose id we had."""
    ADOPTED = "adopted"
    """It told an order of ours its id."""
    ORPHAN = "orphan"
    """It fits no order of ours, or several; a person decides."""
    CLOSED = "closed"
    """A person said that it is none of ours. Final; only an order of ours that takes its id can have it yet."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """One row: what the messages about one of the marketplace's orders said. Times are unix seconds."""

    account: str
    reference: str
    first_at: float
    count: int
    status: str
    pushed_at: float | None
    made_at: float | None
    tries: int

    @property
    def snoozes(self) -> int:
        """Return what stands for snoozes in a row where a decision about a read asks for them."""
        return self.tries

    @property
    def spent(self) -> int:
        """Return 0: reading uses no attempts."""
        return 0

    @property
    def in_doubt(self) -> bool:
        """Return False: nothing was sent."""
        return False


@dataclass(frozen=True, slots=True)
class Owner:
    """The order of ours a reference belongs to."""

    order_id: str
    state: State


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmed order was to be, and what was read of it last: its body, forecast and records.

    `differs`: what a person is told of its goods, where that stands.
    """

    body: str
    forecast: Money | None
    records: tuple[OrderRecord, ...]
    differs: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that may exist at the marketplace under an id we do not know. `closed_at` None: a send is under way."""

    order_id: str
    state: State
    due_at: float | None
    body: str
    first_sent_at: float
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The decision about a row. `wait_seconds`: until it is looked at again."""

    row: Pushed
    state: PushState
    order_id: str | None = None
    note: str | None = None
    wait_seconds: float | None = None
    tries: int = 0
    has_news: bool = False
    """Its order is confirmed, and is to be read anew."""
