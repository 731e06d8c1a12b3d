"""Intake: validates jobs, writes them to the ledger, and only then rings for them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from config.process import user
from worker.accounts import Accounts
from worker.broker.bell import Bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import RedisAway
from worker.ledger.engine import Ledger
from worker.ledger.intake import Taken, held, open_batch, take
from worker.ledger.operators import Operator
from worker.ledger.repeats import Repeats
from worker.orders.files import jobs as read_jobs
from worker.orders.jobs import Job, Rejection, validate
from worker.preflight import UNHELD, Preflights
from worker.rules.values import Moved

GROUP = 1000
"""Jobs written in one transaction."""
KEPT = 1000
"""Rejections, and duplicates, a batch holds in memory: a message can be made to hold millions."""


@dataclass(slots=True)
class Batch:
    """The result of one submission. `unrung` says why no message was sent; the sweep rings then."""

    batch: str
    accepted: int = 0
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    """(order_id, its state), of the first `kept` of them"""
    rejected: list[Rejection] = field(default_factory=list)
    """The first `KEPT`; the ledger keeps them all: `Queries.rejections`."""
    duplicates_number: int = 0
    rejected_number: int = 0
    notices: dict[str, int] = field(default_factory=dict)
    """Accepted fields that are not sent, contents that several orders share, and in how many orders."""
    amended: list[str] = field(default_factory=list)
    """Known orders whose content was replaced, and that go again; the first `KEPT`"""
    amended_number: int = 0
    unrung: str | None = None
    kept: int = KEPT

    def as_json(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "batch": self.batch,
            "accepted": self.accepted,
            "duplicates": self.duplicates_number,
            "rejected_number": self.rejected_number,
            "rejected": [{"line": r.line, "field": r.field, "reason": r.reason} for r in self.rejected],
            "duplicate_orders": [{"order_id": order_id, "state": state} for order_id, state in self.duplicates[:KEPT]],
            "notices": self.notices,
            "amended": self.amended_number,
            "amended_orders": self.amended,
        }


class Intake:
    """Takes jobs in. Redis away is no failure: the orders are kept, and the sweep rings (see `Batch.unrung`)."""

    def __init__(
        self,
        ledger: Ledger,
        accounts: Accounts,
        bell: Bell,
        preflight: str = "off",
        preflights: Callable[[], Preflights] | None = None,
    ) -> None:
        """`preflight`: off, warn or refuse, as the setting has it; `preflights` makes what looks at a submission."""
        self._ledger = ledger
        self._accounts = accounts
        self._bell = bell
        self._refuses = preflight == "refuse"
        self._preflights = None if preflight == "off" else preflights

    def submit(
        self,
        jobs: Iterable[Mapping[str, Any]],
        source: str,
        *,
        allow_repeat: bool = False,
        actor: str = "",
        replace: bool = False,
    ) -> Batch:
        """Take jobs (mappings as in a file's lines) and return the batch; what it accepted is kept.

        `allow_repeat`: orders that are alike but for their id are meant, so no notice tells of them. `actor`: who
        hands them in, as events name it; by default the user a program runs as. `replace`: known orders with other
        content are amended; else those are rejected. Raises ConfigError, LedgerAway.
        """
        known = self._accounts.terms()
        entries = (validate(job, number, known) for number, job in enumerate(jobs, 1))
        return self._take_all(entries, source, allow_repeat, actor, replace)

    def submit_file(
        self,
        path: str | Path | BinaryIO,
        name: str | None = None,
        *,
        allow_repeat: bool = False,
        actor: str = "",
        replace: bool = False,
        kept: int = KEPT,
    ) -> Batch:
        """Take a file of jobs (JSON lines, JSON or CSV; `-` is standard input), as `submit` does.

        `kept`: how many duplicates the batch names. Raises InputError too.
        """
        entries = read_jobs(path, self._accounts.terms(), name)
        return self._take_all(entries, name or str(path), allow_repeat, actor, replace, kept)

    def _take_all(
        self,
        entries: Iterable[Job | Rejection],
        source: str,
        allow_repeat: bool,
        actor: str,
        replace: bool,
        kept: int = KEPT,
    ) -> Batch:
        repeats = None if allow_repeat else Repeats()
        actor = actor or f"python:{user() or ''}"
        batch = Batch(open_batch(self._ledger, Path(source).name, actor), kept=kept)
        room: dict[str, int] = {}
        replacing = _Replacing(Operator(self._ledger, actor), batch.batch) if replace else None
        preflights = self._preflights() if self._preflights else None
        for group in _grouped(entries):
            jobs = [entry for entry in group if isinstance(entry, Job)]
            refused = [entry for entry in group if isinstance(entry, Rejection)]
            jobs = self._looked_at(batch, preflights, jobs, refused)
            now = time.time()
            rung, rest = self._split(jobs, room)
            for some, rung_at, turned_away in ((rung, now, refused), (rest, None, [])):
                if some or turned_away:
                    places = {account: self._accounts.taken_for(account) or "" for account in {j.account for j in some}}
                    taken = take(
                        *(self._ledger, batch.batch, some, turned_away, rung_at, repeats, places),
                        replaces=replacing is not None,
                    )
                    _add(batch, taken)
                    if replacing is not None and taken.changed:
                        self._amend(batch, replacing, taken)
                    if rung_at is not None:
                        reached(CrashPoint.SUBMITTED)
                        self._ring(batch, taken)
        batch.notices |= repeats.notices() if repeats else {}
        return batch

    def _looked_at(
        self, batch: Batch, preflights: Preflights | None, jobs: list[Job], refused: list[Rejection]
    ) -> list[Job]:
        """Return the jobs to take; `refused` gets those a preflight refuses. What the ledger has is not looked at."""
        if preflights is None:
            _notice(batch, UNHELD, sum(job.max_amount is not None for job in jobs))
            return jobs
        known = held(self._ledger, jobs) if jobs else {}
        new = [job for job in jobs if job.order_id not in known]
        passed = preflights.passed(new, self._refuses)
        refused += passed.rejected
        for notice, number in passed.notices.items():
            _notice(batch, notice, number)
        gone = {one.order_id for one in passed.rejected}
        return [job for job in jobs if job.order_id in known or job.order_id not in gone]

    def _amend(self, batch: Batch, replacing: _Replacing, taken: Taken) -> None:
        moved, rejected = replacing.replace(taken.changed)
        reached(CrashPoint.RETRYING)
        self._bell.follow(moved, at_once=True)
        _add(batch, Taken(rejected=rejected))
        batch.amended_number += len(moved)
        batch.amended += [one.order_id for one in moved][: KEPT - len(batch.amended)]

    def _split(self, jobs: list[Job], room: dict[str, int]) -> tuple[list[Job], list[Job]]:
        """Part what an account can send soon, which is rung for now, from what the sweep will ring for in time."""
        rung: list[Job] = []
        rest: list[Job] = []
        for job in jobs:
            left = room.setdefault(job.account, self._bell.worth_ringing(job.account))
            room[job.account] = left - 1
            (rung if left > 0 else rest).append(job)
        return rung, rest

    def _ring(self, batch: Batch, taken: Taken) -> None:
        if batch.unrung:
            return
        by_account: dict[str, list[str]] = defaultdict(list)
        for job in taken.new:
            by_account[job.account].append(job.order_id)
        try:
            for account, ids in by_account.items():
                self._bell.place(account, ids)
        except RedisAway as error:
            batch.unrung = str(error)


class _Replacing:
    """Amends the known orders of one submission, each once."""

    def __init__(self, operator: Operator, batch_id: str) -> None:
        self._operator = operator
        self._batch_id = batch_id
        self._done: set[str] = set()

    def replace(self, changed: Sequence[tuple[str, Job]]) -> tuple[list[Moved], list[Rejection]]:
        """Give orders their new content; return those that go again, and what is rejected."""
        moved, rejected = self._operator.replace(self._batch_id, changed, self._done)
        self._done.update(one.order_id for one in moved)
        return moved, rejected


def _grouped(entries: Iterable[Job | Rejection]) -> Iterator[list[Job | Rejection]]:
    group: list[Job | Rejection] = []
    for entry in entries:
        group.append(entry)
        if len(group) >= GROUP:
            yield group
            group = []
    if group:
        yield group


def _notice(batch: Batch, notice: str, number: int) -> None:
    if number:
        batch.notices[notice] = batch.notices.get(notice, 0) + number


def _add(batch: Batch, taken: Taken) -> None:
    batch.accepted += len(taken.new)
    batch.duplicates_number += len(taken.duplicates)
    batch.rejected_number += len(taken.rejected)
    batch.duplicates += taken.duplicates[: batch.kept - len(batch.duplicates)]
    batch.rejected += taken.rejected[: KEPT - len(batch.rejected)]
    for job in taken.new:
        for notice in job.notices:
            batch.notices[notice] = batch.notices.get(notice, 0) + 1
