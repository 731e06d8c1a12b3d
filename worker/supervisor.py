"""Starts and watches the programs of `fulfil up`: Redis, two worker processes, beat and Flower."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE
from config.settings import Settings
from worker.broker.embedded import EmbeddedRedis, redis_url
from worker.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 60
RESTART_SECONDS = 2.0
CELERY_OPTION_VARIABLES = frozenset({"BROKER_URL", "RESULT_BACKEND", "LOADER", "CONFIG_MODULE"})
"""Variables of other programs that Celery's command line would take for options, over our settings."""


def commands(settings: Settings) -> dict[str, list[str]]:
    """Return the command of each program. Sends and reads are processes apart, so that neither waits for the other."""
    celery = [sys.executable, "-m", "celery", "-q", "-A", "worker.app"]
    worker = [*celery, "worker", "--without-gossip", "--without-mingle"]
    return {
        "place": [*worker, "-n", "place@%h", "-X", f"{CONFIRM_QUEUE},{ADMIN_QUEUE}"],
        "confirm": [*worker, "-n", "confirm@%h", "-Q", f"{CONFIRM_QUEUE},{ADMIN_QUEUE}"],
        "beat": [*celery, "beat"],
        "flower": [
            *celery,
            "flower",
            f"--address={settings.flower_address}",
            f"--port={settings.flower_port}",
            "--max-tasks=20000",
        ],
    }


def flower_login(settings: Settings) -> str:
    """Return `user:password` of Flower: the setting, or a password made once for this home."""
    if settings.flower_basic_auth:
        return settings.flower_basic_auth
    path = settings.home / "flower-login"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"fulfil:{secrets.token_urlsafe(12)}")
    return path.read_text().strip()


@dataclass(slots=True)
class _Program:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0


@dataclass(slots=True)
class Services:
    """The programs of one home. Starts what is missing, restarts what died, stops what it started."""

    settings: Settings
    logs: Path | None = None
    """Folder for the programs' output; None: they share ours."""
    environment: dict[str, str] = field(default_factory=dict)
    _redis: EmbeddedRedis = field(init=False)
    _programs: list[_Program] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._redis = EmbeddedRedis(self.settings)

    def start(self) -> None:
        """Start everything. Raises ConfigError when Flower's port is taken, RedisAway, LedgerAway."""
        check_port(self.settings.flower_address, self.settings.flower_port, "Flower", "FULFIL_FLOWER_PORT")
        self._redis.start()
        for name, command in commands(self.settings).items():
            program = _Program(name, command)
            self._programs.append(program)
            self._spawn(program)

    def watch(self, stop: Callable[[], bool]) -> None:
        """Restart what dies, until `stop` says so."""
        while not stop():
            time.sleep(0.2)
            self._redis.start()
            for program in self._programs:
                process = program.process
                if process is None or process.poll() is None or time.monotonic() - program.started < RESTART_SECONDS:
                    continue
                print(f"{program.name} ended with {process.returncode}; starting it again", file=sys.stderr)
                self._spawn(program)

    def dead(self) -> list[str]:
        """Return the programs that are not running."""
        return [p.name for p in self._programs if p.process is None or p.process.poll() is not None]

    def pids(self) -> dict[str, int]:
        """Return the process ids of what was started."""
        started = {p.name: p.process.pid for p in self._programs if p.process is not None}
        return started if self._redis.pid is None else {"redis": self._redis.pid, **started}

    def stop(self) -> None:
        """Stop what was started, the workers first, Redis last; each by its own process id."""
        running = [p.process for p in self._programs if p.process is not None and p.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._redis.stop()

    def _spawn(self, program: _Program) -> None:
        output: IO[Any] | None = None
        if self.logs is not None:
            self.logs.mkdir(parents=True, exist_ok=True)
            output = (self.logs / f"{program.name}.log").open("ab")
        program.started = time.monotonic()
        program.process = subprocess.Popen(  # noqa: S603
            program.command,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop them in order
        )
        if output is not None:
            output.close()

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if name not in CELERY_OPTION_VARIABLES
        } | self.environment
        paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
        return inherited | {
            "PYTHONPATH": os.pathsep.join(paths),
            # Told, so that none of them starts a Redis of its own while ours is being started again.
            "FULFIL_REDIS_URL": redis_url(self.settings),
            "PYTHONWARNINGS": "ignore::RuntimeWarning:celery.platforms",
            # In the environment, not on the command line, where every user of the machine could read it.
            "FLOWER_BASIC_AUTH": flower_login(self.settings),
        }


def check_port(address: str, port: int, what: str, setting: str) -> None:
    """Raise ConfigError when a port we are to listen on is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise ConfigError(
                f"{what} cannot listen on {address}:{port} ({error.strerror}); choose another with {setting}"
            ) from None


def stopper() -> Callable[[], bool]:
    """Return whether we were told to stop: by Ctrl-C, by SIGTERM, or by the terminal going away."""
    told: list[int] = []
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, lambda received, _frame: told.append(received))
    return lambda: bool(told)
