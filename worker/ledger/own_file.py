"""Files whose lock tells other processes that the one that made it lives, or one that it gave the file to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from config.process import private_folder


def make(path: Path, prepare: Callable[[int], None]) -> int:
    """Make a file of this process, locked and prepared, and return its descriptor.

    Raises OSError, and leaves nothing then. It has another name until it is locked: whoever looks for the files of dead
    processes would take it for one.
    """
    private_folder(path.parent)
    fresh = path.with_suffix(".new")
    file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        prepare(file)
        fresh.rename(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        os.close(file)
        raise
    return file


def hold(path: Path) -> int:
    """Lock a file and empty it; return its descriptor, which holds the lock for as long as any process has it open.

    Raises BlockingIOError where somebody else holds it: what they wrote there stands in the file. Raises OSError.
    """
    private_folder(path.parent)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
    except OSError:
        os.close(file)
        raise
    return file
