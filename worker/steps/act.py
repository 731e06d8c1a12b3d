"""The step that works an act off: each of its orders once, whoever works on it and however often it is begun."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import FulfilError, InputError, NotAllowed
from worker.ledger.acts import Acts, Settled, end, open_group, settle_group
from worker.ledger.engine import Ledger
from worker.ledger.marks import Graves
from worker.ledger.operators import Acted, Amended, Operator
from worker.orders.changes import Change, apply, change
from worker.orders.jobs import Job, Rejection, validate
from worker.rules.acts import ActKind
from worker.rules.reconcile import Ability
from worker.rules.views import ActView

GROUP = 500
"""Orders that are moved in one transaction."""
LONGEST_SECONDS = 60.0
"""A task works no longer on an act in one go; the sweep rings for the rest."""


@dataclass(frozen=True, slots=True)
class Act:
    """Moves the orders of an act, group by group: what was moved is noted in the transaction that moved it."""

    ledger: Ledger
    acts: Acts
    accounts: Accounts
    graves: Graves
    bell: Bell

    def run(self, act_id: str) -> ActView:
        """Work on an act that was begun until nothing of it is left, for a minute at most. Raises UnknownOrder."""
        act = self.acts.find(act_id)
        until = time.monotonic() + LONGEST_SECONDS
        if act.begun_at is not None and act.ended_at is None:
            while time.monotonic() < until and self._group(act):
                pass
        return self.acts.find(act_id)

    def _group(self, act: ActView) -> bool:
        """Move the next orders; tell whether there were any."""
        kind, now = ActKind(act.kind), time.time()
        operator = Operator(self.ledger, act.actor)
        with self.ledger.writing() as connection:
            rows = open_group(connection, act.act_id, GROUP)
            standing = {row.order_id: row for row in rows}
            acted = operator.act_on(
                *(connection, kind, list(standing), self.ability, self.graves.is_alive, act.note or "", standing),
                *self.amendment(kind, act.changes),
            )
            settled = [_settled(row.number, row.order_id, acted) for row in rows]
            settle_group(connection, act.act_id, settled, now)
            if not rows:
                end(connection, act.act_id, now)
        reached(CrashPoint.RETRYING)
        self.bell.follow(acted.moved, at_once=True)
        return bool(rows)

    def amendment(self, kind: ActKind, changes: Sequence[str]) -> tuple[Amended | None, Sequence[str]]:
        """Return what gives an order its new content, and the names of the fields it changes."""
        if kind is not ActKind.AMEND:
            return None, ()
        read = [change(text) for text in changes]
        return lambda row: self._amended(row, read), [one.field for one in read]

    def _amended(self, row: Row[Any], changes: Sequence[Change]) -> Job:
        try:
            order = apply(row.body, changes)
        except InputError as error:
            raise NotAllowed(f"{row.order_id}: {error}") from None
        job = validate({"order_id": row.order_id, "account": row.account, "order": order}, 0, self.accounts.terms())
        if isinstance(job, Rejection):
            raise NotAllowed(f"{row.order_id}: {job.field}: {job.reason}")
        if job.fingerprint == row.fingerprint:
            raise NotAllowed(f"{row.order_id} holds these values already")
        return job

    def ability(self, account: str) -> Ability | None:
        """Return what can be done at an account's marketplace; None where the account is not configured here."""
        try:
            return self.accounts.ability(account)
        except FulfilError:
            return None


def _settled(number: int, order_id: str, acted: Acted) -> Settled:
    if order_id in acted.refused:
        return Settled(number, "skipped", acted.refused[order_id])
    if order_id in acted.changed:
        return Settled(number, "changed", acted.changed[order_id])
    return Settled(number, "done")
