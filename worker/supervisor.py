"""Starts and watches the programs of `fulfil up`: Redis, two worker processes, beat and Flower."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from config.process import private_folder
from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, FOLLOW_QUEUE
from config.secrecy import ENV_FILE, PREFIX, in_effect, is_secret
from config.settings import Account, Settings
from worker.background import Background
from worker.broker.embedded import EmbeddedRedis, redis_url
from worker.errors import ConfigError, RedisAway

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 60
RESTART_SECONDS = 2.0
LOOK_SECONDS = 0.2
CELERY_OPTION_VARIABLES = frozenset({"BROKER_URL", "RESULT_BACKEND", "LOADER", "CONFIG_MODULE"})
"""Variables of other programs that Celery's command line would take for options, over our settings."""
SENDERS = frozenset({"place", "confirm"})
"""The programs that talk to marketplaces and the ledger; the others need neither their keys nor its password."""
_REPLACED = frozenset(
    {
        *(
            f"{PREFIX}{name}{end}"
            for name in ("REDIS_URL", "REDIS_PASSWORD", "FLOWER_BASIC_AUTH")
            for end in ("", "_FILE")
        ),
        "FLOWER_BASIC_AUTH",
        ENV_FILE,
    }
)
"""Variables each program is told anew, or has no use for."""


def commands(settings: Settings) -> dict[str, list[str]]:
    """Return the command of each program. Sends and reads are processes apart, so that neither waits for the other."""
    celery = [sys.executable, "-m", "celery", "-q", "-A", "worker.app"]
    worker = [*celery, "worker", "--without-gossip", "--without-mingle"]
    return {
        "place": [*worker, "-n", "place@%h", "-X", f"{CONFIRM_QUEUE},{FOLLOW_QUEUE},{ADMIN_QUEUE}"],
        "confirm": [*worker, "-n", "confirm@%h", "-Q", f"{CONFIRM_QUEUE},{FOLLOW_QUEUE},{ADMIN_QUEUE}"],
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
        private_folder(path.parent)
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
    _watch: _Watch = field(init=False)

    def __post_init__(self) -> None:
        self._redis = EmbeddedRedis(self.settings)
        self._watch = _Watch(self)

    def start(self) -> None:
        """Start everything. Raises ConfigError when Flower's port is taken, RedisAway, LedgerAway."""
        check_port(self.settings.flower_address, self.settings.flower_port, "Flower", "FULFIL_FLOWER_PORT")
        self._redis.start()
        for name, command in commands(self.settings).items():
            program = _Program(name, command)
            self._programs.append(program)
            self._spawn(program)

    def watch(self) -> None:
        """Restart what dies, from now on until `stop`."""
        self._watch.start()

    def revive(self) -> None:
        """Start again what has died. A Redis that cannot be started now is tried again by the next call."""
        try:
            self._redis.start()
        except RedisAway as error:
            print(error, file=sys.stderr)
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
        self._watch.stop(STOP_SECONDS)
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
            private_folder(self.logs)
            output = (self.logs / f"{program.name}.log").open("ab")
        program.started = time.monotonic()
        program.process = subprocess.Popen(  # noqa: S603
            program.command,
            env=self._environment(program.name),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us alone; we stop them in order
        )
        if output is not None:
            output.close()

    def _environment(self, program: str) -> dict[str, str]:
        """Return a program's environment: the settings in effect, and of the secrets only those it has a use for."""
        inherited = {
            name: value for name, value in os.environ.items() if name not in CELERY_OPTION_VARIABLES
        } | self.environment
        others = {name: value for name, value in inherited.items() if not name.upper().startswith(PREFIX)}
        told = {**others, **in_effect(), **self.environment}
        known = {name: value for name, value in told.items() if _is_for(program, name)}
        paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
        # In the environment, not on the command line, where every user of the machine could read it.
        login = {"FLOWER_BASIC_AUTH": flower_login(self.settings)} if program == "flower" else {}
        return known | {
            "PYTHONPATH": os.pathsep.join(paths),
            # All is told here: who reads the file of settings has every secret in it.
            ENV_FILE: "",
            # Told, so that none of them starts a Redis of its own while ours is being started again.
            "FULFIL_REDIS_URL": redis_url(self.settings),
            "PYTHONWARNINGS": "ignore::RuntimeWarning:celery.platforms",
            **login,
        }


class _Watch(Background):
    """Looks after the programs of a home."""

    def __init__(self, services: Services) -> None:
        super().__init__("watch")
        self._services = services

    def _round(self) -> None:
        if not self.stopping.wait(LOOK_SECONDS):
            self._services.revive()


def _is_for(program: str, variable: str) -> bool:
    if variable in _REPLACED or not is_secret(variable, frozenset(Account.model_fields)):
        return variable not in _REPLACED
    return program in SENDERS or variable.startswith(f"{PREFIX}MESSAGE_KEY")


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


def stopper() -> threading.Event:
    """Return what is set when we are told to stop: by Ctrl-C, by SIGTERM, or by the terminal going away."""
    told = threading.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        numbers.append(signal.SIGHUP)
    for number in numbers:
        signal.signal(number, lambda _number, _frame: told.set())
    return told
