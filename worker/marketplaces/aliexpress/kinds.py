"""What a code of AliExpress can say about a request, and what is known of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a code says about the request, and so what may follow."""

    REFUSED_BY_CONTENT = "refused by content"
    """A no that the order's own content always earns."""
    REFUSED = "refused"
    """A no of this moment: stock, price, delivery, risk; the same content may have passed before."""
    REFUSED_RETRYABLE = "refused, may pass later"
    """A no that a later try may turn: a stock hold, the vendor's own system error."""
    ACCOUNT = "account"
    """A no that every order of this buyer account would get."""
    REPEATED = "repeated"
    """The order exists already."""
    THROTTLE = "throttle"
    """Declined by flow control, nothing was executed."""
    TOKEN = "token"  # noqa: S105 (a kind, no secret)
    """Declined at the door: the access token."""
    CONFIGURATION = "configuration"
    """Declined at the door: keys, signature, permission, allow-list."""
    CLOCK = "clock"
    """Declined at the door: the timestamp."""
    NOT_SHOWN = "not shown"
    """A read: the order is somebody else's or not synchronised yet, which look the same (facts: live)."""
    BACKEND_UNKNOWN = "backend unknown"
    """The vendor's backend failed on the way: a create may have been committed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: its kind, what it means, and the next step in a shop operator's words.

    `source` says where it is documented with this meaning: "page" is the vendor page of aliexpress.ds.order.create,
    "facts N" a section of the facts file, "number" that only the old gateway's number is documented (facts 2) and the
    word is ours. `texts`: what the source prints beside it, where its words alone would raise a doubt.
    """

    code: str
    kind: Kind
    meaning: str
    fix: str
    source: str
    texts: tuple[str, ...] = ()


def same(kind: Kind, source: str, meaning: str, fix: str, *codes: str) -> tuple[Entry, ...]:
    """Return entries that differ in their code only."""
    return tuple(Entry(code, kind, meaning, fix, source) for code in codes)
