"""Where the rows of each order stand in a sheet, kept small: known for all orders before the first one is given."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import NamedTuple

from worker.orders import alike, ids

_PARTS = 256
"""So many small lists instead of one: each can be sorted without a copy of the whole."""
_NAMED = 5
"""Lines a sentence names at most."""


class Run(NamedTuple):
    """Rows of one order that stand together. `usable`: their order_id can be one as it is written."""

    line: int
    usable: bool


class Places:
    """The line each run of rows begins on, under its order_id: 16 bytes a run, whatever the id.

    An id that cannot be used is kept under the one it looks like: its rows may be meant for that order.
    """

    def __init__(self) -> None:
        self._keys = [array("Q") for _ in range(_PARTS)]
        self._runs = [array("Q") for _ in range(_PARTS)]
        self.end = 0
        """The last line of the sheet; set when all is noted."""

    def note(self, written: str, line: int) -> None:
        """Keep where a run begins."""
        known = ids.usable(written)
        part, key = _place(known or alike.likeness(written))
        self._keys[part].append(key)
        self._runs[part].append(line << 1 | (known is not None))

    def close(self, end: int) -> None:
        """Make all that was noted ready to be asked for; `end` is the sheet's last line."""
        self.end = end
        for part, (keys, runs) in enumerate(zip(self._keys, self._runs, strict=True)):
            pairs = sorted(zip(keys, runs, strict=True))
            self._keys[part] = array("Q", (key for key, _ in pairs))
            self._runs[part] = array("Q", (run for _, run in pairs))

    def of(self, order_id: str) -> list[Run]:
        """Return the runs of a usable order_id and of what looks like it, the first one first."""
        part, key = _place(order_id)
        keys, runs = self._keys[part], self._runs[part]
        found = []
        for index in range(bisect_left(keys, key), len(keys)):
            if keys[index] != key:
                break
            found.append(Run(runs[index] >> 1, bool(runs[index] & 1)))
        return found


def apart(runs: list[Run]) -> str:
    """Return in words why rows that stand in several places are no order."""
    lines = [str(run.line) for run in runs]
    if len(lines) > _NAMED + 1:
        lines[_NAMED:] = [f"{len(lines) - _NAMED} more"]
    where = f"lines {', '.join(lines[:-1])} and {lines[-1]}"
    if all(run.usable for run in runs):
        return f"its rows lie apart, on {where}: put all rows of an order one after the other"
    return f"the order_ids on {where} look the same: write one order's id in one way"


def _place(order_id: str) -> tuple[int, int]:
    key = hash(order_id) & 0xFFFF_FFFF_FFFF_FFFF
    return key % _PARTS, key
