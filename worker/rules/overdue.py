"""When an order is overdue for no stated reason: due long ago, free to go, and nothing of its kind moves."""

from __future__ import annotations

from dataclasses import dataclass

from worker.rules.states import State

OVERDUE_SECONDS = 120.0
"""Longer than any wait the program puts in the way of an order that is due: rings, leases, reconnections."""

WAITING = (State.QUEUED, State.PLACED, State.UNKNOWN, State.PLACING)
"""States from which a worker takes an order; out of `placing` when the lease of the worker that had it ran out."""


@dataclass(frozen=True, slots=True)
class Line:
    """The orders of an account in one state that are due since `OVERDUE_SECONDS` and held by no lease."""

    account: str
    state: State
    held: bool
    """Its account is paused, so that there is a reason for them to wait."""
    moving: bool
    """Others of the same line were taken up since: these wait for their turn."""


def stands_still(line: Line) -> bool:
    """Tell whether the orders of a line are overdue for no stated reason, so that a person should know."""
    return line.state in WAITING and not line.held and not line.moving


def told_overdue(state: State) -> str:
    """Return the reason of an overdue order, in words."""
    seconds = f"{OVERDUE_SECONDS:.0f} s"
    if state is State.PLACING:
        return f"the worker that had it is gone for more than {seconds}, and no sweep took it back"
    return f"it is due since more than {seconds}, nothing holds it, and no worker takes it up"
