"""The hosts the workers are said to run on: each has a clock that can be put wrong, and programs that can be stopped.

A host is a role: all place workers are on one, all read workers on another. Nothing of the machine is changed.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from worker.crashpoints import CrashPoint

HOUR_SECONDS = 3600
SHIM = Path(__file__).resolve().parent / "host"
HOSTS = ("place", "read")


class HostClock:
    """The clock of one host, by `host/sitecustomize.py`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_bytes(struct.pack("d", 0.0))

    def put_off(self, seconds: float) -> None:
        """Let every program of the host read another time; 0: the right one."""
        with self._path.open("r+b") as file:
            file.write(struct.pack("d", seconds))

    def environment(self, plain: Mapping[str, str]) -> dict[str, str]:
        """Return what a program of the host gets beside its plain environment."""
        return {"CAMPAIGN_CLOCK": str(self._path), "PYTHONPATH": f"{SHIM}{os.pathsep}{plain['PYTHONPATH']}"}


def straight(at: float, end: float) -> float:
    """Return a time as a right clock had told it: a wrong one is off by whole hours, a campaign lasts below half."""
    return at - HOUR_SECONDS * round((at - end) / HOUR_SECONDS)


class Freezer:
    """Stops the next program that reaches the moment of a send, after its last look at the clock."""

    def __init__(self, folder: Path) -> None:
        self._order = folder / CrashPoint.SENDING
        folder.mkdir()
        self.environment = {"FULFIL_TEST_FREEZE": str(folder)}

    def stop_one(self, sends_to: str, wait: Callable[[float], object], seconds: float) -> int | None:
        """Stop one program that sends to an address with this end; return its process id, None where none did so."""
        fresh = self._order.with_suffix(".new")
        fresh.write_text(sends_to)
        fresh.rename(self._order)  # whole, or not there
        for _ in range(int(seconds * 10)):
            wait(0.1)
            for path in self._order.parent.glob(f"{self._order.name}.[0-9]*"):
                path.unlink()
                return int(path.suffix[1:])
        self._order.unlink(missing_ok=True)
        return None


def let_go_on(pid: int) -> bool:
    """Let a stopped program go on; tell whether it was still there."""
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return False
    return True
