"""Starts and watches the programs of `fulfil up`: Redis, two worker processes, beat, Flower, the push receiver."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from config import log_files
from config.settings import Settings
from worker.background import Background
from worker.broker.embedded import EmbeddedRedis, answers
from worker.errors import ConfigError, RedisAway
from worker.ledger import own_file
from worker.programs import commands, environment

STOP_SECONDS = 60
RESTART_SECONDS = 2.0
SAY_AGAIN_SECONDS = 60.0
"""A program that ends again and again is told of so often."""
LOOK_SECONDS = 0.2
REDIS_SECONDS = 1.0
LOG_SECONDS = 5.0
HOOKS = "the receiver of push messages, which `fulfil up` runs itself,"


@dataclass(slots=True)
class _Program:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    told: float = -SAY_AGAIN_SECONDS


@dataclass(slots=True)
class Services:
    """The programs of one home. Starts what is missing, restarts what died, stops what it started."""

    settings: Settings
    environment: dict[str, str] = field(default_factory=dict)
    """Variables for the programs, on top of ours."""
    logs: Path = field(init=False)
    _redis: EmbeddedRedis = field(init=False)
    _programs: list[_Program] = field(default_factory=list, init=False)
    _watch: _Watch = field(init=False)
    _lock: int | None = field(default=None, init=False)
    """Held by us and by every program, so that a home has one set of them."""
    _trouble: str = field(default="", init=False)
    """What was last said of Redis."""
    _look_at_redis: float = field(default=0.0, init=False)
    _look_at_logs: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.logs = log_files.folder(self.settings.home)
        self._redis = EmbeddedRedis(self.settings)
        self._watch = _Watch(self)

    def start(self) -> None:
        """Start everything.

        Raises ConfigError when the home has such programs already, or a port is taken; RedisAway; OSError.
        """
        self._hold()
        wanted = commands(self.settings)
        check_port(self.settings.flower_address, self.settings.flower_port, "Flower", "FULFIL_FLOWER_PORT")
        if "hooks" in wanted:
            check_port(self.settings.hooks_address, self.settings.hooks_port, HOOKS, "FULFIL_HOOKS_PORT")
        self._redis.start()
        for name, command in wanted.items():
            program = _Program(name, command)
            self._programs.append(program)
            self._spawn(program)

    def watch(self) -> None:
        """Restart what dies, from now on until `stop`."""
        self._watch.start()

    def revive(self) -> None:
        """Start again what has died, and keep the logs short. What cannot be done now is tried again next time."""
        now = time.monotonic()
        if now >= self._look_at_redis:
            self._look_after_redis()
            self._look_at_redis = time.monotonic() + REDIS_SECONDS
        for program in self._programs:
            self._look_after(program)
        if now >= self._look_at_logs:
            log_files.shorten(self.logs)
            self._look_at_logs = now + LOG_SECONDS

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
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _hold(self) -> None:
        path = self.settings.home / "up.lock"
        try:
            self._lock = own_file.hold(path)
        except BlockingIOError:
            raise ConfigError(_held(self.settings.home, path.read_text())) from None
        os.write(self._lock, f"up {os.getpid()}\n".encode())

    def _look_after_redis(self) -> None:
        before = self._redis.pid
        try:
            self._redis.start()
            if self.settings.redis_url and not answers(self.settings):
                raise RedisAway("FULFIL_REDIS_URL does not answer; it is waited for")
        except RedisAway as error:
            if str(error) != self._trouble:
                self._say(str(error))
            self._trouble = str(error)
            return
        if before is not None and self._redis.pid != before:
            self._say(f"the embedded Redis (process {before}) ended; it was started again")
        elif self._trouble:
            self._say("Redis answers again; orders go on")
        self._trouble = ""

    def _look_after(self, program: _Program) -> None:
        now, process = time.monotonic(), program.process
        if now - program.started < RESTART_SECONDS or (process is not None and process.poll() is None):
            return
        if process is not None and now - program.told >= SAY_AGAIN_SECONDS:
            program.told = now
            self._say(f"{program.name} ended with {process.returncode}; starting it again: fulfil logs {program.name}")
        try:
            self._spawn(program)
        except OSError as error:
            program.started = now
            self._say(f"{program.name} cannot be started ({error.strerror}); it is tried again")

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a terminal that has gone
            print(f"fulfil: {text}", file=sys.stderr, flush=True)
        log_files.note(self.logs, "up", text)

    def _spawn(self, program: _Program) -> None:
        program.started = time.monotonic()
        lock = () if self._lock is None else (self._lock,)
        with log_files.open_log(self.logs, program.name) as output:
            program.process = subprocess.Popen(  # noqa: S603
                program.command,
                env=environment(self.settings, program.name, self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop them in order
                pass_fds=lock,
            )
        for file in lock:
            os.write(file, f"{program.name} {program.process.pid}\n".encode())


def _held(home: Path, written: str) -> str:
    """Say who has the home's programs, and how to get them out of the way. `written`: the lock file's lines."""
    told = {name: int(pid) for name, _, pid in (line.partition(" ") for line in written.splitlines())}
    alive = {name: pid for name, pid in told.items() if _is_alive(pid)}
    if "up" in alive:
        return (
            f"`fulfil up` runs in {home} already (process {alive['up']}). Leave it, or stop it first:"
            f" kill {alive['up']}. A second set of programs needs a home of its own: FULFIL_HOME"
        )
    named = ", ".join(f"{name} {pid}" for name, pid in alive.items())
    return (
        f"a `fulfil up` in {home} was killed and its programs still run ({named});"
        f" stop them first: kill {' '.join(map(str, alive.values()))}"
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _Watch(Background):
    """Looks after the programs of a home."""

    def __init__(self, services: Services) -> None:
        super().__init__("watch")
        self._services = services

    def _round(self) -> None:
        if not self.stopping.wait(LOOK_SECONDS):
            self._services.revive()


def check_port(address: str, port: int, what: str, setting: str) -> None:
    """Raise ConfigError when a port we are to listen on is taken."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
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
