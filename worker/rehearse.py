"""Goes through a file of jobs as intake does, and takes nothing in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from worker.accounts import Accounts
from worker.ledger.engine import Ledger
from worker.ledger.intake import Held, changed, held
from worker.marketplaces import REGISTRY
from worker.orders.files import jobs as read_jobs
from worker.orders.jobs import Job, Rejection
from worker.rules.rehearsal import Rehearsal, Share
from worker.rules.states import State
from worker.rules.troubles import RejectionView

GROUP = 1000
"""Jobs that are looked up at once."""


class Rehearsals:
    """Rehearses files one after the other; an order of an earlier one counts as taken. `ledger` None: there is none."""

    def __init__(self, ledger: Ledger | None, accounts: Accounts) -> None:
        self._ledger = ledger
        self._accounts = accounts
        self._taken: dict[str, str] = {}
        """Fingerprints of what would have been taken by now."""

    def rehearse(self, source: str | Path | BinaryIO, name: str | None = None) -> Rehearsal:
        """Return what would become of a file's jobs. Raises InputError, ConfigError, LedgerAway."""
        told = Rehearsal(Path(name or str(source)).name)
        entries: Iterator[Job | Rejection] = read_jobs(source, self._accounts.terms(), name)
        while group := list(islice(entries, GROUP)):
            jobs = [entry for entry in group if isinstance(entry, Job)]
            known = held(self._ledger, jobs) if self._ledger and jobs else {}
            for entry in group:
                if isinstance(entry, Rejection):
                    told.rejected.append(RejectionView(entry.line, entry.order_id, entry.field, entry.reason))
                else:
                    self._look_at(entry, known, told)
        return told

    def _look_at(self, job: Job, known: Mapping[str, Held], told: Rehearsal) -> None:
        before = known.get(job.order_id)
        if before is None and job.order_id in self._taken:
            before = Held(State.QUEUED, self._taken[job.order_id])
        if before is None:
            self._taken[job.order_id] = job.fingerprint
            _take(job, told)
        elif before.fingerprint == job.fingerprint:
            told.add_duplicate(job.order_id, before.state)
        else:
            reason = changed(job.order_id, before.state)
            told.rejected.append(RejectionView(job.line, job.order_id, "order_id", reason))


def _take(job: Job, told: Rehearsal) -> None:
    told.accepted += 1
    share = told.accounts.setdefault(job.account, Share(job.marketplace))
    lines = REGISTRY[job.marketplace].items(json.loads(job.body))
    share.orders += 1
    share.items += len(lines)
    share.pieces += sum(line.quantity or 0 for line in lines)
    for notice in job.notices:
        told.notices[notice] = told.notices.get(notice, 0) + 1
