"""What follows from reading a supplier order after it was confirmed: its stage, its deadline, when it is read next.

Pure: the ledger writes it, `worker/rules/alarms.py` says what a person is told of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from worker.rules.life import OVER, PAID, Life, Stage

HOUR, DAY = 3600.0, 86400.0
EVERY_SECONDS: dict[Stage, float] = {
    Stage.AWAITING_PAYMENT: 6 * HOUR,
    Stage.PAYING: 1 * HOUR,
    Stage.HELD: 6 * HOUR,
    Stage.AWAITING_SHIPMENT: 6 * HOUR,
    Stage.PARTLY_SHIPPED: 6 * HOUR,
    Stage.SHIPPED: 12 * HOUR,
    Stage.DISPUTED: 6 * HOUR,
    Stage.UNCLEAR: 6 * HOUR,
}
"""How often an order is read in each stage; one that awaits payment by its deadline, where that is known."""
SUSPICIOUS_SECONDS = 6 * HOUR
"""How often one that an alarm stands of is read at least."""
OF_THE_DEADLINE = (0.5, 0.8)
"""When, between its creation and its deadline, an unpaid order is read."""
AFTER_DEADLINE_SECONDS = (60.0, 300.0, 900.0, HOUR, 3 * HOUR)
"""Waits between reads after the deadline, until the marketplace shows the end; then the last for ever."""
ANSWER_SECONDS = 60.0
"""No answer to a create takes longer."""
AGAIN_SECONDS = (60.0, 300.0, 900.0, HOUR, 6 * HOUR)
"""Waits after a read that showed nothing."""
JITTER = 0.1


class LifeEvent(StrEnum):
    """What happened to a supplier order."""

    PAID = "paid"
    PAYING = "paying"
    UNPAID_AGAIN = "unpaid_again"
    HELD = "held"
    AWAITING_SHIPMENT = "awaiting_shipment"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CLOSED = "closed"
    DISPUTED = "disputed"
    UNCLEAR = "unclear"
    DEADLINE = "deadline"
    """A payment deadline was learned, or is another one."""
    ALARM = "alarm"
    """A person should know something of it."""
    ALARM_ENDED = "alarm_ended"


_BY_STAGE: dict[Stage, LifeEvent] = {
    Stage.AWAITING_PAYMENT: LifeEvent.UNPAID_AGAIN,
    **{stage: LifeEvent(stage.value) for stage in Stage if stage is not Stage.AWAITING_PAYMENT},
}


_BEGINNING = (Stage.UNCLEAR, Stage.AWAITING_PAYMENT)
"""How a second life begins: no news."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A supplier order as it is followed; times are unix seconds.

    `accepted_at`: when our create was answered, or sent first where its answer was lost. `paid`: in the marketplace's
    own word; None: not told yet. `misses`: reads in a row that showed nothing, or showed it unpaid after its deadline.
    `alarms`: the codes of what a person was told and what still stands.
    """

    order_id: str
    reference: str
    stage: Stage
    status: str
    accepted_at: float | None
    stage_since: float
    read_at: float
    deadline_at: float | None = None
    paid: bool | None = None
    paid_at: float | None = None
    end_reason: str | None = None
    misses: int = 0
    alarms: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the marketplace says that nothing more will come."""
        return self.stage in OVER


@dataclass(frozen=True, slots=True)
class LifeNote:
    """One thing that happened, as the history keeps it."""

    event: LifeEvent
    before: Stage | None
    after: Stage
    note: str | None = None


_ON_ITS_WAY = frozenset({Stage.PARTLY_SHIPPED, Stage.SHIPPED, Stage.DELIVERED, Stage.DISPUTED})
"""Stages in which there may be parcels already."""


def made_at(first_sent_at: float | None, accepted_at: float | None) -> float | None:
    """Return from when an order's payment deadline counts (unix seconds).

    That is when our create was answered. Where the answer was lost, the first send may have made it, long before.
    """
    if accepted_at is None or first_sent_at is None or accepted_at - first_sent_at <= ANSWER_SECONDS:
        return accepted_at
    return first_sent_at


def begin(
    order_id: str, reference: str, status: str, life: Life, accepted_at: float | None, now: float
) -> tuple[Followed, tuple[LifeNote, ...]]:
    """Return a supplier order that was read for the first time, and what there is to tell of it already."""
    seen = Followed(order_id, reference, Stage.UNCLEAR, status, accepted_at, now, now)
    return read(seen, status, life, now)


def read(before: Followed, status: str, life: Life, now: float) -> tuple[Followed, tuple[LifeNote, ...]]:
    """Return a supplier order after it was read anew, and what happened.

    A status that is documented nowhere is kept as it is and moves nothing: what was unpaid still counts down.
    """
    stage = life.stage or before.stage
    paid = _paid(before, stage, life)
    notes = []
    if paid and not before.paid:
        notes.append(LifeNote(LifeEvent.PAID, before.stage, stage))
    if stage is not before.stage and (before.stage, stage) != _BEGINNING:
        notes.append(LifeNote(_BY_STAGE[stage], before.stage, stage, life.end_reason))
    deadline = before.deadline_at
    if stage is Stage.AWAITING_PAYMENT and life.pay_timeout_seconds and before.accepted_at is not None:
        deadline = before.accepted_at + life.pay_timeout_seconds
    if deadline != before.deadline_at:
        notes.append(LifeNote(LifeEvent.DEADLINE, before.stage, stage))
    late = stage is Stage.AWAITING_PAYMENT and deadline is not None and now >= deadline
    after = replace(
        before,
        stage=stage,
        status=status,
        stage_since=before.stage_since if stage is before.stage else now,
        read_at=now,
        deadline_at=deadline,
        paid=paid,
        paid_at=before.paid_at or (now if paid else None),
        end_reason=life.end_reason or before.end_reason,
        misses=before.misses + 1 if late else 0,
    )
    return after, tuple(notes)


def _paid(before: Followed, stage: Stage, life: Life) -> bool | None:
    """Return whether it is paid: what the marketplace says, else what its stage says by itself; once paid, paid.

    An order can be shipped and not paid: cash on delivery.
    """
    if before.paid or life.paid is not None:
        return bool(before.paid or life.paid)
    return True if stage in PAID else before.paid


def first_read(begun: Followed, now: float, chance: random.Random | None = None) -> float | None:
    """Return when a supplier order is read first after its confirm, which asks for no parcels.

    One that is on its way by then, or over it, is read at once: its parcels' numbers do not wait half a day.
    """
    return now if begun.stage in _ON_ITS_WAY else next_read(begun, now, chance)


def next_read(after: Followed, now: float, chance: random.Random | None = None) -> float | None:
    """Return when a supplier order is read next (unix seconds); None: it is over."""
    if after.is_over:
        return None
    if after.stage is Stage.AWAITING_PAYMENT and after.deadline_at is not None and after.accepted_at is not None:
        return _before_its_deadline(after, after.accepted_at, after.deadline_at, now)
    every = EVERY_SECONDS[after.stage]
    if after.alarms:
        every = min(every, SUSPICIOUS_SECONDS)
    return now + every * (chance or random).uniform(1 - JITTER, 1 + JITTER)


def _before_its_deadline(after: Followed, accepted_at: float, deadline: float, now: float) -> float:
    moments = [accepted_at + part * (deadline - accepted_at) for part in OF_THE_DEADLINE]
    ahead = [moment for moment in (*moments, deadline) if moment > now]
    if ahead:
        return ahead[0]
    return now + AFTER_DEADLINE_SECONDS[min(max(after.misses, 1), len(AFTER_DEADLINE_SECONDS)) - 1]


def read_again(misses: int, now: float, retry_after_seconds: float | None = None) -> float:
    """Return when to try again after a read that showed nothing, `misses` of them in a row before this one."""
    if retry_after_seconds is not None:
        return now + retry_after_seconds
    return now + AGAIN_SECONDS[min(misses, len(AGAIN_SECONDS) - 1)]


class Whole(StrEnum):
    """How an order of ours stands, all its supplier orders together."""

    UNPAID = "awaiting payment"
    PARTLY_PAID = "partly paid"
    PAID = "paid"
    PARTLY_SHIPPED = "partly shipped"
    SHIPPED = "shipped"
    PARTLY_DELIVERED = "partly delivered"
    DELIVERED = "delivered"
    PARTLY_CLOSED = "partly closed"
    CLOSED = "closed"
    UNCLEAR = "unclear"


_SHIPPED = frozenset({Stage.SHIPPED, Stage.DELIVERED})


def whole(parts: Sequence[tuple[Stage, bool | None]]) -> Whole:
    """Return how an order stands: of each of its supplier orders the stage, and whether it is paid."""
    stages = [stage for stage, _ in parts]
    if not parts or all(stage is Stage.UNCLEAR for stage in stages):
        return Whole.UNCLEAR
    steps: list[tuple[list[bool], Whole, Whole]] = [
        ([stage is Stage.CLOSED for stage in stages], Whole.CLOSED, Whole.PARTLY_CLOSED),
        ([stage is Stage.DELIVERED for stage in stages], Whole.DELIVERED, Whole.PARTLY_DELIVERED),
        ([stage in _SHIPPED for stage in stages], Whole.SHIPPED, Whole.PARTLY_SHIPPED),
    ]
    for are, every, some in steps:
        if all(are):
            return every
        if any(are):
            return some
    if any(stage is Stage.PARTLY_SHIPPED for stage in stages):
        return Whole.PARTLY_SHIPPED
    paid = [stage in PAID if is_paid is None else is_paid for stage, is_paid in parts]
    return Whole.PAID if all(paid) else Whole.PARTLY_PAID if any(paid) else Whole.UNPAID
