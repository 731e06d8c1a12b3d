"""Signs of life in Redis: which part did its work when, by the clock of Redis, for whoever asks whether all is well."""

from __future__ import annotations

import logging
from enum import StrEnum

import redis

from worker.background import Background

log = logging.getLogger(__name__)

KEY = "fulfil:signs"
EVERY_SECONDS = 10.0


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
            seconds, micros = self._broker.time()
            self._broker.hset(KEY, sign.value, repr(seconds + micros / 1e6))
        except redis.RedisError as error:
            log.info("no sign of %s could be left: %s", sign.value, type(error).__name__)

    def ages(self) -> dict[Sign, float]:
        """Return how many seconds ago each sign was left; those that never were are not in it. Raises RedisError."""
        seconds, micros = self._broker.time()
        now = seconds + micros / 1e6
        kept = zip(Sign, self._broker.hmget(KEY, [sign.value for sign in Sign]), strict=True)
        return {sign: now - float(at) for sign, at in kept if at is not None}


class LeaveSign(Background):
    """Leaves the sign of a program for as long as it runs."""

    def __init__(self, signs: Signs, sign: Sign) -> None:
        super().__init__(f"sign of {sign.value}")
        self._signs = signs
        self._sign = sign

    def _round(self) -> None:
        self._signs.leave(self._sign)
        self.stopping.wait(EVERY_SECONDS)
