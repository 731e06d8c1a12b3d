"""Accounts that are paused: until a time or until a person resumes them, and why."""

from __future__ import annotations

import time
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, or_, select

from worker.ledger.dialects import in_list, listed, upsert
from worker.ledger.engine import Ledger
from worker.ledger.moves import CODE_CHARACTERS, told
from worker.ledger.tables import account_pauses
from worker.rules.decision import Pause
from worker.rules.troubles import PauseView

_PAUSED = select(account_pauses.c.account).where(
    account_pauses.c.account == bindparam("account"),
    or_(account_pauses.c.until.is_(None), account_pauses.c.until > bindparam("now")),
)
_PAUSING = select(account_pauses.c.account).where(
    in_list(account_pauses.c.account, listed("accounts")),
    account_pauses.c.until > bindparam("now"),
)


class Pauses:
    """Pauses accounts; `actor` names who does."""

    def __init__(self, ledger: Ledger, actor: str = "worker") -> None:
        self.ledger = ledger
        self.actor = actor

    def pause(self, account: str, pause: Pause, now: float | None = None) -> None:
        """Pause an account's sends."""
        with self.ledger.writing() as connection:
            pause_accounts(connection, [(account, pause)], self.actor, now or time.time())

    def standing(self, now: float | None = None) -> dict[str, PauseView]:
        """Return the accounts that are paused, with why and until when."""
        query = select(account_pauses).where(
            or_(account_pauses.c.until.is_(None), account_pauses.c.until > (now or time.time()))
        )
        with self.ledger.reading() as connection:
            return {row.account: PauseView.of(row) for row in connection.execute(query)}


def is_paused(connection: Connection, account: str, now: float) -> bool:
    """Tell whether an account is paused at that time, by itself or by a person."""
    return connection.execute(_PAUSED, {"account": account, "now": now}).first() is not None


def pausing(connection: Connection, accounts: Iterable[str], now: float) -> set[str]:
    """Return which of these accounts are paused for a time; a pause that waits for a person does not stop reads."""
    return set(connection.execute(_PAUSING, {"accounts": sorted(accounts), "now": now}).scalars())


def pause_accounts(connection: Connection, pauses: Iterable[tuple[str, Pause | None]], actor: str, now: float) -> None:
    """Pause accounts; a longer pause that stands is never made shorter."""
    for account, pause in pauses:
        if pause is None:
            continue
        until = None if pause.seconds is None else now + pause.seconds
        if until is not None and is_paused(connection, account, until):
            continue
        row = {
            "account": account,
            "since": now,
            "until": until,
            "code": told(pause.code, CODE_CHARACTERS),
            "reason": told(pause.reason),
            "fix": told(pause.fix),
            "actor": actor,
        }
        connection.execute(upsert(connection, account_pauses), [row])
