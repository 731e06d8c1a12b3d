"""Where answers go that the ledger would not take: to disk first, then to the ledger again until it takes them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import Event as Flag

from worker.errors import FulfilError, LedgerAway, where
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.rules.values import Moved, Sent

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0
AGAIN_SECONDS = 5.0
"""How often answers the ledger refused are offered to it again: a trigger is mended, a column is added."""


class Fallback:
    """Records what a first try could not record, and keeps what the ledger refuses until it takes that too.

    `draining`: set when the worker is told to stop; it then leaves the answers to the spool, which is replayed at the
    next start. `alive` is called while it waits, for the ledger's absence is no defect of the worker.
    """

    def __init__(self, records: Records, spool: Spool, draining: Flag, alive: Callable[[], None]) -> None:
        self._records = records
        self._spool = spool
        self._draining = draining
        self._alive = alive
        self._owed: list[Sent] = []
        self._groups = 0
        self._again_at = 0.0

    @property
    def owed(self) -> set[tuple[str, int]]:
        """The attempts, by order and number, whose answers are not in the ledger yet."""
        return {_attempt(one) for one in self._owed}

    def seconds_left(self) -> float | None:
        """Return how long until the owed answers are to be offered again; None while there are none."""
        return max(0.0, self._again_at - time.monotonic()) if self._owed else None

    def record(self, sent: list[Sent], error: Exception, arrived: Callable[[], list[Sent]]) -> list[Moved]:
        """Keep the answers' ids on disk, then record them; `error` is what the first try raised.

        What has `arrived` meanwhile is kept and recorded with them. What the ledger refuses is owed to it afterwards.
        """
        self._spool.keep(sent)
        self._groups += 1
        wait = FIRST_WAIT_SECONDS
        while isinstance(error, LedgerAway):
            log.warning("%d answers wait for the ledger: %s", len(sent), error)
            if self._draining.wait(wait):
                self._owed += sent
                return []
            self._alive()
            wait = min(LONGEST_WAIT_SECONDS, wait * 2)
            if more := arrived():
                self._spool.keep(more)
                self._groups += 1
                sent += more
            try:
                moved = self._records.record(sent)
            except Exception as again:
                error = again
                continue
            self._settle([])
            return moved
        log.error("%s while recording %d answers; each is tried by itself", _said(error), len(sent))
        return self._each_by_itself(sent)

    def offer_again(self) -> tuple[list[Sent], list[Moved]]:
        """Offer the owed answers to the ledger once more; return those it took, and how their orders stand."""
        owed, self._owed = self._owed, []
        moved = self._each_by_itself(owed)
        left = self.owed
        return [one for one in owed if _attempt(one) not in left], moved

    def _each_by_itself(self, sent: Sequence[Sent]) -> list[Moved]:
        """Record each answer in a transaction of its own, so that one the database refuses delays no other."""
        moved: list[Moved] = []
        refused: list[Sent] = []
        for place, one in enumerate(sent):
            try:
                moved += self._records.record([one])
            except LedgerAway:  # then it is for the others too
                refused += sent[place:]
                break
            except Exception as again:
                log.error("the answer to %s is not in the ledger and is offered again: %s", _who(one), _said(again))
                refused.append(one)
        self._settle(refused)
        return moved

    def _settle(self, refused: Sequence[Sent]) -> None:
        """Note what is owed now; when nothing is, the spool begins anew."""
        self._owed += refused
        if self._owed:
            self._again_at = time.monotonic() + AGAIN_SECONDS
        else:
            self._spool.recorded(self._groups)
            self._groups = 0


def _attempt(one: Sent) -> tuple[str, int]:
    return one.claim.order_id, one.claim.number


def _who(one: Sent) -> str:
    return f"{one.claim.order_id}, attempt {one.claim.number},"


def _said(error: Exception) -> str:
    """Return what may be said of an error: our own words, or where it happened."""
    return str(error) if isinstance(error, FulfilError) else where(error)
