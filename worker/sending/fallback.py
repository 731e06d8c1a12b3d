"""Records answers the ledger would not take: kept on disk first, then offered again until it takes them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from worker.broker.watchdog import heard
from worker.errors import LedgerAway
from worker.ledger.spool import spool
from worker.rules.values import Moved, Sent
from worker.sending.loop import process_loop
from worker.sending.turns import store

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


def record_late(sent: list[Sent], error: Exception, arrived: Callable[[], list[Sent]]) -> list[Moved]:
    """Keep the answers' ids on disk, then record them; `error` is what the first try raised.

    What has `arrived` meanwhile is kept and recorded with them. A worker that is told to stop leaves them to the
    spool, which is replayed at the next start.
    """
    spool().keep(sent)
    kept = 1
    wait = FIRST_WAIT_SECONDS
    while isinstance(error, LedgerAway):
        log.warning("%d answers wait for the ledger: %s", len(sent), error)
        if not _waited(wait):
            return []
        wait = min(LONGEST_WAIT_SECONDS, wait * 2)
        if more := arrived():
            spool().keep(more)
            kept += 1
            sent += more
        try:
            moved = store().record(sent)
        except Exception as again:
            error = again
            continue
        spool().recorded(kept)
        return moved
    return _one_by_one(sent, error, kept)


def _waited(seconds: float) -> bool:
    """Wait for the ledger; tell whether there is still time, or the worker was told to stop."""
    if process_loop().stopping:
        return False
    time.sleep(seconds)
    heard()
    return not process_loop().stopping


def _one_by_one(sent: Sequence[Sent], error: Exception, kept: int) -> list[Moved]:
    """Record each answer by itself, so that one the database refuses does not hold up the others."""
    log.error("%s while recording %d answers; each is tried by itself", type(error).__name__, len(sent))
    moved: list[Moved] = []
    for one in sent:
        try:
            moved += store().record([one])
        except Exception as again:
            log.error("%s cannot be recorded (%s); its ids are in the spool", one.claim.order_id, type(again).__name__)
    if len(moved) == len(sent):
        spool().recorded(kept)
    return moved
