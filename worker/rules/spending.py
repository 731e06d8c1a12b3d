"""What was spent: amounts ordered, confirmed and paid, apart, and never added across currencies."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from worker.rules.states import State

EXISTS = frozenset({State.UNMATCHED, State.PLACED, State.CONFIRMED})
"""States of an order that the marketplace has."""
MAY_EXIST = frozenset({State.PLACING, State.UNKNOWN})

COLUMNS = {
    "orders": "orders that the marketplace has, whose amount is in this currency",
    "ordered": "what these cost: as read back, else as a preview told before they were sent",
    "confirmed": "the part of `ordered` that was read back from the marketplace",
    "paid": "what the marketplace says was paid for them",
    "amount not told": "orders that the marketplace has, whose amount nobody has told yet",
    "in doubt": "orders that may exist there; their amounts are in no column",
}
"""What each column holds."""


class By(StrEnum):
    """What spending is told for."""

    ACCOUNT = "account"
    """Each account."""
    DAY = "day"
    """Each day (UTC) on which orders were first sent."""
    MARKETPLACE = "marketplace"
    """Each marketplace."""
    CURRENCY = "currency"
    """Each currency."""


class Sum(NamedTuple):
    """An amount and its currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Bought:
    """An order that was sent, with the amounts that are known of it."""

    account: str
    marketplace: str
    state: State
    in_doubt: bool
    first_sent_at: float
    """Unix seconds."""
    forecast: Sum | None
    """What a preview told."""
    amounts: tuple[Sum, ...]
    """What the marketplace's records of it say they cost."""
    paid: tuple[Sum, ...]


@dataclass(slots=True)
class Spent:
    """What was spent for one account, day or marketplace, in one currency; `currency` empty: no amount is told."""

    key: str
    currency: str
    orders: int = 0
    ordered: Decimal = Decimal(0)
    confirmed: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    untold: int = 0
    in_doubt: int = 0

    def as_json(self, by: By) -> dict[str, Any]:
        """Return the form of `fulfil spend --json`; amounts are texts, so that no reader rounds them."""
        return {
            by.value: self.key,
            "currency": self.currency or None,
            "orders": self.orders,
            "ordered": f"{self.ordered:f}",
            "confirmed": f"{self.confirmed:f}",
            "paid": f"{self.paid:f}",
            "amount_not_told": self.untold,
            "in_doubt": self.in_doubt,
        }


def spending(bought: Iterable[Bought], by: By) -> list[Spent]:
    """Add orders up, by key and currency."""
    found: dict[tuple[str, str], Spent] = {}
    for order in bought:
        _add(found, order, by)
    return [found[key] for key in sorted(found)]


def _add(found: dict[tuple[str, str], Spent], order: Bought, by: By) -> None:
    def line(currency: str) -> Spent:
        key = currency if by is By.CURRENCY else _key(order, by)
        return found.setdefault((key, currency), Spent(key, currency))

    if order.state in MAY_EXIST or (order.state is State.QUEUED and order.in_doubt):
        line("").in_doubt += 1
    if order.state not in EXISTS:
        return
    ordered = order.amounts or ((order.forecast,) if order.forecast else ())
    for currency in {one.currency for one in ordered}:
        line(currency).orders += 1
    for one in ordered:
        line(one.currency).ordered += one.amount
    if not ordered:
        line("").untold += 1
    for one in order.amounts if order.state is State.CONFIRMED else ():
        line(one.currency).confirmed += one.amount
    for one in order.paid:
        line(one.currency).paid += one.amount


def _key(order: Bought, by: By) -> str:
    if by is By.DAY:
        return time.strftime("%Y-%m-%d", time.gmtime(order.first_sent_at))
    return order.account if by is By.ACCOUNT else order.marketplace
