"""A Redis server of a test's own, with the options the test wants; on loopback, ended with the test."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.running import free_port
from worker.broker.embedded import server_binary


@contextlib.contextmanager
def redis_server(folder: Path, *options: str, password: str | None = None, tls: bool = False) -> Iterator[int]:
    """Run a server with these options of its command line; yield its port once it answers, in whatever way."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    ports = ["--port", "0", "--tls-port", str(port)] if tls else ["--port", str(port)]
    command = [server_binary(), *ports, "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]
    if password is not None:
        command += ["--requirepass", password]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, port, tls)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, tls: bool) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if tls and process.poll() is not None:
            pytest.skip("this server has no TLS; install Debian's redis-server to run this test")
        with redis.Redis(port=port, ssl=tls, ssl_cert_reqs="none", ssl_check_hostname=False) as client:
            try:
                client.ping()
            except (redis.AuthenticationError, redis.BusyLoadingError):
                return
            except redis.ConnectionError as error:
                if "authentic" in str(error).lower():
                    return
                time.sleep(0.02)
            else:
                return
    raise AssertionError("the server did not start")
