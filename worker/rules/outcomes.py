"""What a marketplace's answer means: a closed set of values, never exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypedDict

from worker.rules.codes import Code
from worker.rules.life import NOTHING_TOLD, Life


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as the marketplace wrote it, with its currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Differs:
    """How an order that exists is not what was ordered: a sentence for each difference, and a person's next step.

    Sentences hold ids, quantities and amounts; never a name or an address.
    """

    sentences: tuple[str, ...]
    fix: str

    @property
    def reason(self) -> str:
        """The sentences as one text."""
        return "; ".join(self.sentences)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The marketplace has the order. `references` are its ids; empty when it told none (REPEATED without ids).

    `differs`: the answer itself says that it made less than was ordered. `forecast`: what a preview said it will cost,
    which says nothing of what was answered and so takes no part in comparing two outcomes.
    """

    references: tuple[str, ...]
    code: str | None = None
    reason: str | None = None
    request_id: str | None = None
    differs: Differs | None = None
    forecast: Money | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no: this send created nothing.

    `retryable`: the vendor or practice says the same order may pass a little later (stock hold, system error).
    `from_body`: the order's own content earns this answer, so an earlier send of the same content earned it too.
    `stops_account`: every order of the account would be refused; a person must act, then `fulfil resume`.
    """

    code: str
    reason: str
    fix: str
    retryable: bool = False
    from_body: bool = False
    stops_account: bool = False
    request_id: str | None = None


class Decline(StrEnum):
    """Why a marketplace rejects a request without processing it."""

    RATE = "rate"
    """Too many calls."""
    TOKEN = "token"  # noqa: S105 (a kind, no secret)
    """The access token is missing, wrong or ended."""
    CLOCK = "clock"
    """The time in the request is not accepted."""
    SETUP = "setup"
    """Keys, signature, permission, allow-list or address of the account."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The marketplace rejected the request without processing it: nothing was executed, no attempt is used up.

    `retry_after_seconds`: None means our own backoff. `pauses_account`: hold every order of the account that long.
    `fix`: set when a person has to correct something (token, clock, signature, allow-list). `kind`: what was rejected.
    """

    code: str
    reason: str
    retry_after_seconds: float | None = None
    pauses_account: bool = False
    fix: str | None = None
    request_id: str | None = None
    kind: Decline = Decline.RATE


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request never arrived. `counted` is False when we ourselves held it back (a worker that stops)."""

    cause: str
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """The marketplace may have executed it. `references` keeps any id the answer showed nevertheless.

    `forecast`: as of Accepted.
    """

    cause: str
    code: str | None = None
    references: tuple[str, ...] = ()
    request_id: str | None = None
    forecast: Money | None = field(default=None, compare=False)

    @property
    def is_answer(self) -> bool:
        """Whether the marketplace itself answered, with a code or an HTTP status about this request (4xx)."""
        return self.code is not None and (not self.code.startswith("HTTP_") or self.code.startswith("HTTP_4"))


PlaceOutcome = Accepted | Refused | Declined | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One marketplace order as read back.

    `details` is everything the reply held, typed where the vendor documents it and kept as it came where not;
    JSON-ready. `alert` names what a person should know although the order exists (cancelled, unpaid). `life`: what it
    says of the order's second life.
    """

    reference: str
    status: str
    fulfilment_status: str | None = None
    amount: Money | None = None
    paid_amount: Money | None = None
    details: dict[str, Any] = field(default_factory=dict)
    alert: str | None = None
    life: Life = NOTHING_TOLD

    def as_json(self) -> dict[str, Any]:
        """Return what a command tells of it: no details, which may be personal."""
        told = {"reference": self.reference, "status": self.status}
        amount = {"amount": f"{self.amount.amount:f}", "currency": self.amount.currency} if self.amount else {}
        return told | amount | {"alert": self.alert}


@dataclass(frozen=True, slots=True)
class Found:
    """The order was read back from the marketplace, one record for each reference.

    `differs`: the records together are not what was ordered.
    """

    records: tuple[OrderRecord, ...]
    differs: Differs | None = None


class Told(TypedDict):
    """What the ledger keeps of an order for a person: whether a step of theirs is due, the code, the reason, and it."""

    attention: bool
    code: str | None
    reason: str | None
    fix: str | None


def told_of(alerts: Iterable[str | None], differs: Differs | None) -> Told:
    """Return what a person is told of an order that was read back, or read anew.

    `alerts`: of all its records. `differs`: how they are not what was ordered.
    """
    alert = next(filter(None, alerts), None)
    if differs is not None:
        reason = "; ".join(filter(None, (differs.reason, alert)))
        return Told(attention=True, code=Code.GOODS_DIFFER, reason=reason, fix=differs.fix)
    return Told(attention=alert is not None, code=Code.ALERT if alert else None, reason=alert, fix=None)


@dataclass(frozen=True, slots=True)
class Absent:
    """The marketplace answered that it does not show this order (yet); not a proof that it does not exist.

    `clock_offset_seconds`: how far the marketplace's clock, as its `Date` header has it, is ahead of ours.
    """

    cause: str
    code: str | None = None
    clock_offset_seconds: float | None = None


ReadOutcome = Found | Absent | Declined | NotSent | Unknown
