"""Lesson 10. First kept, then rung: a message leaves only after its orders are committed to the ledger."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from tests.harness import Answer, Shop, job


@pytest.fixture
def quiet(tmp_path: Path) -> Shop:
    """A shop without workers: what is rung stays in the queue."""
    with Shop(tmp_path) as shop:
        shop.start_redis()
        yield shop


def test_whoever_hears_the_bell_finds_the_orders_in_the_ledger(quiet: Shop) -> None:
    heard: list[int] = []

    def listen() -> None:
        with quiet.redis() as redis, sqlite3.connect(quiet.home / "ledger.sqlite3") as ledger:
            while len(heard) < 3 and redis.brpop(["place.main"], timeout=50):
                heard.append(ledger.execute("SELECT count(*) FROM orders WHERE state = 'queued'").fetchone()[0])

    assert quiet.ledger.version()
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    for number in (1, 2, 3):
        quiet.submit([job(f"SO-100{number}")])
    listener.join(60)
    assert heard == [1, 2, 3]


def test_nothing_is_rung_for_while_nothing_can_be_committed(quiet: Shop) -> None:
    assert quiet.ledger.version()
    blocker = sqlite3.connect(quiet.home / "ledger.sqlite3", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    answers: list[Answer] = []
    line = str(job("SO-1004")).replace("'", '"').encode()
    submitting = threading.Thread(target=lambda: answers.append(quiet.cli("submit", "-", "--json", stdin=line)))
    submitting.start()
    time.sleep(1.5)  # long enough to have rung, had it not waited
    with quiet.redis() as redis:
        assert redis.llen("place.main") == 0
        blocker.execute("ROLLBACK")
        submitting.join(60)
        assert answers[0].json()["accepted"] == 1
        assert redis.llen("place.main") == 1
