"""The receiver of push messages with few file descriptors and a crowd at its door: it stays quiet, idle and open."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.harness import Shop
from tests.running import free_port

CROWD = 300
WATCHED_SECONDS = 8


@pytest.mark.skipif(sys.platform != "linux", reason="the time a process used is read from /proc")
def test_a_crowd_neither_fills_the_log_nor_spins_nor_shuts_the_door(tmp_path: Path) -> None:
    with Shop(tmp_path, redis_url="redis://127.0.0.1:1/0") as shop, contextlib.ExitStack() as crowd:
        port = free_port()
        command = f"ulimit -n 90; exec {sys.executable} -m worker.cli hooks --port {port}"
        shop.start_program("hooks", ["/bin/sh", "-c", command])
        shop.until("the receiver to listen", lambda: "received on" in shop.log("hooks"), 60)
        process = shop.processes["hooks"]
        for _ in range(CROWD):
            with contextlib.suppress(OSError):
                crowd.enter_context(socket.create_connection(("127.0.0.1", port), 1))
        before = cpu_seconds(process.pid)
        time.sleep(WATCHED_SECONDS)
        assert cpu_seconds(process.pid) - before < WATCHED_SECONDS / 4
        assert process.poll() is None
        assert len(shop.log("hooks")) < 20_000
        assert "Traceback" not in shop.log("hooks")
        assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=10).status_code == 200


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
