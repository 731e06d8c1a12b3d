"""What an account may spend in a day (UTC): counted in the transaction of the claim, before anything is sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from worker.ledger.dialects import insert_ignore
from worker.ledger.tables import account_days
from worker.rules.codes import Code
from worker.rules.decision import Pause
from worker.rules.outcomes import Declined, NotSent, Refused
from worker.rules.values import Sent

ORDERS = ""
"""Stands for a currency where orders are counted."""

_ADD = (
    update(account_days)
    .where(
        account_days.c.account == bindparam("b_account"),
        account_days.c.day == bindparam("b_day"),
        account_days.c.currency == bindparam("b_currency"),
    )
    .values(total=account_days.c.total + bindparam("more"))
)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """An account's own limits for a day: orders, and money in each currency; None: no limit."""

    orders: int | None = None
    amount: float | None = None


def day_of(at: float) -> str:
    """Return the day (UTC) of a unix time."""
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def let_through(
    connection: Connection, account: str, ceilings: Ceilings, rows: Sequence[Row[Any]], now: float
) -> tuple[list[Row[Any]], Pause | None]:
    """Return the orders that may be sent today, counted, and the account's pause where some may not.

    An order that was sent before is not counted again: it is settled, not bought.
    """
    fresh = [row for row in rows if row.first_sent_at is None]
    used = _used(connection, account, now)
    full = _full(account, ceilings, used, len(fresh))
    if full is None:
        _add(connection, account, day_of(now), {ORDERS: float(len(fresh))})
        return list(rows), None
    room, pause = full
    left = {row.order_id for row in fresh[room:]}
    if room:
        _add(connection, account, day_of(now), {ORDERS: float(room)})
    return [row for row in rows if row.order_id not in left], pause


def _full(account: str, ceilings: Ceilings, used: dict[str, float], wanted: int) -> tuple[int, Pause] | None:
    setting = f"FULFIL_ACCOUNTS__{account.upper()}__"
    for currency, spent in used.items():
        if currency != ORDERS and ceilings.amount is not None and spent >= ceilings.amount and wanted:
            told = f"{spent:.2f} {currency} were spent today, the account's limit is {ceilings.amount:.2f}"
            return 0, _pause(account, told, f"{setting}MAX_AMOUNT_PER_DAY")
    if ceilings.orders is not None and (room := max(0, int(ceilings.orders - used.get(ORDERS, 0.0)))) < wanted:
        return room, _pause(
            account, f"{ceilings.orders} orders were sent today, the account's limit", f"{setting}MAX_ORDERS_PER_DAY"
        )
    return None


def _pause(account: str, told: str, setting: str) -> Pause:
    fix = f"to allow as much once more today: fulfil resume {account}; or raise {setting}, restart, then resume"
    return Pause(None, Code.DAY_LIMIT, told, fix)


def _used(connection: Connection, account: str, now: float) -> dict[str, float]:
    """Return what counts of today so far, by currency; nobody else counts until the transaction ends."""
    day = day_of(now)
    _open(connection, account, day, [ORDERS])
    query = (
        select(account_days)
        .where(account_days.c.account == account, account_days.c.day == day)
        .order_by(account_days.c.currency)
        .with_for_update()
    )
    return {row.currency: row.total - row.granted for row in connection.execute(query)}


def _open(connection: Connection, account: str, day: str, currencies: Iterable[str]) -> None:
    rows = [
        {"account": account, "day": day, "currency": currency, "total": 0.0, "granted": 0.0}
        for currency in sorted(currencies)
    ]
    connection.execute(insert_ignore(connection, account_days), rows)


def _add(connection: Connection, account: str, day: str, more: dict[str, float]) -> None:
    _open(connection, account, day, more)
    connection.execute(
        _ADD,
        [
            {"b_account": account, "b_day": day, "b_currency": currency, "more": amount}
            for currency, amount in sorted(more.items())
        ],
    )


def give_back(connection: Connection, sent: Iterable[Sent]) -> None:
    """Take orders out of the day's count that were counted at their claim and made nothing."""
    back: Counter[tuple[str, str]] = Counter()
    for one in sent:
        if isinstance(one.outcome, Refused | NotSent | Declined) and not one.claim.sent_before:
            back[one.claim.account, day_of(one.claim.first_sent_at)] += 1
    for (account, day), count in sorted(back.items()):
        _add(connection, account, day, {ORDERS: -float(count)})


def spend(connection: Connection, account: str, amounts: Iterable[tuple[float, str, float]]) -> None:
    """Add money an account spent: triples of (unix time of the send, currency, amount)."""
    more: dict[str, dict[str, float]] = {}
    for at, currency, amount in amounts:
        of_day = more.setdefault(day_of(at), {})
        of_day[currency] = of_day.get(currency, 0.0) + amount
    for day, of_day in sorted(more.items()):
        _add(connection, account, day, of_day)


def forgive(connection: Connection, account: str, now: float) -> None:
    """Let an account spend as much as its limits once more today: a person resumed it."""
    connection.execute(
        update(account_days)
        .where(account_days.c.account == account, account_days.c.day == day_of(now))
        .values(granted=account_days.c.total)
    )
