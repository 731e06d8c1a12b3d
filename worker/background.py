"""Work in the background of a process: one way to start it, to stop it, and to wait for it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class Background(ABC):
    """A thread that works in rounds until it is told to stop. What a round does must never raise."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopping = threading.Event()
        """Set when the thread is told to stop."""
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._rounds = 0
        self._round_ended = threading.Condition()

    def start(self) -> None:
        """Begin to work; what works already goes on."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Tell the thread to stop, and wait up to `seconds` for its end."""
        self.stopping.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(seconds)

    @property
    def runs(self) -> bool:
        """Tell whether the thread is at work."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def rounds(self) -> int:
        """Return how many rounds have ended."""
        return self._rounds

    def wait_for_round(self, number: int, seconds: float = 10.0) -> bool:
        """Wait until this many rounds have ended; tell whether they have."""
        with self._round_ended:
            return self._round_ended.wait_for(lambda: self._rounds >= number, seconds)

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._round()
            with self._round_ended:
                self._rounds += 1
                self._round_ended.notify_all()

    @abstractmethod
    def _round(self) -> None:
        """Wait for work, do it once."""

    def _wake(self) -> None:  # noqa: B027 (a round that never waits for long needs none)
        """End a round's waiting, now that the thread is to stop."""
