"""Placing: claims a chunk of orders, sends it all at once on the loop, hands each answer to the recorder."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event as Flag
from typing import Any

from config.settings import Settings
from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import LedgerAway, RedisAway, where
from worker.ledger.claims import Claims, Terms
from worker.ledger.due import Due
from worker.ledger.marks import Marks
from worker.ledger.spool import Spool
from worker.marketplaces.base import Marketplace
from worker.rules.outcomes import NotSent, PlaceOutcome, Unknown
from worker.rules.place import may_send_until
from worker.rules.states import State
from worker.rules.values import Claim, Moved
from worker.rules.words import lines
from worker.sending.loop import Loop
from worker.sending.recorder import Answer, Completion, Recorder
from worker.sending.turns import Slots, Turns
from worker.steps.messages import order_ids
from worker.steps.suspects import Suspects

log = logging.getLogger(__name__)

NO_ROOM_SECONDS = 15.0
"""How long orders wait when the spool's disk is full."""


@dataclass(frozen=True, slots=True)
class Place:
    """The step that places due orders. `draining`: set when the worker is told to stop."""

    settings: Settings
    accounts: Accounts
    turns: Turns
    claims: Claims
    due: Due
    marks: Marks
    spool: Spool
    loop: Loop
    recorder: Recorder
    bell: Bell
    suspects: Suspects
    draining: Flag

    def run(self, message: Any) -> str:
        """Place the due orders of a message; return a line for each. A doubled, late or forged message places none."""
        moved: list[Moved] = []
        try:
            for slots in self.turns.admit(order_ids(message), State.QUEUED, "place", self.bell.place):
                moved += self._place(slots)
        except RedisAway as error:
            return lines(moved, str(error))
        return lines(moved)

    def _place(self, slots: Slots) -> list[Moved]:
        account, ids = slots.marketplace.account, list(slots.times)
        if self.draining.is_set():
            self.due.forget_message(ids)
            return []
        if not self._has_room_on_disk(ids):
            return []
        claims = self.claims.claim(account, ids, self._terms(slots.marketplace))
        completion = Completion(len(claims))
        reached(CrashPoint.CLAIMED)
        self.loop.begin(self._send_all(self.turns.keep(slots, (c.order_id for c in claims)), claims, completion))
        moved = completion.wait()
        if any(claim.suspect for claim in claims):
            self.suspects.ring(account)  # its worker lives: the next suspect need not wait for the sweep
        return moved

    def _terms(self, marketplace: Marketplace) -> Terms:
        account = marketplace.account
        return Terms(
            self.settings.lease_seconds,
            _window_seconds(marketplace),
            marketplace.binding,
            self.accounts.ceilings(account),
        )

    def _has_room_on_disk(self, ids: list[str]) -> bool:
        """Open the spool and the send marks; where their disk has no room, put the orders off.

        What is learned of a send, and that it left, could not be kept.
        """
        try:
            self.spool.open()
            self.marks.open()
        except OSError as error:
            log.error("nothing is sent: the spool cannot be opened (%s); make room on its disk", error.strerror)
            with suppress(LedgerAway):  # on the same disk; the sweep rings again anyway
                self.due.put_off(ids, State.QUEUED, time.time() + NO_ROOM_SECONDS)
            return False
        return True

    async def _send_all(self, slots: Slots, claims: Sequence[Claim], completion: Completion) -> None:
        async with asyncio.TaskGroup() as group:
            for claim in claims:
                group.create_task(self._send(slots, claim, completion))

    async def _send(self, slots: Slots, claim: Claim, completion: Completion) -> None:
        """Send one order when its turn comes, and have the outcome recorded."""
        async with self.turns.turn(slots, claim.order_id) as has_slot:
            sent_at = time.time()
            outcome = self._reason_to_stay(claim, has_slot) or await self._call(slots.marketplace, claim)
        version = slots.marketplace.token_version
        self.recorder.put(Answer(claim, outcome, sent_at, time.time(), completion, version))

    def _reason_to_stay(self, claim: Claim, has_slot: bool) -> NotSent | None:
        if self.draining.is_set():
            return NotSent("the worker was told to stop", counted=False)
        if not has_slot:
            return NotSent("its turn went by", counted=False)
        if claim.lease_until - self.settings.lease_seconds <= self.recorder.paused_at(claim.account):
            return NotSent("its account is paused", counted=False)
        return None

    async def _call(self, marketplace: Marketplace, claim: Claim) -> PlaceOutcome:
        try:
            steps = marketplace.place(json.loads(claim.body), claim.order_id)
            note = partial(self.marks.note, claim.order_id, claim.number)
            deadline = may_send_until(claim, self.settings.answer_seconds, _window_seconds(marketplace))
            return await self.loop.client.drive(steps, deadline, note)
        except Exception as error:
            # A defect of ours, and the request may be out: its text may hold the order, so only its type is told.
            log.error("%s: %s while placing", claim.order_id, where(error))
            return Unknown(f"an internal error ({type(error).__name__})")


def _window_seconds(marketplace: Marketplace) -> float | None:
    return marketplace.resend_window.total_seconds() if marketplace.resend_window else None
