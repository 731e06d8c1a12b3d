"""Runs a plan: orders are handed in and faults come and go, each on a thread of its own."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tests.faults.campaign.faults import FAULTS
from tests.faults.campaign.kinds import KINDS
from tests.faults.campaign.makers import Made, accounts, make
from tests.faults.campaign.plan import Injection, Plan, Wave
from tests.faults.campaign.stage import Stage
from tests.faults.campaign.watch import Watch
from worker.crashpoints import CrashPoint

REPEAT_WITH_IDS_EVERY = 2
"""Repeats tell the ids in one half of the storm's quarters and not in the other."""
TOP_UP_SECONDS = 90.0
FIRST_TOP_UP = 800_000
ALONE = "alone: "
ALONE_SECONDS = 60.0


class Storm:
    """One storm. What was acknowledged, and what was injected, is here when it is over."""

    def __init__(self, stage: Stage, plan: Plan, watch: Watch) -> None:
        self._stage, self._plan, self._watch = stage, plan, watch
        self.acknowledged: dict[str, dict[str, Any]] = {}
        """Batch -> its answer."""
        self.acknowledged_orders: set[str] = set()
        self.more: tuple[Made, ...] = ()
        """Orders that were not in the plan."""
        self.injected: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def run(self) -> None:
        """Blow until the plan is through and every client has had its answer."""
        items: list[tuple[float, Wave | Injection | None]] = [(wave.at, wave) for wave in self._plan.waves]
        items += [(injection.at, injection) for injection in self._plan.injections]
        quarter = self._stage.options.storm_seconds / 4
        items += [(quarter * index, None) for index in range(1, 4)]
        items.sort(key=lambda item: item[0])
        begun = time.monotonic()
        with ThreadPoolExecutor(40, thread_name_prefix="storm") as pool:
            under_way: list[Future[None]] = []
            for number, (at, item) in enumerate(items):
                self._stage.wait(max(0.0, begun + at - time.monotonic()))
                if self._stage.stop.is_set():
                    break
                under_way.append(pool.submit(self._do, item, number))
            self._top_up(pool)
            self._stage.crashes.end()
            for future in under_way:
                future.result()

    def _top_up(self, pool: ThreadPoolExecutor) -> None:
        """Go on for a moment where a crash point was not met often enough: more orders, some of which get lost."""
        if self._stage.options.smoke or self._stage.options.sabotage:
            return
        end, number = time.monotonic() + TOP_UP_SECONDS, 0
        while (lagging := self._stage.crashes.lagging()) and time.monotonic() < end and not self._stage.stop.is_set():
            self._stage.oracle.fault("reset_after_commit", 0.3, operation="create")
            first = FIRST_TOP_UP + number * 12
            orders = tuple(self._more(first + index) for index in range(12))
            self.more += orders
            pool.submit(self._do, Wave(0.0, orders), first)
            retry = Injection(first, 0.0, KINDS["operator_retry"], 0.0, random.Random(first))
            pool.submit(self._do, retry, first)
            self._stage.wait(2.0)
            number += 1
        if number:
            self._stage.trouble.append(f"the storm was topped up {number} times, at last for {', '.join(lagging)}")
        self._stage.oracle.fault("reset_after_commit", 0, operation="create")

    def _more(self, number: int) -> Made:
        known = sorted(accounts())
        return make(number, self._stage.options.seed, known[number % len(known)])

    def hand_in_more(self, orders: Sequence[Made], number: int) -> None:
        """Hand in orders that were not in the plan, and wait until they are acknowledged."""
        self.more += tuple(orders)
        self._do(Wave(0.0, tuple(orders)), number)

    def one_by_one(self) -> None:
        """Inject each fault that is measured by itself: orders first, the next one when the last has been got over."""
        for number, (wave, injection) in enumerate(self._plan.alone):
            self._stage.oracle.fault("slow", 1.0, operation="any", latency_ms=400)
            self._do(wave, 100_000 + number)
            try:
                FAULTS[injection.kind.name](self._stage, injection.seconds, injection.dice)
            except Exception as error:
                self._stage.trouble.append(f"alone {injection.kind.name}: {type(error).__name__}: {error}"[:300])
            self._stage.oracle.fault("slow", 0, operation="any")
            self.injected[injection.kind.name] += 1
            self._watch.ended(f"{ALONE}{injection.kind.name}")
            end = time.monotonic() + ALONE_SECONDS
            self._stage.wait(1.0)
            while not self._watch.quiet() and time.monotonic() < end:
                self._stage.wait(0.2)

    def _do(self, item: Wave | Injection | None, number: int) -> None:
        try:
            if isinstance(item, Wave):
                self._hand_in(item, number)
            elif isinstance(item, Injection):
                self._inject(item)
            else:
                self._stage.note("repeats changed")
                on = self._stage.seen["repeats changed"] % REPEAT_WITH_IDS_EVERY
                self._stage.oracle.fault("repeat_with_ids", on)
        except Exception as error:
            what = item.kind.name if isinstance(item, Injection) else type(item).__name__
            self.failed[what] += 1
            self._stage.trouble.append(f"{what}: {type(error).__name__}: {error}"[:300])

    def _inject(self, injection: Injection) -> None:
        kind = injection.kind
        with self._guard:
            lock = self._locks.setdefault(kind.resource, threading.Lock())
        with lock, self._watch.away() if kind.group in ("redis", "ledger") else nullcontext():
            FAULTS[kind.name](self._stage, injection.seconds, injection.dice)
        self.injected[kind.name] += 1
        if kind.disrupts:
            self._watch.ended(kind.name)

    def _hand_in(self, wave: Wave, number: int) -> None:
        path = self._stage.folder / "files" / f"wave-{number}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(order.job) + "\n" for order in wave.orders))
        if wave.by_message:
            self._stage.desk.ask("by_message", file=str(path))
            return
        with ThreadPoolExecutor(wave.clients) as pool:
            list(pool.map(lambda _: self._until_acknowledged(path, wave), range(wave.clients)))
        if wave.clients > 1:
            self.injected["same file at once"] += 1

    def _until_acknowledged(self, path: Path, wave: Wave) -> None:
        """Do what a client does that gets no answer: hand the same file in again."""
        crash = self._stage.crashes.of_client(CrashPoint.SUBMITTED)
        end = time.monotonic() + 180
        while time.monotonic() < end and not self._stage.stop.is_set():
            answer = self._stage.desk.ask("submit", file=str(path), crash=crash)
            if "batch" in answer:
                with self._guard:
                    self.acknowledged[answer["batch"]] = answer
                    self.acknowledged_orders.update(order.order_id for order in wave.orders)
                if answer["accepted"] + answer["duplicates"] != len(wave.orders):
                    self._stage.trouble.append(f"{path.name}: {answer} for {len(wave.orders)} orders")
                return
            crash = {}
            self._stage.wait(0.5)
        self._stage.trouble.append(f"{path.name} was never acknowledged")
