"""Signs of life in Redis: which part did its work when, by the clock of Redis, for whoever asks whether all is well."""

from __future__ import annotations

import contextlib
import logging
from enum import StrEnum

import redis

from worker.background import Background

log = logging.getLogger(__name__)

KEY = "fulfil:signs"
WORKERS_KEY = "fulfil:workers"
EVERY_SECONDS = 10.0
WORKER_SECONDS = 25.0
"""How long the sign of a worker counts: it leaves one every ten seconds."""


class Sign(StrEnum):
    """What leaves a sign."""

    SWEEP = "sweep"
    """A sweep ran to its end: beat, Redis, the admin queue, a worker and the ledger are there."""
    HOOKS = "hooks"
    """The receiver of push messages runs, on whatever host."""
    LEDGER_MOVED = "ledger-moved"
    """A worker found that its ledger's file was moved away or replaced, and does no work."""


class Signs:
    """Leaves and reads signs. `broker`: a client of the queues' Redis."""

    def __init__(self, broker: redis.Redis) -> None:
        self._broker = broker

    def leave(self, sign: Sign) -> None:
        """Leave a sign now; what hinders it is only logged, for whoever leaves one has other work."""
        try:
            self._broker.hset(KEY, sign.value, repr(self._now()))
        except redis.RedisError as error:
            log.info("no sign of %s could be left: %s", sign.value, type(error).__name__)

    def worker(self, name: str) -> None:
        """Leave the sign of a worker, which counts for some seconds; what hinders it is only logged."""
        try:
            now = self._now()
            self._broker.zadd(WORKERS_KEY, {name: now})
            self._broker.zremrangebyscore(WORKERS_KEY, 0, now - WORKER_SECONDS)
        except redis.RedisError as error:
            log.info("no sign of a worker could be left: %s", type(error).__name__)

    def no_worker(self, name: str) -> None:
        """Take the sign of a worker away: it stops."""
        with contextlib.suppress(redis.RedisError):
            self._broker.zrem(WORKERS_KEY, name)

    def workers(self) -> int:
        """Return how many workers left a sign of late: so many answers are to be waited for. Raises RedisError."""
        return int(self._broker.zcount(WORKERS_KEY, self._now() - WORKER_SECONDS, "+inf"))

    def ages(self) -> dict[Sign, float]:
        """Return how many seconds ago each sign was left; those that never were are not in it. Raises RedisError."""
        now = self._now()
        kept = zip(Sign, self._broker.hmget(KEY, [sign.value for sign in Sign]), strict=True)
        return {sign: now - float(at) for sign, at in kept if at is not None}

    def _now(self) -> float:
        seconds, micros = self._broker.time()
        return float(seconds + micros / 1e6)


class LeaveSign(Background):
    """Leaves the sign of a program for as long as it runs."""

    def __init__(self, signs: Signs, sign: Sign) -> None:
        super().__init__(f"sign of {sign.value}")
        self._signs = signs
        self._sign = sign

    def _round(self) -> None:
        self._signs.leave(self._sign)
        self.stopping.wait(EVERY_SECONDS)
