"""Takes jobs into the ledger: new ones queued, known ones told apart from changed ones."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from worker.ledger.audit import note_act
from worker.ledger.dialects import in_list, insert_ignore
from worker.ledger.engine import Ledger
from worker.ledger.repeats import Repeats
from worker.ledger.tables import batches, orders, rejections
from worker.orders.ids import spellings
from worker.orders.jobs import Job, Rejection
from worker.rules.audit import SUBMIT
from worker.rules.codes import typed
from worker.rules.operate import AMENDABLE, may_be_amended
from worker.rules.states import State

_START = {
    "state": State.QUEUED,
    "epoch": 0,
    "attempts": 0,
    "spent": 0,
    "snoozes": 0,
    "crashes": 0,
    "absences": 0,
    "in_doubt": False,
    "attention": False,
}


@dataclass(slots=True)
class Taken:
    """What was done with one group of jobs."""

    new: list[Job] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    """(order_id, its state)"""
    rejected: list[Rejection] = field(default_factory=list)
    changed: list[tuple[str, Job]] = field(default_factory=list)
    """(order_id as the ledger spells it, the job): known orders with other content, where such may be replaced"""


def open_batch(ledger: Ledger, source: str, actor: str = "python") -> str:
    """Begin a batch and return its id. `source` is the file's name, never its content; `actor`: who hands it in."""
    now = time.time()
    batch_id = time.strftime("B-%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(4)
    row: dict[str, Any] = {
        "batch_id": batch_id,
        "created_at": now,
        "source": source[-200:],
        "accepted": 0,
        "duplicates": 0,
    }
    with ledger.writing() as connection:
        connection.execute(insert(batches), row | {"rejected": 0})
        note_act(connection, SUBMIT, actor, now, batch_id=batch_id, note=row["source"])
    return batch_id


def take(
    ledger: Ledger,
    batch_id: str,
    jobs: Sequence[Job],
    refused: Sequence[Rejection],
    rung_at: float | None = None,
    repeats: Repeats | None = None,
    taken_for: Mapping[str, str] | None = None,
    replaces: bool = False,
) -> Taken:
    """Write a group of jobs and the rejections among them, in one transaction.

    An order the ledger holds already is a duplicate when its content is the same; when it is not, it is left to the
    caller where it `replaces` what the ledger holds, else a rejection.
    `rung_at`: when the caller is about to ring for them; None leaves that to the sweep. `repeats` counts the new ones.
    `taken_for`: for each account the fingerprint of where its orders are to go, "" where that is not known here.
    """
    now = time.time()
    taken = Taken(rejected=list(refused))
    unique: dict[str, Job] = {}
    again: list[Job] = []
    for job in jobs:
        if job.order_id in unique:
            again.append(job)
        else:
            unique[job.order_id] = job
    places = taken_for or {}
    with ledger.writing() as connection:
        older = _older_spellings(connection, unique)
        # One order of locking for all, or two clients that submit the same jobs wait for each other for ever.
        ordered = sorted(unique.keys() - older.keys())
        fresh: set[str] = set()
        if ordered:
            statement = insert_ignore(connection, orders).returning(orders.c.order_id)
            rows = [_row(unique[order_id], batch_id, now, rung_at, places) for order_id in ordered]
            fresh = set(connection.execute(statement, rows).scalars())
        known = [job for job in unique.values() if job.order_id not in fresh]
        taken.new = [job for job in unique.values() if job.order_id in fresh]
        _tell_apart(connection, known, older, taken, replaces)
        _tell_apart(connection, again, older, taken, replaces=False, again=True)
        if repeats is not None:
            repeats.look(connection, taken.new, now)
        _count(connection, batch_id, taken)
    return taken


@dataclass(frozen=True, slots=True)
class Held:
    """An order the ledger has: under which state and content."""

    state: str
    fingerprint: str


def held(ledger: Ledger, jobs: Sequence[Job]) -> dict[str, Held]:
    """Return what the ledger has of these jobs' orders, by the jobs' order_ids; nothing is written."""
    by_id = {job.order_id: job for job in jobs}
    with ledger.reading() as connection:
        older = _older_spellings(connection, by_id)
        known_as = {older.get(order_id, order_id): order_id for order_id in by_id}
        query = select(orders.c.order_id, orders.c.fingerprint, orders.c.state)
        rows = connection.execute(query.where(in_list(orders.c.order_id, known_as)))
        return {known_as[row.order_id]: Held(row.state, row.fingerprint) for row in rows}


def changed(order_id: str, state: str, stays: bool = False, again: bool = False) -> str:
    """Return why a job of a known order_id with other content is not taken, and how that order is changed.

    `stays`: it exists or may exist, so that nothing changes it. `again`: the same file has an earlier line of it. No
    word of a new order_id: the order that was taken may be sent already, and a second one is a second parcel.
    """
    see = f"fulfil show {typed(order_id)}"
    said = f"an order of this id was taken before with other content (state {state}); this line changed nothing."
    if again:
        return f"{said} It stands here more than once: leave one of the lines. To see it: {see}"
    if stays or state not in AMENDABLE:
        return f"{said} To see it: {see}"
    change = f"fulfil submit --replace FILE, or fulfil amend {typed(order_id)} --set FIELD=VALUE"
    return f"{said} To change it: {change}; to see it: {see}"


def _older_spellings(connection: Connection, jobs: Mapping[str, Job]) -> dict[str, str]:
    """Return which orders the ledger holds under another spelling of their id, from before ids were normalised."""
    forms = {form: one for one in jobs if not one.isascii() for form in spellings(one) if form != one}
    forms |= {job.spelled: one for one, job in jobs.items() if job.spelled}
    if not forms:
        return {}
    known = connection.execute(select(orders.c.order_id).where(in_list(orders.c.order_id, forms))).scalars()
    return {forms[form]: form for form in known}


def _row(job: Job, batch_id: str, now: float, rung_at: float | None, places: Mapping[str, str]) -> dict[str, object]:
    return {
        **_START,
        "order_id": job.order_id,
        "account": job.account,
        "marketplace": job.marketplace,
        "batch_id": batch_id,
        "line": job.line,
        "body": job.body,
        "fingerprint": job.fingerprint,
        "due_at": now,
        "rung_at": rung_at,
        "taken_for": places.get(job.account) or None,
        "created_at": now,
        "updated_at": now,
    }


def _tell_apart(
    connection: Connection,
    jobs: Sequence[Job],
    older: Mapping[str, str],
    taken: Taken,
    replaces: bool,
    again: bool = False,
) -> None:
    """Tell duplicates from changed orders. `again`: of these jobs the same group has an earlier one."""
    if not jobs:
        return
    query = select(
        orders.c.order_id, orders.c.fingerprint, orders.c.state, orders.c.in_doubt, orders.c.closed_at
    ).where(in_list(orders.c.order_id, {older.get(job.order_id, job.order_id) for job in jobs}))
    known = {row.order_id: row for row in connection.execute(query)}
    for job in jobs:
        row = known[older.get(job.order_id, job.order_id)]
        if row.fingerprint == job.fingerprint:
            taken.duplicates.append((job.order_id, row.state))
        elif replaces:
            taken.changed.append((row.order_id, job))
        else:
            reason = changed(job.order_id, row.state, not may_be_amended(row), again)
            taken.rejected.append(Rejection(job.line, job.order_id, "order_id", reason))


def note_rejections(connection: Connection, batch_id: str, rejected: Sequence[Rejection]) -> None:
    """Keep what more of a batch was rejected than `take` told."""
    _count(connection, batch_id, Taken(rejected=list(rejected)))


def _count(connection: Connection, batch_id: str, taken: Taken) -> None:
    if taken.rejected:
        connection.execute(
            insert(rejections),
            [
                {"batch_id": batch_id, "line": r.line, "order_id": r.order_id, "field": r.field, "reason": r.reason}
                for r in taken.rejected
            ],
        )
    connection.execute(
        update(batches)
        .where(batches.c.batch_id == batch_id)
        .values(
            accepted=batches.c.accepted + len(taken.new),
            duplicates=batches.c.duplicates + len(taken.duplicates),
            rejected=batches.c.rejected + len(taken.rejected),
        )
    )
