"""One of a kind: however many threads ask first, one part is made."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from worker.once import Lazy, part


def test_threads_that_ask_at_the_same_moment_get_the_same_part() -> None:
    made: list[object] = []
    barrier = threading.Barrier(8)

    class Shop(Lazy):
        @part
        def till(self) -> object:
            time.sleep(0.02)  # real time is the subject: as long as it takes to make one, the others ask too
            made.append(object())
            return made[-1]

    shop = Shop()

    def ask(_: int) -> object:
        barrier.wait()
        return shop.till

    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(ask, range(8)))
    assert len(made) == 1
    assert got == set(made)


def test_each_object_has_parts_of_its_own() -> None:
    class Shop(Lazy):
        @part
        def till(self) -> object:
            return object()

    assert Shop().till is not Shop().till


def test_what_failed_to_be_made_is_made_when_it_is_asked_for_again() -> None:
    tries: list[int] = []

    class Shop(Lazy):
        @part
        def till(self) -> int:
            tries.append(1)
            if len(tries) == 1:
                raise OSError("not yet")
            return 7

    shop = Shop()
    with pytest.raises(OSError, match="not yet"):
        _ = shop.till
    assert (shop.till, shop.till, len(tries)) == (7, 7, 2)
