"""A person's commands, to one order or to many; each changes the ledger, then rings."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import RedisAway
from worker.ledger.acts import Acts
from worker.ledger.engine import Ledger
from worker.ledger.lives import Lives
from worker.ledger.lookup import known
from worker.ledger.marks import Graves
from worker.ledger.operators import Operator
from worker.ledger.orphans import close_orphans
from worker.ledger.selection import Filter
from worker.orders import ids
from worker.rules.acts import ActKind, Forecast, forecast
from worker.rules.values import Adopted, Moved
from worker.rules.views import ActView
from worker.steps.act import Act
from worker.steps.adopt import Adopt


class Operations:
    """Carries out a person's commands, from whatever door. `actor` names the person; it stands in every event."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Accounts,
        graves: Graves,
        bell: Bell,
        acts: Acts,
        act: Act,
        lives: Lives,
        adopting: Callable[[], Adopt],
    ) -> None:
        """`adopting` makes the step that reads an id first: nothing else here needs an HTTP client."""
        self._ledger = ledger
        self._accounts = accounts
        self._graves = graves
        self._bell = bell
        self._acts = acts
        self._act = act
        self._lives = lives
        self._adopting = adopting

    def do(self, kind: ActKind, order_id: str, actor: str, note: str = "", changes: Sequence[str] = ()) -> Moved:
        """Do one thing to one order. `changes`: what an amendment sets. Raises UnusableId, UnknownOrder, NotAllowed."""
        operator = Operator(self._ledger, actor)
        moved = operator.act(
            *(kind, order_id, self._act.ability, self._graves.is_alive, note), *self._act.amendment(kind, changes)
        )
        reached(CrashPoint.RETRYING)
        return self._rung(moved)

    def freeze(
        self, kind: ActKind, wanted: Filter, actor: str, note: str | None = None, changes: Sequence[str] = ()
    ) -> str:
        """Write down an act and which orders it is for; return its id. Nothing is done yet. Raises InputError."""
        self._act.amendment(kind, changes)
        return self._acts.freeze(kind, wanted, actor, socket.gethostname(), note, changes)

    def forecast(self, act_id: str) -> Forecast:
        """Say what would become of an act's orders, were it begun now. Raises UnknownOrder."""
        act, now = self._acts.find(act_id), time.time()
        kind, told = ActKind(act.kind), Forecast(act)
        abilities = {account: self._act.ability(account) for account in self._accounts.configured}
        for row in self._acts.orders(act_id):
            will = forecast(kind, row, abilities.get(row.account), [], now)
            told.add(will, row)
        told.seconds = max((self._seconds(account, number) for account, number in told.calls.items()), default=0.0)
        return told

    def begin(self, act_id: str, actor: str | None = None) -> ActView:
        """Do an act, or go on with one that was begun; return how it stands. `actor`: who begins it, if not its maker.

        Raises UnknownOrder.
        """
        self._acts.find(act_id)
        self._acts.begin(act_id, actor)
        return self._act.run(act_id)

    def adopt(self, order_id: str, reference: str, actor: str) -> Adopted:
        """Give an order the marketplace's id a person found, once the marketplace shows it. Raises as `Adopt.run`."""
        return self._adopting().run(order_id, reference, actor)

    def close_orphans(self, references: Sequence[str], note: str, actor: str) -> tuple[list[str], dict[str, str]]:
        """Note that orders of the marketplace are none of ours; they ask for nobody again.

        Returns the ids that were closed, and what is said of the others. Raises UnusableId, UnknownOrder.
        """
        asked = [ids.reference(reference) for reference in references]
        return close_orphans(self._ledger, asked, actor, note)

    def pause(self, account: str, actor: str, note: str = "") -> str:
        """Pause an account's sends; return a sentence. Raises UnknownAccount."""
        self._accounts.check(account)
        Operator(self._ledger, actor).pause(account, note=note)
        return f"{account} paused"

    def resume(self, account: str, actor: str, note: str = "") -> str:
        """Let an account's orders go again; return a sentence. Raises UnknownAccount."""
        self._accounts.check(account)
        resumed = Operator(self._ledger, actor).resume(account, note)
        return f"{account} resumed" if resumed else f"{account} was not paused"

    def same_buyer(self, account: str, actor: str) -> str:
        """Note that a person said an account's new token is of the same buyer. Raises UnknownAccount, NotAllowed."""
        self._accounts.check(account)
        since, moved = Operator(self._ledger, actor).same_buyer(self._accounts.binding(account))
        self._bell.follow(moved, at_once=True)
        used = time.strftime("%Y-%m-%d", time.gmtime(since))
        return f"{account}: its present token counts as that of the buyer used since {used}; {len(moved)} orders go on"

    def refresh(self, order_ids: Sequence[str]) -> int:
        """Have confirmed orders read now; return how many there are. Raises UnusableId, UnknownOrder."""
        with self._ledger.reading() as connection:
            names = [known(connection, one) for one in order_ids]
        woken = self._lives.wake(names)
        with suppress(RedisAway):  # the sweep rings for them a moment later
            self._bell.life(names)
        return woken

    def _seconds(self, account: str, calls: int) -> float:
        if account not in self._accounts.configured:
            return 0.0
        return calls / self._accounts.rate(account).per_second

    def _rung(self, moved: Moved) -> Moved:
        self._bell.follow([moved], at_once=True)
        return moved
