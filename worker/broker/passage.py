"""Whether messages come through each queue: one is sent through it, and whoever gets it takes the note of it away."""

from __future__ import annotations

import time
from collections.abc import Iterable

import redis

KEPT_SECONDS = 86400
_KEY = "fulfil:asked:{}"


class Passage:
    """Notes in Redis, shared by all: a message went into this queue then, and none has come out of it since."""

    def __init__(self, broker: redis.Redis) -> None:
        self._broker = broker

    def asked(self, queue: str) -> None:
        """Note that a message goes into a queue; an older note stands."""
        self._broker.set(_KEY.format(queue), repr(time.time()), nx=True, ex=KEPT_SECONDS)

    def came(self, queue: str) -> None:
        """Note that one came out of it."""
        self._broker.delete(_KEY.format(queue))

    def stuck(self, queues: Iterable[str], patience_seconds: float) -> list[str]:
        """Return the queues through which nothing came for so long. Raises redis.RedisError."""
        names = list(queues)
        asked = self._broker.mget([_KEY.format(name) for name in names])
        now = time.time()
        return [name for name, at in zip(names, asked, strict=True) if at and now - float(at) > patience_seconds]
