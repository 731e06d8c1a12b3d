"""Sends the plain Celery worker through the same storm, and counts what became of its orders."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import redis
from rich.console import Console
from rich.table import Table

from tests.faults.campaign.broker import Broker
from tests.faults.campaign.crashes import ROLES, Crashes
from tests.faults.campaign.faults import FAULTS
from tests.faults.campaign.keeper import Keeper
from tests.faults.campaign.kinds import KINDS
from tests.faults.campaign.ledgers import LedgerUnderTest
from tests.faults.campaign.options import Options
from tests.faults.campaign.oracle import Oracle
from tests.faults.campaign.plan import Injection, Plan, Wave, make_plan
from tests.faults.campaign.programs import Fleet, Program
from tests.faults.campaign.stage import ROOT, Stage, environment_of, start_oracle

GROUPS = ("market", "worker", "redis")
"""What there is to attack; it has no ledger, no operators and no doors of its own."""
QUIET_SECONDS = 75.0
"""It has come to rest when nothing has changed for longer than its longest way back: visibility timeout and retries."""
PATIENCE_SECONDS = 240.0


class _NoLedger(LedgerUnderTest):
    def rows(self, query: str, **values: Any) -> list[Any]:
        return []


class _NoDesk:
    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        return {}


def run_baseline(options: Options, kind: str, folder: Path) -> dict[str, Any]:
    """Run one baseline and return its counts."""
    with ExitStack() as stack:
        stage = _build(options, kind, folder, stack)
        plan = make_plan(options.but(sabotage="baseline"), ())
        told: set[str] = set()
        _storm(stage, plan, told)
        for name in ("timeout_before", *(k.removeprefix("market_") for k in KINDS if k.startswith("market_"))):
            if name not in ("outage", "reads_fail"):
                stage.oracle.fault(name, 0)
        _rest(stage)
        return _count(stage, plan, told, kind)


def _build(options: Options, kind: str, folder: Path, stack: ExitStack) -> Stage:
    logs = folder / "logs"
    logs.mkdir(parents=True)
    keeper = Keeper()
    stack.callback(keeper.close)
    broker = Broker(folder / "redis", keeper)
    stack.callback(broker.stop)
    broker.start()
    environment = environment_of(options, folder / "home", broker, "sqlite:////nowhere")
    fleet = Fleet(logs, keeper)
    stack.callback(fleet.stop)
    oracle: Oracle = start_oracle(fleet, folder, environment)
    stack.callback(oracle.close)
    environment |= {"PLAIN_REDIS": broker.url, "PLAIN_SANDBOX": oracle.url, "PLAIN_KEY": kind}
    crashes = Crashes(folder / "crashes.log", options)
    parts = (keeper, fleet, broker, _NoLedger(), oracle, _NoDesk(), crashes, environment)
    stage = Stage(options, folder, *parts, flower_port=0)  # type: ignore[arg-type]
    stack.callback(stage.stop.set)
    for index in range(options.place_workers + options.read_workers):
        command = [sys.executable, "-m", "celery", "-q", "-A", "tests.faults.campaign.plain_worker", "worker"]
        command += ["--without-gossip", "--without-mingle", "-n", f"plain{index}@%h", "-l", "WARNING"]
        fleet.add(Program(f"plain{index}", "place", command, lambda: dict(environment)))
    return stage


def _storm(stage: Stage, plan: Plan, told: set[str]) -> None:
    items: list[tuple[float, Wave | Injection]] = [(wave.at, wave) for wave in plan.waves]
    items += [(one.at, one) for one in (*_fitting(plan), *_deaths(stage.options))]
    items.sort(key=lambda item: item[0])
    locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
    begun = time.monotonic()
    with ThreadPoolExecutor(40) as pool:
        for at, item in items:
            stage.wait(max(0.0, begun + at - time.monotonic()))
            if isinstance(item, Wave):
                for _ in range(item.clients):
                    pool.submit(_hand_in, stage, item, told)
            else:
                pool.submit(_inject, stage, item, locks[item.kind.resource])


def _fitting(plan: Plan) -> list[Injection]:
    return [one for one in plan.injections if one.kind.group in GROUPS and one.kind.name != "beat_kill"]


def _deaths(options: Options) -> list[Injection]:
    """It has no crash points, so its workers die as often at any point."""
    count = options.hits * sum(len(points) for points in ROLES.values())
    at = [options.storm_seconds * (index + 0.5) / count for index in range(count)]
    kind = KINDS["worker_kill"]
    return [Injection(20_000 + i, t, kind, 0.0, random.Random(f"{options.seed}-death-{i}")) for i, t in enumerate(at)]


def _inject(stage: Stage, injection: Injection, lock: threading.Lock) -> None:
    try:
        with lock:
            FAULTS[injection.kind.name](stage, injection.seconds, injection.dice)
        stage.note(injection.kind.name)
    except Exception as error:
        stage.trouble.append(f"{injection.kind.name}: {type(error).__name__}: {error}"[:300])


def _hand_in(stage: Stage, wave: Wave, told: set[str]) -> None:
    """Enqueue a wave, again and again what Redis did not take."""
    code = (
        "import json, sys, time\n"
        "from tests.faults.campaign.plain_worker import enqueue\n"
        "for line in open(sys.argv[1]):\n"
        "    job = json.loads(line)\n"
        "    for _ in range(200):\n"
        "        try:\n"
        "            enqueue(job); print(job['order_id'], flush=True); break\n"
        "        except Exception: time.sleep(0.5)\n"
    )
    path = stage.folder / f"wave-{wave.at:.3f}.jsonl"
    path.write_text("".join(json.dumps(order.job) + "\n" for order in wave.orders))
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT, env=stage.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=200,
    )  # fmt: skip
    told.update(done.stdout.split())


def _results(stage: Stage) -> dict[str, str]:
    with suppress(redis.RedisError), stage.broker.client() as client:
        found: dict[bytes, bytes] = client.hgetall("results")  # type: ignore[assignment]
        return {key.decode(): value.decode() for key, value in found.items()}
    return {}


def _rest(stage: Stage) -> None:
    """Wait until nothing has changed for long."""
    end, changed, before = time.monotonic() + PATIENCE_SECONDS, time.monotonic(), (-1, -1)
    while time.monotonic() < min(end, changed + QUIET_SECONDS):
        stage.wait(2.0)
        now = (len(stage.oracle.orders()), len(_results(stage)))
        if now != before:
            changed, before = time.monotonic(), now


def _count(stage: Stage, plan: Plan, told: set[str], kind: str) -> dict[str, Any]:
    made: Counter[str] = Counter(order["content"] for order in stage.oracle.orders())
    results = _results(stage)
    known = {order.order_id: order for order in plan.orders}
    handed = [known[order_id] for order_id in told]
    never = [o for o in handed if not made[o.content] and "refused" not in results.get(o.order_id, "")]
    nobody = [o for o in handed if made[o.content] and o.order_id not in results]
    return {
        "baseline": kind,
        "seed": stage.options.seed,
        "acknowledged": len(handed),
        "supplier orders too many": sum(count - 1 for count in made.values() if count > 1),
        "orders made twice or more": sum(1 for count in made.values() if count > 1),
        "acknowledged, never placed, nobody told": len(never),
        "placed, and nobody knows": len(nobody),
        "results": dict(Counter(value.split()[0] for value in results.values())),
        "faults": {name: count for name, count in stage.seen.items() if name in KINDS},
        "worker restarts": sum(p.starts - 1 for p in stage.fleet.of("place")),
        "notes": stage.trouble[:10],
    }


def show_baselines(found: list[dict[str, Any]], console: Console) -> None:
    """Print the baselines' counts."""
    table = Table(title="baseline: a plain Celery worker in the same storm", title_justify="left", pad_edge=False)
    names = [name for name in found[0] if name not in ("faults", "notes")]
    table.add_column("")
    for one in found:
        table.add_column(str(one["baseline"]), overflow="fold")
    for name in names[1:]:
        table.add_row(name, *(str(one[name]) for one in found))
    console.print(table)
    for one in found:
        for note in one["notes"]:
            console.print(f"  note: {note}", markup=False)
