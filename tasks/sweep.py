"""The sweep: every few seconds, whatever is due and stands still is rung for again."""

from __future__ import annotations

import time

import redis

from config.queues import CONFIRM_QUEUE, place_queue
from config.settings import settings
from tasks.match import pushes
from worker.accounts import adapter, rate
from worker.app import app
from worker.broker.bell import bell, message_size, worth_ringing
from worker.broker.embedded import connect
from worker.crashpoints import CrashPoint, reached
from worker.errors import RedisAway
from worker.ledger.engine import ledger
from worker.ledger.leases import busy_senders
from worker.ledger.queries import paused_accounts, standing_still, suspects
from worker.ledger.spool import spool
from worker.rules.states import State
from worker.sending.turns import graves, limits, store

RING_AGAIN_SECONDS = 15
"""An order that was rung for and did not move within this time, with its queue empty, is rung for again."""
READS_SECONDS = 0.5
RING_AGAIN_LATEST_SECONDS = 60
"""Reads are given this much longer for each message in their queue, and no longer than that in all."""
SENDS_SECONDS = 0.1
"""Sends are given what their account's rate takes for each message in its queue, and no less than this."""
OVERDUE_SECONDS = 2
"""Reads have a message of their own under way; only when that is late does the sweep step in."""
MOST_AT_ONCE = 5000
"""Orders that are worth a message at a time: some seconds of work."""


@app.task(name="orders.sweep", ignore_result=True)
def sweep() -> str:
    """Take back leases that ran out and ring for every order that is due; tell how many."""
    # First what dead processes had learned, then what their marks tell of the rest.
    kept = spool().replay(store())
    dead = graves().dead()
    lost = store().expire_leases(dead=dead)
    graves().clear(busy_senders(ledger(), dead), time.time())
    reached(CrashPoint.SWEEPING)
    try:
        placed = sum(_ring_places(account) for account in settings().accounts)
        read = _ring_reads(State.PLACED) + _ring_reads(State.UNKNOWN)
        if pushes().any_due():
            bell().match()
    except RedisAway as error:
        return f"{len(lost)} orders taken back; {error}"
    return f"{len(lost)} orders taken back, {kept} replayed, rang for {placed} to place and {read} to read"


def _ring_places(account: str) -> int:
    if account in paused_accounts(ledger()):
        return 0
    now, waiting = time.time(), _queue_length(place_queue(account))
    sends = limits().in_line(account, "place", rate(account), adapter(account).calls_to_place)
    room = min(MOST_AT_ONCE, worth_ringing(account) - waiting * message_size(account) - sends)
    if room <= 0:
        return 0
    # What waits in the queue is not lost: it gets the time it takes to come through, but no more. A busy account's
    # queue is never empty, and the orders of a message that was lost must not wait for the end of its backlog.
    each = max(SENDS_SECONDS, message_size(account) / rate(account).per_second)
    rung_before = now - RING_AGAIN_SECONDS - waiting * each
    ids = standing_still(ledger(), State.QUEUED, now, rung_before, room, account)
    bell().place(account, ids)
    if ids:
        store().mark_rung(ids, now)
    return len(ids) + ring_suspects(account, rung_before)


def ring_suspects(account: str, rung_before: float = 0.0) -> int:
    """Ring for orders whose last worker died, one by one; for those nobody was told of since `rung_before`."""
    now = time.time()
    suspect = suspects(ledger(), account, now, rung_before)
    for order_id in suspect:
        bell().place(account, [order_id])
    if suspect:
        store().mark_rung(suspect, now)
    return len(suspect)


def _ring_reads(state: State) -> int:
    now, waiting = time.time(), _queue_length(CONFIRM_QUEUE)
    late = OVERDUE_SECONDS if state is State.PLACED else 0
    rung_before = now - min(RING_AGAIN_LATEST_SECONDS, RING_AGAIN_SECONDS + waiting * READS_SECONDS)
    # Behind a long queue an order is late without its message being lost; a second one would only lengthen the queue.
    room = MOST_AT_ONCE - waiting * settings().chunk
    ids = standing_still(ledger(), state, now - late, rung_before, room) if room > 0 else []
    if ids:
        (bell().confirm if state is State.PLACED else bell().reconcile)(ids)
        store().mark_rung(ids, now)
    return len(ids)


def _queue_length(queue: str) -> int:
    try:
        return int(_client().llen(queue))
    except redis.RedisError as error:
        raise RedisAway(f"Redis does not answer ({type(error).__name__})") from None


_connection: redis.Redis | None = None


def _client() -> redis.Redis:
    global _connection
    if _connection is None:
        _connection = connect(settings())
    return _connection
