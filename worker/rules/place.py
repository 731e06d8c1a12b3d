"""What follows from a send, and from one whose worker did not come back."""

from __future__ import annotations

import random
from dataclasses import replace
from enum import StrEnum
from typing import Protocol

from worker.rules.codes import ADOPT_OR_ABSENT, ASK_WHAT, CODES, FIND_AND_ADOPT, Code
from worker.rules.decision import (
    CAPPED_STEP,
    CONFIRM_FLOOR_SECONDS,
    Decision,
    Pause,
    Policy,
    Standing,
    backoff,
    declined,
)
from worker.rules.outcomes import Accepted, Declined, NotSent, PlaceOutcome, Refused, Unknown
from worker.rules.states import Event

RETRYABLE_REFUSALS = 3
"""How often a refusal that may pass (stock hold, system error) is tried again before it is believed."""
CRASHES_BEFORE_QUARANTINE = 3
UNKNOWNS_BEFORE_ATTENTION = 5
"""After as many unknowns in a row, each an answer of the marketplace's own, a person is told and the waits are long."""
RECONCILE_SECONDS = 5
"""First wait before an unknown order is settled; grows with each unknown in a row."""


def decide(outcome: PlaceOutcome, order: Standing, policy: Policy, chance: random.Random | None = None) -> Decision:
    """Return what follows from one send. Pure: `chance` is the only source of randomness."""
    match outcome:
        case Accepted():
            return _accepted(outcome, policy)
        case Refused():
            return _refused(outcome, order, policy, chance)
        case Declined():
            return declined(outcome, order, policy, chance)
        case NotSent():
            return _not_sent(outcome, order, policy, chance)
        case Unknown(references=references) if references:
            return Decision(Event.ACCEPT, policy.confirm_delay_seconds, code=outcome.code, reason=outcome.cause)
        case Unknown():
            return _lost(outcome, order, policy, chance)


def _lost(outcome: Unknown, order: Standing, policy: Policy, chance: random.Random | None) -> Decision:
    """Settle it before anything else; where the marketplace keeps answering so, slowly, and with a person told."""
    told = outcome.is_answer and order.snoozes >= UNKNOWNS_BEFORE_ATTENTION
    wait = RECONCILE_SECONDS + backoff(CAPPED_STEP if told else order.snoozes + 1, policy, chance)
    fix = f"{ASK_WHAT}; settling it goes on by itself" if told else None
    return Decision(Event.LOSE, wait, attention=told, code=outcome.code, reason=outcome.cause, fix=fix)


def _accepted(outcome: Accepted, policy: Policy) -> Decision:
    if outcome.references:
        # What it says of the goods waits for the read-back, which is due in a moment; the order keeps it until then.
        fix = outcome.differs.fix if outcome.differs else None
        return Decision(Event.ACCEPT, policy.confirm_delay_seconds, code=outcome.code, reason=outcome.reason, fix=fix)
    return Decision(
        Event.ACCEPT_BLIND,
        attention=True,
        code=outcome.code,
        reason=outcome.reason or "the marketplace has this order but did not say under which id",
        fix=FIND_AND_ADOPT,
    )


def told_foreign_id(reference: str, owner: str) -> Decision:
    """Return what follows when an answer told the id of another order of ours: its own id is not known."""
    reason = f"the marketplace answered with the id {reference}, which belongs to {owner}"
    return Decision(Event.ACCEPT_BLIND, attention=True, code=Code.FOREIGN_ID, reason=reason, fix=FIND_AND_ADOPT)


def _refused(outcome: Refused, order: Standing, policy: Policy, chance: random.Random | None) -> Decision:
    pause = Pause(None, outcome.code, outcome.reason, outcome.fix) if outcome.stops_account else None
    if outcome.retryable and order.spent <= RETRYABLE_REFUSALS:
        wait = backoff(order.spent + 2, policy, chance)
        return Decision(Event.RETRY, wait, code=outcome.code, reason=outcome.reason, fix=outcome.fix)
    if order.in_doubt and not outcome.from_body:
        return Decision(
            Event.PARK,
            attention=True,
            code=outcome.code,
            reason=f"refused ({outcome.reason}), but an earlier send of this order may have been accepted",
            fix=ADOPT_OR_ABSENT,
            pause=pause,
        )
    return Decision(
        Event.REFUSE,
        attention=True,
        code=outcome.code,
        reason=outcome.reason,
        fix=outcome.fix,
        pause=pause,
    )


def _not_sent(outcome: NotSent, order: Standing, policy: Policy, chance: random.Random | None) -> Decision:
    if not outcome.counted:
        return Decision(Event.SNOOZE, 0.0, code=Code.NOT_SENT, reason=outcome.cause)
    if order.spent < policy.max_attempts:
        wait = backoff(order.spent, policy, chance)
        return Decision(Event.RETRY, wait, code=Code.NOT_SENT, reason=outcome.cause)
    if order.in_doubt:
        return Decision(
            Event.PARK,
            attention=True,
            code=Code.NOT_SENT,
            reason=f"the marketplace cannot be reached ({outcome.cause}) and an earlier send may have been accepted",
            fix="when it answers again: fulfil retry ORDER",
        )
    return Decision(
        Event.EXHAUST,
        attention=True,
        code=Code.NOT_SENT,
        reason=f"never arrived in {order.spent} attempts: {outcome.cause}",
        fix=CODES[Code.NOT_SENT].fix,
    )


def late_answer(decision: Decision) -> Decision:
    """Return what follows when the answer of an earlier claim told the ids of an order that waits for them.

    `decision`: what the answer itself led to. One that was blind, lost or refused schedules no read-back; this order
    needs one.
    """
    due = decision.due_in_seconds if decision.event is Event.ACCEPT else CONFIRM_FLOOR_SECONDS
    if decision.code == Code.GOODS_DIFFER:
        return replace(decision, due_in_seconds=due)
    return Decision(Event.ACCEPT, due, reason="the reply of an earlier send came late and told the ids")


def came_back(outcome: NotSent) -> Decision:
    """Return what follows when a worker that was taken for lost tells that the request never left."""
    return Decision(Event.RETRY, 0.0, code=Code.NOT_SENT, reason=f"its worker came back: {outcome.cause}")


class Leased(Protocol):
    """What the last moment of a send depends on; unix seconds."""

    @property
    def lease_until(self) -> float:
        """When the claim ends."""

    @property
    def first_sent_at(self) -> float:
        """The first send of this order."""


def may_send_until(claim: Leased, answer_seconds: float, window_seconds: float | None) -> float:
    """Return until when (unix seconds) a request of this claim may leave, so that its answer comes within the lease."""
    lease_ends = claim.lease_until - answer_seconds
    return lease_ends if window_seconds is None else min(lease_ends, claim.first_sent_at + window_seconds)


class Fate(StrEnum):
    """What the disk of a sender's host tells of a request whose sender did not come back."""

    NEVER_LEFT = "never left"
    """The sender is dead and had not noted that the request may leave: no byte of it left."""
    MAY_HAVE_LEFT = "may have left"
    """The sender is dead, its note is there."""
    NOT_KNOWN = "not known"
    """The sender may live (frozen, cut off), or its notes cannot be read here."""


def lease_ran_out(crashes: int, fate: Fate = Fate.NOT_KNOWN, in_doubt: bool = False) -> Decision:
    """Return what follows when a worker did not come back; an order that keeps killing workers is parked.

    `crashes`: how many times in a row, this one included. `in_doubt`: an earlier send may have been executed.
    """
    if fate is Fate.NEVER_LEFT and not in_doubt:
        return _died_before_sending(crashes)
    if crashes >= CRASHES_BEFORE_QUARANTINE:
        return Decision(
            Event.PARK,
            attention=True,
            code=Code.QUARANTINED,
            reason=f"its worker died {crashes} times in a row while sending it",
            fix="report the order's id to the maintainers; then fulfil reconcile ORDER or adopt it",
        )
    if fate is Fate.NEVER_LEFT:
        reason = "its worker died before it sent the order once more; an earlier send is to be settled"
        return Decision(Event.LOSE, RECONCILE_SECONDS, code=Code.LEASE_RAN_OUT, reason=reason)
    return Decision(Event.LOSE, RECONCILE_SECONDS, code=Code.LEASE_RAN_OUT, reason="its worker did not come back")


def _died_before_sending(crashes: int) -> Decision:
    if crashes >= CRASHES_BEFORE_QUARANTINE:
        return Decision(
            Event.EXHAUST,
            attention=True,
            code=Code.QUARANTINED,
            reason=f"its worker died {crashes} times in a row before it sent the order",
            fix="report the order's id to the maintainers; then: fulfil retry ORDER",
        )
    return Decision(Event.RETRY, 0.0, code=Code.NOT_SENT, reason="its worker died before the order left")


def window_closed() -> Decision:
    """Return what follows when an order may not be sent again because its key is no longer safe."""
    return Decision(
        Event.PARK,
        attention=True,
        code=Code.WINDOW_CLOSED,
        reason=CODES[Code.WINDOW_CLOSED].meaning,
        fix=CODES[Code.WINDOW_CLOSED].fix,
    )
