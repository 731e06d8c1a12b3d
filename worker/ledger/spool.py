"""What was learned while the ledger was away: ids on disk before anything else happens, replayed when it is back."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from worker.ledger import own_file
from worker.ledger.records import Records
from worker.rules.decision import CONFIRM_FLOOR_SECONDS, Decision
from worker.rules.outcomes import Accepted, Unknown
from worker.rules.states import Event
from worker.rules.values import Claim, Sent

log = logging.getLogger(__name__)

RESERVED_BYTES = 256 * 1024
"""Taken from the disk at the start, so that ids can still be written when the disk is full."""


class Spool:
    """One process's file of ids the ledger does not hold yet; locked for as long as the process lives."""

    def __init__(self, folder: Path, *before: Path) -> None:
        """`before`: folders of earlier versions, which are replayed as well."""
        self._folder = folder
        self._before = before
        self._guard = threading.Lock()
        self._file: int | None = None
        self._end = 0
        self._open_groups = 0

    def open(self) -> None:
        """Make the file and reserve its room; called before the first send. Raises OSError, and leaves nothing then."""
        with self._guard:
            if self._file is not None:
                return
            path = self._folder / f"{os.getpid()}-{time.time_ns()}.jsonl"
            self._file = own_file.make(path, lambda file: os.posix_fallocate(file, 0, RESERVED_BYTES))

    def keep(self, sent: Sequence[Sent]) -> None:
        """Write the ids of these answers to disk. Never raises: what cannot be written is logged, ids only."""
        lines = [json.dumps(_entry(one)) for one in sent if _references(one)]
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            self.open()
            with self._guard:
                assert self._file is not None  # noqa: S101
                self._open_groups += 1
                os.pwrite(self._file, data, self._end)
                os.fsync(self._file)
                self._end += len(data)
        except OSError as error:
            log.critical("the spool cannot be written (%s); learned: %s", error.strerror, "; ".join(lines))

    def recorded(self, groups: int = 1) -> None:
        """Note that kept groups are in the ledger; when none is left the file begins anew."""
        with self._guard:
            self._open_groups = max(0, self._open_groups - groups)
            if self._open_groups == 0 and self._file is not None:
                os.pwrite(self._file, b"\0" * self._end, 0)
                self._end = 0

    def replay(self, records: Records) -> int:
        """Record what processes that are gone had kept, and remove their files; return how many answers."""
        replayed = 0
        for path in sorted(path for folder in (*self._before, self._folder) for path in folder.glob("*.jsonl")):
            try:
                file = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue  # another sweep was faster
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                entries = list(_read(path)) if path.exists() else []
                if entries:
                    records.record(entries)
                path.unlink(missing_ok=True)
                replayed += len(entries)
            except BlockingIOError:
                continue  # its process lives and will record it itself
            finally:
                os.close(file)
        return replayed


def _references(one: Sent) -> tuple[str, ...]:
    return one.outcome.references if isinstance(one.outcome, Accepted | Unknown) else ()


def _entry(one: Sent) -> dict[str, Any]:
    return {
        "order_id": one.claim.order_id,
        "account": one.claim.account,
        "epoch": one.claim.epoch,
        "number": one.claim.number,
        "references": _references(one),
        "request_id": one.outcome.request_id if isinstance(one.outcome, Accepted | Unknown) else None,
        "sent_at": one.sent_at,
        "closed_at": one.closed_at,
    }


def _read(path: Path) -> Iterator[Sent]:
    for line in path.read_bytes().replace(b"\0", b"").splitlines():
        try:
            yield _sent(json.loads(line))
        except (ValueError, KeyError, TypeError):
            log.error("a line of the spool %s is broken and passed over", path.name)


def _sent(entry: dict[str, Any]) -> Sent:
    claim = Claim(
        order_id=entry["order_id"],
        account=entry["account"],
        body="",
        epoch=entry["epoch"],
        number=entry["number"],
        lease_until=0.0,
        first_sent_at=entry["sent_at"],
        sent_before=True,
        spent=0,
        snoozes=0,
        in_doubt=False,
    )
    outcome = Accepted(tuple(entry["references"]), request_id=entry["request_id"])
    decision = Decision(Event.ACCEPT, CONFIRM_FLOOR_SECONDS, reason="learned while the ledger was away")
    return Sent(claim, outcome, decision, entry["sent_at"], entry["closed_at"])
