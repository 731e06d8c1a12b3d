"""Reads from a marketplace, each when its turn comes, all of them at once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Generator, Iterable, Sequence
from typing import Any, TypeVar

from worker.errors import where
from worker.marketplaces.calls import Lost, ReadSteps, Reply, Request, Steps
from worker.rules.codes import Code
from worker.rules.outcomes import Declined, ReadOutcome, Unknown
from worker.rules.values import Waiting
from worker.sending.loop import Loop
from worker.sending.renewals import Renewals
from worker.sending.turns import Slots, Turns

log = logging.getLogger(__name__)

T = TypeVar("T")
Read = tuple[Slots, str, Steps]
"""One read: the slots its name stands in, the name, and what is to be called."""


class Reads:
    """Runs reads on the loop. `longest_seconds`: no request of a read leaves later after its turn."""

    def __init__(self, turns: Turns, loop: Loop, renewals: Renewals, longest_seconds: float) -> None:
        self._renewals = renewals
        self._turns = turns
        self._loop = loop
        self._longest_seconds = longest_seconds

    def of_orders(
        self, accounts: Iterable[tuple[Slots, Sequence[tuple[Waiting, ReadSteps]]]]
    ) -> list[tuple[Waiting, ReadOutcome]]:
        """Run the reads of several accounts' orders; an outcome for each."""
        orders: list[Waiting] = []
        reads: list[Read] = []
        for slots, of_account in accounts:
            kept = self._turns.keep(slots, (order.order_id for order, _ in of_account))
            orders += [order for order, _ in of_account]
            reads += [(kept, order.order_id, steps) for order, steps in of_account]
        return list(zip(orders, self._run(reads), strict=True))

    def of_account(
        self, slots: Slots, reads: Sequence[tuple[str, Generator[Request, Reply | Lost, T]]]
    ) -> list[T | Declined | Unknown]:
        """Run reads of one account, each at the time that stands under its name; the outcomes in the same order."""
        kept = self._turns.keep(slots, (name for name, _ in reads))
        return self._run([(kept, name, steps) for name, steps in reads])

    def _run(self, reads: Sequence[Read]) -> list[Any]:
        async def run() -> list[Any]:
            return await asyncio.gather(*(self._read(*one) for one in reads))

        outcomes = self._loop.run(run()) if reads else []
        senders = (slots.marketplace for slots, _, _ in reads)
        return [
            self._renewals.answer(by.account, by.token_version, outcome)
            for by, outcome in zip(senders, outcomes, strict=True)
        ]

    async def _read(self, slots: Slots, name: str, steps: Steps) -> Any:
        async with self._turns.turn(slots, name) as has_slot:
            if not has_slot:
                return Declined(Code.NOT_SENT, "its turn went by", retry_after_seconds=0.0)
            try:
                return await self._loop.client.drive(steps, deadline=time.time() + self._longest_seconds)
            except Exception as error:
                log.error("%s: %s while reading from %s", name, where(error), slots.marketplace.name)
                return Unknown(f"an internal error ({type(error).__name__})")
