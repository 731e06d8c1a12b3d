"""Moments in words, the same wherever a person reads them."""

from __future__ import annotations

import time


def instant(at: float) -> str:
    """Return unix seconds as a date with its time in UTC, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def moment(at: float) -> str:
    """Return unix seconds as a date with its time in UTC, to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
