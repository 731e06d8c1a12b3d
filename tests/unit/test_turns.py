"""When an order may go: its slot, another one when it was missed, and never more in a second than the rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from worker.errors import RedisAway
from worker.marketplaces.base import Rate
from worker.sending.limits import Booking, Gate
from worker.sending.turns import Slots, Turns

MARKETPLACE: Any = SimpleNamespace(account="main", calls_to_place=1)
ACCOUNTS: Any = SimpleNamespace(rate=lambda _: Rate(50))


class Books:
    """Limits that answer what they are told and count how often they are asked."""

    def __init__(self, *answers: Booking | Exception) -> None:
        self._answers: Iterator[Booking | Exception] = iter(answers)
        self.asked: list[int] = []

    def book(self, account: str, lane: str, rate: Rate, count: int, calls: int, longest: float) -> Booking:
        self.asked.append(count)
        answer = next(self._answers, AssertionError("nothing more is to be booked"))
        if isinstance(answer, Exception):
            raise answer
        return answer


class Lanes:
    """A loop whose lanes have room for everything."""

    @staticmethod
    def lane(_: str) -> Any:
        return nullcontext()


def turns(*answers: Booking | Exception) -> Turns:
    limits: Any = Books(*answers)
    loop: Any = Lanes()
    due: Any = None
    return Turns(ACCOUNTS, limits, due, loop)


def slots(*times: float | None) -> Slots:
    now = time.monotonic()
    at = {f"SO-{n}": None if at is None else now + at for n, at in enumerate(times)}
    return Slots(MARKETPLACE, "place", at)


def test_a_slot_that_is_still_to_come_is_kept() -> None:
    booked = slots(0.5, 1.0)
    assert turns().keep(booked, booked.times) == booked


def test_only_the_slots_of_what_was_claimed_are_kept() -> None:
    assert list(turns().keep(slots(0.5, 1.0), ["SO-1"]).times) == ["SO-1"]


def test_what_missed_its_slot_gets_another_and_the_rest_keeps_its_own() -> None:
    booked = slots(-0.5, 0.4)
    times = turns(Booking((0.2,), 0.0)).keep(booked, booked.times).times
    assert times["SO-1"] == booked.times["SO-1"]
    assert 0.15 < (times["SO-0"] or 0.0) - time.monotonic() < 0.3


@pytest.mark.parametrize("answer", [Booking((), 9.0), RedisAway("away")])
def test_what_missed_its_slot_and_gets_none_has_no_time(answer: Booking | Exception) -> None:
    booked = slots(-0.5)
    assert turns(answer).keep(booked, booked.times).times == {"SO-0": None}


def comes(waiting: Turns, at: float | None) -> bool:
    async def turn() -> bool:
        async with waiting.turn(slots(at), "SO-0") as has_slot:
            return has_slot

    return asyncio.run(turn())


def test_without_a_time_there_is_no_turn() -> None:
    assert not comes(turns(), None)


def test_a_turn_is_waited_for() -> None:
    begun = time.monotonic()
    assert comes(turns(*[Booking((0.1,), 0.0)] * 2), 0.1)  # a busy machine may miss it, and books anew
    assert time.monotonic() - begun >= 0.1


def test_a_loop_that_stood_still_books_anew() -> None:
    begun = time.monotonic()
    assert comes(turns(Booking((0.1,), 0.0)), -1.0)
    assert time.monotonic() - begun >= 0.1
    assert not comes(turns(Booking((), 9.0)), -1.0)
    assert not comes(turns(RedisAway("away")), -1.0)


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
