"""What a process has one of: made at the first call, and once, even when several threads make that call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import TypeVar

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Return `make`, its first result kept.

    `functools.cache` alone lets two threads make two. A second loop beside the first one breaks requests that are
    under way: a worker that starts with a backlog has eight threads asking at the same moment.
    """
    lock, kept = threading.Lock(), cache(make)

    @wraps(make)
    def get() -> T:
        with lock:
            return kept()

    return get
