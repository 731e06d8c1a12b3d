"""Which process dies at which crash point: each start is given one, the points that lag behind come first."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path

from tests.faults.campaign.options import Options
from worker.crashpoints import CrashPoint

ROLES: dict[str, dict[CrashPoint, float]] = {
    "place": {
        CrashPoint.CLAIMED: 0.4,
        CrashPoint.SENDING: 1.0,
        CrashPoint.ANSWERED: 1.0,
        CrashPoint.UNRECORDED: 0.6,
        CrashPoint.RECORDED: 0.6,
    },
    "read": {CrashPoint.SWEEPING: 0.0, CrashPoint.RECONCILING: 0.0},
}
"""Points of each role, and how often a place worker visits one for an order it sends (0: not by orders)."""
VISITS_A_SECOND = {CrashPoint.SWEEPING: 1.0, CrashPoint.RECONCILING: 0.4}
"""Of all workers of the role together."""
BY_CLIENTS = (CrashPoint.SUBMITTED, CrashPoint.RETRYING)
MORE = 3.0
"""Deaths aimed at, for one wanted: workers also die of other things before it is their turn."""


class Crashes:
    """Counts the hits and chooses for whoever starts next; replayable only as far as the processes' own timing is."""

    def __init__(self, log: Path, options: Options) -> None:
        self.log, self.wanted, self._seconds = log, options.hits, options.storm_seconds
        self._workers = {"place": options.place_workers, "read": options.read_workers}
        self._allowed = options.crash_points
        self._orders_a_second = options.orders / options.storm_seconds
        self._boost: Counter[CrashPoint] = Counter()
        self._given: dict[str, tuple[CrashPoint, int]] = {}
        self._guard = threading.Lock()
        self._begun: float | None = None
        self._on = False

    def begin(self) -> None:
        """Let processes die from now on."""
        self._begun, self._on = time.monotonic(), self._allowed

    def end(self) -> None:
        """Whoever starts from now on lives."""
        self._on = False

    def hits(self) -> Counter[str]:
        """Return how often each point was died at."""
        found: Counter[str] = Counter()
        if self.log.exists():
            found.update(self.log.read_text().split())
        return found

    def lagging(self) -> list[CrashPoint]:
        """Return the points that were not hit often enough."""
        hits = self.hits()
        return [point for point in CrashPoint if self._allowed and hits[point] < self.wanted]

    def environment(self, name: str, role: str) -> dict[str, str]:
        """Return what a program of this role gets at its start; one point, or none."""
        if not self._on or role not in ROLES:
            return {}
        with self._guard:
            hits = self.hits()
            point = min(ROLES[role], key=lambda p: (hits[p] + self._under_way(p, name), p))
            before = self._given.get(name)
            if before is not None and hits[before[0]] <= before[1]:
                self._boost[before[0]] += 1  # it ended otherwise
            self._given[name] = (point, hits[point])
            chance = self._chance(role, point, hits[point])
        return {"FULFIL_TEST_CRASH": json.dumps({point: chance}), "FULFIL_TEST_CRASH_LOG": str(self.log)}

    def of_client(self, point: CrashPoint) -> dict[str, float]:
        """Return the crash points of one client's run: its own, for as long as it lags behind."""
        if not self._on or self.hits()[point] > self.wanted * (self._progress() + 0.15) * 1.3:
            return {}
        return {point: 1.0}

    def _under_way(self, point: CrashPoint, name: str) -> int:
        return sum(1 for other, (given, _) in self._given.items() if given is point and other != name)

    def _chance(self, role: str, point: CrashPoint, hits: int) -> float:
        visits = VISITS_A_SECOND.get(point) or self._orders_a_second * ROLES[role][point]
        life_seconds = self._seconds * self._workers[role] / (len(ROLES[role]) * self.wanted * MORE)
        chance = self._workers[role] / (visits * life_seconds) * 1.5 ** self._boost[point]
        if hits > self.wanted * self._progress() * 1.5:
            chance /= 4  # ahead of its time: others are needed more, and somebody must do the work
        return min(0.9, chance)

    def _progress(self) -> float:
        return 0.0 if self._begun is None else min(1.0, (time.monotonic() - self._begun) / self._seconds + 0.05)
