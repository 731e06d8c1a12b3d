"""When an order may go: its slot, another one when it was missed, and never more in a second than the rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from worker.errors import RedisAway
from worker.marketplaces.base import Rate
from worker.sending.limits import Booking, Gate

MARKETPLACE: Any = SimpleNamespace(account="main", calls_to_place=1)


class Books:
    """Limits that answer what they are told and count how often they are asked."""

    def __init__(self, *answers: Booking | Exception) -> None:
        self._answers: Iterator[Booking | Exception] = iter(answers)
        self.asked: list[int] = []

    def book(self, account: str, kind: str, rate: Rate, count: int, calls: int, longest: float) -> Booking:
        self.asked.append(count)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def admission(fresh_settings: pytest.MonkeyPatch) -> Any:
    from worker.sending import turns as admission  # not above: its first import reads the settings

    admission._gate.cache_clear()
    fresh_settings.setattr(admission, "rate", lambda _: Rate(50))

    def with_answers(*answers: Booking | Exception) -> Any:
        books = Books(*answers)
        fresh_settings.setattr(admission, "limits", lambda: books)
        return admission

    yield with_answers
    admission._gate.cache_clear()


def missed(admission: Any, *times: float) -> Any:
    now = time.monotonic()
    return admission.Admitted(MARKETPLACE, "place", {f"SO-{n}": now + at for n, at in enumerate(times)})


def test_a_slot_that_is_still_to_come_is_kept(admission: Any) -> None:
    one = missed(admission(), 0.5, 1.0)
    assert one.in_time(one.times) == one.times


def test_what_missed_its_slot_gets_another_and_the_rest_keeps_its_own(admission: Any) -> None:
    one = missed(admission(Booking((0.2,), 0.0)), -0.5, 0.4)
    times = one.in_time(one.times)
    assert times["SO-1"] == one.times["SO-1"]
    assert 0.15 < times["SO-0"] - time.monotonic() < 0.3


@pytest.mark.parametrize("answer", [Booking((), 9.0), RedisAway("away")])
def test_what_missed_its_slot_and_gets_none_has_no_time(admission: Any, answer: Booking | Exception) -> None:
    one = missed(admission(answer), -0.5)
    assert one.in_time(one.times) == {"SO-0": None}


def comes(admission: Any, at: float | None) -> bool:
    done: bool = asyncio.run(admission.turn_comes(MARKETPLACE, "place", None if at is None else time.monotonic() + at))
    return done


def test_without_a_time_there_is_no_turn(admission: Any) -> None:
    assert not comes(admission(), None)


def test_a_turn_is_waited_for(admission: Any) -> None:
    begun = time.monotonic()
    assert comes(admission(), 0.1)
    assert time.monotonic() - begun >= 0.1


def test_a_loop_that_stood_still_books_anew(admission: Any) -> None:
    begun = time.monotonic()
    assert comes(admission(Booking((0.1,), 0.0)), -1.0)
    assert time.monotonic() - begun >= 0.1
    assert not comes(admission(Booking((), 9.0)), -1.0)
    assert not comes(admission(RedisAway("away")), -1.0)


def test_a_process_never_sends_more_in_a_second_than_the_rate_whatever_it_missed() -> None:
    gate = Gate(Rate(5))
    assert [gate.wait(1) for _ in range(5)] == [0.0] * 5
    assert 0.9 < gate.wait(1) <= 1.0


def test_a_burst_the_marketplace_allows_goes_through() -> None:
    gate = Gate(Rate(2, burst=35))
    assert [gate.wait(1) for _ in range(36)] == [0.0] * 36
    assert gate.wait(1) > 0


def test_an_order_of_more_calls_than_a_second_allows_goes_alone() -> None:
    gate = Gate(Rate(0.5))
    assert gate.wait(2) == 0.0
    assert gate.wait(2) > 0.9
