"""`fulfil up`: everything in one command, what dies is started again, and nothing is left when it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Shop, job
from tests.running import alive, children, free_port, kill

PROGRAMS = {
    "redis": ("redis-server", "valkey-server"),
    "place": ("-n place@",),
    "confirm": ("-n confirm@",),
    "beat": (" beat",),
    "flower": (" flower ",),
    "hooks": (" hooks",),
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
    assert f"the embedded Redis (process {before['redis']}) ended; it was started again" in up.shop.log("up")
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
    told = announced(up)
    assert told.pop("pids").keys() == PROGRAMS.keys()
    assert told == {
        "accounts": ["main"],
        "flower": f"http://127.0.0.1:{up.shop.flower_port}",
        "user": "fulfil",
        "pushes": None,  # its port is any free one here
        "logs": str(up.shop.home / "logs"),
    }


def announced(up: Up) -> dict[str, Any]:
    up.shop.until("its announcement", lambda: up.shop.log("up").rstrip().endswith("}"), 60)
    told: dict[str, Any] = json.loads(up.shop.log("up"))
    return told


def heard(up: Up) -> bool:
    """Tell whether every queue is listened to; the marketplace, which nobody started here, is another matter."""
    checks = {one["name"]: one["ok"] for one in up.shop.cli("doctor", "--json").json()}
    return bool(checks["workers"] and checks["queues"])


def test_a_good_start_warns_of_nothing(up: Up) -> None:
    up.shop.until("Flower to answer", up.shop.flower_answers, 60)
    up.shop.until("both workers to listen", lambda: heard(up), 60)
    announced(up)  # and nothing but that on the terminal
    logs = {path.name: path.read_text() for path in (up.shop.home / "logs").glob("*.log")}
    assert logs.keys() == {"place.log", "confirm.log", "beat.log", "flower.log", "hooks.log"}
    assert {name: text for name, text in logs.items() if text and name != "hooks.log"} == {}
    assert logs["hooks.log"].startswith("push messages are received on http://127.0.0.1:")
    assert logs["hooks.log"].count("\n") == 1


def test_a_redis_that_stands_still_for_long_ends_nothing_and_leaves_nothing_behind(up: Up) -> None:
    before = up.running()
    os.kill(before["redis"], signal.SIGSTOP)
    try:
        up.shop.until("it to say so", lambda: "runs and does not answer; it is waited for" in up.shop.log("up"), 20)
        time.sleep(8)  # many looks of the supervisor's
        assert up.running() == before, "no second Redis, nothing ended"
        batch = up.shop.submit([job("SO-stalled")])
        assert batch["accepted"] == 1, "kept in the ledger, rung for later"
    finally:
        os.kill(before["redis"], signal.SIGCONT)
    up.shop.until("it to say that all is well", lambda: "Redis answers again" in up.shop.log("up"), 20)
    assert up.running() == before
    assert "Redis answers again" in (up.shop.home / "logs" / "up.log").read_text()
    up.shop.until("the order to be taken up", lambda: up.shop.show("SO-stalled")["attempts"], 60)
    stopped(up, signal.SIGTERM)


def test_a_stalled_redis_is_stopped_with_the_rest(up: Up) -> None:
    os.kill(up.running()["redis"], signal.SIGSTOP)
    stopped(up, signal.SIGTERM)


def test_a_second_set_in_the_same_home_is_refused_and_told_what_to_do(up: Up) -> None:
    announced(up)
    before = up.running()
    second = up.shop.cli("up")
    assert second.code == 2
    assert f"runs in {up.shop.home} already (process {up.process.pid})" in second.err
    assert f"kill {up.process.pid}." in second.err
    assert up.running() == before


def test_programs_that_outlived_their_supervisor_are_named(up: Up) -> None:
    announced(up)
    before = up.running()
    kill(up.process)
    try:
        again = up.shop.cli("up")
        assert again.code == 2
        assert "was killed and its programs still run" in again.err
        advised = again.err.rpartition("kill ")[2].split()
        assert set(advised) == {str(pid) for name, pid in before.items() if name != "redis"}
    finally:
        for pid in before.values():
            os.kill(pid, signal.SIGTERM)
        up.shop.until("them to end", lambda: not any(alive(pid) for pid in before.values()), 60)
    up.shop.start_program("again", [sys.executable, "-m", "worker.cli", "up", "--json"])
    up.shop.until("it to start now", lambda: "}" in up.shop.log("again"), 60)


def test_logs_shows_what_the_programs_said(up: Up) -> None:
    announced(up)
    os.kill(up.running()["beat"], signal.SIGKILL)
    up.shop.until("it to be started again", lambda: "beat ended" in up.shop.log("up"), 30)
    up.shop.until("hooks to listen", lambda: "received on" in (up.shop.home / "logs" / "hooks.log").read_text(), 60)
    everything = up.shop.cli("logs")
    assert everything.code == 0
    assert "up       " in everything.out
    assert "hooks    push messages are received on" in everything.out
    one = up.shop.cli("logs", "hooks", "--lines", "1", "--json")
    assert one.json()["program"] == "hooks"
    nobody = up.shop.cli("logs", "nobody")
    assert nobody.code == 2
    assert "no log of 'nobody'" in nobody.err
    assert "place" in nobody.err


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
    assert {name for name, environment in told.items() if b"main-app-secret" in environment} == {
        "place",
        "confirm",
        "hooks",
    }
    lines = {name: Path(f"/proc/{pid}/cmdline").read_bytes() for name, pid in running.items()}
    login = up.shop.environment["FULFIL_FLOWER_BASIC_AUTH"].partition(":")[2].encode()
    assert [name for name, line in lines.items() if login in line or b"main-app-secret" in line] == []
    assert {path.name for path in up.shop.home.rglob("*") if path.stat().st_mode & 0o077} == set()
