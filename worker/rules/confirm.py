"""What follows from reading a placed order back; waiting never uses up an attempt."""

from __future__ import annotations

import random

from worker.rules.codes import CODES, Code
from worker.rules.decision import Decision, Policy, Standing, declined
from worker.rules.outcomes import Absent, Declined, Found, NotSent, ReadOutcome, Unknown, told_of
from worker.rules.states import Event

READ_STEPS_SECONDS = (10, 20, 40, 80, 160)
"""Waits between order-gets of an order the marketplace does not show yet; then READ_LATER_SECONDS."""
READ_LATER_SECONDS = 900


def decide_read(outcome: ReadOutcome, order: Standing, policy: Policy, chance: random.Random | None = None) -> Decision:
    """Return what follows from reading a placed order back. Waiting never uses up an attempt."""
    match outcome:
        case Found(records=records, differs=differs):
            return Decision(Event.CONFIRM, **told_of([record.alert for record in records], differs))
        case Declined():
            return declined(outcome, order, policy, chance)
        case Absent():
            code, reason = outcome.code or Code.NOT_SHOWN_YET, outcome.cause
        case NotSent():
            code, reason = Code.NOT_SENT, outcome.cause
        case Unknown(code=code) if code == Code.FOREIGN_ORDER:
            return foreign_order(outcome.cause, order)
        case Unknown():
            code, reason = outcome.code or Code.UNREADABLE, outcome.cause
    if order.snoozes < len(READ_STEPS_SECONDS):
        return Decision(Event.SNOOZE, read_again_seconds(order), code=code, reason=reason)
    return Decision(
        Event.SNOOZE,
        READ_LATER_SECONDS,
        attention=True,
        code=code,
        reason=f"placed, but not readable yet: {reason}",
        fix=CODES[Code.UNREADABLE].fix,
    )


def read_again_seconds(order: Standing) -> float:
    """Return the wait until an order is read, or looked up, once more."""
    return float((*READ_STEPS_SECONDS, READ_LATER_SECONDS)[min(order.snoozes, len(READ_STEPS_SECONDS))])


def foreign_order(cause: str, order: Standing) -> Decision:
    """Return what follows when an order was read back as another one: a person is told at once, reading goes on."""
    code = Code.FOREIGN_ORDER
    wait = read_again_seconds(order)
    return Decision(Event.SNOOZE, wait, attention=True, code=code, reason=cause, fix=CODES[code].fix)
