"""One asyncio loop and one HTTP client a worker process; how much is in flight is set here."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from config.settings import Settings
from worker.background import Background
from worker.sending.client import Client
from worker.sending.limits import Lane

T = TypeVar("T")


class Loop(Background):
    """A thread that runs the process's asyncio loop. Sends and reads have lanes of their own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("loop")
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self.start()
        self._client: Client = self.run(self._open())

    async def _open(self) -> Client:
        self._lanes: dict[Lane, asyncio.Semaphore] = {
            "place": asyncio.Semaphore(self._settings.in_flight),
            "read": asyncio.Semaphore(self._settings.in_flight_reads),
            "follow": asyncio.Semaphore(max(1, self._settings.in_flight_reads // 4)),
        }
        return Client(
            connections=self._settings.in_flight + self._settings.in_flight_reads,
            connect_seconds=self._settings.connect_timeout_seconds,
            answer_seconds=self._settings.answer_seconds,
        )

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop from another thread and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Start a coroutine on the loop from another thread and let it run."""
        asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def lane(self, name: Lane) -> asyncio.Semaphore:
        """Return a lane; only to be used on the loop."""
        return self._lanes[name]

    @property
    def client(self) -> Client:
        """Return the process's HTTP client; only to be used on the loop."""
        return self._client

    def stop(self, seconds: float = 5.0) -> None:
        """Close the connections and end the thread."""
        self.run(self._client.aclose())
        super().stop(seconds)

    def _round(self) -> None:
        self._loop.run_forever()

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
