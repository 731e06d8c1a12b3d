"""The sandbox as a program of its own: what it prints, how it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import kill, start, until

ROOT = Path(__file__).parents[2]


class Program:
    """The sandbox as a process in a folder."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._log, self._errors = folder / "out", folder / "err"
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = start(
            [sys.executable, "-m", "worker.sandbox", *arguments],
            folder=folder,
            environment={**os.environ, "PYTHONPATH": path, **environment},
            log=self._log,
            errors=self._errors,
        )

    @property
    def out(self) -> str:
        return self._log.read_text()

    @property
    def err(self) -> str:
        return self._errors.read_text()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def run(*arguments: str, **environment: str) -> Program:
        started.append(Program(tmp_path, *arguments, **environment))
        return started[-1]

    yield run
    for program in started:
        kill(program.process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_stop(run: Callable[..., Program], number: signal.Signals) -> None:
    program = run("--port", "0", FULFIL_ACCOUNTS__MAIN__MARKETPLACE="aliexpress", FULFIL_ACCOUNTS__MAIN__APP_KEY="k")
    until("its first line", lambda: "\n" in program.out, 30)
    line = program.out.splitlines()[0]
    assert line.startswith("# sandbox listening on http://127.0.0.1:"), line
    url = line.split()[-1]
    assert httpx.get(url + "/_sandbox/health", trust_env=False).json() == {"ok": True}
    program.process.send_signal(number)
    assert program.process.wait(10) == 0
    assert program.err == ""
    rest = program.out.splitlines()[1:]
    assert all(line.startswith("export FULFIL_") for line in rest), "what one can paste"


def test_a_taken_port_is_told(run: Callable[..., Program], closed_port: int) -> None:
    program = run("--port", str(closed_port))
    assert program.process.wait(20) == 2
    assert program.out == ""
    assert program.err.count("\n") == 1
    assert "is taken" in program.err
