"""Places orders: claims a chunk, sends it all at once on the loop, records each answer as it comes."""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from config.settings import settings
from tasks.admission import Admitted, admit, limits, order_ids, policy, store
from tasks.late import record_late
from tasks.report import RESULT_CHARACTERS, lines, where
from tasks.sweep import ring_suspects
from worker.app import app
from worker.bell import bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import LedgerAway, RedisAway
from worker.ledger.journal import journal
from worker.ledger.rows import Claim, Moved, Sent
from worker.ledger.states import State
from worker.loop import process_loop
from worker.marketplaces.base import Marketplace
from worker.outcomes import NotSent, PlaceOutcome, Unknown
from worker.retry import Pause, decide, may_send_until

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.003
"""Answers that arrive within this time are committed together."""

NO_ROOM_SECONDS = 15.0
"""How long orders wait when the journal's disk is full."""

_held_at: dict[str, float] = {}
"""When an account was last told to wait: what was claimed before and is not sent yet stays with us."""

Answer = tuple[Claim, PlaceOutcome, float, float]


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
    marketplace, window = admitted.marketplace, admitted.marketplace.resend_window
    if process_loop().stopping:
        store().let_go(list(admitted.waits))
        return []
    if not _has_journal(list(admitted.waits)):
        return []
    claims = store().claim(
        marketplace.account,
        list(admitted.waits),
        settings().lease_seconds,
        window.total_seconds() if window else None,
    )
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    reached(CrashPoint.CLAIMED)
    elapsed = time.monotonic() - admitted.booked_at
    process_loop().start(
        _send_all(
            marketplace,
            [(claim, admitted.waits[claim.order_id] - elapsed) for claim in claims],
            answers,
        )
    )
    moved: list[Moved] = []
    for group in _groups(answers, len(claims)):
        moved += _record(marketplace.account, group)
    if any(claim.suspect for claim in claims):
        ring_suspects(marketplace.account)  # it came through: the next one need not wait for the sweep
    return moved


def _has_journal(ids: list[str]) -> bool:
    """Open the journal; where its disk has no room, put the orders off: what is learned could not be kept."""
    try:
        journal().open()
    except OSError as error:
        log.error("nothing is sent: the journal cannot be opened (%s); make room on its disk", error.strerror)
        with suppress(LedgerAway):  # on the same disk; the sweep rings again anyway
            store().put_off(ids, State.QUEUED, time.time() + NO_ROOM_SECONDS)
        return False
    return True


async def _send_all(
    marketplace: Marketplace, claims: list[tuple[Claim, float]], answers: queue.SimpleQueue[Answer]
) -> None:
    async with asyncio.TaskGroup() as group:
        for claim, wait in claims:
            group.create_task(_send(marketplace, claim, wait, answers))


async def _send(marketplace: Marketplace, claim: Claim, wait: float, answers: queue.SimpleQueue[Answer]) -> None:
    if wait > 0:
        await asyncio.sleep(wait)
    loop = process_loop()
    outcome: PlaceOutcome
    async with loop.lane("place"):
        sent_at = time.time()
        if loop.stopping:
            outcome = NotSent("the worker was told to stop", counted=False)
        elif claim.lease_until - settings().lease_seconds <= _held_at.get(claim.account, 0.0):
            outcome = NotSent("its account is held", counted=False)
        else:
            try:
                steps = marketplace.place(json.loads(claim.body), claim.order_id)
                outcome = await loop.client.drive(steps, _deadline(marketplace, claim))
            except Exception as error:
                # A defect of ours, and the request may be out: its text may hold the order, so only its type is told.
                log.error("%s: %s while placing", claim.order_id, where(error))
                outcome = Unknown(f"an internal error ({type(error).__name__})")
    answers.put((claim, outcome, sent_at, time.time()))


def _deadline(marketplace: Marketplace, claim: Claim) -> float:
    window = marketplace.resend_window
    return may_send_until(claim, settings().answer_seconds, window.total_seconds() if window else None)


def _groups(answers: queue.SimpleQueue[Answer], expected: int) -> Iterator[list[Answer]]:
    """Yield the answers as they come; those that come together, together."""
    while expected:
        group = [answers.get()]
        if expected > 1:
            time.sleep(GATHER_SECONDS)
        with suppress(queue.Empty):
            while len(group) < expected:
                group.append(answers.get_nowait())
        expected -= len(group)
        yield group


def _record(account: str, group: list[Answer]) -> list[Moved]:
    sent = [
        Sent(claim, outcome, decide(outcome, claim, policy()), sent_at, closed_at)
        for claim, outcome, sent_at, closed_at in group
    ]
    if any(one.decision.pause for one in sent):
        _held_at[account] = time.time()
    reached(CrashPoint.UNRECORDED)
    try:
        moved = store().record(sent)
    except Exception as error:
        moved = record_late(sent, error)
    reached(CrashPoint.RECORDED)
    bell().confirm_at(
        (order.due_at, order.order_id) for order in moved if order.state is State.PLACED and order.due_at is not None
    )
    _tell_breaker(account, group)
    return moved


def _tell_breaker(account: str, group: list[Answer]) -> None:
    """Hold the account when its marketplace does not answer at all; its orders then cost no attempts."""
    lost = [outcome.cause for _, outcome, _, _ in group if isinstance(outcome, Unknown | NotSent) and _failed(outcome)]
    seconds = limits().report(account, "place", len(group) - len(lost), len(lost))
    if seconds is not None:
        reason = f"its marketplace does not answer ({lost[-1]}); one order goes ahead when this ends"
        with suppress(LedgerAway):
            store().hold(account, Pause(seconds, "BREAKER_OPEN", reason, None))


def _failed(outcome: Unknown | NotSent) -> bool:
    return isinstance(outcome, Unknown) or outcome.counted
