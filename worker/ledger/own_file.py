"""A file that one process writes while it lives: its lock tells the others that the process does."""

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
