"""Admin tasks: a person's word, from the CLI, from Flower's API or from any Celery client; plain JSON arguments."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from config.settings import settings
from worker.accounts import ability, adapter, binding, unknown_account
from worker.app import app
from worker.broker.bell import bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import FulfilError, RedisAway, UnknownAccount
from worker.ledger.engine import ledger
from worker.ledger.operators import Operator
from worker.ledger.queries import account_of
from worker.rules.reconcile import Ability
from worker.rules.states import State
from worker.rules.values import Moved
from worker.rules.words import lines
from worker.sending.turns import graves

MOST_ORDERS = 1000


def retry(order_id: str, actor: str, absent: bool = False) -> Moved:
    """Let an order go again, settle it or read it back, whatever its state allows.

    `absent`: the person says that the order does not exist at the marketplace, so that it may be made anew.
    Raises NotAllowed, UnknownOrder.
    """
    if absent:
        can = _ability(order_id)
        moved = _operator(actor).absent(order_id, can is not None and can.can_look_up, graves().is_alive)
    else:
        moved = _operator(actor).retry(order_id)
    reached(CrashPoint.RETRYING)
    _ring(moved)
    return moved


def cancel(order_id: str, actor: str) -> Moved:
    """Call off an order that surely does not exist at the marketplace. Raises NotAllowed, UnknownOrder."""
    return _operator(actor).cancel(order_id)


def adopt(order_id: str, reference: str, actor: str) -> Moved:
    """Give an order the marketplace's id a person found. Raises NotAllowed, UnknownOrder."""
    moved = _operator(actor).adopt(order_id, reference)
    _ring(moved)
    return moved


def reconcile(order_id: str, actor: str) -> Moved:
    """Settle an unknown order now. Raises NotAllowed, UnknownOrder."""
    moved = _operator(actor).reconcile(order_id)
    _ring(moved)
    return moved


def pause(account: str, actor: str) -> str:
    """Hold an account's sends. Raises UnknownAccount."""
    _check(account)
    _operator(actor).pause(account)
    return f"{account} paused"


def resume(account: str, actor: str) -> str:
    """Let an account's orders go again. Raises UnknownAccount."""
    _check(account)
    return f"{account} resumed" if _operator(actor).resume(account) else f"{account} was not paused"


def same_buyer(account: str, actor: str) -> str:
    """Take a person's word that an account's new token is of the same buyer. Raises UnknownAccount, NotAllowed."""
    _check(account)
    since, moved = _operator(actor).same_buyer(binding(adapter(account)))
    _ring_for(moved)
    used = time.strftime("%Y-%m-%d", time.gmtime(since))
    return f"{account}: its present token counts as that of the buyer used since {used}; {len(moved)} orders go on"


@app.task(name="admin.retry")
def retry_task(*order_ids: str, actor: str = "flower", absent: bool = False) -> str:
    """Retry orders; tell a line each. `absent`: a person says that they do not exist at the marketplace."""
    return _each(order_ids, lambda order_id: retry(order_id, _actor(actor), absent is True))


@app.task(name="admin.cancel")
def cancel_task(*order_ids: str, actor: str = "flower") -> str:
    """Cancel orders; tell a line each."""
    return _each(order_ids, lambda order_id: cancel(order_id, _actor(actor)))


@app.task(name="admin.adopt")
def adopt_task(order_id: str, reference: str, actor: str = "flower") -> str:
    """Adopt a marketplace order for one of ours."""
    return _each([order_id], lambda one: adopt(one, str(reference), _actor(actor)))


@app.task(name="admin.reconcile")
def reconcile_task(*order_ids: str, actor: str = "flower") -> str:
    """Settle unknown orders; tell a line each."""
    return _each(order_ids, lambda order_id: reconcile(order_id, _actor(actor)))


@app.task(name="admin.pause")
def pause_task(account: str, actor: str = "flower") -> str:
    """Pause an account."""
    return _say(lambda: pause(account, _actor(actor)))


@app.task(name="admin.resume")
def resume_task(account: str, actor: str = "flower") -> str:
    """Resume an account."""
    return _say(lambda: resume(account, _actor(actor)))


def person() -> str:
    """Return who is at the keyboard, as events name them."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


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


def _operator(actor: str) -> Operator:
    return Operator(ledger(), actor)


def _check(account: str) -> None:
    if account not in settings().accounts:
        raise UnknownAccount(unknown_account(account, settings().accounts))


def _ability(order_id: str) -> Ability | None:
    account = account_of(ledger(), order_id)
    return ability(account) if account in settings().accounts else None


def _ring_for(moved: Sequence[Moved]) -> None:
    for one in moved:
        _ring(one)


def _ring(moved: Moved) -> None:
    """Ring at once where it is due at once; without Redis the sweep does it."""
    with suppress(RedisAway):
        if moved.state is State.QUEUED:
            bell().place(moved.account, [moved.order_id])
        elif moved.state is State.UNKNOWN:
            bell().reconcile([moved.order_id])
        elif moved.state is State.PLACED and moved.due_at is not None:
            bell().confirm_at([(moved.due_at, moved.order_id)])
