"""The rate limit: what is booked never goes faster than the rate, whoever books, and the clock is Redis's own."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fakeredis
import pytest
import redis
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Settings
from worker.broker.embedded import connect
from worker.errors import RedisAway
from worker.marketplaces.base import Rate
from worker.sending.limits import (
    DELAY_SECONDS,
    FAILURES_TO_OPEN,
    OPEN_SECONDS,
    OPEN_SECONDS_MOST,
    PROBE_SECONDS,
    WAY_SECONDS,
    Limits,
    longest_delay,
)

NOW = 1_700_000_000.0
TOLERANCE = 1e-4
"""Steps are whole microseconds in Redis; over a long booking the rounding adds up."""

BOOKER = """
import json, sys, time
import redis
from worker.sending.limits import Limits
from worker.marketplaces.base import Rate
url, per_second, burst, until = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
limits, rate, slots = Limits(redis.Redis.from_url(url)), Rate(per_second, burst), []
while time.time() < until:
    before = time.time()
    booking = limits.book("main", "place", rate, 7, 1, 0.5)
    slots += [(before + wait, time.time() - before) for wait in booking.waits]
    time.sleep(min(0.02, booking.next_wait))
print(json.dumps(slots))
"""


def limits(version: tuple[int, ...] = (7, 2)) -> Limits:
    return Limits(fakeredis.FakeRedis(server=fakeredis.FakeServer(version=version)))


def most_within(slots: list[float], seconds: float) -> int:
    """Return the most slots any window of that length holds."""
    ordered = sorted(slots)
    best = first = 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= seconds:
            first += 1
        best = max(best, last - first + 1)
    return best


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def test_the_first_call_goes_at_once_and_each_next_one_a_step_later(clock: object) -> None:
    booking = limits().book("main", "place", Rate(20), 5, 1, 1.0)
    assert booking.waits == pytest.approx((0.0, 0.05, 0.10, 0.15, 0.20), abs=TOLERANCE)
    assert booking.next_wait == pytest.approx(0.25, abs=TOLERANCE)


def test_bookings_follow_one_another(clock: object) -> None:
    booked = limits()
    waits = [wait for _ in range(4) for wait in booked.book("main", "place", Rate(10), 2, 1, 5.0).waits]
    assert waits == pytest.approx([n * 0.1 for n in range(8)], abs=TOLERANCE)


def test_no_slot_is_booked_that_begins_later_than_the_longest_wait(clock: object) -> None:
    booked = limits()
    booking = booked.book("main", "place", Rate(10), 100, 1, 1.0)
    assert len(booking.waits) == 11
    assert booking.waits[-1] == pytest.approx(1.0, abs=TOLERANCE)
    assert booking.next_wait == pytest.approx(1.1, abs=TOLERANCE)
    assert booked.book("main", "place", Rate(10), 100, 1, 1.0).waits == ()


def test_what_fills_no_more_than_a_second_is_not_parted(clock: object) -> None:
    booked = limits()
    booked.book("main", "place", Rate(4), 4, 1, 1.5)
    assert booked.book("main", "place", Rate(4), 4, 1, 1.5).waits == pytest.approx((1, 1.25, 1.5, 1.75), abs=TOLERANCE)
    assert booked.book("main", "place", Rate(4), 4, 1, 1.5).waits == ()


@given(
    per_second=st.floats(0.2, 100),
    calls=st.integers(1, 3),
    slots=st.lists(st.floats(0, 1), min_size=200, max_size=200),
)
def test_calls_as_late_as_they_may_be_never_fill_a_second_with_more_than_the_rate_and_one(
    per_second: float, calls: int, slots: list[float]
) -> None:
    late, step = longest_delay(Rate(per_second), calls, 0.98), calls / (per_second * 0.98)
    if late <= DELAY_SECONDS:  # the room is smaller than what no process can keep; the gate holds those
        return
    left = [
        slot * step + delay * (late + WAY_SECONDS) * 0.999 for slot, delay in enumerate(slots) for _ in range(calls)
    ]
    assert most_within(left, 1.0) <= per_second + 1


def test_those_who_are_put_off_are_told_to_come_again_one_after_the_other(clock: object) -> None:
    booked = limits()
    booked.book("main", "place", Rate(10), 10, 1, 1.0)
    turns = [booked.book("main", "place", Rate(10), 5, 1, 0.5).next_wait for _ in range(4)]
    assert turns == pytest.approx([1.0, 1.5, 2.0, 2.5], abs=TOLERANCE)
    assert booked.in_line("main", "place", Rate(10), 1) == 30
    assert booked.in_line("second", "place", Rate(10), 1) == 0


def test_who_comes_at_its_turn_gets_its_slots(clock: time_machine.Traveller) -> None:
    booked = limits()
    booked.book("main", "place", Rate(10), 10, 1, 1.0)
    first, second = (booked.book("main", "place", Rate(10), 5, 1, 0.5).next_wait for _ in range(2))
    clock.shift(first)
    assert len(booked.book("main", "place", Rate(10), 5, 1, 0.5).waits) == 5
    clock.shift(second - first)
    assert len(booked.book("main", "place", Rate(10), 5, 1, 0.5).waits) == 5
    clock.shift(10)
    assert booked.in_line("main", "place", Rate(10), 1) == 0


def test_a_place_in_the_line_reserves_nothing(clock: time_machine.Traveller) -> None:
    booked = limits()
    booked.book("main", "place", Rate(10), 1, 1, 1.0)
    assert booked.book("main", "place", Rate(10), 50, 1, 0.0).waits == ()
    clock.shift(0.1)
    assert booked.book("main", "place", Rate(10), 1, 1, 0.0).waits == (0.0,), "whoever is there goes"


def test_of_a_rate_less_than_all_is_used_where_calls_may_be_late(clock: object) -> None:
    paced = Limits(fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7, 2))), pace=0.5)
    assert paced.book("main", "place", Rate(10), 3, 1, 1.0).waits == pytest.approx((0.0, 0.2, 0.4), abs=TOLERANCE)


def test_slots_become_free_as_time_goes_by(clock: time_machine.Traveller) -> None:
    booked = limits()
    booked.book("main", "place", Rate(10), 10, 1, 5.0)
    clock.shift(0.5)
    assert booked.book("main", "place", Rate(10), 1, 1, 5.0).waits == pytest.approx((0.5,), abs=TOLERANCE)
    clock.shift(60)
    assert booked.book("main", "place", Rate(10), 1, 1, 5.0).waits == (0.0,), "what was not used is not saved up"


def test_a_burst_goes_at_once_and_then_the_rate_holds(clock: object) -> None:
    booking = limits().book("main", "place", Rate(10, burst=5), 8, 1, 1.0)
    assert booking.waits == pytest.approx((0, 0, 0, 0, 0, 0.1, 0.2, 0.3), abs=TOLERANCE)


def test_calls_of_several_requests_take_several_slots(clock: object) -> None:
    booking = limits().book("main", "place", Rate(10), 3, 2, 5.0)
    assert booking.waits == pytest.approx((0.0, 0.2, 0.4), abs=TOLERANCE)


def test_reads_and_creates_have_buckets_of_their_own_unless_they_share_one(clock: object) -> None:
    apart, shared = limits(), limits()
    for kind in ("place", "read"):
        assert apart.book("main", kind, Rate(1), 1, 1, 0.0).waits == (0.0,)
    assert shared.book("main", "place", Rate(1, shared=True), 1, 1, 0.0).waits == (0.0,)
    assert shared.book("main", "read", Rate(1, shared=True), 1, 1, 0.0).waits == ()


def test_accounts_do_not_wait_for_one_another(clock: object) -> None:
    booked = limits()
    for account in ("main", "second", "third"):
        assert booked.book(account, "place", Rate(1), 1, 1, 0.0).waits == (0.0,)


@pytest.mark.parametrize(("per_second", "burst"), [(0.001, 1), (0.01, 1000), (0.1, 50), (100_000, 1000), (1 / 3, 2)])
def test_every_rate_a_setting_allows_can_be_booked(real_redis: redis.Redis, per_second: float, burst: int) -> None:
    booked = Limits(real_redis)
    first = booked.book("main", "place", Rate(per_second, burst), burst, 1, 0.0)
    assert len(first.waits) >= burst
    assert set(first.waits) == {0.0}
    if per_second < 1:
        assert booked.book("main", "place", Rate(per_second, burst), 1, 1, 0.0).waits == ()
        kept = real_redis.pttl("fulfil:limit:main:place")
        assert kept / 1000 >= burst / per_second, "forgetting a bucket too early would give its burst again"


@given(
    rate=st.floats(0.5, 500),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 60), st.floats(0, 3)), min_size=1, max_size=25),
)
def test_whatever_is_booked_when_no_second_holds_more_than_the_rate_and_the_burst(
    rate: float, burst: int, steps: list[tuple[float, int, float]]
) -> None:
    booked, slots = limits(), []
    with time_machine.travel(NOW, tick=False) as clock:
        for pause, count, longest in steps:
            clock.shift(pause)
            waits = booked.book("main", "place", Rate(rate, burst), count, 1, longest).waits
            assert len(waits) <= count
            assert all(0 <= wait <= longest + 1.05 + TOLERANCE for wait in waits)
            slots += [time.time() + wait for wait in waits]
    assert most_within(slots, 1.0 - 1e-3) <= rate + burst


def test_threads_and_processes_together_keep_to_the_rate(real_redis: redis.Redis, real_redis_url: str) -> None:
    per_second, burst, seconds = 40.0, 1, 2.0
    gate = time.time() + 1.0
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BOOKER, real_redis_url, str(per_second), str(burst), str(gate + seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    booked = Limits(real_redis)
    slots: list[tuple[float, float]] = []
    lock = threading.Lock()

    def thread() -> None:
        while time.time() < gate + seconds:
            before = time.time()
            booking = booked.book("main", "place", Rate(per_second, burst), 3, 1, 0.5)
            with lock:
                slots.extend((before + wait, time.time() - before) for wait in booking.waits)
            time.sleep(min(0.02, booking.next_wait))  # real time is the subject: a rate, by Redis's own clock

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(thread)
    for process in processes:
        slots += [(at, took) for at, took in json.loads(process.communicate(timeout=30)[0])]
    # A slot is known to within the time its booking took.
    blur = max(took for _, took in slots)
    times = [at for at, _ in slots]
    assert most_within(times, 1.0 - blur) <= per_second + 1 + burst
    span = max(times) - min(times)
    assert len(times) >= per_second * span * 0.9, "and the rate is used"


def test_redis_away_means_no_call_and_is_noticed_at_once(closed_port: int) -> None:
    away = Limits(connect(Settings(redis_url=f"redis://127.0.0.1:{closed_port}/0")))
    begun = time.monotonic()
    with pytest.raises(RedisAway, match="no slot can be booked, Redis does not answer: ConnectionError"):
        away.book("main", "place", Rate(1), 1, 1, 1.0)
    assert away.report("main", "place", 0, 100) is None
    assert time.monotonic() - begun < 1


def test_a_redis_that_lost_its_scripts_is_taught_them_again(real_redis: redis.Redis) -> None:
    booked = Limits(real_redis)
    assert booked.book("main", "place", Rate(1), 1, 1, 0.0).waits == (0.0,)
    real_redis.script_flush()
    real_redis.flushall()
    assert booked.book("main", "place", Rate(1), 1, 1, 0.0).waits == (0.0,)


def test_a_redis_without_room_means_no_call(redis_settings: Settings, real_redis: redis.Redis) -> None:
    real_redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(RedisAway):
            Limits(connect(redis_settings)).book("main", "place", Rate(1), 1, 1, 0.0)
    finally:
        real_redis.config_set("maxmemory", "0")


def test_the_breaker_opens_after_failures_in_a_row_and_holds_every_call(clock: object) -> None:
    booked = limits()
    assert booked.report("main", "place", 0, FAILURES_TO_OPEN - 1) is None
    assert booked.report("main", "place", 0, 1) == OPEN_SECONDS
    held = booked.book("main", "place", Rate(100), 10, 1, 1.0)
    assert held.waits == ()
    assert held.next_wait == pytest.approx(OPEN_SECONDS)
    assert booked.book("second", "place", Rate(100), 10, 1, 1.0).waits, "the other accounts go on"


def test_one_success_clears_what_failed_before(clock: object) -> None:
    booked = limits()
    booked.report("main", "place", 0, FAILURES_TO_OPEN - 1)
    booked.report("main", "place", 1, 5)
    assert booked.report("main", "place", 0, FAILURES_TO_OPEN - 1) is None


def test_an_open_breaker_lets_one_order_through_to_see_and_closes_when_it_works(
    clock: time_machine.Traveller,
) -> None:
    booked = limits()
    booked.report("main", "place", 0, FAILURES_TO_OPEN)
    clock.shift(OPEN_SECONDS + 0.01)
    assert len(booked.book("main", "place", Rate(100), 10, 1, 1.0).waits) == 1
    assert booked.book("main", "place", Rate(100), 10, 1, 1.0).waits == (), "only one goes ahead"
    booked.report("main", "place", 1, 0)
    assert len(booked.book("main", "place", Rate(100), 10, 1, 1.0).waits) == 10


def test_a_probe_that_never_reports_is_followed_by_another(clock: time_machine.Traveller) -> None:
    booked = limits()
    booked.report("main", "place", 0, FAILURES_TO_OPEN)
    clock.shift(OPEN_SECONDS + 0.01)
    booked.book("main", "place", Rate(100), 10, 1, 1.0)
    clock.shift(PROBE_SECONDS + 0.01)
    assert len(booked.book("main", "place", Rate(100), 10, 1, 1.0).waits) == 1


def test_each_failed_probe_opens_the_breaker_for_longer_up_to_a_bound(clock: time_machine.Traveller) -> None:
    booked, opened = limits(), []
    opened.append(booked.report("main", "place", 0, FAILURES_TO_OPEN))
    for _ in range(4):
        clock.shift(OPEN_SECONDS_MOST + 1)
        assert len(booked.book("main", "place", Rate(100), 5, 1, 1.0).waits) == 1
        opened.append(booked.report("main", "place", 0, 1))
    assert opened == [OPEN_SECONDS, OPEN_SECONDS * 2, OPEN_SECONDS * 4, OPEN_SECONDS_MOST, OPEN_SECONDS_MOST]


def test_nothing_to_report_is_no_report() -> None:
    assert limits().report("main", "place", 0, 0) is None


# Reads that nobody waits for


def test_reads_that_nobody_waits_for_take_a_share_and_only_what_stands_idle() -> None:
    booked, rate = limits(), Rate(50)
    with time_machine.travel(NOW, tick=False):
        alone = booked.book_idle("main", rate, 0.2, 100, 1, 1.5)
        assert 10 <= len(alone.waits) <= 17, "a fifth of fifty a second, for as long as one waits for a slot"
        assert alone.next_wait > 0
    with time_machine.travel(NOW + 60, tick=False):
        confirms = booked.book("main", "read", rate, 50, 1, 1.5)
        assert len(confirms.waits) == 50
        behind = booked.book_idle("main", rate, 0.2, 10, 1, 1.5)
        assert (behind.waits, behind.next_wait >= 1.0) == ((), True), "what confirms use is not theirs"


def test_a_confirm_is_never_later_for_them_than_one_message_of_reads() -> None:
    booked, rate = limits(), Rate(50)
    with time_machine.travel(NOW, tick=False):
        idle = booked.book_idle("main", rate, 0.2, 10, 1, 1.5)
        confirm = booked.book("main", "read", rate, 1, 1, 1.5)
        assert confirm.waits[0] <= len(idle.waits) / 50 + TOLERANCE
