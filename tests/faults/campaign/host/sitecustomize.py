"""Puts the clock of a program wrong by as much as the campaign says; Python runs it by its name before anything else.

`CAMPAIGN_CLOCK` is a file with the seconds, a double, which the campaign changes while the program runs. What asks the
operating system itself, such as the monotonic clock and `datetime`, stays right.
"""

from __future__ import annotations

import mmap
import os
import struct
import time

_true_time = time.time


def _bend(path: str) -> None:
    with open(path, "r+b") as file:
        told = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def wrong_time() -> float:
        off: float = struct.unpack_from("d", told)[0]
        return _true_time() + off

    time.time = wrong_time


if "CAMPAIGN_CLOCK" in os.environ:
    _bend(os.environ["CAMPAIGN_CLOCK"])
