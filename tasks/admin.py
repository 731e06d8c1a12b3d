"""Admin tasks: a person's commands, from Flower's API or from any Celery client; plain JSON arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from worker.app import app
from worker.errors import FulfilError
from worker.parts import parts
from worker.rules.values import Moved
from worker.rules.words import lines

MOST_ORDERS = 1000


@app.task(name="admin.retry")
def retry_task(*order_ids: str, actor: str = "flower", absent: bool = False) -> str:
    """Retry orders; return a line for each. `absent`: a person says that they do not exist at the marketplace."""
    return _each(order_ids, lambda order_id: parts().operations.retry(order_id, _actor(actor), absent is True))


@app.task(name="admin.cancel")
def cancel_task(*order_ids: str, actor: str = "flower") -> str:
    """Cancel orders; return a line for each."""
    return _each(order_ids, lambda order_id: parts().operations.cancel(order_id, _actor(actor)))


@app.task(name="admin.adopt")
def adopt_task(order_id: str, reference: str, actor: str = "flower") -> str:
    """Adopt a marketplace order for one of ours."""
    return _each([order_id], lambda given: parts().operations.adopt(given, str(reference), _actor(actor)))


@app.task(name="admin.reconcile")
def reconcile_task(*order_ids: str, actor: str = "flower") -> str:
    """Settle unknown orders; return a line for each."""
    return _each(order_ids, lambda order_id: parts().operations.reconcile(order_id, _actor(actor)))


@app.task(name="admin.pause")
def pause_task(account: str, actor: str = "flower") -> str:
    """Pause an account."""
    return _say(lambda: parts().operations.pause(account, _actor(actor)))


@app.task(name="admin.resume")
def resume_task(account: str, actor: str = "flower") -> str:
    """Resume an account."""
    return _say(lambda: parts().operations.resume(account, _actor(actor)))


def _each(order_ids: Sequence[str], do: Callable[[str], Moved]) -> str:
    # Flower's form sends one list where a person means several arguments.
    if len(order_ids) == 1 and isinstance(order_ids[0], list):
        order_ids = order_ids[0]
    moved, refused = [], []
    for order_id in order_ids[:MOST_ORDERS]:
        try:
            moved.append(do(str(order_id)))
        except FulfilError as error:
            refused.append(str(error))
    return lines(moved, *refused)


def _say(do: Callable[[], str]) -> str:
    try:
        return do()
    except FulfilError as error:
        return str(error)


def _actor(name: str) -> str:
    return f"task:{name}"[:60]
