"""What keeps orders from going on, as the ledger tells it: rejections, pauses, orphans, and failures of one kind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from worker.rules.views import OfRow, utc


@dataclass(frozen=True, slots=True)
class RejectionView(OfRow):
    """One line of a submission that was not taken, and why."""

    line: int
    order_id: str | None
    field: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PauseView(OfRow):
    """Why an account is paused. `until` None: until a person resumes it."""

    account: str
    since: float
    until: float | None
    code: str
    reason: str
    fix: str | None
    actor: str

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OrphanView:
    """An order of the marketplace that push messages told of and that no order of ours could be found for."""

    account: str
    reference: str
    status: str
    at: float
    note: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the documented form."""
        return asdict(self) | {"at": utc(self.at)}


@dataclass(frozen=True, slots=True)
class FailureView(OfRow):
    """What went wrong in the same way for several orders of an account."""

    account: str
    code: str | None
    state: str
    count: int
    first_at: float
    """When the first of them came to stand so."""
    last_at: float
    fix: str | None
    reason: str | None
    example: str
    """One of them."""

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil failures --json`."""
        return asdict(self) | {"first_at": utc(self.first_at), "last_at": utc(self.last_at)}
