"""Records answers the ledger would not take: kept on disk first, then offered again until it takes them."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from tasks.admission import store
from worker.canary import heard
from worker.errors import LedgerAway
from worker.ledger.journal import journal
from worker.ledger.rows import Moved, Sent
from worker.loop import process_loop

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0


def record_late(sent: Sequence[Sent], error: Exception) -> list[Moved]:
    """Keep the answers' ids on disk, then record them; `error` is what the first try raised.

    A worker that is told to stop leaves them to the journal, which is replayed at the next start.
    """
    journal().keep(sent)
    if not isinstance(error, LedgerAway):
        return _one_by_one(sent, error)
    wait = FIRST_WAIT_SECONDS
    while not process_loop().stopping:
        time.sleep(wait)
        wait = min(LONGEST_WAIT_SECONDS, wait * 2)
        heard()
        try:
            moved = store().record(sent)
        except LedgerAway as still:
            log.warning("%d answers wait for the ledger: %s", len(sent), still)
            continue
        except Exception as other:
            return _one_by_one(sent, other)
        journal().recorded()
        return moved
    return []


def _one_by_one(sent: Sequence[Sent], error: Exception) -> list[Moved]:
    """Record each answer by itself, so that one the database refuses does not hold up the others."""
    log.error("%s while recording %d answers; each is tried by itself", type(error).__name__, len(sent))
    moved: list[Moved] = []
    for one in sent:
        try:
            moved += store().record([one])
        except Exception as again:
            log.error(
                "%s cannot be recorded (%s); its ids are in the journal", one.claim.order_id, type(again).__name__
            )
    if len(moved) == len(sent):
        journal().recorded()
    return moved
