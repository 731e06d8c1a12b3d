"""Answers the ledger would not take: on disk before anything else, there until the ledger has them, told one by one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ledger_kit import ACCOUNT, LEASE, known_ids, row, sent, submit

from worker.errors import LedgerAway
from worker.ledger.engine import Ledger
from worker.ledger.journal import Journal
from worker.ledger.rows import Moved, Sent
from worker.ledger.store import Store
from worker.outcomes import Accepted

IDS = ["8198352049850001", "8198352049850002", "8198352049850003"]


class Desk:
    """`record_late` on a real ledger and journal; `refuses`: what the next commits raise, in turn."""

    def __init__(self, ledger: Ledger, folder: Path, late: Any) -> None:
        self.ledger, self.folder, self._late = ledger, folder, late
        self.journal = Journal(folder)
        self.loop = SimpleNamespace(stopping=False)
        self.refuses: list[Exception | None] = []
        self.kept_at_commit: list[list[str]] = []

    def record(self, answers: list[Sent]) -> list[Moved]:
        self.kept_at_commit.append(self.kept())
        error = self.refuses.pop(0) if self.refuses else None
        if error is not None:
            raise error
        return Store(self.ledger).record(answers)

    def kept(self) -> list[str]:
        """Return the ids that lie in the journal."""
        lines = [line for path in self.folder.glob("*.jsonl") for line in path.read_bytes().split(b"\n")]
        return [one for line in lines if line.strip(b"\0") for one in json.loads(line.strip(b"\0"))["references"]]

    def answers(self) -> list[Sent]:
        names = [f"SO-{number}" for number in range(1, len(IDS) + 1)]
        submit(self.ledger, *names)
        claims = Store(self.ledger).claim(ACCOUNT, names, LEASE, None)
        return [sent(claim, Accepted((one,))) for claim, one in zip(claims, IDS, strict=True)]

    def record_late(self, answers: list[Sent], error: Exception, arrived: Callable[[], list[Sent]] = list) -> Any:
        return self._late.record_late(answers, error, arrived)


@pytest.fixture
def desk(ledger: Ledger, tmp_path: Path, fresh_settings: pytest.MonkeyPatch) -> Desk:
    from tasks import late  # not above: its first import reads the settings

    made = Desk(ledger, tmp_path / "journal", late)
    played: dict[str, Any] = {
        "store": lambda: made,
        "journal": lambda: made.journal,
        "process_loop": lambda: made.loop,
        "heard": lambda: None,
        "FIRST_WAIT_SECONDS": 0.01,
        "LONGEST_WAIT_SECONDS": 0.02,
    }
    for name, value in played.items():
        fresh_settings.setattr(late, name, value)
    return made


def test_ids_are_on_disk_before_the_ledger_is_asked_again_and_gone_when_it_has_them(desk: Desk) -> None:
    """Mutations of `record_late`: without its first `keep`; without `recorded`."""
    desk.refuses = [LedgerAway("away"), LedgerAway("away")]
    moved = desk.record_late(desk.answers(), LedgerAway("away"))
    assert desk.kept_at_commit == [IDS] * 3
    assert (len(moved), desk.kept()) == (3, [])


def test_what_arrives_meanwhile_is_on_disk_too_before_the_ledger_is_asked(desk: Desk) -> None:
    """Mutation of `record_late`: what `arrived` is not kept."""
    *answers, more = desk.answers()
    arriving = iter([[more]])
    moved = desk.record_late(answers, LedgerAway("away"), lambda: next(arriving, []))
    assert desk.kept_at_commit == [IDS]
    assert (len(moved), desk.kept()) == (3, [])


def test_a_worker_that_is_told_to_stop_leaves_what_the_ledger_has_not_to_the_journal(desk: Desk) -> None:
    """Mutation of `record_late`: the journal is cleared although nothing was recorded."""
    desk.loop.stopping = True
    assert desk.record_late(desk.answers(), LedgerAway("away")) == []
    assert (desk.kept(), desk.kept_at_commit) == (IDS, [])
    assert row(desk.ledger).state == "placing"


def test_one_answer_the_ledger_refuses_holds_up_no_other_and_stays_on_disk(desk: Desk) -> None:
    """Mutation of `_one_by_one`: the journal is cleared although one answer was not recorded."""
    desk.refuses = [None, ValueError("no"), None]
    begun = time.monotonic()
    moved = desk.record_late(desk.answers(), ValueError("the group"))
    assert [one.order_id for one in moved] == ["SO-1", "SO-3"]
    assert desk.kept() == IDS, "the file is replayed as a whole; what is there already changes nothing"
    assert known_ids(desk.ledger, "SO-2") == []
    assert time.monotonic() - begun < 5


def test_when_each_answer_could_be_recorded_by_itself_nothing_stays_on_disk(desk: Desk) -> None:
    assert len(desk.record_late(desk.answers(), ValueError("the group"))) == 3
    assert desk.kept() == []
