"""One campaign from beginning to end: build, storm, calm, check."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.faults.campaign.calm import Calm, calm_down, drain
from tests.faults.campaign.checks import LEAKS, check
from tests.faults.campaign.facts import Facts, gather
from tests.faults.campaign.last_mile import LastMile, go_the_last_mile
from tests.faults.campaign.leaks import Leaks
from tests.faults.campaign.life_sabotage import LIFE_GUARDS
from tests.faults.campaign.options import Options
from tests.faults.campaign.plan import Plan, make_plan
from tests.faults.campaign.sometimes import happened
from tests.faults.campaign.stage import FLOWER_LOGIN, Stage, stage, start_workers
from tests.faults.campaign.storm import Storm
from tests.faults.campaign.verdict import Verdict
from tests.faults.campaign.watch import Watch
from worker.crashpoints import CrashPoint


def run(options: Options) -> Verdict:
    """Run one campaign and return what it came to."""
    with folder_of(options) as folder, stage(options, folder) as built:
        plan = make_plan(options, built.ledger.faults)
        leaks = Leaks()
        watch = Watch(built, leaks)
        storm = Storm(built, plan, watch)
        clock = _Clock()
        built.crashes.begin()
        start_workers(built)
        watch.start()
        storm.run()
        clock.lap("storm")
        calm_down(built)
        if plan.alone:
            storm.one_by_one()
            clock.lap("faults one by one")
        calm = drain(built)
        clock.lap("calm")
        mile = go_the_last_mile(built, storm) if options.sabotage in (None, *LIFE_GUARDS) else LastMile()
        clock.lap("to the door")
        watch.stop()
        _look_into_flower(built, leaks)
        stubborn = built.fleet.end("place", "read", "beat", "flower", "hooks")
        leaks.scan_logs(built.logs)
        known = {"up": watch.up, "paused": mile.paused, "refreshed": mile.finished}
        facts = gather(built, storm, [*plan.orders, *storm.more], **known)
        violations = check(facts)
        violations["stuck"] += calm.stuck
        violations["stuck"] += [f"{mile.unread} supplier orders were not read again"] if mile.unread else []
        violations[LEAKS] = [f"{where}: {text!r}" for where, text in leaks.found.items()]
        clock.lap("checks")
        return _verdict(
            built, plan, storm, watch, calm, facts, violations, clock, [f"{n} had to be killed" for n in stubborn]
        )


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = now - self._last
        self._last = now


def _verdict(
    built: Stage,
    plan: Plan,
    storm: Storm,
    watch: Watch,
    calm: Calm,
    facts: Facts,
    violations: dict[str, list[str]],
    clock: _Clock,
    notes: list[str],
) -> Verdict:
    kinds = sorted({injection.kind.name for injection in plan.injections})
    paths = happened(facts, built, storm, kinds)
    hits = built.crashes.hits()
    return Verdict(
        built.options,
        clock.laps,
        Counter(sorted(row.state for row in facts.orders.values())),
        storm.injected,
        {point: hits[point] for point in CrashPoint},
        violations,
        [f"{one.what}: {one.times} of {one.wanted}" for one in paths if not (one.enough or built.options.sabotage)],
        {one.what: one.times for one in paths if not one.what.startswith(("crash point", "fault "))},
        calm.parked,
        calm.left,
        dict(watch.recovery),
        dict(watch.longest),
        _numbers(built, calm, facts),
        [
            *notes,
            *calm.refused_adoptions[:5],
            *(f"unmoved at the end: {text}" for text in watch.unmoved),
            *("slow: {1} after {0:.1f} s, {2} had stood {3}".format(*one) for one in sorted(watch.slowest)[:-6:-1]),
            *built.trouble,
        ],
    )


def _numbers(built: Stage, calm: Calm, facts: Facts) -> dict[str, int]:
    restarts = {p.name: p.starts - 1 for p in built.fleet.programs.values()}
    return {
        "orders": len(facts.orders),
        "acknowledged": len(facts.acknowledged),
        "submissions": len(facts.batches),
        "marketplace orders": len(facts.oracle),
        "sends": sum(len(tries) for tries in facts.attempts.values()),
        "moves": sum(len(history) for history in facts.events.values()),
        "processes restarted": sum(restarts.values()),
        "drained in s": round(calm.drained_seconds),
        "put off": calm.put_off,
        "adopted": calm.adopted,
        "told absent": calm.told_absent,
        "supplier orders followed": len(facts.life.rows),
        "moves after the confirm": sum(map(len, facts.life.events.values())),
    }


def _look_into_flower(built: Stage, leaks: Leaks) -> None:
    if not built.fleet.of("flower"):
        return
    try:
        built.note("characters of Flower looked through", leaks.scan_flower(built.flower_port, FLOWER_LOGIN))
    except httpx.HTTPError as error:
        built.trouble.append(f"Flower: {type(error).__name__}: {error}")


@contextlib.contextmanager
def folder_of(options: Options) -> Iterator[Path]:
    """Yield a fresh folder for one campaign; removed afterwards unless `--folder` says where to keep it."""
    if options.folder is not None:
        folder = (
            options.folder.resolve() / f"{options.ledger}-{options.seed}-{options.sabotage or 'whole'}-{time.time_ns()}"
        )
        folder.mkdir(parents=True)
        yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="fulfil-chaos-", ignore_cleanup_errors=True) as name:
            yield Path(name)
