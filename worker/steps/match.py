"""Settling push messages: reads what they are about, and gives an order its id where exactly one fits."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.errors import NotAllowed, RedisAway, UnknownAccount, UnusableId
from worker.ledger.lives import Lives
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.pushes import Pushes
from worker.marketplaces.base import Marketplace
from worker.rules.confirm import READ_STEPS_SECONDS, decide_read
from worker.rules.decision import Policy
from worker.rules.match import (
    Match,
    in_contest,
    in_time,
    judge,
    later,
    moving_seconds,
    no_order,
    orphan,
    too_early_seconds,
)
from worker.rules.outcomes import Declined, Found, ReadOutcome
from worker.rules.states import State
from worker.rules.values import Judged, Moved, Owner, Pushed, PushState
from worker.rules.words import clock, lines
from worker.sending.reads import Reads
from worker.sending.turns import Slots, Turns

MOST_AT_ONCE = 500
NOT_READABLE = "not readable"
LIMITS_AWAY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MatchPushes:
    """The step that looks at due push messages. `lease_seconds`: how long it may take until others try."""

    accounts: Accounts
    turns: Turns
    reads: Reads
    pushes: Pushes
    pauses: Pauses
    lives: Lives
    operator: Operator
    bell: Bell
    policy: Policy
    lease_seconds: float

    def run(self) -> str:
        """Look at every due push message; return a line for each. A doubled, late or forged one changes nothing."""
        by_account: dict[str, list[Pushed]] = defaultdict(list)
        for row in self.pushes.claim(self.lease_seconds, MOST_AT_ONCE):
            by_account[row.account].append(row)
        told: list[str] = []
        for account, rows in by_account.items():
            try:
                settling = _Settling(self, self.accounts.adapter(account))
            except UnknownAccount:
                continue  # `fulfil doctor` tells; the messages wait for the account to be configured again
            settling.settle(rows)
            told.append(settling.told())
        return "\n".join(told) or "nothing was due"


class _Settling:
    """One look at one account's messages. Most are settled without a call: their order has its id already."""

    def __init__(self, step: MatchPushes, marketplace: Marketplace) -> None:
        self._step = step
        self._marketplace = marketplace
        self._owners: dict[str, Owner] = {}
        self._judged: list[Judged] = []
        self._adopted: list[Moved] = []

    def settle(self, rows: Sequence[Pushed]) -> None:
        """Judge every row, adopt what fits, write the rest."""
        self._owners = self._step.pushes.owners(self._marketplace.name, [row.reference for row in rows])
        open_orders, now = self._step.pushes.candidates(self._marketplace.account), time.time()
        unread = []
        for row in rows:
            one: Judged | None
            if row.reference in self._owners:
                one = self._known(row)
            elif not in_time(row, open_orders, now):
                one = no_order(row)
            else:
                early = too_early_seconds(row, now)
                one = later(row, early) if early else None
            if one is None:
                unread.append(row)
            else:
                self._judged.append(one)
        self._adopt_all(list(self._matches(unread)))
        self._step.pushes.settle(self._judged)
        news = [one.order_id for one in self._judged if one.has_news and one.order_id]
        if self._step.lives.wake(news):
            with suppress(RedisAway):  # the sweep rings for them a moment later
                self._step.bell.life(news)

    def told(self) -> str:
        """Return a line for each row."""
        return lines([], *(_line(one) for one in self._judged), *(f"adopted {_reference(m)}" for m in self._adopted))

    def _known(self, row: Pushed) -> Judged:
        """Settle a message about an order whose id we have; one that is confirmed is read anew for its news."""
        owner = self._owners[row.reference]
        # That it was made is no news of an order that was read back since.
        has_news = owner.state is State.CONFIRMED and (row.made_at is None or row.pushed_at != row.made_at)
        return Judged(row, PushState.KNOWN, owner.order_id, has_news=has_news)

    def _matches(self, rows: Sequence[Pushed]) -> Iterator[Match]:
        """Read what the rows are about and yield the matches; what is none is judged."""
        read = self._read(rows)
        # Looked at after the reading: every order that may have this id stands among them, or has it by now.
        open_orders, now = self._step.pushes.candidates(self._marketplace.account) if read else [], time.time()
        for row, outcome in read:
            if not isinstance(outcome, Found):
                self._judged.append(self._not_read(row, outcome))
            else:
                one = judge(self._marketplace, row, outcome.records[0], open_orders, now)
                if isinstance(one, Match):
                    yield one
                else:
                    self._judged.append(one)

    def _read(self, rows: Sequence[Pushed]) -> list[tuple[Pushed, ReadOutcome]]:
        """Read as many as the account's rate lets through; the rest has to wait."""
        if not rows:
            return []
        try:
            times, turn = self._step.turns.book(self._marketplace, "read", len(rows))
        except RedisAway:
            self._judged += [later(row, LIMITS_AWAY_SECONDS) for row in rows]
            return []
        going = rows[: len(times)]
        self._judged += [later(row, max(0.1, turn)) for row in rows[len(going) :]]
        slots = Slots(self._marketplace, "read", {r.reference: at for r, at in zip(going, times, strict=True)})
        reads = [(row.reference, self._marketplace.confirm([row.reference])) for row in going]
        return list(zip(going, self._step.reads.of_account(slots, reads), strict=True))

    def _not_read(self, row: Pushed, outcome: ReadOutcome) -> Judged:
        decision = decide_read(outcome, row, self._step.policy)
        if decision.pause is not None:
            self._step.pauses.pause(row.account, decision.pause)
        if isinstance(outcome, Declined):
            return later(row, decision.due_in_seconds or 0.0)
        if row.tries < len(READ_STEPS_SECONDS):
            return later(row, decision.due_in_seconds or 0.0, row.tries + 1)
        return orphan(row, NOT_READABLE)

    def _adopt_all(self, matches: Sequence[Match]) -> None:
        alone, contested = in_contest(matches)
        self._judged += contested
        for one in alone:
            try:
                adopted = self._step.operator.adopt(one.order_id, one.row.reference, "a push message", replaces=False)
                self._adopted.append(adopted)
            except (NotAllowed, UnusableId):  # it moved on meanwhile, or the id turned out to be another order's
                self._judged.append(later(one.row, moving_seconds(one.row, time.time())))
        self._step.bell.follow(self._adopted)


def _line(one: Judged) -> str:
    if one.wait_seconds is not None:
        return f"{one.row.reference} due {clock(time.time() + one.wait_seconds)}"
    return f"{one.row.reference} {one.state} {one.order_id or one.note}"


def _reference(order: Moved) -> str:
    return f"{' '.join(order.references)} {order.order_id}"
