"""How every program of ours runs: what it writes is its user's alone, and no crash leaves its memory on a disk."""

from __future__ import annotations

import ctypes
import getpass
import os
import resource
import sys
from pathlib import Path

PRIVATE_UMASK = 0o077
PRIVATE_FOLDER = 0o700
_PR_SET_DUMPABLE = 4


def harden() -> None:
    """Close this process and what it will write to the other users of the machine; called by programs, never on import.

    A process that is not dumpable writes no core file, also where cores are piped to a collector, and no other process
    of the same user reads its memory.
    """
    os.umask(PRIVATE_UMASK)
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def private_folder(path: Path) -> Path:
    """Make a folder and those above it that are missing, for our user alone; return it. Raises OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return path


def user() -> str | None:
    """Return the name of the user this process runs as; None where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
