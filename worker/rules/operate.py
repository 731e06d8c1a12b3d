"""Which commands a person may give for an order, and what follows from its state and from what may exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from worker.errors import NotAllowed
from worker.rules.codes import CODES, Code, typed
from worker.rules.decision import CLOCKS_DIFFER_SECONDS, CONFIRM_FLOOR_SECONDS, Decision, Pause
from worker.rules.reconcile import Ability
from worker.rules.states import Event, State


class Operable(Protocol):
    """What of an order decides which commands are allowed."""

    @property
    def order_id(self) -> str:
        """The order."""

    @property
    def state(self) -> str:
        """Where it stands."""

    @property
    def in_doubt(self) -> bool:
        """Whether a send of it may have been executed without our knowing."""

    @property
    def first_sent_at(self) -> float | None:
        """When it was first sent (unix seconds)."""

    @property
    def accepted_at(self) -> float | None:
        """When the marketplace took it (unix seconds)."""

    @property
    def code(self) -> str | None:
        """What was told of it last."""

    @property
    def reason(self) -> str | None:
        """The same in words."""

    @property
    def fix(self) -> str | None:
        """What to do about that."""

    @property
    def attention(self) -> bool:
        """Whether it waits for a person."""

    @property
    def closed_at(self) -> float | None:
        """When a person closed it (unix seconds)."""


def retry(order: Operable, now: float, ability: Ability | None = None) -> Decision:
    """Return what follows when a person lets an order go again. Raises NotAllowed.

    `ability`: what can be done at its marketplace; None where its account is not configured.
    """
    _check_open(order)
    match State(order.state):
        case State.REFUSED | State.DEAD | State.QUEUED:
            return Decision(Event.RETRY, 0.0, reason="retried by a person")
        case State.UNKNOWN if ability is not None and cannot_settle(order, ability, now):
            raise NotAllowed(_choice(order.order_id))
        case State.UNKNOWN:
            return reconcile(order)
        case State.PLACED:
            accepted_at = order.accepted_at or now
            if accepted_at > now + CLOCKS_DIFFER_SECONDS:
                accepted_at = now  # a clock that was wrong wrote it
            due = max(0.0, accepted_at + CONFIRM_FLOOR_SECONDS - now)
            return Decision(Event.RETRY, due, reason="read back because a person asked for it")
        case State.UNMATCHED:
            raise NotAllowed(
                f"{order.order_id} exists at the marketplace and is never sent again;"
                f" find its id, then: fulfil adopt {order.order_id} --reference ID"
            )
        case _:
            raise NotAllowed(f"{order.order_id} is {order.state}: there is nothing to retry")


def cannot_settle(order: Operable, ability: Ability, now: float) -> bool:
    """Tell whether an unknown order can neither be looked up nor sent again without risk: only a person knows."""
    if ability.can_look_up or order.code == Code.ACCOUNT_CHANGED:
        return False
    window, sent_at = ability.resend_window_seconds, order.first_sent_at
    return window is None or (sent_at is not None and now >= sent_at + window)


def _choice(order_id: str) -> str:
    one = typed(order_id)
    return (
        f"{order_id} may exist at the marketplace, and to send it again now could make a second order. Look there for"
        f" what fulfil why {one} names; it is there: fulfil adopt {one} --reference ID; it surely is not and will not"
        f" come: fulfil retry {one} --absent; you dealt with it elsewhere: fulfil close {one} --note TEXT"
    )


def absent(order: Operable, can_look_up: bool, alive: Sequence[str]) -> Decision:
    """Return what follows when a person says that an order does not exist at the marketplace. Raises NotAllowed.

    `alive`: processes that may still send it.
    """
    _check_open(order)
    if order.state != State.UNKNOWN:
        raise NotAllowed(
            f"{order.order_id} is {order.state}: only of an unknown order can you say that it does not exist"
        )
    if alive:
        raise NotAllowed(f"{order.order_id} {_STILL_SENT}")
    if can_look_up and order.code != Code.ACCOUNT_CHANGED:
        reason = "a person says that it does not exist at the marketplace; it is looked up once more"
        return Decision(Event.SNOOZE, 0.0, reason=reason)
    return Decision(Event.RETRY, 0.0, reason="made anew: a person says that it does not exist at the marketplace")


_STILL_SENT = (
    "may still be sent: a process that began to send it runs and has not reported;"
    " restart the workers, then repeat the command"
)


def close(order: Operable, note: str, alive: Sequence[str]) -> Decision:
    """Return what follows when a person has dealt with an order elsewhere. Raises NotAllowed.

    `note`: what was done. `alive`: processes that may still send it. What the marketplace says of it later is recorded
    all the same, and is then told as attention again.
    """
    _check_open(order)
    if alive:
        raise NotAllowed(f"{order.order_id} {_STILL_SENT}")
    match State(order.state):
        case State.QUEUED:
            raise NotAllowed(f"{order.order_id} is queued: to call it off: fulfil cancel {order.order_id}")
        case State.PLACING | State.CANCELLED:
            raise NotAllowed(f"{order.order_id} is {order.state}: there is nothing to close")
        case State.UNKNOWN | State.PLACED | State.CONFIRMED if not order.attention:
            raise NotAllowed(f"{order.order_id} is {order.state} and needs no person: there is nothing to close")
    return Decision(Event.CLOSE, code=order.code, reason=f"closed by a person: {note}")


def cancel(order: Operable) -> Decision:
    """Return what follows when a person calls an order off. Raises NotAllowed."""
    _check_open(order)
    if order.state not in (State.QUEUED, State.REFUSED, State.DEAD):
        raise NotAllowed(
            f"{order.order_id} is {order.state}: only queued, refused and dead orders can be cancelled here"
        )
    if order.in_doubt:
        raise NotAllowed(f"{order.order_id} may exist at the marketplace: wait until it is settled")
    return Decision(Event.CANCEL, reason="cancelled by a person")


class Amendable(Protocol):
    """What of an order decides whether its content may be changed."""

    @property
    def state(self) -> str:
        """Where it stands."""

    @property
    def in_doubt(self) -> bool:
        """Whether a send of it may have been executed without our knowing."""

    @property
    def closed_at(self) -> float | None:
        """When a person closed it (unix seconds)."""


def may_be_amended(order: Amendable) -> bool:
    """Tell whether an order surely does not exist at the marketplace, so that its content may be changed."""
    return order.state in AMENDABLE and not order.in_doubt and order.closed_at is None


AMENDABLE = (State.QUEUED, State.REFUSED, State.DEAD)


def amend(order: Operable, fields: Sequence[str]) -> Decision:
    """Return what follows when a person changes an order that surely does not exist. Raises NotAllowed.

    `fields`: what is changed, by name; their values are told nowhere.
    """
    _check_open(order)
    if order.state not in AMENDABLE:
        raise NotAllowed(
            f"{order.order_id} is {order.state}: only queued, refused and dead orders can be changed, for all others"
            " exist at the marketplace or may exist there"
        )
    if order.in_doubt:
        raise NotAllowed(f"{order.order_id} may exist at the marketplace: wait until it is settled")
    return Decision(Event.RETRY, 0.0, reason=f"changed by a person: {', '.join(fields) or 'submitted anew'}")


def reconcile(order: Operable) -> Decision:
    """Return what follows when a person wants an unknown order settled now. Raises NotAllowed."""
    _check_open(order)
    if order.state != State.UNKNOWN:
        raise NotAllowed(f"{order.order_id} is {order.state}: only unknown orders are reconciled")
    return Decision(Event.SNOOZE, 0.0, code=order.code, reason=order.reason or "to be settled", fix=order.fix)


def check_adoptable(order: Operable, may_replace: bool) -> None:
    """Raise NotAllowed where an order needs no id. `may_replace`: one it is placed under may give way to another."""
    _check_open(order)
    if order.state in (State.UNMATCHED, State.UNKNOWN) or (order.state == State.PLACED and may_replace):
        return
    raise NotAllowed(
        f"{order.order_id} is {order.state}: only unmatched and unknown orders are adopted, and placed ones whose"
        " id was adopted and never read back, or was read back as another order"
    )


def adopt(told_by: str, replaced: Sequence[str]) -> Decision:
    """Return what follows when a person tells an order's id. `replaced`: ids that this one takes the place of."""
    place = f"; it takes the place of {', '.join(replaced)}" if replaced else ""
    return Decision(Event.ACCEPT, CONFIRM_FLOOR_SECONDS, reason=f"its id came from {told_by}{place}")


def _check_open(order: Operable) -> None:
    if order.closed_at is not None:
        raise NotAllowed(f"{order.order_id} was closed by a person: nothing more is done about it")


def same_buyer() -> Decision:
    """Return what follows for an order whose account's present token is, a person says, of the buyer it had before."""
    reason = "a person says that its account's present token belongs to the same buyer"
    return Decision(Event.SNOOZE, 0.0, code=Code.ACCOUNT_CHANGED, reason=reason)


def paused(account: str, reason: str) -> Pause:
    """Return the pause of an account that a person pauses."""
    return Pause(None, Code.PAUSED, reason, (CODES[Code.PAUSED].fix or "").replace("ACCOUNT", account))
