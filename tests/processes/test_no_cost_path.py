"""The README's way to try it without buying anything, walked as it is printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import free_port, start, stop, until

ROOT = Path(__file__).parents[2]


class Terminal:
    """A folder with the sandbox running, and shells into which its lines were pasted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "examples").symlink_to(ROOT / "examples")
        (folder / "bin").mkdir()
        program = folder / "bin" / "fulfil"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m worker.cli "$@"\n')
        program.chmod(0o755)
        self.environment = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "FULFIL_FLOWER_PORT": str(free_port()),
            "FULFIL_HOOKS_PORT": str(free_port()),
            "FULFIL_SANDBOX_PORT": "0",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.run("sandbox", ["fulfil", "sandbox"])
        self.lines = until("the sandbox's lines", lambda: self._all_of("sandbox"), 60)

    def _all_of(self, name: str) -> str | None:
        told = (self.folder / f"{name}.log").read_text()
        return told if "SHOP__SHOP=" in told else None

    def run(self, name: str, command: list[str]) -> None:
        found = str(self.folder / "bin" / "fulfil")
        log = self.folder / f"{name}.log"
        command = [found if part == "fulfil" else part for part in command]
        self.processes[name] = start(command, folder=self.folder, environment=self.environment, log=log)

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Paste the sandbox's lines, then type one."""
        return subprocess.run(
            ["bash", "-e"],
            input=f"{self.lines}\n{line}\n",
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    # `up` first: its workers still talk to the sandbox.
    for name in reversed(opened.processes):
        assert stop({name: opened.processes[name]}, 60) == []


def printed() -> list[str]:
    """Return the README's commands behind "Without buying anything"."""
    page = (ROOT / "README.md").read_text()
    (block,) = re.findall(r"\*\*Without buying anything:\*\*.*?```sh\n(.*?)```", page, re.DOTALL)
    return str(block).splitlines()


def test_it_works_as_printed(terminal: Terminal) -> None:
    up, submit = printed()
    assert up == "fulfil up"
    terminal.run("up", ["bash", "-c", f"{terminal.lines}\nexec fulfil up"])
    until("it to be up", lambda: "push messages: " in (terminal.folder / "up.log").read_text(), 60)
    done = terminal.shell(submit)
    assert done.returncode == 0, done
    assert "not found" not in done.stderr
    url = re.findall(r"listening on (\S+)", terminal.lines)[0]
    made = httpx.get(f"{url}/_sandbox/orders", trust_env=False).json()
    assert {order["account"] for order in made} == {"main", "wholesale", "shop"}
    assert len(made) == len({order["key"] for order in made}) == 9
    assert (terminal.folder / ".fulfil" / "sandbox" / "ledger.sqlite3").exists()


def test_every_example_is_accepted(terminal: Terminal) -> None:
    for path in sorted((ROOT / "examples").iterdir()):
        done = terminal.shell(f"fulfil submit examples/{path.name}")
        assert done.returncode == 0, done
        assert "0 duplicates, 0 rejected" in done.stdout
