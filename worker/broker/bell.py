"""Rings: tells the workers by a message which orders are due. A ring that is lost is rung again by the sweep."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import redis
from kombu.exceptions import KombuError

from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, COUNTDOWN_LIMIT_SECONDS, place_queue
from config.settings import settings
from worker.accounts import rate
from worker.app import app
from worker.errors import RedisAway
from worker.once import once

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""Confirms that come due within this time share a message; it delays none of them by more."""


LATE_SECONDS = 0.01
"""A confirm is told this much after its order is due, for a moment too early it would be turned away."""


class Bell:
    """Publishes order ids in chunks.

    Confirms are gathered and published by a thread of their own, so that nothing that waits for Redis ever stands
    between an answer and its record.
    """

    def __init__(self, chunk: int) -> None:
        self._chunk = chunk
        self._waiting: list[tuple[float, str]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def place(self, account: str, ids: Sequence[str], countdown: float = 0.0) -> None:
        """Tell that these orders of one account are to be placed. Raises RedisAway; some may have been told.

        A message carries no more orders than the account may send in about a second: a task never waits longer.
        """
        self._publish("orders.place", place_queue(account), _chunks(ids, message_size(account)), countdown)

    def confirm(self, ids: Sequence[str]) -> None:
        """Tell that these placed orders are to be read back now. Raises RedisAway."""
        self._publish("orders.confirm", CONFIRM_QUEUE, _chunks(ids, self._chunk), 0.0)

    def reconcile(self, ids: Sequence[str]) -> None:
        """Tell that these unknown orders are to be settled now. Raises RedisAway."""
        self._publish("orders.reconcile", CONFIRM_QUEUE, _chunks(ids, self._chunk), 0.0)

    def match(self) -> None:
        """Tell that push messages wait to be looked at. Raises RedisAway."""
        self._send("orders.match", ADMIN_QUEUE, [[]], 0.0)

    def confirm_at(self, due: Iterable[tuple[float, str]]) -> None:
        """Tell in time that orders are to be read back: pairs of (unix seconds, order_id). Never blocks or fails."""
        with self._changed:
            self._waiting.extend(due)
            if self._thread is None:
                self._thread = threading.Thread(target=self._gather, name="bell", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Publish what is gathered and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(5)

    def _gather(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
            if not self._closed:
                time.sleep(GATHER_SECONDS)
            with self._changed:
                due, self._waiting = sorted(self._waiting), []
            try:
                self._confirm_groups(due)
            except RedisAway as error:
                log.warning("%d confirmations are left to the sweep: %s", len(due), error)
            except Exception as error:  # whatever it is, the thread must live: without it every confirm is late
                log.error("%d confirmations are left to the sweep: %s", len(due), type(error).__name__)

    def _confirm_groups(self, due: list[tuple[float, str]]) -> None:
        soon = [(at, order_id) for at, order_id in due if at - time.time() <= COUNTDOWN_LIMIT_SECONDS]
        for group in _by_time(soon, self._chunk):
            countdown = max(0.0, group[-1][0] - time.time() + LATE_SECONDS)
            self._publish("orders.confirm", CONFIRM_QUEUE, [[order_id for _, order_id in group]], countdown)

    def _publish(self, task: str, queue: str, chunks: Iterable[Sequence[str]], countdown: float) -> None:
        self._send(task, queue, ([list(ids)] for ids in chunks), countdown)

    def _send(self, task: str, queue: str, messages: Iterable[list[Any]], countdown: float) -> None:
        options: dict[str, Any] = {"queue": queue, "countdown": countdown or None}
        try:
            with app.producer_pool.acquire(block=True, timeout=5) as producer, producer.batch(max_size=200):
                for arguments in messages:
                    app.send_task(task, args=arguments, producer=producer, **options)
        except (KombuError, redis.RedisError, OSError) as error:
            raise RedisAway(f"Redis does not answer ({type(error).__name__}); the sweep rings later") from None


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _by_time(due: Sequence[tuple[float, str]], size: int) -> Iterator[list[tuple[float, str]]]:
    group: list[tuple[float, str]] = []
    for at, order_id in due:
        if group and (len(group) >= size or at - group[0][0] > GATHER_SECONDS):
            yield group
            group = []
        group.append((at, order_id))
    if group:
        yield group


def message_size(account: str) -> int:
    """Return how many of an account's orders share a message at most: what it may send in about a second."""
    return min(settings().chunk, max(1, round(rate(account).per_second)))


def worth_ringing(account: str) -> int:
    """Return how many orders of an account are worth ringing for: what it can send until two sweeps from now."""
    return max(message_size(account), math.ceil(rate(account).per_second * settings().sweep_seconds * 2))


@once
def bell() -> Bell:
    """Return the process's bell."""
    return Bell(settings().chunk)
