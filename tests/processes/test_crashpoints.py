"""The places where a campaign kills or stops a process: one process obeys one order, and nobody without a campaign."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from worker import crashpoints
from worker.crashpoints import CrashPoint, reached

ROOT = Path(__file__).resolve().parents[2]
PASS = "from worker.crashpoints import CrashPoint, reached; reached(CrashPoint.SENDING); print('passed', flush=True)"


def start(**environment: str) -> subprocess.Popen[str]:
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}
    return subprocess.Popen([sys.executable, "-c", PASS], env=variables, stdout=subprocess.PIPE, text=True)


def stopped(process: subprocess.Popen[str]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_without_a_campaign_a_point_does_nothing() -> None:
    reached(CrashPoint.SENDING)
    assert start().communicate(timeout=30)[0] == "passed\n"


def test_a_process_stops_where_it_is_told_to_and_goes_on_when_it_may(tmp_path: Path) -> None:
    (tmp_path / CrashPoint.SENDING).touch()
    process = start(FULFIL_TEST_FREEZE=str(tmp_path))
    try:
        end = time.monotonic() + 30
        while not stopped(process):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert [path.name for path in tmp_path.iterdir()] == [f"sending.{process.pid}"]
        # The order is spent: whoever comes next passes.
        assert start(FULFIL_TEST_FREEZE=str(tmp_path)).communicate(timeout=30)[0] == "passed\n"
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=30)[0] == "passed\n"
    finally:
        process.kill()
        process.communicate()


def test_an_order_to_stop_is_for_its_own_point_and_for_what_ends_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crashpoints.plan(), "freezer", str(tmp_path))
    (tmp_path / CrashPoint.CLAIMED).touch()
    (tmp_path / CrashPoint.SENDING).write_text("/orders")
    reached(CrashPoint.SENDING)
    reached(CrashPoint.SENDING, "http://127.0.0.1/orders/preview")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claimed", "sending"]
    stopped: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _, number: stopped.append(number))
    reached(CrashPoint.SENDING, "http://127.0.0.1/orders")
    assert stopped == [signal.SIGSTOP]


def test_a_process_dies_where_it_is_told_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(FULFIL_TEST_CRASH='{"sending": 1.0}', FULFIL_TEST_CRASH_LOG=str(log))
    assert process.communicate(timeout=30)[0] == ""
    assert (process.returncode, log.read_text()) == (-signal.SIGKILL, "sending\n")
