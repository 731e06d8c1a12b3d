"""One asyncio loop and one HTTP client per worker process; how much is in flight is set here."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from config.settings import Settings, settings
from worker.once import once
from worker.sending.client import Client

T = TypeVar("T")


class Loop:
    """A thread that runs the process's asyncio loop. Sends and reads have lanes of their own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.stopping = False
        """Set when the worker is told to stop: nothing new is sent, what is under way ends."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._thread.start()
        self._client: Client = self.run(self._open())

    async def _open(self) -> Client:
        self._lanes = {
            "place": asyncio.Semaphore(self._settings.in_flight),
            "read": asyncio.Semaphore(self._settings.in_flight_reads),
        }
        return Client(
            connections=self._settings.in_flight + self._settings.in_flight_reads,
            connect_seconds=self._settings.connect_timeout_seconds,
            answer_seconds=self._settings.answer_seconds,
        )

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop from another thread and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Start a coroutine on the loop from another thread and let it run."""
        asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def lane(self, name: str) -> asyncio.Semaphore:
        """Return the lane `place` or `read`; only to be used on the loop."""
        return self._lanes[name]

    @property
    def client(self) -> Client:
        """Return the process's HTTP client; only to be used on the loop."""
        return self._client

    def close(self) -> None:
        """Close the connections and end the thread."""
        self.run(self._client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


@once
def process_loop() -> Loop:
    """Return the process's loop, started at the first call."""
    return Loop(settings())
