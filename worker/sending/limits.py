"""How fast an account may call, and whether at all: slots and a breaker in Redis, on Redis's own clock."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

import redis

from worker.errors import RedisAway
from worker.marketplaces.base import Rate

Lane = Literal["place", "read", "follow", "product", "freight", "address"]
"""What a call does; each has its own rate, unless the marketplace counts both together.

The last three are asked before orders, at one rate for all accounts of a marketplace.
"""
PACE = 0.98
"""How much of an account's rate is used: room for calls that leave or arrive some milliseconds after their slot."""

# Books up to n slots that begin within max_wait; answers how many, the wait of the first, and when the rest's turn is.
# What fills no more than a second (at its pace) is not parted: it gets all its slots when the first begins in time.
# A slot that is booked and not used is simply gone: a crash costs a moment, never a call too many. The line says when
# each of those that were put off is to come again, one after the other: all at once they would only push each other
# back. It reserves nothing, so whoever never comes again leaves no gap.
_BOOK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local n, step, burst, max_wait = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local open_until = tonumber(redis.call('HGET', KEYS[2], 'open_until') or '0')
if open_until > 0 then
  local held_until = math.max(open_until, tonumber(redis.call('HGET', KEYS[2], 'probe_until') or '0'))
  if now < held_until then
    return {0, string.format('%d', held_until - now), string.format('%d', held_until - now), 1}
  end
  n = 1
  redis.call('HSET', KEYS[2], 'probe_until', string.format('%d', now + tonumber(ARGV[5])))
end
local next = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now - (burst - 1) * step)
local first = next - now
local granted = 0
if first <= max_wait then
  granted = n
  if (n - 1) * step > 1050000 then granted = math.min(n, math.floor((max_wait - first) / step) + 1) end
  next = next + granted * step
  -- Kept until a bucket that nobody draws on is full again; a minute more costs nothing.
  local kept = math.ceil((next - now + burst * step) / 1000) + 60000
  redis.call('SET', KEYS[1], string.format('%d', next), 'PX', string.format('%d', kept))
end
local turn = next
if granted < n then
  turn = math.max(next, tonumber(redis.call('GET', KEYS[3]) or '0'))
  local ends = turn + (n - granted) * step
  redis.call('SET', KEYS[3], string.format('%d', ends), 'PX', string.format('%d', math.ceil((ends - now) / 1000)))
end
return {granted, string.format('%d', first), string.format('%d', turn - now), redis.call('EXISTS', KEYS[2])}
"""

# A success closes the breaker. Failures in a row open it, each time for twice as long, up to a bound.
_REPORT = """
local worked, failed = tonumber(ARGV[1]), tonumber(ARGV[2])
if worked > 0 then
  redis.call('DEL', KEYS[1])
  return '0'
end
local failures = redis.call('HINCRBY', KEYS[1], 'failures', failed)
redis.call('PEXPIRE', KEYS[1], 600000)
if failures < tonumber(ARGV[3]) then return '0' end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
if tonumber(redis.call('HGET', KEYS[1], 'open_until') or '0') > now then return '0' end
local wait = math.min(tonumber(ARGV[5]), tonumber(redis.call('HGET', KEYS[1], 'wait') or ARGV[4]))
redis.call('HSET', KEYS[1], 'open_until', string.format('%d', now + wait), 'wait', string.format('%d', wait * 2),
  'probe_until', '0')
return string.format('%d', wait)
"""

FAILURES_TO_OPEN = 20
"""Sends in a row that never arrived, or never were answered, before an account's breaker opens."""
OPEN_SECONDS = 5.0
OPEN_SECONDS_MOST = 30.0
DELAY_SECONDS = 0.01
"""How long after its slot a call may always leave: no process keeps a time better than this."""
WAY_SECONDS = 0.03
"""What a call may take from its turn to the wire: the first ones of a process do, until everything is there."""
PROBE_SECONDS = 3.0
"""How long the others wait when one order goes ahead to see whether the marketplace is back."""


@dataclass(frozen=True, slots=True)
class Booking:
    """Slots booked: the wait of each in seconds, and the wait after which it is the turn of what got none."""

    waits: tuple[float, ...]
    next_wait: float


class Limits:
    """Books slots for an account's calls. Redis away means no call: raises RedisAway.

    `pace`: how much of the rate is used. A call leaves some milliseconds after its slot; what is kept free makes room
    for that, so that no second ever holds more calls than the rate allows, and one.
    """

    def __init__(self, client: redis.Redis, pace: float = 1.0) -> None:
        self._client = client
        self._pace = pace
        self._failing: dict[tuple[str, Lane], bool] = {}
        """Whether the breaker knew of failures at the last booking; it need not be told of every success."""
        self._book = client.register_script(_BOOK)
        self._report = client.register_script(_REPORT)

    def book(
        self, account: str, lane: Lane, rate: Rate, count: int, calls_each: int, max_wait_seconds: float
    ) -> Booking:
        """Book up to `count` slots of `calls_each` calls that begin within `max_wait_seconds`.

        A count that fills no more than a second is not parted: its last slot may begin up to a second later.
        Where the rate is shared, both lanes draw on one bucket.
        """
        step = calls_each / (rate.per_second * self._pace)
        try:
            granted, first, after, failing = self._book(
                keys=[_bucket(account, lane, rate), _breaker(account, lane), _line(account, lane)],
                args=[count, round(step * 1e6), rate.burst, round(max_wait_seconds * 1e6), round(PROBE_SECONDS * 1e6)],
            )
        except redis.RedisError as error:
            raise RedisAway(f"no slot can be booked, Redis does not answer: {type(error).__name__}") from None
        self._failing[account, lane] = bool(failing)
        start = int(first) / 1e6
        return Booking(tuple(max(0.0, start + i * step) for i in range(int(granted))), max(0.0, int(after) / 1e6))

    def book_idle(
        self, account: str, rate: Rate, share: float, count: int, calls_each: int, max_wait_seconds: float
    ) -> Booking:
        """Reserve slots for reads that nobody waits for: within a share of the rate, and only what stands idle.

        Raises RedisAway.
        """
        own = Rate(rate.per_second * share, 1)
        allowed = self.book(account, "follow", own, count, calls_each, max_wait_seconds)
        if not allowed.waits:
            return allowed
        idle = self.book(account, "read", rate, len(allowed.waits), calls_each, 0.0)
        waits = tuple(map(max, allowed.waits, idle.waits))
        return Booking(waits, allowed.next_wait if len(waits) == len(allowed.waits) else max(1.0, idle.next_wait))

    def in_line(self, account: str, lane: Lane, rate: Rate, calls_each: int) -> int:
        """Return how many orders were put off and are to come again one after the other. Raises RedisAway."""
        try:
            ends = float(self._client.get(_line(account, lane)) or 0)
            seconds, millionths = self._client.time()
        except redis.RedisError as error:
            raise RedisAway(f"Redis does not answer ({type(error).__name__})") from None
        return max(0, round((ends / 1e6 - seconds - millionths / 1e6) * rate.per_second / calls_each))

    def report(self, account: str, lane: Lane, worked: int, failed: int) -> float | None:
        """Tell the breaker how sends went; return for how many seconds it opened just now, None if it did not.

        Redis away: None, for without limits no call is made anyway.
        """
        if not failed and not (worked and self._failing.get((account, lane))):
            return None
        self._failing[account, lane] = not worked
        try:
            wait = self._report(
                keys=[_breaker(account, lane)],
                args=[
                    worked,
                    failed,
                    FAILURES_TO_OPEN,
                    round(OPEN_SECONDS * 1e6),
                    round(OPEN_SECONDS_MOST * 1e6),
                ],
            )
        except redis.RedisError:
            return None
        return int(wait) / 1e6 or None


def longest_delay(rate: Rate, calls_each: int, pace: float) -> float:
    """Return how many seconds after its slot a call may leave, so that no second ever holds one more than the rate.

    Calls that leave up to D after theirs fall into a second from the slots of 1 + D seconds; the way out is part of it.
    """
    allowed = (rate.per_second + 1) // calls_each * calls_each
    return max(DELAY_SECONDS, allowed / (rate.per_second * pace) - 1 - WAY_SECONDS)


class Gate:
    """Delays calls of this process above its account's rate in one second.

    Slots are booked ahead; a process that stood still for a moment would send everything it missed at once.
    """

    def __init__(self, rate: Rate) -> None:
        self._most = max(1, int(rate.per_second)) + rate.burst - 1
        self._left: deque[float] = deque()

    def wait(self, calls: int) -> float:
        """Let calls through and return 0, or return the seconds after which to ask again."""
        now, left = time.monotonic(), self._left
        while left and left[0] <= now - 1.0:
            left.popleft()
        if left and len(left) + calls > self._most:
            return left[0] + 1.0 - now
        left.extend([now] * calls)
        return 0.0


def _bucket(account: str, lane: Lane, rate: Rate) -> str:
    return f"fulfil:limit:{account}:{'all' if rate.shared else lane}"


def _line(account: str, lane: Lane) -> str:
    return f"fulfil:line:{account}:{lane}"


def _breaker(account: str, lane: Lane) -> str:
    return f"fulfil:breaker:{account}:{lane}"
