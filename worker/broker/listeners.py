"""Who listens to which queue, told by the workers themselves: a queue nobody listens to stops its orders in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import redis
from celery.worker.control import inspect_command
from kombu.exceptions import KombuError

from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, place_queue
from config.settings import Settings
from worker.broker.dropped import dropped
from worker.broker.troubles import trouble

ANSWER_SECONDS = 1.5
"""Longest wait for the workers' answers; one that is busy with its own start answers late."""


@inspect_command()
def fulfil_dropped(_state: Any) -> int:
    """Answer how many messages this worker could not read and dropped."""
    return dropped.count


def expected(settings: Settings) -> list[str]:
    """Return every queue that must have a listener."""
    return [*map(place_queue, settings.accounts), CONFIRM_QUEUE, ADMIN_QUEUE]


def pinged() -> list[str]:
    """Return the names of the workers that answer. Raises ConfigError, RedisAway."""
    from worker.app import app

    try:
        found = app.control.ping(timeout=ANSWER_SECONDS) or []
    except (KombuError, redis.RedisError, OSError) as error:
        raise trouble(error) from None
    return sorted(name for answer in found for name in answer)


@dataclass(frozen=True, slots=True)
class Listeners:
    """What the workers answered: who listens to what, and how many messages they dropped."""

    queues: dict[str, frozenset[str]]
    """For each queue the workers that listen to it."""
    workers: int
    dropped: int = 0

    @classmethod
    def ask(cls) -> Self:
        """Ask every worker. Raises ConfigError, RedisAway."""
        from worker.app import app

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
