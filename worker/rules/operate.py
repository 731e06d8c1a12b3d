"""Which commands a person may give for an order, and what follows from its state and from what may exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from worker.errors import NotAllowed
from worker.rules.codes import CODES, Code
from worker.rules.decision import CLOCKS_DIFFER_SECONDS, CONFIRM_FLOOR_SECONDS, Decision, Pause
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


def retry(order: Operable, now: float) -> Decision:
    """Return what follows when a person lets an order go again. Raises NotAllowed."""
    match State(order.state):
        case State.REFUSED | State.DEAD | State.QUEUED:
            return Decision(Event.RETRY, 0.0, reason="retried by a person")
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


def absent(order: Operable, can_look_up: bool, alive: Sequence[str]) -> Decision:
    """Return what follows when a person says that an order does not exist at the marketplace. Raises NotAllowed.

    `alive`: processes that may still send it.
    """
    if order.state != State.UNKNOWN:
        raise NotAllowed(
            f"{order.order_id} is {order.state}: only of an unknown order can you say that it does not exist"
        )
    if alive:
        raise NotAllowed(
            f"{order.order_id} may still be sent: a process that began to send it runs and has not reported;"
            " restart the workers, then repeat the command"
        )
    if can_look_up and order.code != Code.ACCOUNT_CHANGED:
        reason = "a person says that it does not exist at the marketplace; it is looked up once more"
        return Decision(Event.SNOOZE, 0.0, reason=reason)
    return Decision(Event.RETRY, 0.0, reason="made anew: a person says that it does not exist at the marketplace")


def cancel(order: Operable) -> Decision:
    """Return what follows when a person calls an order off. Raises NotAllowed."""
    if order.state not in (State.QUEUED, State.REFUSED, State.DEAD):
        raise NotAllowed(
            f"{order.order_id} is {order.state}: only queued, refused and dead orders can be cancelled here"
        )
    if order.in_doubt:
        raise NotAllowed(f"{order.order_id} may exist at the marketplace: wait until it is settled")
    return Decision(Event.CANCEL, reason="cancelled by a person")


def reconcile(order: Operable) -> Decision:
    """Return what follows when a person wants an unknown order settled now. Raises NotAllowed."""
    if order.state != State.UNKNOWN:
        raise NotAllowed(f"{order.order_id} is {order.state}: only unknown orders are reconciled")
    return Decision(Event.SNOOZE, 0.0, code=order.code, reason=order.reason or "to be settled", fix=order.fix)


def check_adoptable(order: Operable, may_replace: bool) -> None:
    """Raise NotAllowed where an order needs no id. `may_replace`: another id may replace the one it is placed under."""
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


def same_buyer() -> Decision:
    """Return what follows for an order whose account's present token is, a person says, of the buyer it had before."""
    reason = "a person says that its account's present token belongs to the same buyer"
    return Decision(Event.SNOOZE, 0.0, code=Code.ACCOUNT_CHANGED, reason=reason)


def paused(account: str, reason: str) -> Pause:
    """Return the pause of an account that a person pauses."""
    return Pause(None, Code.PAUSED, reason, (CODES[Code.PAUSED].fix or "").replace("ACCOUNT", account))
