"""Ends a worker that gets no messages: a message it sends to itself through the broker must keep coming back."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from celery import Celery
from celery.utils.nodenames import gethostname
from kombu.exceptions import OperationalError

from worker.background import Background

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
STUCK = 70
"""Exit code of a worker that ended itself (EX_SOFTWARE); its supervisor starts it again."""


class Watchdog(Background):
    """Sends messages to this worker's own queue and watches for them.

    While Redis is away nothing is proven, so that time does not count; nor does waiting for the ledger.
    """

    def __init__(self, app: Celery, redis_answers: Callable[[], bool], patience_seconds: float) -> None:
        super().__init__("watchdog")
        self._app = app
        self._redis_answers = redis_answers
        self._patience = patience_seconds
        self._heard = time.monotonic()
        self.hostname = gethostname()

    def heard(self) -> None:
        """Note that the worker does its work, or waits for something it cannot do without."""
        self._heard = time.monotonic()

    def _round(self) -> None:
        if self.stopping.wait(EVERY_SECONDS):
            return
        if not (self._redis_answers() and self._send()):
            self.heard()
        elif time.monotonic() - self._heard > self._patience:
            log.critical("no message came through for %.0f s though Redis answers: ending myself", self._patience)
            os._exit(STUCK)

    def _send(self) -> bool:
        try:
            self._app.send_task(
                "orders.canary", exchange="C.dq2", routing_key=self.hostname, expires=EVERY_SECONDS * 6, retry=False
            )
        except (OperationalError, OSError):
            return False
        return True
