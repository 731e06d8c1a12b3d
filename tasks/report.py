"""What a task answers, and so what Flower shows: a line an order, of ids, codes and times only."""

from __future__ import annotations

import time
from collections.abc import Iterable

from worker.ledger.rows import Moved
from worker.ledger.states import State

RESULT_CHARACTERS = 8000
"""How much of an answer Celery's events carry."""


def lines(moved: Iterable[Moved], *notes: str) -> str:
    """Return a line for each order, then the notes."""
    return "\n".join([*map(_line, moved), *notes]) or "nothing was due"


def _line(order: Moved) -> str:
    if order.state in (State.PLACED, State.CONFIRMED):
        waits = f" (not shown yet, again {_clock(order.due_at)})" if order.code in _WAITS else ""
        return f"{order.order_id} {order.state} {' '.join(order.references)}{waits}"
    if order.state is State.QUEUED:
        return f"{order.order_id} due {_clock(order.due_at)} {_why(order.code)}"
    return f"{order.order_id} {order.state} {order.code or ''}".rstrip()


_WAITS = frozenset({"NOT_SHOWN_YET", "isv.insufficient-permission"})


def _clock(at: float | None) -> str:
    return "never" if at is None else time.strftime("%H:%M:%S", time.gmtime(at))


def _why(code: str | None) -> str:
    return "throttled" if code and "limit" in code.lower() else (code or "retry")
