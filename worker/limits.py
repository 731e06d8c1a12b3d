"""How fast an account may call: one script in Redis books the next slots, on Redis's own clock."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from worker.errors import RedisAway
from worker.marketplaces.base import Rate

# Books up to n slots that begin within max_wait; answers how many, the wait of the first, and the wait for one more.
# A slot that is booked and not used is simply gone: a crash costs a moment, never a call too many.
_BOOK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local n, step, burst, max_wait = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local next = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now - (burst - 1) * step)
local first = next - now
local granted = 0
if first <= max_wait then
  granted = math.min(n, math.floor((max_wait - first) / step) + 1)
  next = next + granted * step
  redis.call('SET', KEYS[1], string.format('%d', next), 'PX', math.ceil((next - now) / 1000) + 60000)
end
return {granted, string.format('%d', first), string.format('%d', next - now)}
"""


@dataclass(frozen=True, slots=True)
class Booking:
    """Slots booked: the wait of each in seconds, and the wait after which one more could be had."""

    waits: tuple[float, ...]
    next_wait: float


class Limits:
    """Books slots for an account's calls. Redis away means no call: raises RedisAway."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._book = client.register_script(_BOOK)

    def book(
        self, account: str, kind: str, rate: Rate, count: int, calls_each: int, max_wait_seconds: float
    ) -> Booking:
        """Book up to `count` slots of `calls_each` calls that begin within `max_wait_seconds`.

        `kind` is `place` or `read`; where the rate is shared both draw on one bucket.
        """
        bucket = "all" if rate.shared else kind
        step = calls_each / rate.per_second
        try:
            granted, first, after = self._book(
                keys=[f"fulfil:limit:{account}:{bucket}"],
                args=[count, round(step * 1e6), rate.burst, round(max_wait_seconds * 1e6)],
            )
        except redis.RedisError as error:
            raise RedisAway(f"no slot can be booked, Redis does not answer: {type(error).__name__}") from None
        start = int(first) / 1e6
        return Booking(tuple(max(0.0, start + i * step) for i in range(int(granted))), max(0.0, int(after) / 1e6))
