"""Rings for push messages that were kept: once for all that come together, never in the way of an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from worker.background import Background
from worker.broker.bell import Bell
from worker.errors import RedisAway
from worker.ledger.lives import Lives
from worker.marketplaces.base import Push

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.2
"""Messages that come within this time are rung for once."""


class Hints:
    """Keeps which orders of ours messages were about, until they are rung for; `ring` also has messages looked at."""

    def __init__(self, lives: Lives, bell: Bell) -> None:
        self._lives, self._bell = lives, bell
        self._ids: SimpleQueue[str] = SimpleQueue()

    def take(self, account: str, push: Push) -> None:
        """Have the order a message is about read at once, where it is ours; waits for the ledger."""
        for order_id in self._lives.hint(account, push):
            self._ids.put(order_id)

    def ring(self) -> None:
        """Ring for all that came. Raises RedisAway; the sweep rings for what is due then."""
        self._bell.match()
        ids = {self._ids.get_nowait() for _ in range(self._ids.qsize())}
        if ids:
            self._bell.life(sorted(ids))


class Ringing(Background):
    """A thread that calls `ring` after messages came, and before it stops; what fails is left to the sweep."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__("ringing")
        self._ring = ring
        self._awake = threading.Event()
        self._came = False

    def came(self) -> None:
        """Note that a message was kept; never blocks."""
        self._came = True
        self._awake.set()

    def _round(self) -> None:
        self._awake.wait()
        self.stopping.wait(GATHER_SECONDS)
        self._awake.clear()
        if not self._came:
            return
        self._came = False
        try:
            self._ring()
        except RedisAway as error:
            log.warning("the sweep will ring: %s", error)
        except Exception as error:
            log.error("the sweep will ring: %s", type(error).__name__)

    def _wake(self) -> None:
        self._awake.set()
