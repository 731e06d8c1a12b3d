"""The sandbox's one clock, which can be moved forward, and the ticker that tells when an order's next move is due."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from worker.sandbox.fake import Fake, SandboxOrder
from worker.sandbox.lives import Event

MOST_SECONDS = 10 * 365 * 86400.0
LONGEST_WAIT = 3600.0
"""Seconds after which the ticker looks again, whatever is due then: a machine that slept has another time."""
Tell = Callable[[Fake, SandboxOrder, str, Event], None]
"""Told of one move that took place: whose, of which order, of which of its ids."""


class Forward(BaseModel):
    """How far `POST /_sandbox/clock` moves the clock; it never goes back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    forward_seconds: float = Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)


class SandboxClock:
    """Unix seconds: real time, and what it was moved forward."""

    def __init__(self, real: Callable[[], float]) -> None:
        self.real = real
        """The time of the machine, which headers and the clients' own clocks go by."""
        self.moved = 0.0
        """How far ahead of it the sandbox is, in seconds."""

    def __call__(self) -> float:
        """Return the sandbox's time."""
        return self.real() + self.moved

    def stamp(self, at: float) -> float:
        """Return what a message about `at` is dated with: receivers judge its age by clocks that were not moved."""
        return self.real() if self.moved else at

    def public(self) -> dict[str, float]:
        """Return what `GET /_sandbox/clock` shows."""
        return {"now": self(), "forward_seconds": self.moved}


class Ticker:
    """Waits for the moves of every order that has some to come. All of it is for the sandbox's own loop."""

    def __init__(self, clock: Callable[[], float], tell: Tell) -> None:
        self._clock = clock
        self._tell = tell
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Fake, SandboxOrder, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._awaited = 0.0

    def follow(self, fake: Fake, order: SandboxOrder, references: Sequence[str] = ()) -> None:
        """Wait for an order's next moves; of all its ids unless some are named."""
        for reference in references or order.lives:
            due = order.lives[reference].next_due
            if due is not None:
                heapq.heappush(self._due, (due, next(self._numbers), fake, order, reference))
        if self._timer is None or (self._due and self._due[0][0] < self._awaited):
            self.tick()  # else nothing comes before what is waited for already

    def tick(self) -> None:
        """Tell what has become due, in the order of its time, and wait for the next."""
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            at, _, fake, order, reference = heapq.heappop(self._due)
            life = order.lives[reference]
            for event in life.news(at):
                self._tell(fake, order, reference, event)
            if life.next_due is not None:
                heapq.heappush(self._due, (life.next_due, next(self._numbers), fake, order, reference))
        self._wait()

    def _wait(self) -> None:
        next_at = self._due[0][0] if self._due else None
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if next_at is not None:
            self._awaited = next_at
            seconds = min(max(next_at - self._clock(), 0.0), LONGEST_WAIT)
            self._timer = asyncio.get_running_loop().call_later(seconds, self.tick)

    def clear(self) -> None:
        """Wait for nothing any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
