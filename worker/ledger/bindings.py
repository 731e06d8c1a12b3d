"""What orders were sent with, as the ledger keeps it, and that a person said a new token is of the same buyer."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from worker.errors import NotAllowed
from worker.ledger.dialects import in_list, insert_ignore, upsert
from worker.ledger.tables import account_bindings, same_buyers
from worker.rules.binding import BUYER, Binding, differing


def remember(connection: Connection, binding: Binding, now: float) -> None:
    """Keep the parts of a binding, so that a later difference can be told in words."""
    row = {
        "binding": binding.id,
        "account": binding.account,
        "parts": dict(binding.parts),
        "first_used_at": now,
    }
    connection.execute(insert_ignore(connection, account_bindings), [row])


def others(connection: Connection, now: Binding, ids: Collection[str | None]) -> dict[str, Mapping[str, str]]:
    """Return the parts of those bindings of `ids` that are not this one, nor one of the same buyer."""
    asked = {known for known in ids if known is not None and known != now.id}
    if not asked:
        return {}
    query = select(account_bindings.c.binding, account_bindings.c.parts).where(
        in_list(account_bindings.c.binding, asked)
    )
    found: dict[str, Mapping[str, str]] = {row.binding: row.parts for row in connection.execute(query)}
    groups = _groups(connection, now.account)
    return {binding: parts for binding in asked if not _is_same(parts := found.get(binding, {}), now.parts, groups)}


def _is_same(before: Mapping[str, str], now: Mapping[str, str], groups: Mapping[str, str]) -> bool:
    """Tell whether two bindings differ in nothing but tokens of one buyer."""
    if differing(before, now) != (BUYER,):
        return False
    group = groups.get(before.get(BUYER, ""))
    return group is not None and group == groups.get(now.get(BUYER, ""))


def _groups(connection: Connection, account: str) -> dict[str, str]:
    query = select(same_buyers.c.buyer, same_buyers.c.buyer_group).where(same_buyers.c.account == account)
    return dict(connection.execute(query).all())


def vouch(connection: Connection, binding: Binding, actor: str) -> float:
    """Note that a person said the account's present token is of the buyer it had before.

    Returns since when (unix seconds) that one was used. Raises NotAllowed where there is none.
    """
    before = _before(connection, binding)
    if before is None:
        raise NotAllowed(
            f"no order of {binding.account} was sent with another buyer's token: there is nothing to change"
        )
    now, buyers = time.time(), (before.parts[BUYER], binding.parts[BUYER])
    group = _groups(connection, binding.account).get(buyers[0], buyers[0])
    rows: Iterable[dict[str, Any]] = (
        {"account": binding.account, "buyer": buyer, "buyer_group": group, "said_by": actor, "said_at": now}
        for buyer in buyers
    )
    connection.execute(upsert(connection, same_buyers), list(rows))
    return float(before.first_used_at)


def _before(connection: Connection, binding: Binding) -> Row[Any] | None:
    """Return the newest binding of the account that differs in nothing but the buyer."""
    query = (
        select(account_bindings)
        .where(account_bindings.c.account == binding.account)
        .order_by(account_bindings.c.first_used_at.desc())
    )
    rows = connection.execute(query)
    return next((row for row in rows if differing(row.parts, binding.parts) == (BUYER,)), None)
