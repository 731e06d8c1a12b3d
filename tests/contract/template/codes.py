"""What every answer of Template means and what to do about it; each line names its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What an answer says about the create, and so what may follow."""

    REFUSED = "refused"
    """A definite no: this send created nothing."""
    THROTTLE = "throttle"
    """Declined by flow control, nothing was executed."""
    TOKEN = "token"
    """Declined at the door: the token."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer: its code, its kind, what it means, and the next step in a shop operator's words."""

    code: str
    kind: Kind
    meaning: str
    fix: str


ENTRIES: tuple[Entry, ...] = (
    Entry("SOLD_OUT", Kind.REFUSED, "there is too little stock", "lower the quantity and submit a new order"),
    Entry("BAD_ADDRESS", Kind.REFUSED, "the address is not accepted", "correct receiver and submit again"),
    Entry("TOO_MANY", Kind.THROTTLE, "called too often", "nothing: sending goes on by itself"),
    Entry("BAD_TOKEN", Kind.TOKEN, "the token is wrong or expired", "set a new token, restart the workers"),
)

STATUSES = {"open": "created", "sent": "on its way", "done": "delivered"}


def find(code: str) -> Entry | None:
    """Return the entry of a code; None for one nobody knows, which is no refusal."""
    return next((entry for entry in ENTRIES if entry.code == code), None)
