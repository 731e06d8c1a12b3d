"""A database that refuses: told by type and code, never by a row; what was learned is offered until it is taken."""

from __future__ import annotations

import json
import logging
import pickle
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.harness import job as harness_job
from tests.ledger.ledger_kit import ACCOUNT, LEASE, POLICY, Place, claim, known_ids, row, sent, submit
from tests.ledger.ledger_kit import job as kit_job
from tests.personal import personal
from tests.running import until
from worker.errors import FulfilError, LedgerAway, LedgerRefused
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.marks import Marks
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.orders.jobs import Job
from worker.rules.outcomes import Accepted
from worker.sending import fallback
from worker.sending.fallback import Fallback
from worker.sending.recorder import Answer, Completion, Recorder
from worker.sending.renewals import Renewals

IDS = ("8190000000000001", "8190000000000002")
SAYS_THE_ROW = {
    "sqlite": (
        "CREATE TRIGGER tell BEFORE INSERT ON {table} WHEN {when} BEGIN"
        " SELECT RAISE(ABORT, 'Philippa Quillfeather, 1742 Larkspur Hollow'); END",
        "DROP TRIGGER tell",
    ),
    "postgresql": (
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'no: %%', NEW USING DETAIL = NEW::text; END $$;"
        "CREATE TRIGGER tell BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION tell()",
        "DROP FUNCTION tell CASCADE",
    ),
}


@pytest.fixture
def broken(place: Place) -> Iterator[Ledger]:
    """Open a ledger of its own, for a test that harms it."""
    opened = Ledger(place.url())
    opened.migrate()
    yield opened
    opened.engine.dispose()


def personal_job(order_id: str = "SO-1") -> Job:
    plain = kit_job(order_id)
    body = json.dumps(harness_job(order_id)["order"])
    return Job(order_id, plain.account, plain.marketplace, body, plain.fingerprint, 1, ())


def execute(ledger: Ledger, statement: str) -> None:
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def say_the_row(ledger: Ledger, table: str = "orders", when: str = "true") -> None:
    execute(ledger, SAYS_THE_ROW[ledger.engine.dialect.name][0].format(table=table, when=when))


def say_nothing(ledger: Ledger) -> None:
    execute(ledger, SAYS_THE_ROW[ledger.engine.dialect.name][1])


def lose_a_column(ledger: Ledger) -> None:
    execute(ledger, "ALTER TABLE orders RENAME COLUMN body TO content")


class ReadOnly:
    """Makes a ledger read-only, as a failover does, and writable again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._on = False
        if ledger.sqlite:
            event.listen(ledger.engine, "connect", self._forbid)

    def _forbid(self, connection: Any, _: Any) -> None:
        connection.execute(f"PRAGMA query_only = {int(self._on)}")

    def set(self, on: bool) -> None:
        self._on = on
        if not self._ledger.sqlite:
            with self._ledger.engine.connect() as connection:
                plain = connection.execution_options(isolation_level="AUTOCOMMIT")
                plain.execute(text("SET default_transaction_read_only = off"))
                name = self._ledger.url.database
                plain.exec_driver_sql(
                    f'ALTER DATABASE "{name}" SET default_transaction_read_only = {"on" if on else "off"}'
                )
        self._ledger.engine.dispose()


def everything_of(error: BaseException) -> dict[str, str]:
    """Return every form in which an error may reach a log, Flower or another process."""
    return {
        "words": str(error),
        "repr": repr(error),
        "args": repr(error.args),
        "traceback": "".join(traceback.format_exception(error)),
        "chain": repr((error.__context__, error.__cause__)),
        "pickled": repr(pickle.dumps(error)),
    }


@pytest.mark.parametrize("harm", [say_the_row, lose_a_column])
def test_what_the_database_refuses_is_told_by_type_and_code_alone(broken: Ledger, harm: Callable[..., None]) -> None:
    batch = open_batch(broken, "orders.jsonl")
    harm(broken)
    with pytest.raises(LedgerRefused, match=r"refused a statement: \w+, \w+, at intake\.py:\d+") as told:
        take(broken, batch, [personal_job()], [])
    assert personal(everything_of(told.value)) == {}
    assert told.value.__context__ is None
    assert told.value.__cause__ is None


def test_a_value_no_driver_takes_is_not_repeated(broken: Ledger) -> None:
    batch = open_batch(broken, "orders.jsonl")
    job = personal_job()
    with pytest.raises(FulfilError) as told:
        take(
            broken,
            batch,
            [Job(job.order_id, ACCOUNT, job.marketplace, job.body + "\ud800", job.fingerprint, 1, ())],
            [],
        )
    assert personal(everything_of(told.value)) == {}


def test_a_read_only_database_is_away_and_no_defect(broken: Ledger) -> None:
    batch, failover = open_batch(broken, "orders.jsonl"), ReadOnly(broken)
    failover.set(True)
    with pytest.raises(LedgerAway, match="is read-only") as told:
        take(broken, batch, [personal_job()], [])
    assert personal(everything_of(told.value)) == {}
    failover.set(False)
    assert len(take(broken, batch, [personal_job()], []).new) == 1


def test_a_row_a_constraint_forbids_is_not_shown(broken: Ledger) -> None:
    """PostgreSQL's DETAIL shows the whole row that failed; SQLite shows names only."""
    if broken.sqlite:
        return
    execute(broken, "ALTER TABLE orders ADD CONSTRAINT never CHECK (line > 100)")
    batch = open_batch(broken, "orders.jsonl")
    with pytest.raises(LedgerRefused, match="CheckViolation, 23514") as told:
        take(broken, batch, [personal_job("SO-1"), personal_job("SO-2")], [])
    assert personal(everything_of(told.value)) == {}


class Desk:
    """A recorder on a ledger, with Redis played."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.rung: list[str] = []
        self.folder = folder
        played: Any = self
        records = Records(ledger)
        self.marks = Marks(folder / "sending")
        self.marks.open()
        owed = Fallback(records, Spool(folder / "spool"), threading.Event(), lambda: None)
        renewals = Renewals(played, played)
        self.recorder = Recorder(records, owed, played, self.marks, played, played, POLICY, renewals)
        self.recorder.start()

    def follow(self, moved: Any) -> None:
        self.rung += [one.order_id for one in moved]

    def report(self, *_: Any) -> None:
        return None

    def answer(self, claimed: Any, reference: str) -> Completion:
        done = Completion(1)
        self.marks.note(claimed.order_id, claimed.number)
        self.recorder.put(Answer(claimed, Accepted((reference,)), time.time(), time.time(), done))
        return done

    def kept(self) -> list[str]:
        data = b"".join(path.read_bytes() for path in (self.folder / "spool").glob("*.jsonl")).replace(b"\0", b"")
        return [reference for line in data.splitlines() for reference in json.loads(line)["references"]]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FIRST_WAIT_SECONDS": 0.01, "LONGEST_WAIT_SECONDS": 0.05, "AGAIN_SECONDS": 0.1}.items():
        monkeypatch.setattr(fallback, name, value)


@pytest.mark.usefixtures("soon")
def test_an_answer_the_database_refuses_is_offered_until_it_is_in(
    broken: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    submit(broken, "SO-1", "SO-2")
    one, two = Claims(broken).claim(ACCOUNT, ("SO-1", "SO-2"), Terms(LEASE, None))
    desk = Desk(broken, tmp_path)
    say_the_row(broken, "order_references")
    with caplog.at_level(logging.DEBUG):
        assert desk.answer(one, IDS[0]).wait() == [], "its task goes on"
        assert desk.kept() == [IDS[0]]
        assert desk.answer(two, IDS[1]).wait() == []
        assert row(broken, "SO-1").state == "placing"
        assert desk.marks._slots, "its mark stays: the ledger knows nothing of the send"
        say_nothing(broken)
        until("both answers to be recorded", lambda: sorted(desk.rung) == ["SO-1", "SO-2"], 10)
    desk.recorder.stop()
    assert [known_ids(broken, order_id) for order_id in ("SO-1", "SO-2")] == [[IDS[0]], [IDS[1]]]
    assert (desk.kept(), desk.marks._slots) == ([], {})
    assert "is offered again" in caplog.text
    assert personal({"log": caplog.text}) == {}


@pytest.mark.usefixtures("soon")
def test_answers_wait_while_the_database_is_read_only(
    broken: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    submit(broken, "SO-1")
    (one,) = claim(broken, "SO-1")
    desk, failover = Desk(broken, tmp_path), ReadOnly(broken)
    failover.set(True)
    done = desk.answer(one, IDS[0])
    until("the id to be on disk", lambda: desk.kept() == [IDS[0]], 10)
    failover.set(False)
    assert [moved.state for moved in done.wait()] == ["placed"]
    desk.recorder.stop()
    assert known_ids(broken) == [IDS[0]]
    assert desk.kept() == []


def test_one_refused_answer_delays_no_other(broken: Ledger, tmp_path: Path) -> None:
    submit(broken, "SO-1", "SO-2")
    claimed = claim(broken, "SO-1", "SO-2")
    say_the_row(broken, "order_references", f"NEW.reference = '{IDS[0]}'")
    owed = Fallback(Records(broken), Spool(tmp_path / "spool"), threading.Event(), lambda: None)
    moved = owed.record([sent(one, Accepted((IDS[n],))) for n, one in enumerate(claimed)], LedgerRefused("x"), list)
    assert len(moved) == 1
    assert len(owed.owed) == 1
    say_nothing(broken)
    taken, moved = owed.offer_again()
    assert len(taken) == len(moved) == 1
    assert owed.seconds_left() is None
