"""The campaign's own Redis: a server we may kill, freeze, wipe, fill and cut."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import redis

from tests.faults.campaign.keeper import Keeper
from worker.broker.embedded import server_binary


class Broker:
    """One Redis server on a free port of loopback, its data in `folder`."""

    def __init__(self, folder: Path, keeper: Keeper) -> None:
        self._folder, self._keeper = folder, keeper
        folder.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The broker's address."""
        return f"redis://127.0.0.1:{self.port}/0"

    @contextlib.contextmanager
    def client(self, seconds: float = 3) -> Iterator[redis.Redis]:
        """Open a plain client that does not wait long."""
        with redis.Redis(port=self.port, socket_timeout=seconds, socket_connect_timeout=seconds) as client:
            yield client

    def start(self) -> None:
        """Start the server and wait until it has read its data."""
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self._folder),
            "logfile": str(self._folder / "redis.log"),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        command = [server_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._keeper.started(self._process.pid)
        end = time.monotonic() + 15
        while time.monotonic() < end:
            with contextlib.suppress(redis.RedisError), self.client(1) as client:
                if client.ping():
                    return
            time.sleep(0.02)
        raise RuntimeError(f"Redis did not start; see {self._folder}/redis.log")

    def kill(self) -> None:
        """End the server by SIGKILL; up to a second of its data is gone, as after any crash."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            self._keeper.ended(process.pid)

    def wipe(self) -> None:
        """Remove the data of a server that is down."""
        for path in self._folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix != ".log":
                path.unlink()

    def freeze(self) -> None:
        """Stop the server in its tracks: connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()

    def cut(self) -> None:
        """End every connection."""
        with self.client() as client:
            for kind in ("normal", "pubsub"):
                client.client_kill_filter(_type=kind, skipme=True)

    def fill(self) -> None:
        """Leave no room: every write is refused."""
        with self.client() as client:
            client.config_set("maxmemory", 1)

    def make_room(self) -> None:
        """Take the limit away."""
        with self.client() as client:
            client.config_set("maxmemory", 0)

    def stop(self) -> None:
        """End the server for good."""
        self.thaw()
        self.kill()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
