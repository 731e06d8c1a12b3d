"""Reads placed orders back: an order is confirmed only by what the marketplace itself shows."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from config.settings import settings
from tasks.admission import Admitted, admit, order_ids, policy, store, until
from tasks.report import RESULT_CHARACTERS, lines, where
from worker.app import app
from worker.bell import bell
from worker.errors import RedisAway
from worker.ledger.rows import Moved, Settled, Waiting
from worker.ledger.states import State
from worker.loop import process_loop
from worker.marketplaces.base import Marketplace, ReadSteps
from worker.outcomes import ReadOutcome, Throttled, Unknown
from worker.retry import decide_read

log = logging.getLogger(__name__)


@app.task(name="orders.confirm", resultrepr_maxsize=RESULT_CHARACTERS)
def confirm(ids: list[str]) -> str:
    """Read the due placed orders of `ids` back; tell a line an order."""
    moved: list[Moved] = []
    try:
        for admitted in admit(order_ids(ids), State.PLACED, "read", _ring):
            moved += _confirm(admitted)
    except RedisAway as error:
        return lines(moved, str(error))
    return lines(moved)


def _ring(account: str, ids: Sequence[str], countdown: float) -> None:
    bell().confirm_at((time.time() + countdown, order_id) for order_id in ids)


def _confirm(admitted: Admitted) -> list[Moved]:
    orders = store().claim_waiting(list(admitted.times), State.PLACED, settings().lease_seconds)
    seen = read_all(admitted, [(order, admitted.marketplace.confirm(order.references)) for order in orders])
    settled = [Settled(order, outcome, decide_read(outcome, order, policy())) for order, outcome in seen]
    moved = store().settle(settled)
    _ring_again(moved)
    return moved


def _ring_again(moved: Sequence[Moved]) -> None:
    """Ring in time for what was not shown yet; the sweep would be some seconds late."""
    bell().confirm_at((m.due_at, m.order_id) for m in moved if m.state is State.PLACED and m.due_at is not None)


def read_all(admitted: Admitted, reads: Sequence[tuple[Waiting, ReadSteps]]) -> list[tuple[Waiting, ReadOutcome]]:
    """Run reads of one account at once, each after its wait; an outcome for each."""
    outcomes = read_each(admitted, [(order.order_id, steps) for order, steps in reads])
    return [(order, outcome) for (order, _), outcome in zip(reads, outcomes, strict=True)]


def read_each(admitted: Admitted, reads: Sequence[tuple[str, ReadSteps]]) -> list[ReadOutcome]:
    """Run reads, each at the time that stands under its name; the outcomes in the same order."""
    times = admitted.in_time(name for name, _ in reads)

    async def run() -> list[ReadOutcome]:
        return await asyncio.gather(*(_read(admitted.marketplace, name, steps, times[name]) for name, steps in reads))

    return process_loop().run(run()) if reads else []


async def _read(marketplace: Marketplace, name: str, steps: ReadSteps, at: float | None) -> ReadOutcome:
    if at is None:
        return Throttled("NOT_SENT", "its turn went by", retry_after_seconds=0.0)
    await until(at)
    loop = process_loop()
    async with loop.lane("read"):
        try:
            return await loop.client.drive(steps, deadline=time.time() + settings().lease_seconds / 2)
        except Exception as error:
            log.error("%s: %s while reading from %s", name, where(error), marketplace.name)
            return Unknown(f"an internal error ({type(error).__name__})")
