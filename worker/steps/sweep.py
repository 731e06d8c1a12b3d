"""The sweep: every few seconds, whatever is due and stands still is rung for again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

from config.queues import CONFIRM_QUEUE, FOLLOW_QUEUE, place_queue
from config.settings import Settings
from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.broker.signs import Sign, Signs
from worker.crashpoints import CrashPoint, reached
from worker.errors import LedgerMoved, RedisAway
from worker.ledger.accounts import Tokens
from worker.ledger.acts import Acts
from worker.ledger.clocks import put_right
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.leases import busy_senders
from worker.ledger.life_writer import LifeWriter
from worker.ledger.lives import Lives
from worker.ledger.marks import Graves
from worker.ledger.pauses import Pauses
from worker.ledger.pushes import Pushes
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.rules.states import State
from worker.sending.limits import Limits
from worker.sending.turns import FOLLOW_SHARE
from worker.steps.suspects import Suspects

RING_AGAIN_SECONDS = 15
"""An order that was rung for and did not move within this time, with its queue empty, is rung for again."""
READS_SECONDS = 0.5
RING_AGAIN_LATEST_SECONDS = 60
"""Reads are given this much longer for each message in their queue, and no longer than that in all."""
SENDS_SECONDS = 0.1
"""Sends are given what their account's rate takes for each message in its queue, and no less than this."""
OVERDUE_SECONDS = 2
"""Reads have a message of their own under way; the sweep steps in only when they are overdue."""
MOST_AT_ONCE = 5000
"""Orders that are worth a message at a time: some seconds of work."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The step that takes back what was lost and rings for what is due. `broker`: a client of the queues' Redis."""

    settings: Settings
    accounts: Accounts
    ledger: Ledger
    due: Due
    pauses: Pauses
    pushes: Pushes
    records: Records
    spool: Spool
    graves: Graves
    limits: Limits
    lives: Lives
    writer: LifeWriter
    acts: Acts
    tokens: Tokens
    bell: Bell
    suspects: Suspects
    broker: redis.Redis
    signs: Signs
    deaf: Callable[[], str]
    """Says which queues nobody listens to, or nothing; it asks no more often than it should."""

    def run(self) -> str:
        """Take back leases that ran out and ring for every order that is due; return how many.

        Leaves a sign that it ran, or that the ledger's file is no longer the one this worker holds.
        """
        try:
            told = self._take_back_and_ring()
        except LedgerMoved:
            self.signs.leave(Sign.LEDGER_MOVED)
            raise
        self.signs.leave(Sign.SWEEP)
        return told

    def _take_back_and_ring(self) -> str:
        # First the ids that dead processes had learned, then what their send marks say about the other orders.
        kept = self.spool.replay(self.records)
        dead = self.graves.dead()
        lost = self.records.expire_leases(dead=dead)
        self.graves.clear(busy_senders(self.ledger, dead), time.time())
        put_right(self.ledger, time.time())
        self.writer.tell()
        reached(CrashPoint.SWEEPING)
        try:
            for account in self.tokens.due(time.time()):
                self.bell.refresh(account)
            paused = self.pauses.standing()
            placed = sum(self._ring_places(account) for account in self.settings.accounts if account not in paused)
            read = self._ring_reads(State.PLACED) + self._ring_reads(State.UNKNOWN)
            if self.pushes.any_due():
                self.bell.match()
            self._ring_follows()
            for act_id in self.acts.unfinished(time.time()):
                self.bell.act(act_id)
        except RedisAway as error:
            return f"{len(lost)} orders taken back; {error}"
        told = f"{len(lost)} orders taken back, {kept} replayed, rang for {placed} to place and {read} to read"
        return told + self.deaf()

    def _ring_places(self, account: str) -> int:
        now, waiting, rate = time.time(), self._queue_length(place_queue(account)), self.accounts.rate(account)
        size = self.bell.message_size(account)
        sends = self.limits.in_line(account, "place", rate, self.accounts.adapter(account).calls_to_place)
        room = min(MOST_AT_ONCE, self.bell.worth_ringing(account) - waiting * size - sends)
        if room <= 0:
            return 0
        # What waits in the queue is not lost: it gets the time it takes to come through, but no more. A busy account's
        # queue is never empty, and the orders of a message that was lost must not wait for the end of its backlog.
        rung_before = now - RING_AGAIN_SECONDS - waiting * max(SENDS_SECONDS, size / rate.per_second)
        ids = self.due.standing_still(State.QUEUED, now, rung_before, room, account)
        self.bell.place(account, ids)
        if ids:
            self.due.mark_rung(ids, now)
        return len(ids) + self.suspects.ring(account, rung_before)

    def _ring_reads(self, state: State) -> int:
        now, waiting = time.time(), self._queue_length(CONFIRM_QUEUE)
        overdue = OVERDUE_SECONDS if state is State.PLACED else 0
        rung_before = now - min(RING_AGAIN_LATEST_SECONDS, RING_AGAIN_SECONDS + waiting * READS_SECONDS)
        # Behind a long queue an order waits without its message being lost; a second one would only lengthen the queue.
        room = MOST_AT_ONCE - waiting * self.settings.chunk
        ids = self.due.standing_still(state, now - overdue, rung_before, room) if room > 0 else []
        if ids:
            (self.bell.confirm if state is State.PLACED else self.bell.reconcile)(ids)
            self.due.mark_rung(ids, now)
        return len(ids)

    def _ring_follows(self) -> None:
        """Ring for supplier orders that are due: no more than are read until the next sweep, and never on a backlog."""
        if self._queue_length(FOLLOW_QUEUE):
            return
        most = {name: max(1, round(self._reads_a_sweep(name))) for name in self.settings.accounts}
        for ids in self.lives.due(time.time(), most).values():
            self.bell.life(ids)

    def _reads_a_sweep(self, account: str) -> float:
        return self.accounts.rate(account).per_second * FOLLOW_SHARE * self.settings.sweep_seconds

    def _queue_length(self, queue: str) -> int:
        try:
            return int(self.broker.llen(queue))
        except redis.RedisError as error:
            raise RedisAway(f"Redis does not answer ({type(error).__name__})") from None
