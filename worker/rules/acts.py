"""One act for many orders: what may be ordered of them, and what would become of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from worker.errors import NotAllowed
from worker.rules import operate
from worker.rules.decision import Decision
from worker.rules.reconcile import Ability
from worker.rules.states import Event, State
from worker.rules.views import ActView


class ActKind(StrEnum):
    """What a person may order of many."""

    RETRY = "retry"
    """Let them go again: sent, settled or read back, whatever the state of each allows."""
    ABSENT = "absent"
    """The person looked: they do not exist at the marketplace and may be made anew."""
    CANCEL = "cancel"
    """Call them off."""
    RECONCILE = "reconcile"
    """Settle them now."""
    CLOSE = "close"
    """The person dealt with them elsewhere."""
    AMEND = "amend"
    """Change what they are, under their own ids; they surely do not exist at the marketplace."""


class Will(StrEnum):
    """What would become of an order."""

    SEND = "sent; it is not at the marketplace"
    """The key was not used, or only for what was refused."""
    RESEND = "sent again under the same key, inside its safe window"
    """The marketplace tells a repeat by its key."""
    PARK = "left to a person: its safe window has closed; fulfil why ORDER says between what to choose"
    """To send it could make a second one."""
    LOOK_UP = "looked up first; what is found is taken, nothing is sent without proof"
    """The marketplace can be asked."""
    MAKE_ANEW = "looked up once more where that can be done, and made anew if it is not found"
    """A person said that it does not exist."""
    READ = "read back now"
    """It is placed."""
    CALL_OFF = "called off"
    """It is not at the marketplace."""
    CLOSE = "closed: nothing more is done about it"
    """A person dealt with it."""
    LEAVE = "left alone"
    """Its state does not allow it."""


_SENDS = frozenset({Will.SEND, Will.RESEND, Will.MAKE_ANEW})
_CALLS = _SENDS | {Will.LOOK_UP, Will.READ}


class Priced(Protocol):
    """An order as a forecast counts it."""

    @property
    def account(self) -> str:
        """Its account."""

    @property
    def forecast_amount(self) -> str | None:
        """What a preview said it will cost."""

    @property
    def forecast_currency(self) -> str | None:
        """In what currency."""


@dataclass(slots=True)
class Forecast:
    """What an act would do: how many orders of each account would become what, in what time, for how much."""

    act: ActView
    counts: Counter[tuple[Will, str]] = field(default_factory=Counter)
    """Orders by what would become of them, and account."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls to the marketplace by account, one an order."""
    amounts: dict[str, Decimal] = field(default_factory=dict)
    """By currency, what the orders that may be sent will cost, where a preview told it."""
    unpriced: int = 0
    """Orders that may be sent whose cost nobody told."""
    seconds: float = 0.0
    """What the calls take at the accounts' present limits."""

    def add(self, will: Will, order: Priced) -> None:
        """Count one order."""
        self.counts[will, order.account] += 1
        if will in _CALLS:
            self.calls[order.account] += 1
        if will not in _SENDS:
            return
        if order.forecast_amount is None:
            self.unpriced += 1
        else:
            currency = order.forecast_currency or "?"
            self.amounts[currency] = self.amounts.get(currency, Decimal(0)) + Decimal(order.forecast_amount)


def decide(
    kind: ActKind,
    order: operate.Operable,
    ability: Ability | None,
    alive: Sequence[str],
    now: float,
    note: str = "",
    fields: Sequence[str] = (),
) -> Decision:
    """Return what follows for one order of an act. Raises NotAllowed.

    `ability`: what can be done at its marketplace; None where its account is not configured. `alive`: processes that
    may still send it. `note`: what was done about a closed one. `fields`: which of an amended one are changed.
    """
    match kind:
        case ActKind.RETRY:
            return operate.retry(order, now, ability)
        case ActKind.ABSENT:
            return operate.absent(order, ability is not None and ability.can_look_up, alive)
        case ActKind.CANCEL:
            return operate.cancel(order)
        case ActKind.RECONCILE:
            return operate.reconcile(order)
        case ActKind.CLOSE:
            return operate.close(order, note, alive)
        case ActKind.AMEND:
            return operate.amend(order, fields)


def forecast(kind: ActKind, order: operate.Operable, ability: Ability | None, alive: Sequence[str], now: float) -> Will:
    """Return what would become of one order of an act."""
    if kind is ActKind.RETRY and order.state == State.UNKNOWN and order.closed_at is None:
        return _settled(order, ability, now)
    try:
        decision = decide(kind, order, ability, alive, now)
    except NotAllowed:
        return Will.LEAVE
    if decision.event is Event.CLOSE:
        return Will.CLOSE
    if decision.event is Event.CANCEL:
        return Will.CALL_OFF
    if kind is ActKind.ABSENT:
        return Will.MAKE_ANEW
    if order.state == State.PLACED:
        return Will.READ
    if order.state != State.UNKNOWN and not order.in_doubt:
        return Will.SEND
    return _settled(order, ability, now)


def _settled(order: operate.Operable, ability: Ability | None, now: float) -> Will:
    if ability is None or ability.resend_window_seconds is None:
        return Will.LOOK_UP if ability is not None and ability.can_look_up else Will.PARK
    sent_at = order.first_sent_at
    return Will.RESEND if sent_at is None or now - sent_at < ability.resend_window_seconds else Will.PARK
