"""Lets due orders through at their account's rate: books slots for as many as can go soon, puts the rest off."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from config.queues import COUNTDOWN_LIMIT_SECONDS
from config.settings import settings
from worker.accounts import adapter, ceilings, rate
from worker.broker.embedded import connect
from worker.errors import RedisAway, UnknownAccount
from worker.ledger.engine import ledger
from worker.ledger.marks import Graves, Marks
from worker.ledger.queries import due_by_account
from worker.ledger.records import EARLY_SECONDS, Store
from worker.marketplaces.base import Marketplace
from worker.once import once
from worker.rules.place import Policy
from worker.rules.states import State
from worker.rules.values import Moved
from worker.sending.limits import Gate, Limits, late_at_most

MAX_WAIT_SECONDS = 1.5
"""A task waits no longer for a slot than this; what must wait longer comes again.

A message holds what its account may send in a second: one that is back in time gets all its slots at once.
"""
BACK_EARLY_SECONDS = 0.25
"""What was put off is back this long before its turn, to book ahead; otherwise every slot in between is lost."""
SOON_SECONDS = 10.0
"""What is back sooner is not put off in the ledger: its message is on its way, and the sweep gives it longer."""
LEAD_SECONDS = 0.03
"""Kept between a slot's booking and its time, for the claim that comes first."""
TRIES_FOR_A_SLOT = 3
"""A loop that missed this many slots in a row lets the order go back."""
MINDED_RATE = 100
"""Up to this many calls a second each is sent at its own slot. Faster accounts are held by the second only."""
PACE = 0.98
"""How much of an account's rate is used: room for calls that leave or arrive some milliseconds after their slot."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Orders of one account that may go, each at its time on the monotonic clock."""

    marketplace: Marketplace
    kind: str
    times: dict[str, float]

    def in_time(self, ids: Iterable[str]) -> dict[str, float | None]:
        """Return the times of these orders; another one for what missed its own, None where none is near."""
        missed = time.monotonic() - _late_at_most(self.marketplace, self.kind)
        times: dict[str, float | None] = {order_id: self.times[order_id] for order_id in ids}
        late = [order_id for order_id, at in times.items() if at is not None and at < missed]
        if late:
            try:
                booked = book(self.marketplace, self.kind, len(late))[0]
            except RedisAway:
                booked = ()
            times |= dict(itertools.zip_longest(late, booked))
        return times


def admit(
    ids: Sequence[str], state: State, kind: str, ring: Callable[[str, Sequence[str], float], None] | None
) -> Iterator[Admitted]:
    """Yield what may go now, an account at a time; what may not is rung for again when its turn comes.

    `kind`: `place` or `read`. `ring` (account, ids, seconds) tells them; None leaves that to the sweep.
    Raises RedisAway: without limits nothing is called.
    """
    for account, due in due_by_account(ledger(), ids, state, time.time() + EARLY_SECONDS).items():
        try:
            marketplace = adapter(account)
        except UnknownAccount:
            continue  # `fulfil doctor` tells; the orders wait for the account to be configured again
        times, turn = book(marketplace, kind, len(due))
        rest = due[len(times) :]
        if rest:
            wait = max(0.1, turn - BACK_EARLY_SECONDS)
            if ring is None or wait > SOON_SECONDS:
                store().put_off(rest, state, time.time() + wait)
            if ring is not None and wait <= COUNTDOWN_LIMIT_SECONDS:
                ring(account, rest, wait)
        if times:
            yield Admitted(marketplace, kind, dict(zip(due, times, strict=False)))


def book(marketplace: Marketplace, kind: str, count: int) -> tuple[tuple[float, ...], float]:
    """Return the times (monotonic) of the slots that could be had, and the wait until the rest's turn.

    `kind`: `place` or `read`. Raises RedisAway.
    """
    account, now = marketplace.account, time.monotonic()
    booking = limits().book(account, kind, rate(account), count, calls(marketplace, kind), MAX_WAIT_SECONDS)
    return tuple(now + LEAD_SECONDS + wait for wait in booking.waits), booking.next_wait


def calls(marketplace: Marketplace, kind: str) -> int:
    """Return how many calls one order takes, to `place` or to `read` it."""
    return marketplace.calls_to_place if kind == "place" else 1


async def turn_comes(marketplace: Marketplace, kind: str, at: float | None) -> bool:
    """Wait for a time of the monotonic clock, and until this process may send once more for the account.

    A loop that stood still meanwhile has missed the slot and takes another one. False: there is none, or none is near.
    """
    if at is None or not await _slept(marketplace, kind, at):
        return False
    gate = _gate(marketplace.account, kind)
    while (wait := gate.wait(calls(marketplace, kind))) > 0:
        await asyncio.sleep(wait)
    return True


async def _slept(marketplace: Marketplace, kind: str, at: float) -> bool:
    late = _late_at_most(marketplace, kind)
    for _ in range(TRIES_FOR_A_SLOT):
        if (wait := at - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        if time.monotonic() - at <= late or rate(marketplace.account).per_second > MINDED_RATE:
            return True
        try:
            times, _ = await asyncio.to_thread(book, marketplace, kind, 1)
        except RedisAway:
            return False
        if not times:
            return False
        at = times[0]
    return False


def _late_at_most(marketplace: Marketplace, kind: str) -> float:
    """Return how long after its slot a call may leave; later, it takes another: calls that are late go all at once."""
    return late_at_most(rate(marketplace.account), calls(marketplace, kind), PACE)


@cache
def _gate(account: str, kind: str) -> Gate:
    known = rate(account)
    return _gate(account, "place") if known.shared and kind != "place" else Gate(known)


def reads_due(moved: Iterable[Moved]) -> Iterator[tuple[float, str]]:
    """Yield when (unix seconds) which of these orders is to be read back."""
    return ((m.due_at, m.order_id) for m in moved if m.state is State.PLACED and m.due_at is not None)


@once
def store() -> Store:
    """Return the process's store."""
    limited = frozenset(account for account in settings().accounts if ceilings(account) is not None)
    return Store(ledger(), sender=marks().sender, limited=limited)


@once
def marks() -> Marks:
    """Return the process's send marks."""
    return Marks(_marks_folder())


@once
def graves() -> Graves:
    """Return the marks that dead processes of this home left."""
    return Graves(_marks_folder())


def _marks_folder() -> Path:
    return settings().home / "sending"


@once
def limits() -> Limits:
    """Return the process's limits."""
    return Limits(connect(settings()), PACE)


@cache
def policy() -> Policy:
    """Return what the settings say about retries."""
    configured = settings()
    return Policy(
        max_attempts=configured.max_attempts,
        base_seconds=configured.retry_base_seconds,
        cap_seconds=configured.retry_cap_seconds,
        confirm_delay_seconds=configured.confirm_delay_seconds,
    )


def order_ids(message: Any) -> list[str]:
    """Return the order ids of a message that anybody may have forged: what is not an id is passed over."""
    if not isinstance(message, list | tuple):
        return []
    return list(dict.fromkeys(i for i in message[:1000] if isinstance(i, str) and 0 < len(i) <= 64))
