"""Orders whose last worker died: rung for one by one, so that an order that kills its worker is found."""

from __future__ import annotations

import time

from worker.broker.bell import Bell
from worker.ledger.due import Due


class Suspects:
    """Rings for suspects, which `due` finds."""

    def __init__(self, due: Due, bell: Bell) -> None:
        self._due = due
        self._bell = bell

    def ring(self, account: str, rung_before: float = 0.0) -> int:
        """Ring for suspects that were last rung for before `rung_before`; return how many. Raises RedisAway."""
        now = time.time()
        found = self._due.suspects(account, now, rung_before)
        for order_id in found:
            self._bell.place(account, [order_id])
        if found:
            self._due.mark_rung(found, now)
        return len(found)
