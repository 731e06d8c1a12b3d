"""Looks at the ledger all the time: how long after a fault's end the last order it caught moves again."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from tests.faults.campaign.leaks import Leaks
from tests.faults.campaign.stage import Stage

EVERY_SECONDS = 0.4
SCAN_SECONDS = 3.0
_STANDING = """
SELECT order_id, state, epoch, updated_at, due_at, lease_until FROM orders
WHERE state IN ('queued', 'placing', 'unknown', 'placed') AND (due_at IS NOT NULL OR state = 'placing')
"""
_PAUSES = "SELECT code FROM account_pauses"


class _Wait:
    """One fault's end, and the orders that have not moved since."""

    def __init__(self, kind: str, ended_at: float) -> None:
        self.kind, self.ended_at = kind, ended_at
        self.standing: dict[str, Any] | None = None


class Watch:
    """A thread of its own. Recovery is measured under whatever other faults come meanwhile.

    Time in which Redis or the ledger was away does not count, for then nothing can move; nor is it forgotten.
    """

    def __init__(self, stage: Stage, leaks: Leaks) -> None:
        self._stage, self._leaks = stage, leaks
        self._waits: list[_Wait] = []
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self.recovery: dict[str, list[float]] = defaultdict(list)
        """Kind -> seconds until all had moved in which Redis and the ledger were there."""
        self.longest: dict[str, float] = defaultdict(float)
        """Kind -> the longest by the clock on the wall."""
        self._away: list[list[float]] = []
        self.slowest: list[tuple[float, str, str, str]] = []
        """(seconds, kind, the order that moved last, where it had stood)"""
        self.unmoved: list[str] = []
        self._kept: set[Path] = set()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; what has not moved by now is told."""
        self._stop.set()
        self._thread.join()
        for wait in self._waits:
            if wait.standing:
                self.unmoved.append(f"{wait.kind}: {', '.join(sorted(wait.standing)[:5])}")

    def ended(self, kind: str) -> _Wait:
        """Note that a fault ended just now."""
        wait = _Wait(kind, time.time())
        with self._guard:
            self._waits.append(wait)
        return wait

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Note that Redis or the ledger is away meanwhile."""
        span = [time.time(), float("inf")]
        with self._guard:
            self._away.append(span)
        try:
            yield
        finally:
            span[1] = time.time()

    def up(self, begin: float, end: float) -> float:
        """Return how much of a time Redis and the ledger were there."""
        with self._guard:
            spans = sorted((max(begin, a), min(end, b)) for a, b in self._away if a < end and b > begin)
        at, up = begin, 0.0
        for a, b in spans:
            up += max(0.0, a - at)
            at = max(at, b)
        return up + max(0.0, end - at)

    def quiet(self) -> bool:
        """Tell whether everything that was caught by a fault has moved."""
        with self._guard:
            return not self._waits

    def _run(self) -> None:
        scanned = 0.0
        while not self._stop.wait(EVERY_SECONDS):
            self._look()
            if time.monotonic() - scanned > SCAN_SECONDS:
                scanned = time.monotonic()
                with contextlib.suppress(redis.RedisError, OSError), self._stage.broker.client(1) as client:
                    self._leaks.scan_redis(client)

    def _look(self) -> None:
        rows = self._stage.ledger.rows(_STANDING)
        now = time.time()
        standing = {row.order_id: tuple(row[1:]) for row in rows}
        if not rows and not self._stage.ledger.rows("SELECT 1"):
            return  # the database is away: nothing can be told
        with self._guard:
            waits = list(self._waits)
        for wait in waits:
            if wait.standing is None:
                wait.standing = {i: at for i, at in standing.items() if _due(at, wait.ended_at)}
            before = wait.standing
            wait.standing = {i: at for i, at in before.items() if standing.get(i) == at}
            if not wait.standing:
                up = self.up(wait.ended_at, now)
                self.recovery[wait.kind].append(up)
                self.longest[wait.kind] = max(self.longest[wait.kind], now - wait.ended_at)
                self.slowest.append((up, wait.kind, *next(((i, at[0]) for i, at in before.items()), ("", ""))))
                with self._guard:
                    self._waits.remove(wait)
        self._evidence()

    def _evidence(self) -> None:
        for row in self._stage.ledger.rows(_PAUSES):
            self._stage.seen[f"account held: {row.code}"] = 1
        folder = self._stage.folder / "home" / "spool"
        present = set(folder.glob("*.jsonl")) if folder.exists() else set()
        self._stage.note("spool replay", len(self._kept - present))
        self._kept = (self._kept & present) | {path for path in present if _holds(path)}


def _due(at: Sequence[Any], ended_at: float) -> bool:
    state, _, _, due_at, _ = at
    return state == "placing" or (due_at is not None and due_at <= ended_at)


def _holds(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError:
        return False
