"""What happens when a worker or beat starts and stops: Celery's signals."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import Any

from celery import signals

from config.logs import configure_logs
from config.settings import settings
from worker.app import app, give_up
from worker.broker.listeners import expected
from worker.errors import FulfilError
from worker.parts import parts

log = logging.getLogger(__name__)

GARBAGE_AFTER = 20_000
"""New objects, less those freed, before the cycles among them are looked for; Python's own 700 are a few orders."""


@signals.setup_logging.connect
def _logs(**_: Any) -> None:
    configure_logs(settings().log_level)


@signals.worker_init.connect
def _check(**_: Any) -> None:
    """Fail at the start, with a sentence, rather than at the first order."""
    _start(parts().check)


@signals.beat_init.connect
def _ring_only(**_: Any) -> None:
    """Start without the ledger and the accounts: beat rings, and is given no secret but the broker's."""
    _start(lambda: None)


def _start(check: Callable[[], None]) -> None:
    try:
        parts().embedded.start()
        check()
    except FulfilError as error:
        parts().embedded.stop()
        give_up(error, error.exit_code)


@signals.worker_init.connect
def _warm(**_: Any) -> None:
    """Have the steps and the loop there before the first order, whose slot would else go by."""
    parts().warm()
    # What was imported stays; to look through it again and again for garbage took an eighth of the worker's CPU.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


@signals.worker_ready.connect
def _watch(sender: Any = None, **_: Any) -> None:
    watchdog = parts().watchdog
    watchdog.hostname = getattr(sender, "hostname", watchdog.hostname)
    ours = set(expected(parts().settings))
    watchdog.queues = [name for name in app.amqp.queues.consume_from if name in ours]
    watchdog.start()


@signals.worker_shutting_down.connect
def _drain(**_: Any) -> None:
    parts().draining.set()
    parts().watchdog.stop(0)


@signals.worker_shutdown.connect
def _stop(**_: Any) -> None:
    parts().bell.stop()
    parts().embedded.stop()
