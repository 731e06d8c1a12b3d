"""What an answer of a marketplace means: one list of kinds, one record of a known code, one way from kind to outcome.

Each marketplace has a table of its own, `<name>/codes.py`. Which code may be believed where it stands is for its
`create.py` and `read.py` to judge; what follows from a believed one is the same everywhere and is said here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from worker.marketplaces.calls import Reply
from worker.marketplaces.doubts import DOOR, LIMIT, ORDER, ORDER_OR_DOOR, Topics, Words
from worker.rules.outcomes import Absent, Accepted, Decline, Declined, Refused, Unknown

DOOR_SECONDS = 60.0
"""Wait after an answer that a person has to mend (token, keys, clock, set-up) before the account is tried again."""
LONGEST_WAIT_SECONDS = 86400.0
"""The longest wait that a marketplace is obeyed in."""
MOST_CAUSE = 300
"""Characters of a cause, as of a reason."""

Clean = Callable[[str], str]
"""Makes a vendor's text fit to be told: `Marketplace.clean` for one order."""


class Kind(StrEnum):
    """What a known answer says of the request, and so what may follow. Nothing else of a code decides that."""

    REPEATED = "repeated"
    """The order exists already under this key, which the marketplace documents: accepted."""
    REFUSED = "refused"
    """A no of this moment: stock, price, delivery, risk, a product that is gone; the same order may have passed
    before."""
    REFUSED_BY_CONTENT = "refused by content"
    """A no that the order's own content always earns, for the customer to mend."""
    REFUSED_FOR_NOW = "refused, may pass later"
    """A no that a later try may turn: a stock hold, the marketplace's own system error before anything was made."""
    REFUSED_TO_ACCOUNT = "refused to the account"
    """A no that every order of this account would get, for its owner to mend."""
    RATE = "rate"
    """Declined: the account calls too often."""
    TOKEN = "token"  # noqa: S105 (a kind, no secret)
    """Declined at the door: the access token."""
    CLOCK = "clock"
    """Declined at the door: the timestamp or the nonce."""
    SETUP = "setup"
    """Declined at the door: keys, signature, permission, allow-list, address, a shop that is not active."""
    NOT_SHOWN = "not shown"
    """A read: the order is somebody else's or not there yet, which look the same. A create: declined at the door."""
    EXISTS = "exists"
    """It says that an order of this key exists, and nothing documents whose: no new one was made, that one has to be
    found."""
    MAY_EXIST = "may exist"
    """The marketplace's own system failed on the way, or after the order was made: it may exist."""

    @property
    def decline(self) -> Decline | None:
        """Why a request with this answer was not processed; None where it was, or may have been."""
        return _DECLINES.get(self)


_DECLINES = {
    Kind.RATE: Decline.RATE,
    Kind.TOKEN: Decline.TOKEN,
    Kind.CLOCK: Decline.CLOCK,
    Kind.SETUP: Decline.SETUP,
    Kind.NOT_SHOWN: Decline.SETUP,
}
_REFUSALS = frozenset({Kind.REFUSED, Kind.REFUSED_BY_CONTENT, Kind.REFUSED_FOR_NOW, Kind.REFUSED_TO_ACCOUNT})
_TOPICS: dict[Kind, Topics] = {
    **dict.fromkeys(_REFUSALS, ORDER),
    Kind.REFUSED_TO_ACCOUNT: ORDER_OR_DOOR,
    Kind.RATE: LIMIT,
}


@dataclass(frozen=True, slots=True)
class KnownCode:
    """One answer a marketplace is known to give: its kind, what it means, and the next step in an operator's words.

    `code`: the vendor's own word; "" where it is known by its words alone. `source`: where it is documented with this
    meaning, so that a reader sees why it may be believed. `texts`: what the source prints beside it; word for word,
    these raise no doubt. `words`: a pattern that explains an answer without the code; it never makes a no to a create.
    `about`: what its words may be about, where that is not what its kind says.
    """

    code: str
    kind: Kind
    meaning: str
    fix: str
    source: str
    texts: tuple[str, ...] = ()
    words: str = ""
    about: Topics | None = None

    @property
    def topics(self) -> Topics:
        """What the words beside it may be about; about anything else they speak against it."""
        return _TOPICS.get(self.kind, DOOR) if self.about is None else self.about

    def matches(self, text: str) -> bool:
        """Tell whether a text has the words it is known by."""
        return bool(self.words) and re.search(self.words, text, re.IGNORECASE) is not None


def same(
    kind: Kind, source: str, meaning: str, fix: str, *codes: str, about: Topics | None = None
) -> tuple[KnownCode, ...]:
    """Return records that differ in their code only."""
    return tuple(KnownCode(code, kind, meaning, fix, source, about=about) for code in codes)


def outcome(
    known: KnownCode, reason: str = "", request_id: str | None = None, wait_seconds: float | None = None
) -> Accepted | Refused | Declined | Unknown:
    """Return what follows from an answer that is believed: the one way from a kind to an outcome.

    `reason`: the answer's own words, scrubbed; without any the record's meaning is told. `wait_seconds`: how long an
    account that called too often has to wait; None: our own backoff. Only a refusing kind is a no, whatever kinds
    there will be.
    """
    told, kind = reason or known.meaning, known.kind
    if kind is Kind.RATE:
        return Declined(known.code, told, _obeyed(wait_seconds), pauses_account=True, request_id=request_id)
    if kind.decline is not None:
        return Declined(known.code, told, DOOR_SECONDS, True, known.fix, request_id, kind.decline)
    if kind is Kind.REPEATED:
        return Accepted((), known.code, told, request_id)
    if kind in _REFUSALS:
        return _refused(known, told, request_id)
    return Unknown(told, known.code, (), request_id)


def _refused(known: KnownCode, told: str, request_id: str | None) -> Refused:
    return Refused(
        known.code,
        told,
        known.fix,
        retryable=known.kind is Kind.REFUSED_FOR_NOW,
        from_body=known.kind is Kind.REFUSED_BY_CONTENT,
        stops_account=known.kind is Kind.REFUSED_TO_ACCOUNT,
        request_id=request_id,
    )


def read_outcome(
    known: KnownCode, reason: str = "", request_id: str | None = None, wait_seconds: float | None = None
) -> Absent | Declined | Unknown:
    """Return what follows from an error that answers a read: nothing can be refused there, and nothing accepted."""
    found = outcome(known, reason, request_id, wait_seconds)
    if known.kind is Kind.NOT_SHOWN:
        return Absent(reason or known.meaning, known.code)
    return found if isinstance(found, Declined) else Unknown(reason or known.meaning, known.code, (), request_id)


def too_many(seconds: float | None, reason: str = "called too often", request_id: str | None = None) -> Declined:
    """Return the outcome of HTTP 429, which executes nothing. `seconds`: the wait it asks for; None: it says none."""
    return Declined("HTTP_429", reason, _obeyed(seconds), pauses_account=True, request_id=request_id)


def _obeyed(seconds: float | None) -> float | None:
    return None if seconds is None else min(seconds, LONGEST_WAIT_SECONDS)


def too_many_creates(came: Reply, words: Words, found: Declined, code: str, *doubts: str | None) -> Declined | Unknown:
    """Return `found`, the outcome of HTTP 429 to a create, where nothing in its body tells of anything else.

    `code`: what the body has for one, scrubbed. `doubts`: what else speaks against it, in words.
    """
    tells = words.tells_of_an_order(came.body.decode("utf-8", "replace"))
    doubt = next(filter(None, ("its body tells of an order" if tells else None, *doubts)), None)
    return Unknown(f"HTTP 429, but {doubt}", code or "HTTP_429", (), found.request_id) if doubt else found


def unknown(what: str, words: str, code: str | None, request_id: str | None = None) -> Unknown:
    """Return that an answer is no yes and no no: what it lacks, and its own words, scrubbed."""
    return Unknown(f"{what}: {words}"[:MOST_CAUSE] if words else what, code, (), request_id)


def server_error(status: int) -> Unknown:
    """Return the outcome of an HTTP status under which anything may have happened."""
    return Unknown(f"HTTP {status}", code=f"HTTP_{status}")


def storable_code(code: str, is_known: bool, clean: Clean) -> str:
    """Return a code as it may be stored: one the vendor is known to use as it is, any other scrubbed and cut."""
    return code if is_known or not code else clean(code)[:100]
