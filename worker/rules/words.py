"""What a task answers, and so what Flower shows: a line an order, of ids, codes and times only."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from worker.rules.outcomes import GOODS_DIFFER
from worker.rules.place import FOREIGN_ORDER
from worker.rules.states import State
from worker.rules.values import Moved

RESULT_CHARACTERS = 8000
"""How much of an answer Celery's events carry."""


def lines(moved: Iterable[Moved], *notes: str) -> str:
    """Return a line for each order, then the notes."""
    return "\n".join([*map(_line, moved), *notes]) or "nothing was due"


def _line(order: Moved) -> str:
    if order.state in (State.PLACED, State.CONFIRMED):
        waits = f" (not shown yet, again {clock(order.due_at)})" if order.code in _WAITS else ""
        wrong = _WRONG.get(order.code or "", "")
        return f"{order.order_id} {order.state} {' '.join(order.references)}{waits}{wrong}"
    if order.state is State.QUEUED:
        return f"{order.order_id} due {clock(order.due_at)} {_why(order)}"
    return f"{order.order_id} {order.state} {order.code or ''}".rstrip()


_WRONG = {FOREIGN_ORDER: " (another order: fulfil why)", GOODS_DIFFER: " (not what was ordered: fulfil why)"}
_WAITS = frozenset({"NOT_SHOWN_YET", "isv.insufficient-permission"})


def clock(at: float | None) -> str:
    """Return a time of day in UTC."""
    return "never" if at is None else time.strftime("%H:%M:%S", time.gmtime(at))


def _why(order: Moved) -> str:
    if order.declined is not None:
        return f"declined ({order.declined}) {order.code or ''}".rstrip()
    return order.code or "retry"


def where(error: BaseException) -> str:
    """Return an error's type and place; never its text, which may hold an order's content."""
    steps = traceback.extract_tb(error.__traceback__)
    return (
        f"{type(error).__name__} at {Path(steps[-1].filename).name}:{steps[-1].lineno}" if steps else repr(type(error))
    )
