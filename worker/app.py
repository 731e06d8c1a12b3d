"""The Celery application: `celery -A worker.app worker`, `beat` and `flower` start from here.

Importing it reads nothing and starts nothing: the configuration is made when Celery first asks for it.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, NoReturn

from celery import Celery, Task

from config.process import harden, private_folder
from config.queues import celery_config
from config.settings import BadSettingError, settings
from worker.broker import transport
from worker.broker.embedded import redis_url
from worker.broker.signing import sign_what_is_sent
from worker.errors import ConfigError, FulfilError, LedgerMoved, LedgerRefused, Unavailable

log = logging.getLogger(__name__)


class AnsweringTask(Task):  # type: ignore[misc]
    """A task that answers in a sentence when something it needs is away; the sweep comes again."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Run the task; return a failure of ours as its sentence."""
        try:
            return super().__call__(*args, **options)
        except FulfilError as error:
            loud = isinstance(error, LedgerRefused | LedgerMoved)
            log.log(logging.ERROR if loud else logging.WARNING, "%s: %s", self.name, error)
            return str(error)


CELERY_BROKER_VARIABLES = (
    "CELERY_BROKER_URL",
    "CELERY_BROKER_READ_URL",
    "CELERY_BROKER_WRITE_URL",
    "CELERY_RESULT_BACKEND",
)
"""Variables Celery puts above any configuration: orders would be rung for on another program's broker."""

app = Celery(
    "fulfil",
    task_cls=AnsweringTask,
    include=[
        "worker.lifecycle",
        "worker.broker.listeners",
        "tasks.submit",
        "tasks.place",
        "tasks.confirm",
        "tasks.follow",
        "tasks.reconcile",
        "tasks.match",
        "tasks.sweep",
        "tasks.refresh",
        "tasks.admin",
        "tasks.watchdog",
    ],
)


@app.on_configure.connect
def _configure(**_: Any) -> None:
    for name in CELERY_BROKER_VARIABLES:
        os.environ.pop(name, None)
    if "celery.bin.celery" in sys.modules:  # this is a program of Celery's command line, not a producer's
        harden()
    try:
        configured = settings()
        private_folder(configured.home)  # beat keeps its schedule there
        sign_what_is_sent(configured)
        app.config_from_object(celery_config(configured, redis_url(configured)))
        transport.use()
    except BadSettingError as error:
        give_up(error, ConfigError.exit_code)
    except OSError as error:
        give_up(error, Unavailable.exit_code)
    except FulfilError as error:
        give_up(error, error.exit_code)


def give_up(error: Exception, code: int) -> NoReturn:
    """End the program with a sentence and the exit code the command line gives the same failure."""
    print(f"fulfil: {error}", file=sys.stderr)
    raise SystemExit(code) from None
