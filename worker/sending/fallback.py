"""Where answers go that the ledger would not take: to disk first, then to the ledger again until it takes them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event as Flag

from worker.errors import LedgerAway
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.rules.values import Moved, Sent

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


class Fallback:
    """Records what a first try could not record.

    `draining`: set when the worker is told to stop; it then leaves the answers to the spool, which is replayed at the
    next start. `alive` is called while it waits, for the ledger's absence is no defect of the worker.
    """

    def __init__(self, records: Records, spool: Spool, draining: Flag, alive: Callable[[], None]) -> None:
        self._records = records
        self._spool = spool
        self._draining = draining
        self._alive = alive

    def record(self, sent: list[Sent], error: Exception, arrived: Callable[[], list[Sent]]) -> list[Moved]:
        """Keep the answers' ids on disk, then record them; `error` is what the first try raised.

        What has `arrived` meanwhile is kept and recorded with them.
        """
        self._spool.keep(sent)
        kept = 1
        wait = FIRST_WAIT_SECONDS
        while isinstance(error, LedgerAway):
            log.warning("%d answers wait for the ledger: %s", len(sent), error)
            if self._draining.wait(wait):
                return []
            self._alive()
            wait = min(LONGEST_WAIT_SECONDS, wait * 2)
            if more := arrived():
                self._spool.keep(more)
                kept += 1
                sent += more
            try:
                moved = self._records.record(sent)
            except Exception as again:
                error = again
                continue
            self._spool.recorded(kept)
            return moved
        return self._each_by_itself(sent, error, kept)

    def _each_by_itself(self, sent: Sequence[Sent], error: Exception, kept: int) -> list[Moved]:
        """Record each answer in a transaction of its own, so that one the database refuses delays no other."""
        log.error("%s while recording %d answers; each is tried by itself", type(error).__name__, len(sent))
        moved: list[Moved] = []
        for one in sent:
            try:
                moved += self._records.record([one])
            except Exception as again:
                order_id = one.claim.order_id
                log.error("%s cannot be recorded (%s); its ids are in the spool", order_id, type(again).__name__)
        if len(moved) == len(sent):
            self._spool.recorded(kept)
        return moved
