"""The way in: jobs validated, taken into the ledger, and only then rung for."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from celery.worker.request import Request

from worker.accounts import taken_for, terms
from worker.app import app
from worker.broker.bell import bell, worth_ringing
from worker.crashpoints import CrashPoint, reached
from worker.errors import RedisAway
from worker.ledger.engine import ledger
from worker.ledger.intake import Taken, open_batch, take
from worker.ledger.repeats import Repeats
from worker.orders.files import jobs as read_jobs
from worker.orders.jobs import Job, Rejection, validate

GROUP = 1000
"""Jobs written in one transaction."""


@dataclass(slots=True)
class Batch:
    """What became of one submission. `unrung` says why no message went out; the sweep rings then."""

    batch: str
    accepted: int = 0
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    """(order_id, its state)"""
    rejected: list[Rejection] = field(default_factory=list)
    notices: dict[str, int] = field(default_factory=dict)
    """Accepted fields that are not sent, contents that several orders share, and in how many orders."""
    unrung: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "batch": self.batch,
            "accepted": self.accepted,
            "duplicates": len(self.duplicates),
            "rejected": [{"line": r.line, "field": r.field, "reason": r.reason} for r in self.rejected],
            "duplicate_orders": [{"order_id": order_id, "state": state} for order_id, state in self.duplicates],
            "notices": self.notices,
        }


def submit(jobs: Iterable[Mapping[str, Any]], source: str = "python", *, allow_repeat: bool = False) -> Batch:
    """Take jobs (mappings as in a file's lines) and return the batch; what it accepted is kept.

    `allow_repeat`: orders that are alike but for their id are meant, so no notice tells of them. Raises ConfigError,
    LedgerAway. Redis being away is no failure: see `Batch.unrung`.
    """
    known = terms()
    return _take_all((validate(job, number, known) for number, job in enumerate(jobs, 1)), source, allow_repeat)


def submit_file(path: str | Path | BinaryIO, name: str | None = None, *, allow_repeat: bool = False) -> Batch:
    """Take a file of jobs (JSON lines, JSON or CSV; `-` is standard input), as `submit` does. Raises InputError too."""
    return _take_all(read_jobs(path, terms(), name), name or str(path), allow_repeat)


class _DiscreetRequest(Request):  # type: ignore[misc]
    """Keeps the one message that carries whole orders out of Flower and the logs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._argsrepr = self._kwargsrepr = "(jobs)"
        self._request_dict.update(argsrepr=self._argsrepr, kwargsrepr=self._kwargsrepr)

    def info(self, safe: bool = False) -> dict[str, Any]:
        """Return what `inspect` shows, and Flower with it, of a task that waits or runs."""
        told: dict[str, Any] = super().info(safe=True)
        return told


class _DiscreetTask(app.Task):  # type: ignore[misc]
    Request = _DiscreetRequest


@app.task(name="orders.submit", base=_DiscreetTask)
def submit_task(jobs: list[dict[str, Any]]) -> str:
    """Take jobs from a producer that reaches Redis only; a job submitted twice is taken once."""
    if not isinstance(jobs, list):
        return "refused: jobs must be a list"
    batch = submit((job if isinstance(job, Mapping) else {} for job in jobs), "redis")
    told = [f"batch {batch.batch}: {batch.accepted} accepted, {len(batch.duplicates)} duplicates"]
    told += [f"line {r.line} rejected: {r.field}: {r.reason}" for r in batch.rejected]
    told += [f"notice: {notice}" for notice in batch.notices]
    return "\n".join(told)


def _take_all(entries: Iterable[Job | Rejection], source: str, allow_repeat: bool) -> Batch:
    opened, repeats = ledger(), None if allow_repeat else Repeats()
    batch = Batch(open_batch(opened, Path(source).name))
    room: dict[str, int] = {}
    for group in _grouped(entries):
        jobs = [entry for entry in group if isinstance(entry, Job)]
        refused = [entry for entry in group if isinstance(entry, Rejection)]
        now = time.time()
        rung, rest = _split(jobs, room)
        for some, rung_at, turned_away in ((rung, now, refused), (rest, None, [])):
            if some or turned_away:
                places = {account: taken_for(account) or "" for account in {job.account for job in some}}
                taken = take(opened, batch.batch, some, turned_away, rung_at, repeats, taken_for=places)
                _add(batch, taken)
                if rung_at is not None:
                    reached(CrashPoint.SUBMITTED)
                    _ring(batch, taken)
    batch.notices |= repeats.notices() if repeats else {}
    return batch


def _grouped(entries: Iterable[Job | Rejection]) -> Iterator[list[Job | Rejection]]:
    group: list[Job | Rejection] = []
    for entry in entries:
        group.append(entry)
        if len(group) >= GROUP:
            yield group
            group = []
    if group:
        yield group


def _split(jobs: list[Job], room: dict[str, int]) -> tuple[list[Job], list[Job]]:
    """Part what an account can send soon, which is rung for now, from what the sweep will ring for in time."""
    rung: list[Job] = []
    rest: list[Job] = []
    for job in jobs:
        left = room.setdefault(job.account, worth_ringing(job.account))
        room[job.account] = left - 1
        (rung if left > 0 else rest).append(job)
    return rung, rest


def _add(batch: Batch, taken: Taken) -> None:
    batch.accepted += len(taken.new)
    batch.duplicates += taken.duplicates
    batch.rejected += taken.rejected
    for job in taken.new:
        for notice in job.notices:
            batch.notices[notice] = batch.notices.get(notice, 0) + 1


def _ring(batch: Batch, taken: Taken) -> None:
    if batch.unrung:
        return
    by_account: dict[str, list[str]] = defaultdict(list)
    for job in taken.new:
        by_account[job.account].append(job.order_id)
    try:
        for account, ids in by_account.items():
            bell().place(account, ids)
    except RedisAway as error:
        batch.unrung = str(error)
