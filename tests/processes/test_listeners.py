"""A queue nobody listens to is told: by the sweep, by `doctor`, and by the orders that are overdue."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.harness import Shop, job
from worker.ledger.tables import orders
from worker.rules.overdue import OVERDUE_SECONDS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, ("main", "other")) as made:
        made.start_redis()
        made.start_sandbox()
        made.start("place", "confirm", "beat")
        yield made


def queues_of(shop: Shop) -> tuple[int, bool, str]:
    answer = shop.cli("doctor", "--json")
    assert answer.err == "", answer
    found = {check["name"]: check for check in answer.json()}["queues"]
    return answer.code, found["ok"], found["said"]


def test_a_consumer_that_is_cancelled_is_told_everywhere(shop: Shop) -> None:
    shop.until("every queue to be listened to", lambda: queues_of(shop)[1], 90)
    code = (
        "from worker.app import app; import sys;"
        "told = app.control.cancel_consumer('place.main', reply=True, timeout=5);"
        "sys.exit(0 if any('ok' in str(answer) for answer in told) else 5)"
    )
    shop.start_program("canceller", [sys.executable, "-c", code])
    assert shop.processes.pop("canceller").wait(60) == 0, shop.log("canceller")

    assert queues_of(shop)[:2] == (3, False)
    assert "nobody listens to place.main" in queues_of(shop)[2]
    assert "place.other" not in queues_of(shop)[2]

    shop.submit([job("SO-1"), job("SO-2", "other")])
    shop.wait_for("SO-2", "placed", "confirmed")
    answer = shop.cli("status")
    assert (answer.code, "no worker takes from the queue place.main" in answer.out) == (3, True), answer
    assert "place.other" not in answer.out
    with shop.ledger.writing() as connection:
        long_ago = orders.c.due_at - OVERDUE_SECONDS - 1
        connection.execute(update(orders).where(orders.c.order_id == "SO-1").values(due_at=long_ago))
    answer = shop.cli("status")
    assert (answer.code, "1 order is overdue for no stated reason" in answer.out) == (3, True), answer
    assert [one["order_id"] for one in shop.cli("list", "--attention", "--json").json()] == ["SO-1"]
    why = shop.cli("why", "SO-1").out
    assert "OVERDUE" in why
    assert "fulfil doctor" in why
    with shop.redis() as client:
        shop.until("a message to go into the queue", lambda: client.exists("fulfil:asked:place.main"), 60)
        shop.until("another to come through", lambda: not client.exists("fulfil:asked:place.other"), 60)
        assert client.exists("fulfil:asked:place.main"), "none comes out of it"
    shop.until("the sweep to say it", lambda: "nobody takes from place.main" in shop.log("confirm"), 90)
