"""Questions before orders: asked again where an answer says nothing, given up where a marketplace is away."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from config.settings import Settings
from worker.errors import RedisAway
from worker.marketplaces.asks import Answer, Ask, Topic
from worker.marketplaces.calls import Lost, Reply, Request
from worker.preflight import Preflights
from worker.rules.foreseen import Divisions, Product
from worker.rules.outcomes import Decline, Declined, NotSent, Unknown
from worker.sending import asking
from worker.sending.asking import MOST_FAILURES, Asking
from worker.sending.limits import Booking
from worker.sending.loop import Loop

GOOD = Product(store="s")
ACCOUNTS: Any = SimpleNamespace(adapter=lambda name: SimpleNamespace(name="m", title="The market", account=name))


class Slots:
    """Limits that always have room; `error`: what they raise instead."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.counts: list[int] = []

    def book(self, account: str, lane: str, rate: Any, count: int, calls: int, longest: float) -> Booking:
        if self.error:
            raise self.error
        self.counts.append(count)
        return Booking((0.0,) * count, 0.0)


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop(Settings(_env_file=None))
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.01)


def made(loop: Loop, slots: Slots) -> Asking:
    limits: Any = slots
    return Asking(Settings(_env_file=None), ACCOUNTS, limits, loop)


def question(key: str, *answers: Answer | Exception) -> tuple[Ask, list[int]]:
    """Return a question that is answered so, one time after the other, and a list that grows with each."""
    asked: list[int] = []

    def begin() -> Generator[Request, Reply | Lost, Answer]:
        asked.append(1)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer
        yield

    return Ask(Topic.PRODUCT, key, begin, Product), asked


def later(seconds: float = 60.0) -> float:
    return time.time() + seconds


def test_an_answer_that_says_nothing_is_asked_for_again(loop: Loop) -> None:
    one, asked = question("a", Unknown("HTTP 503"), Declined("HTTP_429", "too often"), GOOD)
    assert made(loop, Slots()).ask("main", [one], later()) == ({"a": GOOD}, "")
    assert len(asked) == 3


def test_no_more_slots_are_booked_at_once_than_a_second_has(loop: Loop) -> None:
    slots = Slots()
    asks = [question(str(n), GOOD)[0] for n in range(200)]
    answers, _ = made(loop, slots).ask("main", asks, later())
    assert set(answers) == {ask.key for ask in asks}
    assert max(slots.counts) <= Settings(_env_file=None).preflight_products_per_second


def test_a_marketplace_that_answers_nothing_is_soon_left_alone(loop: Loop) -> None:
    asks = [question(str(n), NotSent("no connection")) for n in range(400)]
    answers, away = made(loop, Slots()).ask("main", [ask for ask, _ in asks], later())
    assert away == "The market does not answer: no connection"
    assert len(answers) == len(asks)
    assert MOST_FAILURES <= sum(len(asked) for _, asked in asks) < len(asks)


def test_an_account_that_is_not_accepted_is_told_at_once(loop: Loop) -> None:
    ended = Declined("IllegalAccessToken", "the token has ended", kind=Decline.TOKEN)
    _, away = made(loop, Slots()).ask("main", [question("a", ended)[0]], later())
    assert away == "The market does not accept the account: the token has ended"


def test_a_fault_of_ours_is_no_answer_and_ends_nothing(loop: Loop) -> None:
    bad, good = question("a", RuntimeError("x"))[0], question("b", GOOD)[0]
    answers, _ = made(loop, Slots()).ask("main", [bad, good], later())
    assert (type(answers["a"]), answers["b"]) == (Unknown, GOOD)


def test_when_the_time_is_over_nothing_more_is_asked(loop: Loop) -> None:
    one, asked = question("a", GOOD)
    answers, away = made(loop, Slots()).ask("main", [one], time.time() - 1)
    assert (type(answers["a"]), away, asked) == (NotSent, "", [])


def test_without_redis_nothing_is_asked(loop: Loop) -> None:
    one, asked = question("a", GOOD)
    with pytest.raises(RedisAway):
        made(loop, Slots(RedisAway("Redis does not answer"))).ask("main", [one], later())
    assert asked == []


# What intake does by it


def failing(error: Exception) -> Preflights:
    def asks() -> Any:
        raise error

    begin: Any = None

    def adapter(_: str) -> Any:
        return SimpleNamespace(asks=lambda order, answers: [Ask(Topic.ADDRESS, "a", begin, Divisions)])

    accounts: Any = SimpleNamespace(taken_for=lambda _: "here", adapter=adapter)
    kept: Any = SimpleNamespace(known=lambda place, asks: {})
    return Preflights(accounts, asks, kept)


@pytest.mark.parametrize("error", [RedisAway("Redis does not answer"), RuntimeError("a defect of ours")])
def test_an_order_is_taken_whatever_happens_to_its_preflight(error: Exception) -> None:
    job: Any = SimpleNamespace(account="main", body="{}", max_amount=None)
    passed = failing(error).passed([job], refuses=True)
    assert (passed.jobs, passed.rejected) == ([job], [])
    assert [notice.startswith("taken without a preflight: ") for notice in passed.notices] == [True]
