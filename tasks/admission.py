"""Lets due orders through at their account's rate: books slots for as many as can go soon, puts the rest off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from config.queues import COUNTDOWN_LIMIT_SECONDS
from config.settings import settings
from worker.accounts import adapter, rate
from worker.embedded import connect
from worker.errors import UnknownAccount
from worker.ledger.engine import ledger
from worker.ledger.reports import due_by_account
from worker.ledger.states import State
from worker.ledger.store import EARLY_SECONDS, Store
from worker.limits import Limits
from worker.marketplaces.base import Marketplace
from worker.once import once
from worker.retry import Policy

MAX_WAIT_SECONDS = 1.0
"""A task waits no longer for a slot than this; what must wait longer is put off in the ledger."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Orders of one account that may go, each after its wait in seconds from `booked_at` (monotonic)."""

    marketplace: Marketplace
    waits: dict[str, float]
    booked_at: float


def admit(
    ids: Sequence[str], state: State, kind: str, ring: Callable[[str, Sequence[str], float], None]
) -> Iterator[Admitted]:
    """Yield what may go now, an account at a time; what may not is put off and rung for again.

    `kind`: `place` or `read`. Raises RedisAway: without limits nothing is called.
    """
    for account, due in due_by_account(ledger(), ids, state, time.time() + EARLY_SECONDS).items():
        try:
            marketplace = adapter(account)
        except UnknownAccount:
            continue  # `fulfil doctor` tells; the orders wait for the account to be configured again
        calls = marketplace.calls_to_place if kind == "place" else 1
        booked_at = time.monotonic()
        booking = limits().book(account, kind, rate(account), len(due), calls, MAX_WAIT_SECONDS)
        rest = due[len(booking.waits) :]
        if rest:
            # Back a moment early, to book ahead: otherwise every slot in between is lost.
            wait = max(0.1, booking.next_wait - MAX_WAIT_SECONDS / 2)
            store().put_off(rest, state, time.time() + wait)
            if wait <= COUNTDOWN_LIMIT_SECONDS:
                ring(account, rest, wait)
        if booking.waits:
            yield Admitted(marketplace, dict(zip(due, booking.waits, strict=False)), booked_at)


@once
def store() -> Store:
    """Return the process's store."""
    return Store(ledger())


@once
def limits() -> Limits:
    """Return the process's limits."""
    return Limits(connect(settings()))


@cache
def policy() -> Policy:
    """Return what the settings say about retries."""
    configured = settings()
    return Policy(
        max_attempts=configured.max_attempts,
        base_seconds=configured.retry_base_seconds,
        cap_seconds=configured.retry_cap_seconds,
        confirm_delay_seconds=configured.confirm_delay_seconds,
    )


def order_ids(message: Any) -> list[str]:
    """Return the order ids of a message that anybody may have forged: what is not an id is passed over."""
    if not isinstance(message, list | tuple):
        return []
    return list(dict.fromkeys(i for i in message[:1000] if isinstance(i, str) and 0 < len(i) <= 64))
