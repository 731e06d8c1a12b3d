"""Creates whose orders the sandbox makes later than they came: taken in, held back, and made when their time comes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from worker.sandbox.fake import Fake, SandboxOrder


class LateCommits:
    """What was taken in and is not made yet; runs on the sandbox's loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.TimerHandle, SandboxOrder, float]] = {}

    def hold(self, fake: Fake, orders: Sequence[SandboxOrder], seconds: float) -> None:
        """Let a fake make these orders after so many seconds, whatever becomes of the connection they came on."""
        for order in orders:
            number = next(self._numbers)
            timer = asyncio.get_running_loop().call_later(seconds, self._make, number, fake)
            self._waiting[number] = timer, order, self._clock() + seconds

    def _make(self, number: int, fake: Fake) -> None:
        _, order, _ = self._waiting.pop(number)
        fake.commit_late(order, self._clock())

    def public(self) -> list[dict[str, Any]]:
        """Return what is still to come, in the order it came."""
        return [
            {"marketplace": order.marketplace, "account": order.account, "key": order.key, "due_at": due_at}
            for _, order, due_at in self._waiting.values()
        ]

    def clear(self) -> None:
        """Forget what was to come: it is never made."""
        for timer, _, _ in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
