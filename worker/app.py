"""The Celery application: `celery -A worker.app worker`, `beat` and `flower` start from here."""

from __future__ import annotations

import gc
import logging
import os
import sys
from typing import Any, NoReturn

from celery import Celery, Task, signals

from config.logs import configure_logs
from config.queues import celery_config
from config.settings import BadSettingError, settings
from worker.broker.embedded import EmbeddedRedis, redis_url
from worker.errors import ConfigError, FulfilError, Unavailable

log = logging.getLogger(__name__)

GARBAGE_AFTER = 20_000
"""New objects, less those freed, before the cycles among them are looked for; Python's own 700 are a few orders."""


class _AnsweringTask(Task):  # type: ignore[misc]
    """A task that answers in a sentence when something it needs is away; the sweep comes again."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        try:
            return super().__call__(*args, **options)
        except FulfilError as error:
            log.warning("%s: %s", self.name, error)
            return str(error)


_FOREIGN = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", "CELERY_RESULT_BACKEND")
"""Variables Celery puts above any configuration: orders would be rung for on another program's broker."""


def _application() -> Celery:
    for name in _FOREIGN:
        os.environ.pop(name, None)
    try:
        configured = settings()
        app = Celery(
            "fulfil",
            task_cls=_AnsweringTask,
            include=[
                "worker.broker.watchdog",
                "tasks.submit",
                "tasks.place",
                "tasks.confirm",
                "tasks.reconcile",
                "tasks.match",
                "tasks.sweep",
                "tasks.admin",
            ],
        )
        configured.home.mkdir(parents=True, exist_ok=True)  # beat keeps its schedule there
        app.conf.update(celery_config(configured, redis_url(configured)))
    except BadSettingError as error:
        _give_up(error, ConfigError.exit_code)
    except OSError as error:
        _give_up(error, Unavailable.exit_code)
    except FulfilError as error:
        _give_up(error, error.exit_code)
    return app


def _give_up(error: Exception, code: int) -> NoReturn:
    """End the program with a sentence and the exit code the command line gives the same failure."""
    print(f"fulfil: {error}", file=sys.stderr)
    raise SystemExit(code) from None


app = _application()
_redis = EmbeddedRedis(settings())


@signals.setup_logging.connect
def _logs(**_: Any) -> None:
    configure_logs(settings().log_level)


@signals.beat_init.connect
@signals.worker_init.connect
def _ready(**_: Any) -> None:
    """Fail at the start, with a sentence, rather than at the first order."""
    from worker.accounts import adapter
    from worker.ledger.engine import ledger

    try:
        _redis.start()
        ledger()
        for account in settings().accounts:
            adapter(account)
    except FulfilError as error:
        _redis.stop()
        _give_up(error, error.exit_code)


@signals.worker_init.connect
def _warm(**_: Any) -> None:
    """Have the loop and its client there before the first order, whose slot would else go by."""
    from worker.sending.loop import process_loop

    process_loop()
    # What was imported stays; to look through it again and again for garbage took an eighth of the worker's CPU.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


@signals.worker_shutting_down.connect
def _stop_sending(**_: Any) -> None:
    from worker.sending.loop import process_loop

    process_loop().stopping = True


@signals.worker_shutdown.connect
def _gone(**_: Any) -> None:
    from worker.broker.bell import bell

    bell().close()
    _redis.stop()
