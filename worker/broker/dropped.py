"""Counts the messages that could not be read and were dropped, and tells of them without filling the log."""

from __future__ import annotations

import logging
import threading

log = logging.getLogger(__name__)

TOLD_ONE_BY_ONE = 10
"""So many messages get a line of the log each; after that only each tenfold number of them gets one."""


class Dropped:
    """How many messages this process dropped since its start."""

    def __init__(self) -> None:
        self._count = 0
        self._tell_at = 1
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """Return how many were dropped."""
        return self._count

    def add(self, why: str) -> None:
        """Count a message. `why` never repeats its content: it may be anything, an order's too."""
        with self._lock:
            self._count += 1
            count, telling = self._count, self._count >= self._tell_at
            if telling:
                self._tell_at = count + 1 if count < TOLD_ONE_BY_ONE else count * 10
        if telling:
            log.error("a message that cannot be read was dropped (%s); %d since the start", why, count)


dropped = Dropped()
"""Of this process."""
