"""`fulfil up`: everything in one command, what dies is started again, and nothing is left when it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Shop
from tests.running import alive, children, free_port

PROGRAMS = {
    "redis": ("redis-server", "valkey-server"),
    "place": ("-n place@",),
    "confirm": ("-n confirm@",),
    "beat": (" beat",),
    "flower": (" flower ",),
}


class Up:
    """A running `fulfil up`."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        shop.start_program("up", [sys.executable, "-m", "worker.cli", "up", "--json"])
        self.process: subprocess.Popen[bytes] = shop.processes["up"]
        self.seen: set[int] = set()

    def running(self) -> dict[str, int]:
        """Return the process ids of its programs, by name."""
        found = children(self.process.pid)
        self.seen |= found.keys()
        return {
            name: pid
            for pid, line in found.items()
            for name, marks in PROGRAMS.items()
            if any(m in line for m in marks)
        }

    def all_running(self) -> dict[str, int] | None:
        running = self.running()
        return running if running.keys() == PROGRAMS.keys() else None


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    with Shop(tmp_path) as shop:
        started = Up(shop)
        shop.until("all programs to run", started.all_running, 60)
        yield started


def test_it_runs_everything_starts_again_what_dies_and_leaves_nothing_when_terminated(up: Up) -> None:
    up.shop.until("Flower to answer", up.shop.flower_answers, 60)
    before = up.running()
    for name in ("beat", "redis"):
        os.kill(before[name], signal.SIGKILL)

    def replaced() -> bool:
        now = up.all_running()
        return now is not None and now["beat"] != before["beat"] and now["redis"] != before["redis"]

    up.shop.until("what was killed to run again", replaced, 60)
    after = up.running()
    assert {name for name in PROGRAMS if after[name] != before[name]} == {"beat", "redis"}
    assert "beat ended with -9; starting it again" in up.shop.log("up")
    stopped(up, signal.SIGTERM)


def test_it_leaves_nothing_when_interrupted_while_it_is_still_starting(up: Up) -> None:
    stopped(up, signal.SIGINT)
    assert "Traceback" not in up.shop.log("up")


def stopped(up: Up, number: int) -> None:
    """Send it a signal and check that it ends well and that every process it ever started is gone."""
    up.running()
    up.process.send_signal(number)
    up.shop.until("fulfil up to end", lambda: up.process.poll() is not None, 90)
    assert up.process.returncode == 0, up.shop.log("up")
    assert {pid for pid in up.seen if alive(pid)} == set()
    assert len(up.seen) >= len(PROGRAMS)


def test_it_says_where_flower_is_and_who_may_enter(up: Up) -> None:
    up.shop.until("its announcement", lambda: "}" in up.shop.log("up"), 60)
    said = up.shop.log("up")
    told = json.loads(said[said.index("{") : said.index("}") + 1])
    assert told == {"accounts": ["main"], "flower": f"http://127.0.0.1:{up.shop.flower_port}", "user": "fulfil"}


def test_the_sandbox_alone_says_where_it_listens_and_stops_when_told(tmp_path: Path) -> None:
    with Shop(tmp_path) as shop:
        port = free_port()
        shop.start_program("sandbox", [sys.executable, "-m", "worker.cli", "sandbox", "--port", str(port)])
        shop.until("the sandbox to listen", lambda: f"listening on http://127.0.0.1:{port}" in shop.log("sandbox"), 60)
        process = shop.processes["sandbox"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert "Traceback" not in shop.log("sandbox")


def test_only_what_sends_holds_the_accounts_keys(up: Up) -> None:
    running = up.running()
    told = {name: Path(f"/proc/{pid}/environ").read_bytes() for name, pid in running.items()}
    assert {name for name, environment in told.items() if b"main-app-secret" in environment} == {"place", "confirm"}
    lines = {name: Path(f"/proc/{pid}/cmdline").read_bytes() for name, pid in running.items()}
    login = up.shop.environment["FULFIL_FLOWER_BASIC_AUTH"].partition(":")[2].encode()
    assert [name for name, line in lines.items() if login in line or b"main-app-secret" in line] == []
    assert {path.name for path in up.shop.home.rglob("*") if path.stat().st_mode & 0o077} == set()
