"""What every answer of Template means and what to do about it; each line names its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from worker.marketplaces.doubts import DOOR, LIMIT, ORDER


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
    """One answer: its code, its kind, what it means, the next step in a shop operator's words, and who documents it."""

    code: str
    kind: Kind
    meaning: str
    fix: str
    source: str


_PAGE = "the vendor's page of errors (say which)"

ENTRIES: tuple[Entry, ...] = (
    Entry("SOLD_OUT", Kind.REFUSED, "there is too little stock", "lower the quantity and submit a new order", _PAGE),
    Entry("BAD_ADDRESS", Kind.REFUSED, "the address is not accepted", "correct receiver and submit again", _PAGE),
    Entry("TOO_MANY", Kind.THROTTLE, "called too often", "nothing: sending goes on by itself", _PAGE),
    Entry("BAD_TOKEN", Kind.TOKEN, "the token is wrong or expired", "set a new token, restart the workers", _PAGE),
)

ABOUT = {Kind.REFUSED: ORDER, Kind.THROTTLE: LIMIT, Kind.TOKEN: DOOR}
"""What the words beside a code of each kind may be about; about anything else they speak against it."""

STATUSES = {"open": "created", "sent": "on its way", "done": "delivered"}


DOCUMENTED = frozenset({401, 422, 429})
"""Statuses the vendor documents these codes with."""


def find(code: str) -> Entry | None:
    """Return the entry of a code; None for one nobody knows, which is no refusal."""
    return next((entry for entry in ENTRIES if entry.code == code), None)
