"""Rings: tells the workers by a message which orders are due. A ring that is lost is rung again by the sweep."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import redis
from celery import Celery
from kombu.exceptions import KombuError

from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, COUNTDOWN_LIMIT_SECONDS, FOLLOW_QUEUE, place_queue
from config.settings import Settings
from worker.accounts import Accounts
from worker.background import Background
from worker.errors import RedisAway
from worker.rules.states import State
from worker.rules.values import Moved

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""Confirms that come due within this time share a message."""
AFTER_SECONDS = 0.01
"""A confirm's message comes this long after its order is due: a moment too early it would find nothing to do."""


class Bell(Background):
    """Publishes order ids in chunks.

    Confirms are gathered and published by a thread of their own, so that nothing that waits for Redis ever stands
    between an answer and its record.
    """

    def __init__(self, app: Celery, accounts: Accounts, settings: Settings) -> None:
        super().__init__("bell")
        self._app = app
        self._accounts = accounts
        self._chunk = settings.chunk
        self._sweep_seconds = settings.sweep_seconds
        self._confirms: list[tuple[float, str]] = []
        self._changed = threading.Condition()

    def follow(self, moved: Iterable[Moved], at_once: bool = False) -> None:
        """Ring for what orders need next, which their new state says. Never fails: the sweep rings again.

        A placed order is to be read back at its time. What is queued or unknown is rung for by the sweep when it is
        due, or here where a person waits for it (`at_once`).
        """
        moved = list(moved)
        confirms = [(one.due_at, one.order_id) for one in moved if one.state is State.PLACED and one.due_at is not None]
        if confirms:
            self.confirm_at(confirms)
        if at_once:
            self._follow_now(moved)

    def _follow_now(self, moved: Iterable[Moved]) -> None:
        places: dict[str, list[str]] = defaultdict(list)
        unknown = []
        for one in moved:
            if one.state is State.QUEUED:
                places[one.account].append(one.order_id)
            elif one.state is State.UNKNOWN:
                unknown.append(one.order_id)
        try:
            for account, ids in places.items():
                self.place(account, ids)
            if unknown:
                self.reconcile(unknown)
        except RedisAway as error:
            log.info("orders wait for the sweep: %s", error)

    def place(self, account: str, ids: Sequence[str], countdown: float = 0.0) -> None:
        """Tell that these orders of one account are to be placed. Raises RedisAway; some may have been told.

        A message carries no more orders than the account may send in about a second: a task never waits longer.
        """
        self._publish("orders.place", place_queue(account), _chunks(ids, self.message_size(account)), countdown)

    def confirm(self, ids: Sequence[str]) -> None:
        """Tell that these placed orders are to be read back now. Raises RedisAway."""
        self._publish("orders.confirm", CONFIRM_QUEUE, _chunks(ids, self._chunk), 0.0)

    def reconcile(self, ids: Sequence[str]) -> None:
        """Tell that these unknown orders are to be settled now. Raises RedisAway."""
        self._publish("orders.reconcile", CONFIRM_QUEUE, _chunks(ids, self._chunk), 0.0)

    def life(self, ids: Sequence[str], in_seconds: float = 0.0) -> None:
        """Tell that supplier orders of these orders of one account are to be read, now or then. Raises RedisAway."""
        if in_seconds <= COUNTDOWN_LIMIT_SECONDS:  # what is due later is left to the sweep
            self._publish("orders.follow", FOLLOW_QUEUE, _chunks(ids, self._chunk), in_seconds)

    def match(self) -> None:
        """Tell that push messages wait to be looked at. Raises RedisAway."""
        self._send("orders.match", ADMIN_QUEUE, [[]], 0.0)

    def refresh(self, account: str) -> None:
        """Tell that an account's tokens are to be renewed. Raises RedisAway."""
        self._send("accounts.refresh", ADMIN_QUEUE, [[account]], 0.0)

    def act(self, act_id: str) -> None:
        """Tell that an act is to be worked on. Raises RedisAway."""
        self._send("admin.act", ADMIN_QUEUE, [[act_id]], 0.0)

    def confirm_at(self, due: Iterable[tuple[float, str]]) -> None:
        """Tell in time that orders are to be read back: pairs of (unix seconds, order_id). Never blocks or fails."""
        self.start()
        with self._changed:
            self._confirms.extend(due)
            self._changed.notify()

    def message_size(self, account: str) -> int:
        """Return how many of an account's orders share a message at most: what it may send in about a second."""
        return min(self._chunk, max(1, round(self._accounts.rate(account).per_second)))

    def worth_ringing(self, account: str) -> int:
        """Return how many orders of an account are worth ringing for: what it can send until two sweeps from now."""
        per_second = self._accounts.rate(account).per_second
        return max(self.message_size(account), math.ceil(per_second * self._sweep_seconds * 2))

    def stop(self, seconds: float = 5.0) -> None:
        """Publish what is gathered and end the thread."""
        super().stop(seconds)
        self._publish_confirms()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _round(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._confirms or self.stopping.is_set())
        self.stopping.wait(GATHER_SECONDS)
        self._publish_confirms()

    def _publish_confirms(self) -> None:
        with self._changed:
            due, self._confirms = sorted(self._confirms), []
        try:
            self._confirm_groups(due)
        except RedisAway as error:
            log.warning("%d confirmations are left to the sweep: %s", len(due), error)
        except Exception as error:  # whatever it is, the thread must live: without it every confirm is overdue
            log.error("%d confirmations are left to the sweep: %s", len(due), type(error).__name__)

    def _confirm_groups(self, due: list[tuple[float, str]]) -> None:
        soon = [(at, order_id) for at, order_id in due if at - time.time() <= COUNTDOWN_LIMIT_SECONDS]
        for group in _by_time(soon, self._chunk):
            countdown = max(0.0, group[-1][0] - time.time() + AFTER_SECONDS)
            self._publish("orders.confirm", CONFIRM_QUEUE, [[order_id for _, order_id in group]], countdown)

    def _publish(self, task: str, queue: str, chunks: Iterable[Sequence[str]], countdown: float) -> None:
        self._send(task, queue, ([list(ids)] for ids in chunks), countdown)

    def _send(self, task: str, queue: str, messages: Iterable[list[Any]], countdown: float) -> None:
        options: dict[str, Any] = {"queue": queue, "countdown": countdown or None}
        try:
            with (
                self._app.producer_pool.acquire(block=True, timeout=5) as producer,
                producer.batch(max_size=200),
            ):
                for arguments in messages:
                    self._app.send_task(task, args=arguments, producer=producer, **options)
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
