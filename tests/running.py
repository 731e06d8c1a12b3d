"""Processes for tests: the one way to start them, to stop them and to wait; who runs, and which port is free."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.05


def free_port() -> int:
    """Return a port of loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path | None = None,
    errors: Path | None = None,
    **more: Any,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that a Ctrl-C is for the test run only.

    Its input is closed and its output goes to `log`, or nowhere; what it complains of goes to `errors`, or there too.
    `more` is for `Popen`: pipes for a program the test talks to, another user to run as.
    """
    with contextlib.ExitStack() as stack:
        output = subprocess.DEVNULL if log is None else stack.enter_context(log.open("ab"))
        complaints = output if errors is None else stack.enter_context(errors.open("ab"))
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": complaints, **more}
        return subprocess.Popen(command, cwd=folder, env=dict(environment), start_new_session=True, **given)


def stop(processes: Mapping[str, subprocess.Popen[bytes]], seconds: float) -> list[str]:
    """Ask processes to end, those under SIGSTOP too, and wait up to `seconds` for all of them together.

    What does not end is killed; returns the names of those.
    """
    running = {name: process for name, process in processes.items() if process.poll() is None}
    for process in running.values():
        process.send_signal(signal.SIGCONT)
        process.terminate()
    end = time.monotonic() + seconds
    return [name for name, process in running.items() if not _ended(process, end)]


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process at once, as a crash would."""
    process.kill()
    process.wait()


def _ended(process: subprocess.Popen[bytes], end: float) -> bool:
    try:
        process.wait(max(0.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        kill(process)
        return False
    return True


def within(seconds: float, check: Callable[[], T | None], every: float = POLL_SECONDS) -> T | None:
    """Return what `check` returns once it is neither None nor False; None when that takes longer than `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            return None
        time.sleep(every)


def until(what: str, check: Callable[[], T | None], seconds: float, every: float = POLL_SECONDS) -> T:
    """Return what `check` returns once it is neither None nor False; fail when that takes longer than `seconds`."""
    found = within(seconds, check, every)
    if found is None:
        raise AssertionError(f"waited {seconds} s in vain for {what}")
    return found


def listening(port: int) -> bool:
    """Tell whether somebody listens on a port of loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


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
