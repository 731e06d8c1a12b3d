"""Reads placed orders back: an order is confirmed only by what the marketplace itself shows."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

from config.settings import settings
from worker.accounts import binding
from worker.app import app
from worker.broker.bell import bell
from worker.errors import RedisAway
from worker.marketplaces.base import Marketplace, ReadSteps
from worker.rules.outcomes import Declined, Found, ReadOutcome, Unknown
from worker.rules.place import FOREIGN_ORDER, decide_read
from worker.rules.states import State
from worker.rules.values import Moved, Settled, Waiting
from worker.rules.words import RESULT_CHARACTERS, lines, where
from worker.sending.loop import process_loop
from worker.sending.turns import Admitted, admit, order_ids, policy, reads_due, store, turn_comes

log = logging.getLogger(__name__)


@app.task(name="orders.confirm", resultrepr_maxsize=RESULT_CHARACTERS)
def confirm(ids: list[str]) -> str:
    """Read the due placed orders of `ids` back; tell a line an order."""
    admitted, notes = [], []
    try:
        for one in admit(order_ids(ids), State.PLACED, "read", _ring):
            admitted.append(one)
    except RedisAway as error:
        notes.append(str(error))
    return lines(_confirm(admitted) if admitted else (), *notes)


def _ring(account: str, ids: Sequence[str], countdown: float) -> None:
    bell().confirm_at((time.time() + countdown, order_id) for order_id in ids)


def _confirm(admitted: Sequence[Admitted]) -> list[Moved]:
    """Read back what several accounts admitted: one message, one claim, one record."""
    ids = [order_id for one in admitted for order_id in one.times]
    orders: dict[str, list[Waiting]] = defaultdict(list)
    settled: list[Settled] = []
    for order in store().claim_waiting(ids, State.PLACED, settings().lease_seconds):
        orders[order.account].append(order)
    for one in admitted:
        placed = orders[one.marketplace.account]
        changed = store().sent_otherwise(placed, binding(one.marketplace))
        settled += [Settled(order, None, changed[order.order_id]) for order in placed if order.order_id in changed]
        orders[one.marketplace.account] = [order for order in placed if order.order_id not in changed]
    seen = read_all(
        (one, [(order, _read_back(one.marketplace, order)) for order in orders[one.marketplace.account]])
        for one in admitted
    )
    settled += [Settled(order, outcome, decide_read(outcome, order, policy())) for order, outcome in seen]
    moved = store().settle(settled)
    bell().confirm_at(reads_due(moved))  # of what was not shown yet; the sweep would be some seconds late
    return moved


def _read_back(marketplace: Marketplace, order: Waiting) -> ReadSteps:
    """Read an order back; what shows other goods, or another key, than this order's is not believed.

    What shows fewer goods, or anything else that is not as ordered, is this order all the same, and is told.
    """
    outcome = yield from marketplace.confirm(order.references)
    if not isinstance(outcome, Found):
        return outcome
    body = json.loads(order.body)
    wrong = tuple(one.reference for one in outcome.records if marketplace.contradicts(body, order.order_id, one))
    if wrong:
        return Unknown(f"the marketplace shows another order under {', '.join(wrong)}", FOREIGN_ORDER, wrong)
    differs = marketplace.differs(body, order.order_id, outcome.records, order.forecast, order.differs)
    return Found(outcome.records, differs)


def read_all(
    parts: Iterable[tuple[Admitted, Sequence[tuple[Waiting, ReadSteps]]]],
) -> list[tuple[Waiting, ReadOutcome]]:
    """Run the reads of several accounts, all at once; an outcome for each order."""
    orders: list[Waiting] = []
    reads: list[Read] = []
    for admitted, of_account in parts:
        orders += [order for order, _ in of_account]
        reads += _timed(admitted, [(order.order_id, steps) for order, steps in of_account])
    return list(zip(orders, _run(reads), strict=True))


def read_each(admitted: Admitted, reads: Sequence[tuple[str, ReadSteps]]) -> list[ReadOutcome]:
    """Run reads of one account, each at the time that stands under its name; the outcomes in the same order."""
    return _run(_timed(admitted, reads))


Read = tuple[Marketplace, str, ReadSteps, float | None]
"""One read: where, whose, what, and at which time (monotonic); None: there is no time for it."""


def _timed(admitted: Admitted, reads: Sequence[tuple[str, ReadSteps]]) -> list[Read]:
    times = admitted.in_time(name for name, _ in reads)
    return [(admitted.marketplace, name, steps, times[name]) for name, steps in reads]


def _run(reads: Sequence[Read]) -> list[ReadOutcome]:
    async def run() -> list[ReadOutcome]:
        return await asyncio.gather(*(_read(*one) for one in reads))

    return process_loop().run(run()) if reads else []


async def _read(marketplace: Marketplace, name: str, steps: ReadSteps, at: float | None) -> ReadOutcome:
    if not await turn_comes(marketplace, "read", at):
        return Declined("NOT_SENT", "its turn went by", retry_after_seconds=0.0)
    loop = process_loop()
    async with loop.lane("read"):
        try:
            return await loop.client.drive(steps, deadline=time.time() + settings().lease_seconds / 2)
        except Exception as error:
            log.error("%s: %s while reading from %s", name, where(error), marketplace.name)
            return Unknown(f"an internal error ({type(error).__name__})")
