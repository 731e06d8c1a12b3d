"""A worker that went deaf ends itself: a message to itself through the broker must keep coming back."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from celery import signals
from celery.utils.nodenames import gethostname
from kombu.exceptions import OperationalError

from config.settings import settings
from worker.app import app
from worker.broker.embedded import answers

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
STUCK = 70
"""Exit code of a worker that ended itself (EX_SOFTWARE); its supervisor starts it again."""


class Watchdog:
    """Sends messages to this worker's own queue and watches for them.

    While Redis is away nothing is proven, so that time does not count; nor does waiting for the ledger.
    """

    def __init__(self, hostname: str, patience_seconds: float) -> None:
        self._hostname = hostname
        self._patience = patience_seconds
        self._heard = time.monotonic()
        self._closed = threading.Event()

    def heard(self) -> None:
        """Note that the worker does its work, or waits for something it cannot do without."""
        self._heard = time.monotonic()

    def start(self) -> None:
        """Begin to send and watch, on a thread of its own."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def close(self) -> None:
        """Stop watching: the worker is told to end."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(EVERY_SECONDS):
            if not (answers(settings()) and self._send()):
                self.heard()
            elif time.monotonic() - self._heard > self._patience:
                log.critical("no message came through for %.0f s though Redis answers: ending myself", self._patience)
                os._exit(STUCK)

    def _send(self) -> bool:
        try:
            app.send_task(
                "orders.canary", exchange="C.dq2", routing_key=self._hostname, expires=EVERY_SECONDS * 6, retry=False
            )
        except (OperationalError, OSError):
            return False
        return True


_watchdog: Watchdog | None = None


def heard() -> None:
    """Note that this worker is alive; does nothing outside a worker."""
    if _watchdog is not None:
        _watchdog.heard()


@app.task(name="orders.canary", send_events=False)
def watchdog() -> None:
    """Come back through the broker."""
    heard()


@signals.worker_ready.connect
def _begin(sender: Any = None, **_: Any) -> None:
    global _watchdog
    # Longer than the longest task, or a worker with much to do would count as stuck.
    _watchdog = Watchdog(getattr(sender, "hostname", gethostname()), settings().lease_seconds * 2 + 60)
    _watchdog.start()


@signals.worker_shutting_down.connect
def _end(**_: Any) -> None:
    if _watchdog is not None:
        _watchdog.close()
