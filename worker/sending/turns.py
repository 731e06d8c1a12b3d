"""Turns: an order leaves at its account's rate. Slots are booked for what can go soon, the rest is put off."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from config.queues import COUNTDOWN_LIMIT_SECONDS
from worker.accounts import Accounts
from worker.errors import RedisAway, UnknownAccount
from worker.ledger.due import EARLY_SECONDS, Due
from worker.marketplaces.base import Marketplace
from worker.rules.states import State
from worker.sending.limits import PACE, Gate, Lane, Limits, longest_delay
from worker.sending.loop import Loop

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
FOLLOW_SHARE = 0.2
"""How much of an account's rate the reads of its confirmed orders may take, of what nothing else needs."""
TRIES_FOR_A_SLOT = 3
"""A loop that missed this many slots in a row lets the order go back."""
MINDED_RATE = 100
"""Up to this many calls a second each is sent at its own slot. Faster accounts are limited by the second only."""

RingAgain = Callable[[str, Sequence[str], float], None]
"""Rings for orders of an account again after some seconds."""


@dataclass(frozen=True, slots=True)
class Slots:
    """Orders of one account that may go, each at its time on the monotonic clock; None: no time is near."""

    marketplace: Marketplace
    lane: Lane
    times: dict[str, float | None]


class Turns:
    """Waits until an order may leave: `admit` books, `keep` books anew what missed its slot, `turn` waits."""

    def __init__(self, accounts: Accounts, limits: Limits, due: Due, loop: Loop) -> None:
        self._accounts = accounts
        self._limits = limits
        self._due = due
        self._loop = loop
        self._gates: dict[tuple[str, Lane], Gate] = {}

    def admit(self, ids: Sequence[str], state: State, lane: Lane, ring_again: RingAgain | None) -> Iterator[Slots]:
        """Yield what may go now, an account at a time; what may not is rung for again when its turn comes.

        `ring_again` None leaves that to the sweep. Raises RedisAway: without limits nothing is called.
        """
        for account, due in self._due.due_by_account(ids, state, time.time() + EARLY_SECONDS).items():
            try:
                marketplace = self._accounts.adapter(account)
            except UnknownAccount:
                continue  # `fulfil doctor` tells; the orders wait for the account to be configured again
            times, wait = self.book(marketplace, lane, len(due))
            self._put_off(account, due[len(times) :], state, max(0.1, wait - BACK_EARLY_SECONDS), ring_again)
            if times:
                yield Slots(marketplace, lane, dict(zip(due, times, strict=False)))

    def book(self, marketplace: Marketplace, lane: Lane, count: int) -> tuple[tuple[float, ...], float]:
        """Return the times (monotonic) of the slots that could be had, and the wait until the rest's turn.

        Raises RedisAway.
        """
        now, rate = time.monotonic(), self._accounts.rate(marketplace.account)
        account, calls = marketplace.account, _calls(marketplace, lane)
        if lane == "follow":
            booking = self._limits.book_idle(account, rate, FOLLOW_SHARE, count, calls, MAX_WAIT_SECONDS)
        else:
            booking = self._limits.book(account, lane, rate, count, calls, MAX_WAIT_SECONDS)
        return tuple(now + LEAD_SECONDS + wait for wait in booking.waits), booking.next_wait

    def keep(self, slots: Slots, ids: Iterable[str]) -> Slots:
        """Return the slots of these orders alone; another one for what missed its own meanwhile."""
        missed = time.monotonic() - self._longest_delay(slots)
        times = {order_id: slots.times[order_id] for order_id in ids}
        without = [order_id for order_id, at in times.items() if at is not None and at < missed]
        if without:
            try:
                booked = self.book(slots.marketplace, slots.lane, len(without))[0]
            except RedisAway:
                booked = ()
            times |= dict(itertools.zip_longest(without, booked))
        return replace(slots, times=times)

    @asynccontextmanager
    async def turn(self, slots: Slots, order_id: str) -> AsyncIterator[bool]:
        """Wait until an order may leave: for its slot, for this process's share of the second, for room in its lane.

        Yields False when it has no slot, or missed it and none is near. Only to be used on the loop.
        """
        has_slot = await self._slot_comes(slots, slots.times[order_id])
        if has_slot:
            gate = self._gate(slots.marketplace.account, slots.lane)
            while (wait := gate.wait(_calls(slots.marketplace, slots.lane))) > 0:
                await asyncio.sleep(wait)
        async with self._loop.lane(slots.lane):
            yield has_slot

    async def _slot_comes(self, slots: Slots, at: float | None) -> bool:
        """Wait for a slot. A loop that stood still meanwhile has missed it and takes another one."""
        if at is None:
            return False
        minded = self._accounts.rate(slots.marketplace.account).per_second <= MINDED_RATE
        for _ in range(TRIES_FOR_A_SLOT):
            if (wait := at - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if not minded or time.monotonic() - at <= self._longest_delay(slots):
                return True
            try:
                times, _ = await asyncio.to_thread(self.book, slots.marketplace, slots.lane, 1)
            except RedisAway:
                return False
            if not times:
                return False
            at = times[0]
        return False

    def _put_off(
        self, account: str, ids: Sequence[str], state: State, wait: float, ring_again: RingAgain | None
    ) -> None:
        if not ids:
            return
        if ring_again is None or wait > SOON_SECONDS:
            self._due.put_off(ids, state, time.time() + wait)
        if ring_again is not None and wait <= COUNTDOWN_LIMIT_SECONDS:
            ring_again(account, ids, wait)

    def _longest_delay(self, slots: Slots) -> float:
        """Return how long after its slot a call may leave; later, it takes another: otherwise they go all at once."""
        rate = self._accounts.rate(slots.marketplace.account)
        return longest_delay(rate, _calls(slots.marketplace, slots.lane), PACE)

    def _gate(self, account: str, lane: Lane) -> Gate:
        rate = self._accounts.rate(account)
        key: tuple[str, Lane] = (account, "place" if rate.shared else "read" if lane == "follow" else lane)
        return self._gates.get(key) or self._gates.setdefault(key, Gate(rate))


def _calls(marketplace: Marketplace, lane: Lane) -> int:
    """Return how many calls one order takes."""
    if lane == "follow":
        return 1 + marketplace.calls_for_parcels
    return marketplace.calls_to_place if lane == "place" else 1
