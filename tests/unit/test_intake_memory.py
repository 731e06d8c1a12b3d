"""What is not taken is counted and kept by the ledger; a process holds the first of it only."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from worker.accounts import Accounts
from worker.intake import KEPT, Intake
from worker.ledger.engine import Ledger
from worker.ledger.queries import Queries

MANY = 20_000


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite3")
    opened.migrate()
    return opened


def test_a_million_bad_jobs_do_not_fill_the_memory(ledger: Ledger) -> None:
    bell: Any = None
    tracemalloc.start()
    batch = Intake(ledger, Accounts({}), bell).submit(({} for _ in range(MANY)), "redis")
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert batch.rejected_number == MANY
    assert batch.as_json()["rejected_number"] == MANY
    assert [one.line for one in batch.rejected] == list(range(1, KEPT + 1))
    assert held < 4 << 20
    assert [one.line for one in Queries(ledger).rejections(batch.batch)] == list(range(1, MANY + 1))
