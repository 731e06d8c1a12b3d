"""What the ledger tells of orders, batches and accounts: read, never written. Times are unix seconds.

`as_json` of each is the documented form, times as ISO 8601 in UTC.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from worker.rules.states import State


def utc(seconds: float | None) -> str | None:
    """Return unix seconds as ISO 8601 in UTC, to the millisecond."""
    if seconds is None:
        return None
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{rest:03d}Z"


class OfRow:
    """Made of a database row by its columns' names."""

    __slots__ = ()

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return the view of a row that has a column for each field."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class OrderView:
    """How an order stands."""

    order_id: str
    account: str
    marketplace: str
    state: State
    references: tuple[str, ...]
    """The marketplace's ids, in the order they were learned."""
    attempts: int
    code: str | None
    reason: str | None
    fix: str | None
    due_at: float | None
    """When its next step happens by itself; None: nothing is scheduled."""
    attention: bool
    """A person's next step is due."""
    in_doubt: bool
    """A send of it may have been accepted without our knowing."""
    batch: str
    line: int
    created_at: float
    first_sent_at: float | None
    accepted_at: float | None
    closed_at: float | None
    """When a person closed it: nothing more is done about it."""
    updated_at: float
    """When it moved last."""

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil list --json`."""
        return {
            "order_id": self.order_id,
            "account": self.account,
            "marketplace": self.marketplace,
            "state": self.state,
            "references": list(self.references),
            "attempts": self.attempts,
            "code": self.code,
            "reason": self.reason,
            "due_at": utc(self.due_at),
            "fix": self.fix,
            "closed_at": utc(self.closed_at),
            "batch": self.batch,
            "created_at": utc(self.created_at),
            "updated_at": utc(self.updated_at),
        }


@dataclass(frozen=True, slots=True)
class AttemptView(OfRow):
    """One send of an order. `outcome` is None while it is under way."""

    number: int
    sent_at: float
    outcome: str | None
    code: str | None
    cause: str | None
    request_id: str | None
    duration_ms: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the documented form; an outcome's name before version 0.2 is shown as today's."""
        outcome = "Declined" if self.outcome == "Throttled" else self.outcome
        return asdict(self) | {"sent_at": utc(self.sent_at), "outcome": outcome}


@dataclass(frozen=True, slots=True)
class EventView(OfRow):
    """One move of an order, with who made it."""

    at: float
    event: str
    from_state: str
    to_state: str
    epoch: int
    actor: str
    note: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return {
            "at": utc(self.at),
            "event": self.event,
            "from": self.from_state,
            "to": self.to_state,
            "epoch": self.epoch,
            "actor": self.actor,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class ResultView(OfRow):
    """One of the marketplace's own orders as it was read back last."""

    reference: str
    read_at: float
    status: str
    fulfilment_status: str | None
    amount: str | None
    currency: str | None
    paid_amount: str | None
    paid_currency: str | None
    alert: str | None
    details: Any

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"read_at": utc(self.read_at)}


@dataclass(frozen=True, slots=True)
class BatchView(OfRow):
    """One submission."""

    batch_id: str
    created_at: float
    source: str
    accepted: int
    duplicates: int
    rejected: int

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ActView:
    """One act for many orders."""

    act_id: str
    kind: str
    actor: str
    host: str
    note: str | None
    selection: dict[str, Any]
    """The words that chose the orders; `ids`: how many were named."""
    changes: tuple[str, ...]
    """What an amendment sets; personal data, shown nowhere."""
    total: int
    done: int
    skipped: int
    changed: int
    """Orders that stood elsewhere when their turn came, and were left alone."""
    created_at: float
    begun_at: float | None
    """None: it was only forecast."""
    ended_at: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil acts --json`."""
        times = {name: utc(getattr(self, name)) for name in ("created_at", "begun_at", "ended_at")}
        fields_only = [one.partition("=")[0] for one in self.changes]
        return asdict(self) | times | {"changes": fields_only}
