"""Admin tasks: a person's commands, from Flower's API or from any Celery client; plain JSON arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.app import app
from worker.broker.senders import sending_host
from worker.errors import FulfilError, UnknownOrder, UnusableId
from worker.ledger.selection import Filter
from worker.parts import parts
from worker.rules.acts import ActKind
from worker.rules.plain import plain
from worker.rules.values import Moved
from worker.rules.words import act_line, left_out_lines, lines

AT_ONCE = 100
"""Orders that are told a line each; more are done as an act, and told as one."""
_PLAIN_ID = re.compile("[A-Za-z0-9][A-Za-z0-9._#/-]{0,63}")
"""An unknown id is repeated only where it looks like one and nothing else: an answer stays in Flower and the logs."""
_ACCOUNT = re.compile("[a-z0-9][a-z0-9_-]{0,31}")


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
def act_task(act_id: str, actor: str = "flower") -> str:
    """Do an act, or go on with one; tell how far it is. `actor`: who lets it begin."""
    return _say(lambda: act_line(parts().operations.begin(act_id, _actor(actor))))


@app.task(name="admin.adopt")
def adopt_task(order_id: str, reference: str, actor: str = "flower") -> str:
    """Adopt a marketplace order for one of ours: its id is read first, and taken only where that shows the order."""

    def adopt(one: str) -> Moved:
        return parts().operations.adopt(one, _text(reference, "reference"), _actor(actor)).moved

    return _told([order_id], adopt)


@app.task(name="admin.pause")
def pause_task(account: str, actor: str = "flower", note: str = "") -> str:
    """Pause an account."""
    return _say(lambda: parts().operations.pause(_account(account), _actor(actor), str(note)))


@app.task(name="admin.resume")
def resume_task(account: str, actor: str = "flower", note: str = "") -> str:
    """Resume an account."""
    return _say(lambda: parts().operations.resume(_account(account), _actor(actor), str(note)))


def _each(kind: ActKind, order_ids: Sequence[Any], actor: str, note: str = "") -> str:
    # Flower's form sends one list where a person means several arguments.
    if len(order_ids) == 1 and isinstance(order_ids[0], list):
        order_ids = order_ids[0]
    if len(order_ids) > AT_ONCE:
        return _act(kind, order_ids, _actor(actor), note)
    return _told(order_ids, lambda order_id: parts().operations.do(kind, order_id, _actor(actor), note))


def _told(order_ids: Sequence[Any], do: Callable[[str], Moved]) -> str:
    """Do something to orders one by one; return a line for each."""
    moved, refused = [], []
    for place, order_id in enumerate(order_ids, 1):
        try:
            moved.append(do(_text(order_id, "order_id")))
        except UnknownOrder as error:
            refused.append(str(error) if _PLAIN_ID.fullmatch(str(order_id)) else f"no such order (argument {place})")
        except FulfilError as error:
            refused.append(str(error))
    return lines(moved, *refused)


def _act(kind: ActKind, order_ids: Sequence[Any], actor: str, note: str) -> str:
    known, missing = parts().queries.known(str(order_id) for order_id in order_ids)
    act_id = parts().operations.freeze(kind, Filter(ids=tuple(known)), actor, note or None)
    done = parts().operations.begin(act_id)
    return "\n".join([act_line(done), *left_out_lines(parts().acts.left_out(done.act_id)), *_not_known(missing)])


def _not_known(missing: Mapping[str, str]) -> list[str]:
    """Return what is said of ids the ledger does not hold, without those that look like no id."""
    plain_ones = [said for order_id, said in missing.items() if _PLAIN_ID.fullmatch(order_id)]
    rest = len(missing) - len(plain_ones)
    return plain_ones + ([f"no such order: {rest} more arguments"] if rest else [])


def _text(value: Any, field: str) -> str:
    """Return an id that was told as text or as a whole number. Raises UnusableId, which repeats nothing of it."""
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise UnusableId(field, "must be a text")


def _account(value: Any) -> str:
    """Return an account's name. Raises UnusableId, which repeats nothing of what cannot be one."""
    if isinstance(value, str) and _ACCOUNT.fullmatch(value):
        return value
    raise UnusableId("account", "no such account; names are lower-case letters, digits, - and _")


def _say(do: Callable[[], str]) -> str:
    try:
        return do()
    except FulfilError as error:
        return str(error)


def _actor(name: str) -> str:
    """Return who sent the message at hand, as events name them: the name it tells, and its host if that is another.

    Flower sends no name of its user, so the name is `flower` where the message tells none.
    """
    host = sending_host(app.current_task)
    told = f"task:{name}" if isinstance(name, str) else "task"
    return plain(f"{told[:40]}@{host}" if host else told)[:60]
