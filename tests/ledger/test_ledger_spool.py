"""The spool's files under several processes: a live one's is left alone, a dead one's is replayed once."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.ledger.ledger_kit import one_claim, sent, submit
from worker.ledger.engine import Ledger
from worker.ledger.queries import Queries
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.rules.outcomes import Accepted


def left_behind(ledger: Ledger, folder: Path) -> None:
    """Let a process die that had learned an id and could not record it."""
    submit(ledger, "SO-1")
    spool = Spool(folder)
    spool.keep([sent(one_claim(ledger), Accepted(("8190000000000001",)))])
    assert spool._file is not None
    os.close(spool._file)  # as the end of the process does


def test_what_a_dead_process_left_is_recorded_and_removed(ledger: Ledger, tmp_path: Path) -> None:
    left_behind(ledger, tmp_path)
    assert Spool(tmp_path).replay(Records(ledger)) == 1
    order = Queries(ledger).order("SO-1").as_json()
    assert (order["state"], order["references"]) == ("placed", ["8190000000000001"])
    assert list(tmp_path.glob("*.jsonl")) == []


def test_what_is_kept_is_on_the_disk_before_anything_else_happens(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the fsync of `Spool.keep` a host that loses its power loses the ids with it."""
    spool, synced, sync = Spool(tmp_path), list[bytes](), os.fsync

    def look(file: int) -> None:
        assert os.path.samestat(os.fstat(file), next(tmp_path.glob("*.jsonl")).stat()), "another file"
        synced.append(os.pread(file, 10_000, 0).replace(b"\0", b""))
        sync(file)

    monkeypatch.setattr("worker.ledger.spool.os.fsync", look)
    submit(ledger, "SO-1", "SO-2")
    for number, order_id in ((1, "SO-1"), (2, "SO-2")):
        spool.keep([sent(one_claim(ledger, order_id), Accepted((f"819000000000000{number}",)))])
        assert len(synced) == number, "keep() came back before its ids were on the disk"
        assert f"819000000000000{number}".encode() in synced[-1]
    assert b"8190000000000001" in synced[-1], "the ids kept before are still there"


def test_the_file_of_a_live_process_is_left_alone(ledger: Ledger, tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.open()
    assert Spool(tmp_path).replay(Records(ledger)) == 0
    assert len(list(tmp_path.glob("*.jsonl"))) == 1


def test_a_file_is_seen_by_others_only_when_it_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[Path]] = []
    lock = Spool.open.__globals__["fcntl"].flock

    def look(file: int, how: int) -> None:
        seen.append(list(tmp_path.glob("*.jsonl")))
        lock(file, how)

    monkeypatch.setattr("worker.ledger.spool.fcntl.flock", look)
    Spool(tmp_path).open()
    assert seen == [[]]


def test_two_sweeps_at_once_replay_it_once_and_neither_fails(ledger: Ledger, tmp_path: Path) -> None:
    left_behind(ledger, tmp_path)
    replayed: list[int] = []
    go = threading.Barrier(4)

    def sweep() -> None:
        go.wait()
        replayed.append(Spool(tmp_path).replay(Records(ledger)))

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replayed) == [0, 0, 0, 1]


def test_a_file_that_goes_while_it_is_looked_at_is_passed_over(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "glob", lambda self, _: [self / "gone.jsonl"])
    assert Spool(tmp_path).replay(Records(ledger)) == 0
