"""Who listens to which queue, told by the workers themselves: a queue nobody listens to stops its orders in silence."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import redis
from celery import Celery
from celery.worker.control import inspect_command
from kombu.exceptions import KombuError

from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, FOLLOW_QUEUE, place_queue
from config.settings import Settings
from worker.broker.dropped import dropped
from worker.broker.troubles import trouble
from worker.errors import FulfilError

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
START_SECONDS = 20.0
"""Nobody is missed so soon: programs that are started together are not ready together."""
ANSWER_SECONDS = 1.5
"""Longest wait for the workers' answers; one that is busy with its own start answers late."""


@inspect_command()
def fulfil_dropped(_state: Any) -> int:
    """Answer how many messages this worker could not read and dropped."""
    return dropped.count


def expected(settings: Settings) -> list[str]:
    """Return every queue that must have a listener."""
    return [*map(place_queue, settings.accounts), CONFIRM_QUEUE, FOLLOW_QUEUE, ADMIN_QUEUE]


def pinged(app: Celery) -> list[str]:
    """Return the names of the workers that answer. Raises ConfigError, RedisAway."""
    try:
        found = app.control.ping(timeout=ANSWER_SECONDS) or []
    except (KombuError, redis.RedisError, OSError) as error:
        raise trouble(error) from None
    return sorted(name for answer in found for name in answer)


def unheard(app: Celery, wanted: Iterable[str], workers: int) -> list[str]:
    """Return which of these queues no worker listens to. Raises ConfigError, RedisAway.

    `workers`: how many are there by their signs; when so many have answered and no queue is left, that is enough.
    """
    left = set(wanted)
    for most in (workers, None) if workers else (None,):
        try:
            told = app.control.inspect(timeout=ANSWER_SECONDS, limit=most).active_queues() or {}
        except (KombuError, redis.RedisError, OSError) as error:
            raise trouble(error) from None
        left -= {queue["name"] for queues in told.values() for queue in queues}
        if not left or len(told) < workers:
            break  # a second look would wait as long, and hear the same
    return sorted(left)


@dataclass(frozen=True, slots=True)
class Listeners:
    """What the workers answered: who listens to what, and how many messages they dropped."""

    queues: dict[str, frozenset[str]]
    """For each queue the workers that listen to it."""
    workers: int
    dropped: int = 0

    @classmethod
    def ask(cls, app: Celery) -> Self:
        """Ask every worker. Raises ConfigError, RedisAway."""
        try:
            inspect = app.control.inspect(timeout=ANSWER_SECONDS)
            told: dict[str, list[dict[str, Any]]] = inspect.active_queues() or {}
            counts = inspect._request("fulfil_dropped") if told else {}
        except (KombuError, redis.RedisError, OSError) as error:
            raise trouble(error) from None
        found: dict[str, set[str]] = {}
        for worker, queues in told.items():
            for queue in queues:
                found.setdefault(queue["name"], set()).add(worker)
        lost = sum(count for count in (counts or {}).values() if isinstance(count, int))
        return cls({name: frozenset(workers) for name, workers in found.items()}, len(told), lost)

    def deaf(self, wanted: Iterable[str]) -> list[str]:
        """Return which of these queues nobody listens to."""
        return [name for name in wanted if not self.queues.get(name)]


class Watch:
    """Looks now and then for queues nobody listens to, and says so in the log and to whoever asks."""

    def __init__(self, settings: Settings, ask: Callable[[], Listeners], stuck: Callable[[], list[str]]) -> None:
        self._wanted = expected(settings)
        self._ask = ask
        self._stuck = stuck
        self._next = time.monotonic() + START_SECONDS
        self._told = ""
        self._looking = threading.Lock()

    def __call__(self) -> str:
        """Return what there is to say, "" where all is well or nobody could be asked; asks once in `EVERY_SECONDS`."""
        if time.monotonic() < self._next or not self._looking.acquire(blocking=False):
            return self._told
        try:
            self._next = time.monotonic() + EVERY_SECONDS
            deaf = self._ask().deaf(self._wanted) or self._stuck()
        except FulfilError as error:
            log.info("nobody could be asked who listens to the queues: %s", error)
            return self._told
        finally:
            self._looking.release()
        self._told = f"; nobody takes from {', '.join(deaf)}: fulfil doctor" if deaf else ""
        if deaf:
            log.error("nobody takes from %s: its orders stand still until a worker does", ", ".join(deaf))
        return self._told
