"""A disk without room: SQLite says so itself, what was learned is in the spool, and nobody sees a traceback."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.ledger.ledger_kit import ACCOUNT, LEASE, assert_invariants, known_ids, row, sent, submit
from tests.running import until
from worker.errors import LedgerAway
from worker.ledger.claims import Claims, Terms
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.queries import Queries
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.rules.outcomes import Accepted
from worker.rules.values import Sent
from worker.sending import fallback
from worker.sending.fallback import Fallback
from worker.sending.turns import Slots
from worker.steps.place import NO_ROOM_SECONDS, Place

MANY = 300
"""Orders whose answers need more room than the ledger's last page has."""
IDS = [f"81983520498{number:05d}" for number in range(MANY)]
ROOT = Path(__file__).resolve().parents[2]


class Disk:
    """The disk of a SQLite ledger: when it is full, SQLite gets no further page (SQLITE_FULL)."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._pages = 2**30
        event.listen(ledger.engine, "connect", self._limit)

    def _limit(self, connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {self._pages}")

    def fill(self) -> None:
        with self.ledger.reading() as connection:
            self._pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        self.ledger.engine.dispose()  # the next connections know the limit

    def make_room(self) -> None:
        self._pages = 2**30
        self.ledger.engine.dispose()


@pytest.fixture
def disk(tmp_path: Path, sqlite_template: Path) -> Iterator[Disk]:
    path = tmp_path / "ledger.sqlite3"
    shutil.copy(sqlite_template, path)
    opened = Ledger(f"sqlite:///{path}")
    yield Disk(opened)
    assert_invariants(opened)
    opened.engine.dispose()


def answered(ledger: Ledger) -> list[Sent]:
    """Claim many orders and return what the marketplace answered, not recorded yet."""
    names = [f"SO-{number:03d}" for number in range(MANY)]
    submit(ledger, *names)
    claims = Claims(ledger).claim(ACCOUNT, names, Terms(LEASE, None))
    return [sent(one, Accepted((reference,))) for one, reference in zip(claims, IDS, strict=True)]


def kept(folder: Path) -> list[str]:
    """Return the ids that lie in the spool's files."""
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_bytes().replace(b"\0", b"").splitlines()]
    return [reference for line in lines for reference in json.loads(line)["references"]]


def no_room(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_is_learned_on_a_full_disk_is_in_the_journal_and_recorded_when_there_is_room_again(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, spool = answered(disk.ledger), Spool(tmp_path / "spool")
    spool.open()
    for name, value in {"FIRST_WAIT_SECONDS": 0.01, "LONGEST_WAIT_SECONDS": 0.05}.items():
        monkeypatch.setattr(fallback, name, value)
    patient = Fallback(Records(disk.ledger), spool, threading.Event(), lambda: None)
    disk.fill()
    with pytest.raises(LedgerAway, match=r"has no room left: database or disk is full") as full:
        Records(disk.ledger).record(answers)
    assert Queries(disk.ledger).counts() == {"placing": MANY}, "nothing half written"
    # Some arrive while the others wait: they are kept and recorded with them.
    arriving = [answers.pop() for _ in range(3)][::-1]
    later = iter([arriving])
    waiting = threading.Thread(target=patient.record, args=(answers, full.value, lambda: next(later, [])))
    waiting.start()
    try:
        until("the ids to be in the spool", lambda: kept(tmp_path / "spool") == IDS, 10, every=0.01)
        assert Queries(disk.ledger).counts() == {"placing": MANY}
    finally:
        disk.make_room()
        waiting.join(20)
    assert Queries(disk.ledger).counts() == {"placed": MANY}
    assert known_ids(disk.ledger, f"SO-{MANY - 1}") == IDS[-1:]
    assert kept(tmp_path / "spool") == []


def test_what_a_process_left_when_it_died_over_a_full_disk_is_replayed_when_there_is_room(
    disk: Disk, tmp_path: Path
) -> None:
    answers, spool = answered(disk.ledger), Spool(tmp_path)
    disk.fill()
    spool.keep(answers)
    assert spool._file is not None
    os.close(spool._file)  # as the end of the process does
    with pytest.raises(LedgerAway, match="has no room left"):
        Spool(tmp_path).replay(Records(disk.ledger))
    assert kept(tmp_path) == IDS, "still there"
    disk.make_room()
    assert Spool(tmp_path).replay(Records(disk.ledger)) == MANY
    assert Queries(disk.ledger).counts() == {"placed": MANY}
    assert kept(tmp_path) == []


def test_a_journal_that_finds_no_room_leaves_nothing_and_is_opened_when_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    with monkeypatch.context() as full:
        full.setattr("worker.ledger.spool.os.posix_fallocate", no_room)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                spool.open()
            assert list(tmp_path.iterdir()) == []
    spool.open()
    assert [path.suffix for path in tmp_path.iterdir()] == [".jsonl"]


def test_without_room_for_the_journal_nothing_is_sent_and_the_orders_wait(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    submit(disk.ledger, "SO-1")
    monkeypatch.setattr("worker.ledger.spool.os.posix_fallocate", no_room)
    marketplace: Any = SimpleNamespace(account=ACCOUNT, resend_window=None)
    slots = Slots(marketplace, "place", {"SO-1": time.monotonic()})
    played: Any = SimpleNamespace(admit=lambda *_: [slots], place=None)
    step = Place(
        settings=played,
        accounts=played,
        turns=played,
        claims=Claims(disk.ledger),
        due=Due(disk.ledger),
        marks=played,
        spool=Spool(tmp_path / "spool"),
        loop=played,
        recorder=played,
        bell=played,
        suspects=played,
        draining=threading.Event(),
    )
    with caplog.at_level(logging.ERROR):
        assert step.run(["SO-1"]) == "nothing was due"
    order = row(disk.ledger)
    assert (order.state, order.attempts) == ("queued", 0)
    assert order.due_at == pytest.approx(time.time() + NO_ROOM_SECONDS, abs=5)
    (told,) = caplog.messages
    assert told == "nothing is sent: the spool cannot be opened (No space left on device); make room on its disk"
    disk.fill()
    assert step.run(["SO-1"]) == "nothing was due", "not even when the ledger's disk is as full"


SUBMIT_ON_A_FULL_DISK = """
import sys
from sqlalchemy import Engine, event
event.listen(Engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
from worker.cli.main import main
main(sys.argv[1:])
"""


def test_orders_handed_in_on_a_full_disk_are_refused_with_one_sentence(disk: Disk, tmp_path: Path) -> None:
    address = {"address": "12 Rue", "city": "Paris", "province": "Ile-de-France", "country": "FR", "zip": "75002"}
    person = {"contact_person": "Jeanne Moreau", "full_name": "Jeanne Moreau", "mobile_no": "612345678"}
    order = {"logistics_address": {**address, **person}, "product_items": [{"product_id": 1005, "product_count": 1}]}
    jobs = [{"order_id": f"SO-{number}", "account": "main", "order": order} for number in range(MANY)]
    (tmp_path / "orders.jsonl").write_text("".join(json.dumps(job) + "\n" for job in jobs))
    keys = {"MARKETPLACE": "aliexpress", "APP_KEY": "k", "APP_SECRET": "s", "ACCESS_TOKEN": "t"}
    told = subprocess.run(
        [sys.executable, "-c", SUBMIT_ON_A_FULL_DISK, "submit", "orders.jsonl"],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "FULFIL_HOME": str(tmp_path / "home"),
            "FULFIL_DATABASE_URL": disk.ledger.url.render_as_string(),
            "FULFIL_REDIS_URL": "redis://127.0.0.1:1/0",
            **{f"FULFIL_ACCOUNTS__MAIN__{name}": value for name, value in keys.items()},
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 3, told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    words = " ".join(told.stderr.split())
    assert "has no room left: database or disk is full" in words
    assert "make room on its disk" in words
    assert Queries(disk.ledger).counts() == {}, "none of the group is taken in: the file can be handed in again"
