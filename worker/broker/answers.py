"""What marketplaces said before orders, kept in Redis for a while: every process that asks shares it.

Nothing depends on it: what is lost is asked again. No key and no value holds anything of a person.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import redis
from pydantic import TypeAdapter, ValidationError

from worker.marketplaces.asks import Answer, Ask, Topic

log = logging.getLogger(__name__)

FORM = 1
"""Goes up when what is kept changes its form."""
ADDRESS_SECONDS = 30 * 86400.0
"""Names of places change rarely, and the marketplace answers only a few questions a second for them."""
AT_ONCE = 500


class Answers:
    """Keeps answers. `keep_seconds`: how long one about goods counts. Redis away: nothing is kept, nothing fails."""

    def __init__(self, client: redis.Redis, keep_seconds: float) -> None:
        self._client = client
        self._keep_seconds = keep_seconds

    def known(self, place: str, asks: Sequence[Ask]) -> dict[str, tuple[Answer, float]]:
        """Return the kept answers by their keys, each with the unix time it was read at.

        `place`: the fingerprint of where the account asks; another buyer is told other prices.
        """
        found: dict[str, tuple[Answer, float]] = {}
        wanted = [ask for ask in asks if ask.kept is not None]
        try:
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                values = self._client.mget([_key(place, ask) for ask in some])
                found |= {ask.key: read for ask, value in zip(some, values, strict=True) if (read := _read(ask, value))}
        except redis.RedisError as error:
            log.warning("kept answers cannot be read: %s", type(error).__name__)
        return found

    def keep(self, place: str, asks: Sequence[Ask], answers: Mapping[str, Answer]) -> None:
        """Keep the answers that say something."""
        now = time.time()
        pipeline = self._client.pipeline(transaction=False)
        for ask in asks:
            answer = answers.get(ask.key)
            seconds = ADDRESS_SECONDS if ask.topic is Topic.ADDRESS else self._keep_seconds
            if ask.kept is not None and isinstance(answer, ask.kept) and seconds > 0:
                told = _adapter(ask.kept).dump_python(answer, mode="json")
                pipeline.set(_key(place, ask), json.dumps([now, told]), px=max(1, round(seconds * 1000)))
        try:
            pipeline.execute()
        except redis.RedisError as error:
            log.warning("answers cannot be kept: %s", type(error).__name__)


@cache
def _adapter(kept: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kept)


def _key(place: str, ask: Ask) -> str:
    return f"fulfil:preflight:{FORM}:{place}:{ask.key}"


def _read(ask: Ask, value: object) -> tuple[Answer, float] | None:
    try:
        at, told = json.loads(value) if isinstance(value, str | bytes) else (None, None)
        return None if at is None else (_adapter(ask.kept).validate_python(told), float(at))
    except (ValueError, TypeError, ValidationError):
        return None
