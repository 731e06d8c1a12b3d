"""Ends a worker that gets no messages: a message it sends to itself through the broker must keep coming back."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence

import redis
from celery import Celery
from celery.utils.nodenames import gethostname
from kombu.exceptions import OperationalError

from worker.background import Background
from worker.broker.passage import Passage
from worker.broker.signs import Signs

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
STUCK = 70
"""Exit code of a worker that ended itself (EX_SOFTWARE); its supervisor starts it again."""


class Watchdog(Background):
    """Sends messages to this worker's own queue and watches for them.

    While Redis is away nothing is proven, so that time does not count; nor does waiting for the ledger.
    """

    def __init__(
        self,
        app: Celery,
        redis_answers: Callable[[], bool],
        patience_seconds: float,
        passage: Passage | None = None,
        signs: Signs | None = None,
    ) -> None:
        super().__init__("watchdog")
        self._signs = signs
        self._passage = passage
        self._turn = 0
        self.queues: Sequence[str] = ()
        """The queues this worker was started with."""
        self._app = app
        self._redis_answers = redis_answers
        self._patience = patience_seconds
        self._heard = time.monotonic()
        self.hostname = gethostname()

    def heard(self) -> None:
        """Note that the worker does its work, or waits for something it cannot do without."""
        self._heard = time.monotonic()

    def stop(self, seconds: float = 5.0) -> None:
        """Watch no more, and take this worker's sign away."""
        super().stop(seconds)
        if self._signs is not None:
            self._signs.no_worker(self.hostname)

    def _round(self) -> None:
        if self._signs is not None:
            self._signs.worker(self.hostname)
        if self.stopping.wait(EVERY_SECONDS):
            return
        if not (self._redis_answers() and self._send() and self._send_through()):
            self.heard()
        elif time.monotonic() - self._heard > self._patience:
            log.critical("no message came through for %.0f s though Redis answers: ending myself", self._patience)
            os._exit(STUCK)

    def came_through(self, queue: str) -> None:
        """Note that a message came through one of the queues that workers share."""
        if self._passage is not None:
            with contextlib.suppress(redis.RedisError):
                self._passage.came(queue)

    def _send_through(self) -> bool:
        """Send a message through the next of our queues; where none comes out, the doctor and the sweep tell."""
        if self._passage is None or not self.queues:
            return True
        self._turn = (self._turn + 1) % len(self.queues)
        queue = self.queues[self._turn]
        try:
            self._passage.asked(queue)
            self._app.send_task("orders.canary", args=[queue], queue=queue, expires=EVERY_SECONDS * 6, retry=False)
        except (OperationalError, OSError, redis.RedisError):
            return False
        return True

    def _send(self) -> bool:
        try:
            self._app.send_task(
                "orders.canary", exchange="C.dq2", routing_key=self.hostname, expires=EVERY_SECONDS * 6, retry=False
            )
        except (OperationalError, OSError):
            return False
        return True
