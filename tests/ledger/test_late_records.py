"""Answers the ledger would not take: on disk before anything else, there until the ledger has them, told one by one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from tests.ledger.ledger_kit import ACCOUNT, LEASE, known_ids, row, sent, submit
from worker.errors import LedgerAway
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.rules.outcomes import Accepted
from worker.rules.values import Moved, Sent
from worker.sending import fallback
from worker.sending.fallback import Fallback

IDS = ["8198352049850001", "8198352049850002", "8198352049850003"]


class Desk:
    """A fallback on a real ledger and spool; `refuses`: what the next commits raise, in turn."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.folder = ledger, folder
        self.draining = Flag()
        self.refuses: list[Exception | None] = []
        self.kept_at_commit: list[list[str]] = []
        played: Any = self
        self._fallback = Fallback(played, Spool(folder), self.draining, lambda: None)

    def record(self, answers: list[Sent]) -> list[Moved]:
        self.kept_at_commit.append(self.kept())
        error = self.refuses.pop(0) if self.refuses else None
        if error is not None:
            raise error
        return Records(self.ledger).record(answers)

    def kept(self) -> list[str]:
        """Return the ids that lie in the spool."""
        lines = [line for path in self.folder.glob("*.jsonl") for line in path.read_bytes().split(b"\n")]
        return [one for line in lines if line.strip(b"\0") for one in json.loads(line.strip(b"\0"))["references"]]

    def answers(self) -> list[Sent]:
        names = [f"SO-{number}" for number in range(1, len(IDS) + 1)]
        submit(self.ledger, *names)
        claims = Claims(self.ledger).claim(ACCOUNT, names, Terms(LEASE, None))
        return [sent(claim, Accepted((one,))) for claim, one in zip(claims, IDS, strict=True)]

    def fall_back(self, answers: list[Sent], error: Exception, arrived: Callable[[], list[Sent]] = list) -> Any:
        return self._fallback.record(answers, error, arrived)


@pytest.fixture
def desk(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(fallback, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(fallback, "LONGEST_WAIT_SECONDS", 0.02)
    return Desk(ledger, tmp_path / "spool")


def test_ids_are_on_disk_before_the_ledger_is_asked_again_and_gone_when_it_has_them(desk: Desk) -> None:
    """Mutations of `Fallback.record`: without its first `keep`; without `recorded`."""
    desk.refuses = [LedgerAway("away"), LedgerAway("away")]
    moved = desk.fall_back(desk.answers(), LedgerAway("away"))
    assert desk.kept_at_commit == [IDS] * 3
    assert (len(moved), desk.kept()) == (3, [])


def test_what_arrives_meanwhile_is_on_disk_too_before_the_ledger_is_asked(desk: Desk) -> None:
    """Mutation of `Fallback.record`: what `arrived` is not kept."""
    *answers, more = desk.answers()
    arriving = iter([[more]])
    moved = desk.fall_back(answers, LedgerAway("away"), lambda: next(arriving, []))
    assert desk.kept_at_commit == [IDS]
    assert (len(moved), desk.kept()) == (3, [])


def test_a_worker_that_is_told_to_stop_leaves_what_the_ledger_has_not_to_the_spool(desk: Desk) -> None:
    """Mutation of `Fallback.record`: the spool is cleared although nothing was recorded."""
    desk.draining.set()
    assert desk.fall_back(desk.answers(), LedgerAway("away")) == []
    assert (desk.kept(), desk.kept_at_commit) == (IDS, [])
    assert row(desk.ledger).state == "placing"


def test_one_answer_the_ledger_refuses_holds_up_no_other_and_stays_on_disk(desk: Desk) -> None:
    """Mutation of `_each_by_itself`: the spool is cleared although one answer was not recorded."""
    desk.refuses = [None, ValueError("no"), None]
    begun = time.monotonic()
    moved = desk.fall_back(desk.answers(), ValueError("the group"))
    assert [one.order_id for one in moved] == ["SO-1", "SO-3"]
    assert desk.kept() == IDS, "the file is replayed as a whole; what is there already changes nothing"
    assert known_ids(desk.ledger, "SO-2") == []
    assert time.monotonic() - begun < 5


def test_when_each_answer_could_be_recorded_by_itself_nothing_stays_on_disk(desk: Desk) -> None:
    assert len(desk.fall_back(desk.answers(), ValueError("the group"))) == 3
    assert desk.kept() == []
