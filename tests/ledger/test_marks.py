"""Send marks: what never left is told from what may have left, and a frozen process is never taken for a dead one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import LEASE, history, row, submit, tries
from worker.ledger import marks as module
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.leases import busy_senders, open_senders
from worker.ledger.marks import FIRST_SLOTS, Dead, Graves, Marks
from worker.ledger.records import Records
from worker.ledger.tables import orders
from worker.rules.values import Claim

ACCOUNT = "main"
LIVES = """
import sys
from pathlib import Path
from worker.ledger.marks import Marks
marks = Marks(Path(sys.argv[1]))
marks.open()
for note in sys.argv[2:]:
    order_id, number = note.split(":")
    marks.note(order_id, int(number))
print(marks.sender, flush=True)
sys.stdin.read()
"""


def process(folder: Path, *notes: str) -> tuple[subprocess.Popen[str], str]:
    """Start a process that noted these sends and lives on; return it and the name it goes by."""
    started = subprocess.Popen(
        [sys.executable, "-c", LIVES, str(folder), *notes], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    return started, started.stdout.readline().strip()


def killed(folder: Path, *notes: str) -> str:
    """Return the name of a process that noted these sends and was killed."""
    started, sender = process(folder, *notes)
    started.kill()
    started.wait()
    return sender


def claimed(ledger: Ledger, sender: str, *order_ids: str, now: float) -> list[Claim]:
    return Claims(ledger, sender=sender).claim(ACCOUNT, order_ids, Terms(LEASE, None), now)


def test_a_killed_process_leaves_what_it_noted(tmp_path: Path) -> None:
    sender = killed(tmp_path, "SO-1:1", "SO-2:3")
    (dead,) = Graves(tmp_path).dead()
    assert dead.sender == sender
    assert (dead.noted("SO-1", 1), dead.noted("SO-2", 3)) == (True, True)
    assert (dead.noted("SO-1", 2), dead.noted("SO-3", 1)) == (False, False)


def test_a_process_that_lives_or_is_frozen_is_not_dead(tmp_path: Path) -> None:
    started, sender = process(tmp_path, "SO-1:1")
    try:
        os.kill(started.pid, 19)
        graves = Graves(tmp_path)
        assert graves.dead() == []
        assert (graves.is_alive(sender), graves.is_dead(sender)) == (True, False)
    finally:
        started.kill()
        started.wait()
    assert (graves.is_alive(sender), graves.is_dead(sender)) == (False, True)


def test_ones_own_marks_are_those_of_a_living_process(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.open()
    marks.note("SO-1", 1)
    assert Graves(tmp_path).dead() == []
    assert Graves(tmp_path).is_alive(marks.sender)


def test_after_a_restart_of_the_machine_no_mark_proves_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks are not forced to the disk: what is missing after a power cut may have left all the same."""
    sender = killed(tmp_path)
    monkeypatch.setattr(module, "boot", lambda: "another run")
    assert Graves(tmp_path).dead() == []
    assert not Graves(tmp_path).is_dead(sender)
    monkeypatch.setattr(module, "boot", lambda: "")
    assert Graves(tmp_path).dead() == [], "nor where the machine does not tell its runs apart"


def test_a_send_that_cannot_be_noted_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = Marks(tmp_path)
    with pytest.raises(OSError, match="not open"):
        marks.note("SO-1", 1)
    marks.open()
    monkeypatch.setattr(os, "pwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        marks.note("SO-1", 1)


def test_room_is_used_again_and_grows_when_it_must(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    marks.open()
    (path,) = tmp_path.glob("*.marks")
    size = path.stat().st_size
    for number in range(3 * FIRST_SLOTS):
        marks.note(f"SO-{number}", 1)
        marks.release(f"SO-{number}", 1)
    assert path.stat().st_size == size, "what is recorded makes room"
    for number in range(FIRST_SLOTS + 1):
        marks.note(f"SO-{number}", 2)
    assert path.stat().st_size > size
    os.close(marks._file or 0)
    (dead,) = Graves(tmp_path).dead()
    assert all(dead.noted(f"SO-{number}", 2) for number in range(FIRST_SLOTS + 1))


def test_files_of_the_dead_go_when_nobody_needs_them(tmp_path: Path) -> None:
    empty, full, busy = killed(tmp_path), killed(tmp_path, "SO-1:1"), killed(tmp_path)
    graves, now = Graves(tmp_path), time.time()
    graves.clear(frozenset({busy}), now + 60)
    assert {dead.sender for dead in graves.dead()} == {empty, full, busy}
    graves.clear(frozenset({busy}), now + 3600)
    assert {dead.sender for dead in graves.dead()} == {full, busy}, "its death matters for a week to whoever asks"
    graves.clear(frozenset(), now + 8 * 86400)
    assert graves.dead() == []


def test_what_never_left_goes_again_at_once_and_costs_no_attempt(ledger: Ledger, tmp_path: Path) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    claimed(ledger, killed(tmp_path), "SO-1", now=at)
    Records(ledger).expire_leases(at + 1, Graves(tmp_path).dead())
    order = row(ledger)
    assert (order.state, order.in_doubt, order.spent, order.crashes) == ("queued", False, 0, 1)
    assert (order.first_sent_at, order.due_at) == (None, at + 1)
    assert tries(ledger) == [(1, "NotSent")]
    assert history(ledger)[-1] == "retry>queued"


def test_what_may_have_left_is_unknown_and_its_sender_known_to_be_gone(ledger: Ledger, tmp_path: Path) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    claimed(ledger, killed(tmp_path, "SO-1:1"), "SO-1", "SO-2", now=at)
    Records(ledger).expire_leases(at + 1, Graves(tmp_path).dead())
    assert (row(ledger).state, row(ledger).in_doubt) == ("unknown", True)
    assert row(ledger, "SO-2").state == "queued"
    assert open_senders(ledger, ["SO-1", "SO-2"]) == {}


def test_an_order_whose_sender_may_live_waits_for_its_lease_and_is_unknown(ledger: Ledger, tmp_path: Path) -> None:
    submit(ledger, "SO-1")
    started, sender = process(tmp_path)
    try:
        at = time.time()
        claimed(ledger, sender, "SO-1", now=at)
        os.kill(started.pid, 19)
        assert Records(ledger).expire_leases(at + LEASE - 1, Graves(tmp_path).dead()) == []
        Records(ledger).expire_leases(at + LEASE + 1, Graves(tmp_path).dead())
        assert row(ledger).state == "unknown"
        assert open_senders(ledger, ["SO-1"]) == {"SO-1": [sender]}
    finally:
        started.kill()
        started.wait()


def test_an_order_in_doubt_from_before_stays_in_doubt_though_its_last_send_never_left(
    ledger: Ledger, tmp_path: Path
) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    with ledger.writing() as connection:
        connection.execute(update(orders).values(in_doubt=True, first_sent_at=at - 100))
    claimed(ledger, killed(tmp_path), "SO-1", now=at)
    Records(ledger).expire_leases(at + 1, Graves(tmp_path).dead())
    order = row(ledger)
    assert (order.state, order.in_doubt, order.first_sent_at) == ("unknown", True, at - 100)


def test_an_order_that_kills_its_workers_before_it_leaves_is_set_aside(ledger: Ledger, tmp_path: Path) -> None:
    submit(ledger, "SO-1")
    for crash in range(3):
        at = time.time() + crash
        claimed(ledger, killed(tmp_path), "SO-1", now=at)
        Records(ledger).expire_leases(at, Graves(tmp_path).dead())
    order = row(ledger)
    assert (order.state, order.code, order.attention) == ("dead", "QUARANTINED", True)
    assert "before it sent the order" in order.reason


def test_a_dead_process_is_busy_while_its_orders_stand_as_being_sent(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    claimed(ledger, "a", "SO-1", now=time.time())
    dead = [Dead("a", frozenset()), Dead("b", frozenset())]
    assert busy_senders(ledger, dead) == frozenset({"a"})
