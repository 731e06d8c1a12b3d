"""One of a kind: however many threads make the first call, one object is made."""

from __future__ import annotations

import ast
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from worker.once import once

ROOT = Path(__file__).resolve().parents[2]


def test_threads_that_ask_at_the_same_moment_get_the_same_object() -> None:
    made: list[object] = []
    barrier = threading.Barrier(8)

    @once
    def thing() -> object:
        time.sleep(0.02)  # as long as it takes to make one, the others ask too
        made.append(object())
        return made[-1]

    def ask(_: int) -> object:
        barrier.wait()
        return thing()

    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(ask, range(8)))
    assert len(made) == 1
    assert got == set(made)


def test_what_failed_to_be_made_is_made_at_the_next_call() -> None:
    tries: list[int] = []

    @once
    def thing() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return 7

    with pytest.raises(OSError, match="not yet"):
        thing()
    assert (thing(), thing(), len(tries)) == (7, 7, 2)


@pytest.mark.parametrize(
    "place",
    [
        "worker/sending/loop.py: process_loop",
        "worker/broker/bell.py: bell",
        "worker/ledger/spool.py: spool",
        "worker/sending/turns.py: store",
        "worker/sending/turns.py: limits",
    ],
)
def test_what_the_threads_of_a_worker_share_is_made_once(place: str) -> None:
    path, _, name = place.partition(": ")
    tree = ast.parse((ROOT / path).read_text())
    (made,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    assert [decorator.id for decorator in made.decorator_list if isinstance(decorator, ast.Name)] == ["once"]
