"""The sandbox as a program of its own: what it prints, how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    root = str(Path(__file__).parents[2])

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "worker.sandbox", *arguments]
        path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
        child = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_stop(start: Callable[..., subprocess.Popen[str]], number: signal.Signals) -> None:
    child = start("--port", "0", FULFIL_ACCOUNTS__MAIN__MARKETPLACE="aliexpress", FULFIL_ACCOUNTS__MAIN__APP_KEY="k")
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line.startswith("sandbox listening on http://127.0.0.1:"), line
    url = line.split()[-1]
    assert httpx.get(url + "/_sandbox/health", trust_env=False).json() == {"ok": True}
    child.send_signal(number)
    rest, errors = child.communicate(timeout=10)
    assert (child.returncode, errors) == (0, "")
    assert all(line.startswith("FULFIL_ACCOUNTS__") for line in rest.splitlines()), "what one can paste"


def test_a_taken_port_is_told(start: Callable[..., subprocess.Popen[str]], closed_port: int) -> None:
    child = start("--port", str(closed_port))
    output, errors = child.communicate(timeout=20)
    assert (child.returncode, output) == (2, "")
    assert errors.count("\n") == 1
    assert "is taken" in errors
