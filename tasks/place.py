"""Places orders: claims a chunk, sends it all at once on the loop, hands each answer to the recorder as it comes."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from config.settings import settings
from tasks.sweep import ring_suspects
from worker.accounts import binding, ceilings
from worker.app import app
from worker.broker.bell import bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import LedgerAway, RedisAway
from worker.ledger.claims import Terms
from worker.ledger.spool import spool
from worker.marketplaces.base import Marketplace
from worker.rules.outcomes import NotSent, PlaceOutcome, Unknown
from worker.rules.place import may_send_until
from worker.rules.states import State
from worker.rules.values import Claim, Moved
from worker.rules.words import RESULT_CHARACTERS, lines, where
from worker.sending.loop import process_loop
from worker.sending.recorder import Answer, Sheet, held_at, recorder
from worker.sending.turns import Admitted, admit, marks, order_ids, store, turn_comes

log = logging.getLogger(__name__)

NO_ROOM_SECONDS = 15.0
"""How long orders wait when the spool's disk is full."""


@app.task(name="orders.place", resultrepr_maxsize=RESULT_CHARACTERS)
def place(ids: list[str]) -> str:
    """Place the due orders of `ids`; tell a line an order. Messages doubled, late or forged place nothing."""
    moved: list[Moved] = []
    try:
        for admitted in admit(order_ids(ids), State.QUEUED, "place", _ring):
            moved += _place(admitted)
    except RedisAway as error:
        return lines(moved, str(error))
    return lines(moved)


def _ring(account: str, ids: Sequence[str], countdown: float) -> None:
    bell().place(account, ids, countdown)


def _place(admitted: Admitted) -> list[Moved]:
    marketplace = admitted.marketplace
    if process_loop().stopping:
        store().let_go(list(admitted.times))
        return []
    if not _has_room_on_disk(list(admitted.times)):
        return []
    claims = store().claim(marketplace.account, list(admitted.times), _terms(marketplace))
    sheet = Sheet(len(claims))
    reached(CrashPoint.CLAIMED)
    times = admitted.in_time(claim.order_id for claim in claims)
    process_loop().start(_send_all(marketplace, [(claim, times[claim.order_id]) for claim in claims], sheet))
    moved = sheet.wait()
    if any(claim.suspect for claim in claims):
        ring_suspects(marketplace.account)  # it came through: the next one need not wait for the sweep
    return moved


def _terms(marketplace: Marketplace) -> Terms:
    window = marketplace.resend_window
    return Terms(
        settings().lease_seconds,
        window.total_seconds() if window else None,
        binding(marketplace),
        ceilings(marketplace.account),
    )


def _has_room_on_disk(ids: list[str]) -> bool:
    """Open the spool and the send marks; where their disk has no room, put the orders off.

    What is learned of a send, and that it left, could not be kept.
    """
    try:
        spool().open()
        marks().open()
    except OSError as error:
        log.error("nothing is sent: the spool cannot be opened (%s); make room on its disk", error.strerror)
        with suppress(LedgerAway):  # on the same disk; the sweep rings again anyway
            store().put_off(ids, State.QUEUED, time.time() + NO_ROOM_SECONDS)
        return False
    return True


async def _send_all(marketplace: Marketplace, claims: list[tuple[Claim, float | None]], sheet: Sheet) -> None:
    async with asyncio.TaskGroup() as group:
        for claim, at in claims:
            group.create_task(_send(marketplace, claim, at, sheet))


async def _send(marketplace: Marketplace, claim: Claim, at: float | None, sheet: Sheet) -> None:
    """Send one order at its time (monotonic) and have recorded what came of it. None: there is no time for it."""
    has_turn = await turn_comes(marketplace, "place", at)
    loop = process_loop()
    outcome: PlaceOutcome
    async with loop.lane("place"):
        sent_at = time.time()
        if loop.stopping:
            outcome = NotSent("the worker was told to stop", counted=False)
        elif not has_turn:
            outcome = NotSent("its turn went by", counted=False)
        elif claim.lease_until - settings().lease_seconds <= held_at.get(claim.account, 0.0):
            outcome = NotSent("its account is held", counted=False)
        else:
            try:
                steps = marketplace.place(json.loads(claim.body), claim.order_id)
                note = partial(marks().note, claim.order_id, claim.number)
                outcome = await loop.client.drive(steps, _deadline(marketplace, claim), note)
            except Exception as error:
                # A defect of ours, and the request may be out: its text may hold the order, so only its type is told.
                log.error("%s: %s while placing", claim.order_id, where(error))
                outcome = Unknown(f"an internal error ({type(error).__name__})")
    recorder().put(Answer(claim, outcome, sent_at, time.time(), sheet))


def _deadline(marketplace: Marketplace, claim: Claim) -> float:
    window = marketplace.resend_window
    return may_send_until(claim, settings().answer_seconds, window.total_seconds() if window else None)
