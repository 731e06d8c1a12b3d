"""Says which host sent the message that a task works on, as far as the message tells it."""

from __future__ import annotations

import re
import socket
from typing import Any

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,18}")


def sending_host(task: Any) -> str:
    """Return the host a task's message names as its origin; empty where it names none, or this one.

    Celery's clients write `gen123@host`. Other producers may write anything, so only what can be a host's name counts.
    """
    origin = getattr(getattr(task, "request", None), "origin", None)
    _, at, host = origin.rpartition("@") if isinstance(origin, str) else ("", "", "")
    return host if at and _HOST.fullmatch(host) and host != socket.gethostname() else ""
