"""Silent failures: what goes wrong after an order is confirmed without anybody saying so. One table, dated.

Each alarm becomes true at a moment that the facts tell beforehand, so that nobody has to look all the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from worker.rules.codes import CODES, Code
from worker.rules.follow import DAY, HOUR, Followed
from worker.rules.life import Stage
from worker.rules.moments import instant
from worker.rules.outcomes import Differs, told_of
from worker.rules.outcomes import Told as OrderTold
from worker.rules.parcels import Known


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each silence is borne, in seconds; the defaults are of November 2026 (docs/vendors)."""

    number: float = 7 * DAY
    """From payment to the first parcel's number."""
    movement: float = 2 * DAY
    """From a number, or its last movement, to the next."""
    eta: float = 3 * DAY
    """After the estimated arrival."""
    held: float = 1 * DAY
    """Held by the marketplace."""
    unknown_deadline: float = 12 * HOUR
    """Unpaid without a deadline that is known."""

    @classmethod
    def of(cls, **given: float | None) -> Patience:
        """Return the defaults with what was given in their place."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in given.items() if value is not None and name in names})


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a person should know. `at`: since when it is true, or will be (unix seconds)."""

    code: Code
    at: float
    sentence: str


def alarms(order: Followed, parcels: Sequence[Known], patience: Patience) -> list[Alarm]:
    """Return what is, or without a change of the facts will be, to be told of a supplier order; the soonest first."""
    return sorted(_alarms(order, [one for one in parcels if one.stands], patience), key=lambda one: one.at)


def _alarms(order: Followed, parcels: Sequence[Known], patience: Patience) -> Iterator[Alarm]:
    name = order.reference
    match order.stage:
        case Stage.AWAITING_PAYMENT:
            yield from _unpaid(order, patience)
        case Stage.CLOSED:
            yield _closed(order)
        case Stage.DISPUTED:
            yield Alarm(Code.DISPUTED, order.stage_since, f"{name} is in a dispute or on its way back")
        case Stage.HELD:
            at = order.stage_since + patience.held
            yield Alarm(Code.HELD_LONG, at, f"the marketplace holds {name} since {instant(order.stage_since)}")
        case Stage.AWAITING_SHIPMENT if order.paid_at is not None and all(one.parcel.internal for one in parcels):
            yield Alarm(
                Code.NO_PARCEL,
                order.paid_at + patience.number,
                f"{name} is paid since {instant(order.paid_at)} and has no parcel's number",
            )
    if order.stage in (Stage.AWAITING_SHIPMENT, Stage.PARTLY_SHIPPED, Stage.SHIPPED):
        for one in parcels:
            yield from _late(name, one, patience)


def _unpaid(order: Followed, patience: Patience) -> Iterator[Alarm]:
    name, since, deadline = order.reference, order.accepted_at, order.deadline_at
    if since is None or deadline is None:
        begun = since or order.stage_since
        told = f"{name} is not paid since {instant(begun)}, and the marketplace tells no deadline"
        yield Alarm(Code.UNPAID_UNKNOWN, begun + patience.unknown_deadline, told)
        return
    length = deadline - since
    left = length / 5 if length <= DAY else max(length / 5, DAY)
    yield Alarm(
        Code.UNPAID_SOON, deadline - left, f"{name} is not paid; it is cancelled at the latest {instant(deadline)}"
    )
    yield Alarm(Code.UNPAID_LAPSED, deadline, f"the deadline of {name} passed unpaid {instant(deadline)}")


def _closed(order: Followed) -> Alarm:
    why = f" ({order.end_reason})" if order.end_reason else ""
    if order.paid:
        return Alarm(
            Code.CLOSED_AFTER_PAYMENT, order.stage_since, f"{order.reference} was closed{why} after it was paid"
        )
    return Alarm(Code.CLOSED_UNPAID, order.stage_since, f"{order.reference} was closed{why}; it was not paid")


def _late(name: str, one: Known, patience: Patience) -> Iterator[Alarm]:
    parcel = one.parcel
    if parcel.arrival is not None:
        return
    told = f"parcel {parcel.number} of {name}"
    if parcel.nodes:  # a marketplace that tells no steps tells no silence either
        yield Alarm(
            Code.PARCEL_STILL, one.moved_at + patience.movement, f"{told} has not moved since {instant(one.moved_at)}"
        )
    if parcel.eta_at is not None:
        late = f"{told} was to arrive {instant(parcel.eta_at)} and has not"
        yield Alarm(Code.PARCEL_LATE, parcel.eta_at + patience.eta, late)


@dataclass(frozen=True, slots=True)
class Told:
    """What stands of a supplier order now. `news`: what a person was not told yet. `ended`: codes that no longer are.

    `next_at`: when the next alarm becomes true if nothing changes.
    """

    standing: tuple[Alarm, ...]
    news: tuple[Alarm, ...]
    ended: tuple[str, ...]
    next_at: float | None


_SAYS_IT_TOO = frozenset({Code.CLOSED_UNPAID, Code.CLOSED_AFTER_PAYMENT, Code.DISPUTED, Code.HELD_LONG})
"""Alarms that say what the alert of the record they rest on says."""


def told_of_order(
    alerts: Mapping[str, str | None], differs: Differs | None, standing: Sequence[tuple[str, str, str]]
) -> OrderTold:
    """Return what a person is told of an order, all its supplier orders together.

    `alerts`: of the records by reference. `differs`: how they are not what was ordered, which is told before all else.
    `standing`: reference, code and sentence of every alarm.
    """
    said = {reference for reference, code, _ in standing if code in _SAYS_IT_TOO}
    others = [alert for reference, alert in alerts.items() if alert and reference not in said]
    if differs is not None or not standing:
        return told_of(others, differs)
    code = Code(standing[0][1])
    reason = "; ".join([*(sentence for _, _, sentence in standing), *others])
    return OrderTold(attention=True, code=code, reason=reason, fix=CODES[code].fix)


def tell(order: Followed, parcels: Sequence[Known], patience: Patience, now: float) -> Told:
    """Return what a person is to be told of a supplier order now, compared with what they were told."""
    found = alarms(order, parcels, patience)
    standing = _newest_first([one for one in found if one.at <= now])
    codes = {str(one.code) for one in standing}
    return Told(
        standing,
        tuple(one for one in standing if one.code not in order.alarms),
        tuple(code for code in order.alarms if code not in codes),
        min((one.at for one in found if one.at > now), default=None),
    )


def _newest_first(found: list[Alarm]) -> tuple[Alarm, ...]:
    """Keep one of each kind, and of an unpaid order only the last word: what lapsed is no longer soon."""
    kinds: dict[Code, Alarm] = {}
    for one in sorted(found, key=lambda one: -one.at):
        kinds.setdefault(one.code, one)
    if Code.UNPAID_LAPSED in kinds:
        kinds.pop(Code.UNPAID_SOON, None)
    return tuple(kinds.values())
