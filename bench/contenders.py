"""Who takes part: how each one's workers start, how it is handed orders, and how it is set up."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
OURS = sys.executable
THEIRS = str(HERE.parent / ".venv" / "bench" / "bin" / "python")


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the table. `workers` and `submit` give command lines, `submit` of (orders) or (a second, seconds)."""

    name: str
    workers: Callable[[int], list[list[str]]]
    submit: Callable[..., list[str]]
    ours: bool = False
    ledger: Callable[[], str] | None = None
    """Makes an empty database and returns its address; none: SQLite."""
    lone: bool = False
    """Nothing but a process that is given the orders at its start."""
    environment: Mapping[str, str] = field(default_factory=dict)


def _celery(lane: str, *options: str) -> list[str]:
    celery = [OURS, "-m", "celery", "-q", "-A", "worker.app"]
    return [*celery, "worker", "--without-gossip", "--without-mingle", "-n", f"{lane}@bench", *options]


def _ours(_in_flight: int) -> list[list[str]]:
    return [
        _celery("place", "-X", "confirm,follow,admin"),
        _celery("confirm", "-Q", "confirm,follow,admin"),
        [OURS, "-m", "celery", "-q", "-A", "worker.app", "beat"],
    ]


def _submit_ours(*arguments: int) -> list[str]:
    return [OURS, str(HERE / "hand_in.py"), "bench.submit_ours", *map(str, arguments)]


def _peer(module: str, python: str = THEIRS) -> Callable[..., list[str]]:
    return lambda *arguments: [python, str(HERE / "hand_in.py"), module, *map(str, arguments)]


def contenders(postgres: Callable[[], str]) -> list[Contender]:
    """Return every row. `postgres` makes an empty database and returns its address."""
    here = {"PYTHONPATH": os.pathsep.join([str(PEERS), str(HERE.parent)])}
    celery = [OURS, "-m", "celery", "-q", "-A", "plain_celery", "worker", "-P", "threads"]
    quiet = ["--without-gossip", "--without-mingle"]
    return [
        Contender("fulfil, SQLite", _ours, _submit_ours, ours=True),
        Contender("fulfil, PostgreSQL", _ours, _submit_ours, ours=True, ledger=postgres),
        Contender(
            "plain Celery",
            lambda n: [[*celery, *quiet, "-c", str(n)]],
            _peer("plain_celery", OURS),
            environment=here,
        ),
        Contender(
            "arq", lambda n: [[THEIRS, "-m", "arq", "arq_peer.WorkerSettings"]], _peer("arq_peer"), environment=here
        ),
        Contender("saq", lambda n: [[THEIRS, "-m", "saq", "saq_peer.settings"]], _peer("saq_peer"), environment=here),
        Contender(
            "dramatiq",
            lambda n: [[THEIRS, "-m", "dramatiq", "dramatiq_peer", "--processes", "1", "--threads", str(n)]],
            _peer("dramatiq_peer"),
            environment=here,
        ),
        Contender("taskiq", _taskiq, _peer("taskiq_peer"), environment=here),
        Contender(
            "huey",
            lambda n: [[THEIRS, "-m", "huey.bin.huey_consumer", "huey_peer.huey", "-k", "thread", "-w", str(n)]],
            _peer("huey_peer"),
            environment=here,
        ),
        Contender(
            "bare loop", lambda n: [], lambda *count: [OURS, str(PEERS / "bare_loop.py"), *map(str, count)], lone=True
        ),
    ]


def _taskiq(in_flight: int) -> list[list[str]]:
    worker = [THEIRS, "-m", "taskiq", "worker", "taskiq_peer:broker", "--workers", "1"]
    scheduler = [THEIRS, "-m", "taskiq", "scheduler", "taskiq_peer:scheduler", "--update-interval", "1"]
    return [[*worker, "--max-async-tasks", str(in_flight)], scheduler]
