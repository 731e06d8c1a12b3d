"""Outlives the rig by a moment: when the rig is gone, however it went, it ends every process the rig had started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.running import start

ROOT = Path(__file__).resolve().parents[3]


def born(pid: int) -> str | None:
    """Return a process's time of birth, which tells it from a later one with the same id; None when it is gone."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return None


class Keeper:
    """The rig's end: names what was started and what has ended."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.campaign.keeper"]
        self._process = start(command, folder=ROOT, environment=os.environ, stdin=subprocess.PIPE, bufsize=0)

    def started(self, pid: int) -> None:
        """Put a process under the keeper's care."""
        self._tell(f"+{pid} {born(pid)}\n")

    def ended(self, pid: int) -> None:
        """Take a process that has ended out of its care."""
        self._tell(f"-{pid} x\n")

    def close(self) -> None:
        """Let the keeper end what is left, and wait for it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())


def main() -> None:
    """Listen until the rig's end closes, then end what is left by its own id."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kept: dict[int, str] = {}
    for line in sys.stdin:
        pid, _, birth = line.strip()[1:].partition(" ")
        if line.startswith("+"):
            kept[int(pid)] = birth
        else:
            kept.pop(int(pid), None)
    for pid, birth in reversed(kept.items()):
        if born(pid) == birth:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
