"""The webhooks a shop has at the sandbox's Shoplazza: messages go where pushes go, not there."""

from __future__ import annotations

import itertools
from typing import Any

from worker.sandbox.shoplazza_life import stamp


class Webhooks:
    """The webhooks of every shop, by its account."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}

    def of(self, account: str) -> list[dict[str, Any]]:
        """Return a shop's webhooks, the oldest first."""
        return [hook for (owner, _), hook in self._kept.items() if owner == account]

    def get(self, account: str, number: str) -> dict[str, Any] | None:
        """Return one of a shop's webhooks; None: it has no such one."""
        return self._kept.get((account, number))

    def make(self, account: str, topic: str, address: str, at: float) -> dict[str, Any]:
        """Make one; the same again makes another."""
        number = f"{10_000 + next(self._numbers)}"
        times = {"created_at": stamp(at), "updated_at": stamp(at)}
        self._kept[account, number] = {"id": number, "address": address, "topic": topic, "format": "json", **times}
        return self._kept[account, number]

    def delete(self, account: str, number: str) -> bool:
        """Delete one; False: there was none."""
        return self._kept.pop((account, number), None) is not None

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()
