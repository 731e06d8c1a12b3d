"""Admin tasks: a person's commands, from Flower's API or from any Celery client; plain JSON arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from worker.app import app
from worker.errors import FulfilError
from worker.ledger.selection import Filter
from worker.parts import parts
from worker.rules.acts import ActKind
from worker.rules.words import act_line, left_out_lines, lines

AT_ONCE = 100
"""Orders that are told a line each; more are done as an act, and told as one."""


@app.task(name="admin.retry")
def retry_task(*order_ids: str, actor: str = "flower", absent: bool = False) -> str:
    """Retry orders; return a line for each. `absent`: a person says that they do not exist at the marketplace."""
    return _each(ActKind.ABSENT if absent is True else ActKind.RETRY, order_ids, actor)


@app.task(name="admin.cancel")
def cancel_task(*order_ids: str, actor: str = "flower") -> str:
    """Cancel orders; return a line for each."""
    return _each(ActKind.CANCEL, order_ids, actor)


@app.task(name="admin.reconcile")
def reconcile_task(*order_ids: str, actor: str = "flower") -> str:
    """Settle unknown orders; return a line for each."""
    return _each(ActKind.RECONCILE, order_ids, actor)


@app.task(name="admin.close")
def close_task(*order_ids: str, note: str, actor: str = "flower") -> str:
    """Close orders a person has dealt with elsewhere; return a line for each. `note`: what was done."""
    return _each(ActKind.CLOSE, order_ids, actor, note)


@app.task(name="admin.act")
def act_task(act_id: str) -> str:
    """Do an act, or go on with one; tell how far it is."""
    return _say(lambda: act_line(parts().operations.begin(act_id)))


@app.task(name="admin.adopt")
def adopt_task(order_id: str, reference: str, actor: str = "flower") -> str:
    """Adopt a marketplace order for one of ours."""
    return _say(lambda: lines([parts().operations.adopt(str(order_id), str(reference), _actor(actor))]))


@app.task(name="admin.pause")
def pause_task(account: str, actor: str = "flower") -> str:
    """Pause an account."""
    return _say(lambda: parts().operations.pause(account, _actor(actor)))


@app.task(name="admin.resume")
def resume_task(account: str, actor: str = "flower") -> str:
    """Resume an account."""
    return _say(lambda: parts().operations.resume(account, _actor(actor)))


def _each(kind: ActKind, order_ids: Sequence[Any], actor: str, note: str = "") -> str:
    # Flower's form sends one list where a person means several arguments.
    if len(order_ids) == 1 and isinstance(order_ids[0], list):
        order_ids = order_ids[0]
    named = list(dict.fromkeys(map(str, order_ids)))
    if len(named) > AT_ONCE:
        return _act(kind, named, _actor(actor), note)
    moved, refused = [], []
    for order_id in named:
        try:
            moved.append(parts().operations.do(kind, order_id, _actor(actor), note))
        except FulfilError as error:
            refused.append(str(error))
    return lines(moved, *refused)


def _act(kind: ActKind, order_ids: Sequence[str], actor: str, note: str) -> str:
    known, missing = parts().queries.known(order_ids)
    planned = parts().operations.plan(kind, Filter(ids=tuple(known)), actor, note or None)
    done = parts().operations.begin(planned.act.act_id)
    return "\n".join([act_line(done), *left_out_lines(parts().acts.left_out(done.act_id)), *missing.values()])


def _say(do: Callable[[], str]) -> str:
    try:
        return do()
    except FulfilError as error:
        return str(error)


def _actor(name: str) -> str:
    return f"task:{name}"[:60]
