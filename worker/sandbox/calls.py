"""Counts the calls a fake gets, and the most of a kind within one second: the witness of a client's quota."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Kind:
    total: int = 0
    second: int = 0
    in_second: int = 0
    most: int = 0


class CallCount:
    """Calls by their kind. Seconds are whole seconds of the machine's clock."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}

    def came(self, kind: str, at: float) -> int:
        """Count one call at `at` (unix seconds); return how many of its kind came within that second, with it."""
        counted = self._kinds.setdefault(kind, _Kind())
        second = int(at)
        counted.in_second = counted.in_second + 1 if counted.second == second else 1
        counted.second = second
        counted.total += 1
        counted.most = max(counted.most, counted.in_second)
        return counted.in_second

    def clear(self) -> None:
        """Begin anew."""
        self._kinds.clear()

    def public(self) -> dict[str, dict[str, int]]:
        """Return what `GET /_sandbox/calls` shows of this fake."""
        return {name: {"calls": kind.total, "most_in_a_second": kind.most} for name, kind in self._kinds.items()}
