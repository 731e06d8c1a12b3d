"""Starts a contender and its surroundings on loopback, measures it by the system's own accounting, stops it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import psutil

from bench.contenders import HERE, Contender
from tests.running import free_port, listening, start, stop, until, within
from worker.broker.embedded import server_binary

STOP_SECONDS = 8


def stop_when_told() -> None:
    """Let SIGTERM end this program as Ctrl-C does: what it started is stopped first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@dataclass(slots=True)
class Rig:
    """One contender with a fresh Redis and the stub; `processes` are its own, the ones that are measured."""

    contender: Contender
    in_flight: int = 200
    delay_seconds: float = 1.0
    accounts: Mapping[str, float] = field(default_factory=lambda: {"main": 100_000.0})
    """Ours only: each account with its calls a second."""
    place_workers: int = 1
    """Ours only: worker processes for sends."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Ours only: further variables."""
    stub_port: int = 0
    """Where the stub listens, once it is started."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _around: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    _ledger: str = ""
    _redis: int = 0

    def start(self) -> None:
        """Start Redis, the stub and the contender's workers, and wait until they settled."""
        self.stub_port, self._redis = free_port(), free_port()
        make = self.contender.ledger
        self._ledger = make() if make else f"sqlite:///{self._home}/ledger.sqlite3"
        options = ["--port", str(self._redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._around.append(self._spawn([server_binary(), *options, "--dir", str(self._home)]))
        self._around.append(self._spawn([sys.executable, str(HERE / "stub.py"), str(self.stub_port)]))
        until("the stub to listen", lambda: listening(self.stub_port), 10, every=0.02)
        until("Redis to listen", lambda: listening(self._redis), 10, every=0.02)
        if not self.contender.lone:
            commands = self.contender.workers(self.in_flight)
            commands += [[*commands[0], "-n", f"place{n}@bench"] for n in range(1, self.place_workers)]
            self.processes += [self._spawn(command) for command in commands]
            time.sleep(4)  # real time is the subject: start-up must not count as work

    def also(self, command: list[str]) -> None:
        """Start one more program beside the contender's."""
        self._around.append(self._spawn(command))

    def reset(self, latency_seconds: float) -> None:
        """Begin a new record."""
        self.ask(f"_reset?latency={latency_seconds}")

    def ask(self, path: str) -> Any:
        """Return the stub's answer to a control path."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.stub_port}/{path}", timeout=60) as answer:
            return json.load(answer)

    def submit(self, *numbers: int) -> float:
        """Hand in orders, (count) at once or (a second, seconds) as a stream; return the seconds that took."""
        done = subprocess.run(  # noqa: S603
            self.contender.submit(*numbers), env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{self.contender.name} could not submit: {done.stderr[-2000:]}")
        return float(done.stdout.strip().splitlines()[-1])

    def run_lone(self, count: int) -> float:
        """Run a contender that is one process with its orders; return its CPU seconds."""
        process = self._spawn(self.contender.submit(count))
        _, process.returncode, used = os.wait4(process.pid, 0)
        return used.ru_utime + used.ru_stime

    def wait_for(self, what: str, count: int, seconds: float) -> bool:
        """Wait until the stub has seen so many `orders` or `gets`; tell whether it did."""
        return bool(within(seconds, lambda: bool(self.ask("_count")[what] >= count), every=0.1))

    def cpu_seconds(self) -> float:
        """Return the CPU seconds the contender's processes used so far, their children included."""
        return sum(_cpu_seconds(process) for process in self._measured())

    def memory_mib(self) -> float:
        """Return the memory (RSS, MiB) of the contender's processes."""
        return sum(_memory_mib(process) for process in self._measured())

    def cpu_by_process(self) -> dict[str, float]:
        """Return the CPU seconds of each of the contender's processes by its name."""
        return {name: _cpu_seconds(process) for name, process in self._named()}

    def memory_by_process(self) -> dict[str, float]:
        """Return the memory (RSS, MiB) of each of the contender's processes by its name."""
        return {name: _memory_mib(process) for name, process in self._named()}

    def _named(self) -> Iterator[tuple[str, psutil.Process]]:
        for process in self.processes:
            names = [word.partition("@")[0] for word in cast("list[str]", process.args) if "@bench" in word]
            yield (names or ["beat"])[-1], psutil.Process(process.pid)

    def stop(self) -> None:
        """Stop what was started, and what that started, each by its own process id."""
        ours = [process for process in [*self.processes, *self._around] if process.poll() is None]
        children = [child for one in ours for child in psutil.Process(one.pid).children(recursive=True)]
        stop({str(process.pid): process for process in ours}, STOP_SECONDS)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Return what the contender's processes see."""
        redis = f"redis://127.0.0.1:{self._redis}/0"
        url = f"http://127.0.0.1:{self.stub_port}/sync"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FULFIL_")}
        ours = {
            "FULFIL_HOME": str(self._home),
            "FULFIL_REDIS_URL": redis,
            "FULFIL_DATABASE_URL": self._ledger,
            "FULFIL_IN_FLIGHT": str(self.in_flight),
            "FULFIL_CONFIRM_DELAY_SECONDS": str(max(10.0, self.delay_seconds)),
            "FULFIL_REQUEST_TIMEOUT_SECONDS": "100",
            "FULFIL_LEASE_SECONDS": "300",
            **self.settings,
            "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)]),
        }
        for name, rate in self.accounts.items():
            keys = {"marketplace": "aliexpress", "app_key": name, "app_secret": "s", "access_token": "t"}
            account = {**keys, "base_url": url, "rate_per_second": rate}
            ours |= {f"FULFIL_ACCOUNTS__{name}__{key}".upper(): str(value) for key, value in account.items()}
        bench = {
            "BENCH_URL": url,
            "BENCH_REDIS": redis,
            "BENCH_DELAY": str(self.delay_seconds),
            "BENCH_IN_FLIGHT": str(self.in_flight),
        }
        return {**inherited, **ours, **bench, **self.contender.environment}

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        loud: dict[str, Any] = {"stderr": None} if os.environ.get("BENCH_LOUD") else {}
        return start(command, folder=self._home, environment=self.environment(), **loud)

    def _measured(self) -> Iterator[psutil.Process]:
        for process in self.processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                own = psutil.Process(process.pid)
                yield from [own, *own.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _memory_mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / 2**20)


@contextlib.contextmanager
def running(contender: Contender, in_flight: int = 200, delay_seconds: float = 1.0) -> Iterator[Rig]:
    """Run a contender for as long as the block lasts."""
    rig = Rig(contender, in_flight, delay_seconds)
    try:
        rig.start()
        yield rig
    finally:
        rig.stop()
