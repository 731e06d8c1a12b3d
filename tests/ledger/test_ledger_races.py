"""Two workers at once, on a real PostgreSQL: both are told one id for two orders, and only one order may keep it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests.ledger.ledger_kit import (
    LOOKED_UP,
    POLICY,
    known_ids,
    one_claim,
    order_record,
    place_one,
    row,
    sent,
    submit,
    waiting,
)
from worker.errors import NotAllowed
from worker.ledger import operators, pushes, records, references
from worker.ledger.engine import Ledger
from worker.ledger.moves import lock
from worker.ledger.operators import Operator
from worker.ledger.records import Records
from worker.ledger.references import hold_references
from worker.rules.outcomes import Accepted, Found, Unknown
from worker.rules.reconcile import decide_unknown
from worker.rules.states import State
from worker.rules.values import Settled

TOLD = "8198352049850001"
MEETING_SECONDS = 1.5
"""How long one transaction waits for the other where both are to have looked before either writes."""

Act = Callable[[], Any]


@pytest.fixture
def both_look_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the two transactions meet between asking whose an id is and taking it, unless something keeps them apart."""
    meeting, look = threading.Barrier(2), references.owners

    def look_and_wait(connection: Any, ids: Any, told: Any) -> Any:
        found = look(connection, ids, told)
        if told:
            with suppress(threading.BrokenBarrierError):
                meeting.wait(MEETING_SECONDS)
        return found

    for module in (references, records, operators, pushes):
        if hasattr(module, "owners"):
            monkeypatch.setattr(module, "owners", look_and_wait)


@pytest.fixture
def two_workers(ledger: Ledger) -> Iterator[tuple[Ledger, Ledger]]:
    """Two processes' ledgers: each with connections of its own."""
    other = Ledger(ledger.url.render_as_string(hide_password=False))
    yield ledger, other
    other.engine.dispose()


def answer(ledger: Ledger, order_id: str) -> Act:
    """A create's answer tells the id."""
    claim = one_claim(ledger, order_id)
    return lambda: Records(ledger).record([sent(claim, Accepted((TOLD,)))])


def look_up(ledger: Ledger, order_id: str) -> Act:
    """A look-up of an unknown order finds the id."""
    at = time.time()
    place_one(ledger, Unknown("no answer"), order_id, at)
    (order,) = waiting(ledger, State.UNKNOWN, order_id, now=at + 60)
    seen = Found((order_record(TOLD),))
    settled = Settled(order, seen, decide_unknown(order, LOOKED_UP, seen, POLICY, at + 60))
    return lambda: Records(ledger).settle([settled], at + 61)


def person(ledger: Ledger, order_id: str) -> Act:
    """A person names the id."""
    place_one(ledger, Accepted((), "REPEATED_ORDER_ERROR"), order_id)

    def adopt() -> None:
        with suppress(NotAllowed):  # the other one was faster
            Operator(ledger, "cli").adopt(order_id, TOLD)

    return adopt


@pytest.mark.parametrize(
    ("first", "second"),
    [(answer, answer), (answer, look_up), (answer, person), (look_up, look_up), (look_up, person), (person, person)],
    ids=lambda door: door.__name__,
)
@pytest.mark.usefixtures("both_look_first")
def test_of_two_orders_that_are_told_one_id_by_two_workers_at_once_one_keeps_it(
    two_workers: tuple[Ledger, Ledger], first: Callable[[Ledger, str], Act], second: Callable[[Ledger, str], Act]
) -> None:
    """Without the advisory lock of `hold_references` both find on PostgreSQL that the id is free, and take it."""
    one, other = two_workers
    submit(one, "SO-1", "SO-2")
    acts = [first(one, "SO-1"), second(other, "SO-2")]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(act) for act in acts]:
            done.result(30)
    holders = [order_id for order_id in ("SO-1", "SO-2") if TOLD in known_ids(one, order_id)]
    assert len(holders) == 1
    (loser,) = {"SO-1", "SO-2"} - set(holders)
    assert row(one, holders[0]).state == "placed"
    assert row(one, loser).state in ("unmatched", "unknown")


def test_ids_are_locked_in_one_order_for_all(ledger: Ledger) -> None:
    """Without the ORDER BY of `_HOLD` two transactions with the same ids may wait for each other for ever."""
    if ledger.sqlite:
        return  # SQLite has only one writer
    told = [f"81983520498{number:05d}" for number in range(40)]
    with ledger.engine.connect() as watcher, ledger.engine.connect() as blocker, ledger.engine.connect() as worker:
        hashes = watcher.execute(text("SELECT hashtext(t) FROM unnest(CAST(:told AS text[])) AS t"), {"told": told})
        ids = sorted(set(hashes.scalars()))
        barred = ids[len(ids) // 2]
        blocker.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": barred})
        pid = worker.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with ThreadPoolExecutor(1) as pool:
            waiting_for_it = pool.submit(hold_references, worker, told[::-1])
            held = _held_when_it_waits(watcher, pid)
            blocker.rollback()
            waiting_for_it.result(30)
        worker.rollback()
    assert held == [one for one in ids if one < barred]


def test_rows_are_locked_in_one_order_for_all(ledger: Ledger) -> None:
    """Without the ORDER BY of `moves.lock` two workers with overlapping messages may wait for each other for ever."""
    if ledger.sqlite:
        return  # SQLite has only one writer
    ids = [f"SO-{number}" for number in range(1, 10)]
    for order_id in reversed(ids):  # as they lie in the table, the last one comes first
        submit(ledger, order_id)
    with ledger.engine.connect() as watcher, ledger.engine.connect() as blocker, ledger.engine.connect() as worker:
        lock(blocker, ["SO-5"])
        pid = worker.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with ThreadPoolExecutor(1) as pool:
            waiting_for_it = pool.submit(lock, worker, ids)
            _until_it_waits(watcher, pid)
            free = set(watcher.execute(text("SELECT order_id FROM orders FOR UPDATE SKIP LOCKED")).scalars())
            watcher.rollback()
            blocker.rollback()
            waiting_for_it.result(30)
        worker.rollback()
    assert free == {"SO-6", "SO-7", "SO-8", "SO-9"}


def _until_it_waits(watcher: Connection, pid: int) -> None:
    end = time.monotonic() + 10
    query = text("SELECT wait_event_type FROM pg_stat_activity WHERE pid = :pid")
    while watcher.execute(query, {"pid": pid}).scalar() != "Lock":
        watcher.rollback()  # what the view shows stays the same within a transaction
        assert time.monotonic() < end, "it waits for nothing"
        time.sleep(0.02)
    watcher.rollback()


def _held_when_it_waits(watcher: Connection, pid: int) -> list[int]:
    """Return the advisory locks a connection holds while it waits for a further one."""
    query = text(
        "SELECT granted, ((classid::bigint << 32) | objid::bigint) AS id FROM pg_locks"
        " WHERE locktype = 'advisory' AND pid = :pid"
    )
    end = time.monotonic() + 10
    while time.monotonic() < end:
        locks = watcher.execute(query, {"pid": pid}).all()
        if any(not lock.granted for lock in locks):
            return sorted(int(lock.id) for lock in locks if lock.granted)
        time.sleep(0.02)
    raise AssertionError("it waits for nothing")
