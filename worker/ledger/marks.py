"""Send marks: before the first byte of a create leaves, its process notes on disk that it may have left.

A process that dies leaves its file of marks behind. Where its file holds no mark of a send, no byte of it left, and the
order may safely be sent again, whatever the marketplace. The file is locked for as long as the process lives, so
that a frozen process is never taken for a dead one. Marks are not forced to the disk: they survive the process, not
the machine; so they count only until the machine is started again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from worker.ledger import own_file

MARK_BYTES = 16
FIRST_SLOTS = 4096
"""Reserved on the disk at the start, so that a send can be noted when the disk is full."""
KEPT_SECONDS = 7 * 86400.0
"""How long the file of a dead process is kept: it tells that its process is dead, also of older sends."""
EMPTY_KEPT_SECONDS = 900.0
"""The same for a file without a mark; longer than any lease."""
_BOOT_BYTES = 64
_NONE = bytes(MARK_BYTES)


class Marks:
    """The marks of this process. `sender`: the name under which its attempts stand in the ledger."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._file: int | None = None
        self._slots: dict[bytes, int] = {}
        self._free: list[int] = []
        self.sender = secrets.token_hex(12)

    def open(self) -> None:
        """Make the file and reserve its room; called before the first send. Raises OSError, and leaves nothing then."""
        with self._guard:
            if self._file is not None:
                return
            self._file = own_file.make(self._folder / f"{self.sender}.marks", self._reserve)

    def _reserve(self, file: int) -> None:
        os.pwrite(file, boot().ljust(_BOOT_BYTES)[:_BOOT_BYTES].encode(), 0)
        self._grow(file, FIRST_SLOTS)

    def note(self, order_id: str, number: int) -> None:
        """Note that this attempt of an order may leave now. Raises OSError: then it must not leave."""
        mark = mark_of(order_id, number)
        with self._guard:
            if self._file is None:
                raise OSError("the file of send marks is not open")
            if mark in self._slots:
                return
            if not self._free:
                self._grow(self._file, len(self._slots))
            slot = self._free[-1]
            os.pwrite(self._file, mark, _BOOT_BYTES + slot * MARK_BYTES)
            self._slots[mark] = self._free.pop()

    def release(self, order_id: str, number: int) -> None:
        """Let the room of a mark be used again: the outcome of the attempt is in the ledger."""
        with self._guard:
            slot = self._slots.pop(mark_of(order_id, number), None)
            if slot is not None:
                self._free.append(slot)

    def _grow(self, file: int, slots: int) -> None:
        begin = len(self._slots) + len(self._free)
        os.pwrite(file, bytes(slots * MARK_BYTES), _BOOT_BYTES + begin * MARK_BYTES)
        self._free += range(begin + slots - 1, begin - 1, -1)


def mark_of(order_id: str, number: int) -> bytes:
    """Return what stands for one attempt of an order; it tells nothing of the order."""
    return hashlib.blake2b(f"{order_id}\0{number}".encode(), digest_size=MARK_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Dead:
    """A process that is gone, and the sends it had noted."""

    sender: str
    marks: frozenset[bytes]

    def noted(self, order_id: str, number: int) -> bool:
        """Tell whether it had noted that this attempt may leave."""
        return mark_of(order_id, number) in self.marks


class Graves:
    """The files of dead processes in a home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def dead(self) -> list[Dead]:
        """Return the processes of this machine's present run that are dead for certain."""
        return [dead for path in sorted(self._folder.glob("*.marks")) if (dead := _read(path)) is not None]

    def is_alive(self, sender: str) -> bool:
        """Tell whether a process of this home still lives, working or frozen."""
        return _is_locked(self._folder / f"{sender}.marks")

    def is_dead(self, sender: str) -> bool:
        """Tell whether a process is known to be dead: its file is here and nobody holds it."""
        return _read(self._folder / f"{sender}.marks") is not None

    def clear(self, busy: frozenset[str], now: float) -> None:
        """Remove the files nobody needs any more. `busy`: senders whose orders are not settled yet."""
        for dead in self.dead():
            path = self._folder / f"{dead.sender}.marks"
            kept = KEPT_SECONDS if dead.marks else EMPTY_KEPT_SECONDS
            if dead.sender not in busy and now - path.stat().st_mtime > kept:
                path.unlink(missing_ok=True)


def _read(path: Path) -> Dead | None:
    """Return what a dead process left; None where it lives, or the machine was started again since."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        data = path.read_bytes()
    except (BlockingIOError, FileNotFoundError):
        return None
    finally:
        os.close(file)
    here = boot()
    if not here or data[:_BOOT_BYTES].decode(errors="replace").strip() != here:
        return None
    return Dead(path.stem, frozenset(_marks(data)))


def _marks(data: bytes) -> Iterator[bytes]:
    for start in range(_BOOT_BYTES, len(data), MARK_BYTES):
        mark = data[start : start + MARK_BYTES]
        if mark != _NONE:
            yield mark


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


@cache
def boot() -> str:
    """Return the name of this machine's present run, empty where it has none; then no mark ever proves anything."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        pass
    try:
        told = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()
