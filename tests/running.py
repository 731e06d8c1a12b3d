"""Processes and ports, as tests look at them: who runs, who started whom, what is free."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def children(pid: int) -> dict[int, str]:
    """Return the processes a process has started and that still run, with their command lines."""
    return {child: command for child, (parent, command) in _running().items() if parent == pid}


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and waits for its parent to notice does not."""
    return pid in _running()


def _running() -> dict[int, tuple[int, str]]:
    """Return the parent and the command line of every process that has not ended."""
    told = [_stat(path) for path in Path("/proc").glob("[0-9]*")] if sys.platform == "linux" else _ps()
    return {pid: (parent, command) for pid, parent, state, command in filter(None, told) if state[0] != "Z"}


def _stat(folder: Path) -> tuple[int, int, str, str] | None:
    try:
        state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it ended while we looked
        return None
    return int(folder.name), int(parent), state, command


def _ps() -> list[tuple[int, int, str, str]]:
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = (line.split(None, 3) for line in told.stdout.splitlines())
    return [(int(row[0]), int(row[1]), row[2], row[-1]) for row in rows]
