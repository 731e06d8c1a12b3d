"""The tokens of accounts: stored two at once, encrypted, renewed by one process at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from worker.errors import NotAllowed
from worker.ledger.audit import note_act
from worker.ledger.dialects import in_list, upsert
from worker.ledger.engine import Ledger
from worker.ledger.keyring import KeyRing
from worker.ledger.moves import CODE_CHARACTERS, told
from worker.ledger.pauses import is_paused, pause_accounts
from worker.ledger.tables import account_pauses, account_tokens, orders
from worker.rules.codes import Code
from worker.rules.decision import Pause
from worker.rules.states import FINAL
from worker.rules.token_views import TokenView
from worker.rules.tokens import (
    Grant,
    Kept,
    TokenState,
    after_refused_call,
    is_another,
    is_early_refusal,
    may_renew,
    refresh_end,
    renewal_due,
    stopped,
)

LONGEST_LEASE_SECONDS = 600.0
"""A lease that ends later was taken by a host whose clock was wrong: it counts as over."""
NEVER = 1e12
"""A time after every pause that ends by itself."""
_OF_TOKENS = (Code.TOKEN_RENEWAL, Code.TOKEN_ENDED)
"""Pauses that end when a new pair is stored."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What an account sends with."""

    version: int
    access: str = field(repr=False)
    buyer: str | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """An account's tokens, leased to renew them. `epoch` and `version` fence what is written of it later."""

    view: TokenView
    epoch: int
    lease_until: float
    refresh: str = field(repr=False)


class Tokens:
    """Keeps accounts' tokens. `actor` names the process; a person's name comes with the call."""

    def __init__(self, ledger: Ledger, ring: KeyRing, actor: str = "worker") -> None:
        self._ledger = ledger
        self._ring = ring
        self._actor = actor

    def versions(self) -> dict[str, int]:
        """Return the version of each stored pair: what changed is to be read anew."""
        with self._ledger.reading() as connection:
            return dict(connection.execute(select(account_tokens.c.account, account_tokens.c.version)).all())

    def sending(self, account: str) -> Sending | None:
        """Return what an account sends with; None: it has no stored tokens. Raises ConfigError without its key."""
        with self._ledger.reading() as connection:
            row = _row(connection, account)
        if row is None:
            return None
        return Sending(row.version, self._ring.open(account, row.pair)["access"], row.buyer)

    def views(self) -> list[TokenView]:
        """Return how every account's tokens stand; no key is needed for it."""
        with self._ledger.reading() as connection:
            return [_view(row) for row in connection.execute(select(account_tokens).order_by(account_tokens.c.account))]

    def due(self, now: float) -> list[str]:
        """Return the accounts whose tokens are to be renewed, and nobody does."""
        until = account_tokens.c.lease_until
        free = or_(until.is_(None), until <= now, until > now + LONGEST_LEASE_SECONDS)
        query = select(account_tokens.c.account).where(account_tokens.c.due_at <= now, free)
        with self._ledger.reading() as connection:
            return list(connection.execute(query).scalars())

    def claim(self, account: str, lease_seconds: float, now: float | None = None) -> Renewal | None:
        """Lease an account's tokens if they are due; None: they are not, or another process has them.

        A renewal that was begun and not ended is a lost one. Raises ConfigError without the key.
        """
        now = now or time.time()
        with self._ledger.writing() as connection:
            row = _locked(connection, account)
            if row is None or row.due_at is None or row.due_at > now or _is_leased(row, now):
                return None
            view = _view(row)
            refresh = self._refresh(row) if may_renew(view) else ""
            state, tries = TokenState(row.state), row.tries
            if row.begun_at is not None:
                tries += 1
                state = TokenState.UNSETTLED if state is TokenState.GOOD else state
            taken = {
                "epoch": row.epoch + 1,
                "lease_until": now + lease_seconds,
                "begun_at": now if refresh else None,
                "state": state,
                "tries": tries,
            }
            connection.execute(_at(account).values(**taken))
            return Renewal(_view(_locked(connection, account)), row.epoch + 1, now + lease_seconds, refresh)

    def renewed(self, renewal: Renewal, grant: Grant, now: float | None = None) -> bool:
        """Store a renewed pair, both tokens at once; the one before is kept. False: another was stored meanwhile.

        The fence is the version alone: where nobody stored another pair, the newest that came is worth more than
        none, even if the lease ran out over it.
        """
        now, account = now or time.time(), renewal.view.account
        with self._ledger.writing() as connection:
            row = _locked(connection, account)
            if row is None or row.version != renewal.view.version:
                return False
            refresh_until = refresh_end(row.refresh_until, grant.refresh_until)
            pair = self._ring.seal(account, {"access": grant.access, "refresh": grant.refresh or renewal.refresh})
            values = _stored(row.version, pair, grant, refresh_until, now)
            another = grant.refresh not in ("", renewal.refresh) and row.state != TokenState.BEFORE
            connection.execute(_at(account).values(**values, pair_before=row.pair if another else None))
            _go_on(connection, account)
        return True

    def kept(self, renewal: Renewal, kept: Kept, now: float | None = None) -> bool:
        """Note a renewal that gave no pair; the stored one stays. False: the lease is another process's by now."""
        now, account = now or time.time(), renewal.view.account
        with self._ledger.writing() as connection:
            row = _locked(connection, account)
            if row is None or (row.version, row.epoch) != (renewal.view.version, renewal.epoch):
                return False
            _keep(connection, account, kept, self._actor, now)
        return True

    def put_off(self, account: str, seconds: float, now: float | None = None) -> None:
        """Let a renewal that this process cannot do be due later: another process may have the key."""
        now = now or time.time()
        with self._ledger.writing() as connection:
            connection.execute(_at(account).where(account_tokens.c.due_at <= now).values(due_at=now + seconds))

    def refused(self, account: str, version: int, now: float | None = None) -> float | None:
        """Note that a call refused the access token of this version; return in how many seconds it is renewed.

        0: another pair is stored already. None: renewing will not help; where no token of it is of use any more, the
        account's sends stop.
        """
        now = now or time.time()
        with self._ledger.writing() as connection:
            row = _locked(connection, account)
            if row is None:
                return None
            if row.version != version:
                return 0.0
            view = _view(row)
            refusals = row.refusals + 1 if is_early_refusal(view, now) else 0
            due_at = after_refused_call(view, refusals, row.due_at, now)
            if due_at is None:
                _keep(connection, account, stopped(view), self._actor, now)
                return None
            connection.execute(_at(account).values(due_at=due_at, refusals=refusals))
            return max(0.0, due_at - now)

    def grant(self, account: str, grant: Grant, buyer: str | None, actor: str, now: float | None = None) -> int:
        """Store what a person granted; return how many open orders the account has.

        `buyer`: who the account was bound to, where the settings say it. Raises NotAllowed for another buyer while
        orders are open, ConfigError without a key.
        """
        now = now or time.time()
        with self._ledger.writing() as connection:
            row, still_open = _locked(connection, account), _open_orders(connection, account)
            bound = (row.buyer if row is not None else None) or buyer
            if is_another(bound, grant.buyer) and still_open:
                raise NotAllowed(
                    f"the grant is another buyer's than the account {account} orders with, and {still_open} of its"
                    " orders are open; it was not stored. Log in as the buyer it has, or once more when none of its"
                    " orders is open (fulfil status)"
                )
            pair = self._ring.seal(account, {"access": grant.access, "refresh": grant.refresh})
            known = replace(grant, renewable=grant.renewable and bool(grant.refresh))
            values = _stored(row.version if row else 0, pair, known, grant.refresh_until, now)
            new = {"account": account, "epoch": row.epoch if row else 0, "pair_before": None, "refusals": 0}
            buyer_now = grant.buyer or bound
            whole = {**new, **values, "granted_at": now, "actor": actor, "buyer": buyer_now}
            connection.execute(upsert(connection, account_tokens), [whole])
            note_act(connection, "login", actor, now, account=account)
            _go_on(connection, account)
        return still_open

    def check_key(self) -> None:
        """Raise ConfigError where this process could not store a pair."""
        self._ring.seal("", {})

    def sending_buyer(self, account: str) -> str | None:
        """Return whose the stored tokens are; None: there are none, or it was not told."""
        with self._ledger.reading() as connection:
            row = _row(connection, account)
        return None if row is None else str(row.buyer or "") or None

    def remove(self, account: str, pause: Pause | None, actor: str) -> bool:
        """Forget an account's tokens; `pause` stops its sends in the same moment. Tell whether there were any."""
        with self._ledger.writing() as connection:
            found = connection.execute(delete(account_tokens).where(account_tokens.c.account == account)).rowcount > 0
            if found:
                note_act(connection, "remove tokens", actor, time.time(), account=account)
                pause_accounts(connection, [(account, pause)], actor, time.time())
            return found

    def rekey(self) -> int:
        """Encrypt every stored pair anew under the first key; return how many there are. Raises ConfigError."""
        with self._ledger.writing() as connection:
            rows = connection.execute(select(account_tokens).with_for_update()).all()
            for row in rows:
                before = None if row.pair_before is None else self._ring.renew(row.pair_before)
                connection.execute(_at(row.account).values(pair=self._ring.renew(row.pair), pair_before=before))
            return len(rows)

    def _refresh(self, row: Row[Any]) -> str:
        sealed = row.pair_before if row.state == TokenState.BEFORE and row.pair_before else row.pair
        return self._ring.open(row.account, sealed)["refresh"]


def _at(account: str) -> Any:
    return update(account_tokens).where(account_tokens.c.account == account)


def _row(connection: Connection, account: str) -> Row[Any] | None:
    return connection.execute(select(account_tokens).where(account_tokens.c.account == account)).first()


def _locked(connection: Connection, account: str) -> Any:
    query = select(account_tokens).where(account_tokens.c.account == account).with_for_update()
    return connection.execute(query).first()


def _is_leased(row: Row[Any], now: float) -> bool:
    return row.lease_until is not None and now < row.lease_until <= now + LONGEST_LEASE_SECONDS


def _stored(version: int, pair: str, grant: Grant, refresh_until: float | None, now: float) -> dict[str, Any]:
    """Return what is written with every new pair."""
    return {
        # By the clock too: a pair stored after a removal must not have a number that an older one had.
        "version": max(version + 1, int(now * 1000)),
        "pair": pair,
        "state": TokenState.GOOD,
        "stored_at": now,
        "access_until": grant.access_until,
        "refresh_until": refresh_until,
        "renewable": grant.renewable,
        "due_at": renewal_due(grant.access_until, grant.renewable, now),
        "lease_until": None,
        "begun_at": None,
        "tries": 0,
        "code": None,
        "reason": None,
    }


def _keep(connection: Connection, account: str, kept: Kept, actor: str, now: float) -> None:
    values = {
        "state": kept.state,
        "tries": kept.tries,
        "due_at": None if kept.due_in_seconds is None else now + kept.due_in_seconds,
        "lease_until": None,
        "begun_at": None,
        "code": kept.code and told(kept.code, CODE_CHARACTERS),
        "reason": told(kept.reason),
    }
    connection.execute(_at(account).values(**values))
    if kept.stops and not is_paused(connection, account, NEVER):  # a person's own pause is for that person to end
        pause = Pause(None, Code.TOKEN_ENDED, kept.reason or "", f"fulfil accounts login {account}")
        pause_accounts(connection, [(account, pause)], actor, now)


def _go_on(connection: Connection, account: str) -> None:
    this = and_(account_pauses.c.account == account, in_list(account_pauses.c.code, list(_OF_TOKENS)))
    connection.execute(delete(account_pauses).where(this))


def _open_orders(connection: Connection, account: str) -> int:
    query = select(func.count()).where(
        orders.c.account == account, orders.c.state.not_in([*FINAL]), orders.c.closed_at.is_(None)
    )
    return int(connection.execute(query).scalar_one())


def _view(row: Any) -> TokenView:
    return TokenView(
        account=row.account,
        version=row.version,
        state=TokenState(row.state),
        granted_at=row.granted_at,
        stored_at=row.stored_at,
        access_until=row.access_until,
        refresh_until=row.refresh_until,
        renewable=row.renewable,
        has_before=row.pair_before is not None,
        due_at=row.due_at,
        tries=row.tries,
        refusals=row.refusals,
        buyer=row.buyer,
        code=row.code,
        reason=row.reason,
        actor=row.actor,
    )
