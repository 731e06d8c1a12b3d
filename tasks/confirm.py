"""Reads placed orders back: an order is confirmed only by what the marketplace itself shows."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Sequence

from config.settings import settings
from tasks.admission import Admitted, admit, order_ids, policy, store
from tasks.report import RESULT_CHARACTERS, lines, where
from worker.app import app
from worker.bell import bell
from worker.errors import RedisAway
from worker.ledger.rows import Moved, Settled, Waiting
from worker.ledger.states import State
from worker.loop import process_loop
from worker.marketplaces.base import Marketplace, ReadSteps
from worker.outcomes import Found, ReadOutcome, Unknown
from worker.retry import FOREIGN_ORDER, decide_read

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
    orders = store().claim_waiting(list(admitted.waits), State.PLACED, settings().lease_seconds)
    seen = read_all(admitted, [(order, _read_back(admitted.marketplace, order)) for order in orders])
    settled = [Settled(order, outcome, decide_read(outcome, order, policy())) for order, outcome in seen]
    moved = store().settle(settled)
    _ring_again(moved)
    return moved


def _read_back(marketplace: Marketplace, order: Waiting) -> ReadSteps:
    """Read an order back; what shows other goods, or another key, than this order's is not believed."""
    outcome = yield from marketplace.confirm(order.references)
    if not isinstance(outcome, Found):
        return outcome
    body = json.loads(order.body)
    wrong = tuple(one.reference for one in outcome.records if marketplace.contradicts(body, order.order_id, one))
    cause = f"the marketplace shows another order under {', '.join(wrong)}"
    return Unknown(cause, FOREIGN_ORDER, wrong) if wrong else outcome


def _ring_again(moved: Sequence[Moved]) -> None:
    """Ring in time for what was not shown yet; the sweep would be some seconds late."""
    bell().confirm_at((m.due_at, m.order_id) for m in moved if m.state is State.PLACED and m.due_at is not None)


def read_all(admitted: Admitted, reads: Sequence[tuple[Waiting, ReadSteps]]) -> list[tuple[Waiting, ReadOutcome]]:
    """Run reads of one account at once, each after its wait; an outcome for each."""
    outcomes = read_each(admitted, [(order.order_id, steps) for order, steps in reads])
    return [(order, outcome) for (order, _), outcome in zip(reads, outcomes, strict=True)]


def read_each(admitted: Admitted, reads: Sequence[tuple[str, ReadSteps]]) -> list[ReadOutcome]:
    """Run reads at once, each after the wait that stands under its name; the outcomes in the same order."""
    elapsed = time.monotonic() - admitted.booked_at

    async def run() -> list[ReadOutcome]:
        return await asyncio.gather(
            *(_read(admitted.marketplace, name, steps, admitted.waits[name] - elapsed) for name, steps in reads)
        )

    return process_loop().run(run()) if reads else []


async def _read(marketplace: Marketplace, name: str, steps: ReadSteps, wait: float) -> ReadOutcome:
    if wait > 0:
        await asyncio.sleep(wait)
    loop = process_loop()
    async with loop.lane("read"):
        try:
            return await loop.client.drive(steps, deadline=time.time() + settings().lease_seconds / 2)
        except Exception as error:
            log.error("%s: %s while reading from %s", name, where(error), marketplace.name)
            return Unknown(f"an internal error ({type(error).__name__})")
