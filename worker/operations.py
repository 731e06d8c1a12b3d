"""A person's commands: retry, cancel, adopt, reconcile, pause, resume; each changes the ledger, then rings."""

from __future__ import annotations

import time

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.crashpoints import CrashPoint, reached
from worker.ledger.engine import Ledger
from worker.ledger.marks import Graves
from worker.ledger.operators import Operator
from worker.ledger.queries import Queries
from worker.rules.reconcile import Ability
from worker.rules.values import Moved


class Operations:
    """Carries out a person's commands, from whatever door. `actor` names the person; it stands in every event."""

    def __init__(self, ledger: Ledger, accounts: Accounts, graves: Graves, bell: Bell) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._graves = graves
        self._bell = bell

    def retry(self, order_id: str, actor: str, absent: bool = False) -> Moved:
        """Let an order go again, settle it or read it back, whatever its state allows.

        `absent`: the person says that the order does not exist at the marketplace, so that it may be made anew.
        Raises NotAllowed, UnknownOrder.
        """
        operator = Operator(self._ledger, actor)
        if absent:
            can = self._ability(order_id)
            moved = operator.absent(order_id, can is not None and can.can_look_up, self._graves.is_alive)
        else:
            moved = operator.retry(order_id)
        reached(CrashPoint.RETRYING)
        return self._rung(moved)

    def cancel(self, order_id: str, actor: str) -> Moved:
        """Call off an order that surely does not exist at the marketplace. Raises NotAllowed, UnknownOrder."""
        return Operator(self._ledger, actor).cancel(order_id)

    def adopt(self, order_id: str, reference: str, actor: str) -> Moved:
        """Give an order the marketplace's id a person found. Raises NotAllowed, UnknownOrder."""
        return self._rung(Operator(self._ledger, actor).adopt(order_id, reference))

    def reconcile(self, order_id: str, actor: str) -> Moved:
        """Settle an unknown order now. Raises NotAllowed, UnknownOrder."""
        return self._rung(Operator(self._ledger, actor).reconcile(order_id))

    def pause(self, account: str, actor: str) -> str:
        """Pause an account's sends; return a sentence. Raises UnknownAccount."""
        self._accounts.check(account)
        Operator(self._ledger, actor).pause(account)
        return f"{account} paused"

    def resume(self, account: str, actor: str) -> str:
        """Let an account's orders go again; return a sentence. Raises UnknownAccount."""
        self._accounts.check(account)
        return f"{account} resumed" if Operator(self._ledger, actor).resume(account) else f"{account} was not paused"

    def same_buyer(self, account: str, actor: str) -> str:
        """Note that a person said an account's new token is of the same buyer. Raises UnknownAccount, NotAllowed."""
        self._accounts.check(account)
        since, moved = Operator(self._ledger, actor).same_buyer(self._accounts.binding(account))
        self._bell.follow(moved, at_once=True)
        used = time.strftime("%Y-%m-%d", time.gmtime(since))
        return f"{account}: its present token counts as that of the buyer used since {used}; {len(moved)} orders go on"

    def _ability(self, order_id: str) -> Ability | None:
        account = Queries(self._ledger).account_of(order_id)
        return self._accounts.ability(account) if account in self._accounts.configured else None

    def _rung(self, moved: Moved) -> Moved:
        self._bell.follow([moved], at_once=True)
        return moved
