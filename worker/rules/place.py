"""What follows from an outcome: one pure decision, with exponential backoff and full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from worker.rules.outcomes import (
    Absent,
    Accepted,
    Decline,
    Declined,
    Found,
    NotSent,
    PlaceOutcome,
    ReadOutcome,
    Refused,
    Unknown,
    told_of,
)
from worker.rules.states import Event

READ_STEPS_SECONDS = (10, 20, 40, 80, 160)
"""Waits between order-gets of an order the marketplace does not show yet; then READ_LATER_SECONDS."""
READ_LATER_SECONDS = 900
RETRYABLE_REFUSALS = 3
"""How often a refusal that may pass (stock hold, system error) is tried again before it is believed."""
CONFIRM_FLOOR_SECONDS = 10
"""The vendor's word: an order is not shown sooner after its create."""
CRASHES_BEFORE_QUARANTINE = 3
FOREIGN_ID = "FOREIGN_ID"
"""Our code: an answer told an id that belongs to another order of ours."""
FOREIGN_ORDER = "FOREIGN_ORDER"
"""Our code: what was read back under an order's id is another order."""
_ASK_WHAT = "ask the marketplace what it means by this code (fulfil show ORDER has the request ids), or"
_ADOPT = "find it in the buyer's order list, then: fulfil adopt ORDER --reference ID"
CAPPED_STEP = 31
"""A failure from which on a backoff is at its cap."""
UNKNOWNS_BEFORE_ATTENTION = 5
"""After as many unknowns in a row, each an answer of the marketplace's own, a person is told and the waits are long."""
RECONCILE_SECONDS = 5
"""First wait before an unknown order is settled; grows with each unknown in a row."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings a decision needs; durations in seconds."""

    max_attempts: int
    base_seconds: float
    cap_seconds: float
    confirm_delay_seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold an account; `seconds` None means until a person resumes it."""

    seconds: float | None
    code: str
    reason: str
    fix: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """One move and what is written with it. `due_in_seconds` None: nothing is scheduled."""

    event: Event
    due_in_seconds: float | None = None
    attention: bool = False
    code: str | None = None
    reason: str | None = None
    fix: str | None = None
    pause: Pause | None = None
    declined: Decline | None = None
    """Why the marketplace processed nothing, where that is what happened."""

    def with_known_references(self) -> Decision:
        """Return the decision when ids are known from another answer: the order exists, whatever this reply was."""
        if self.event is Event.ACCEPT:
            return self
        if self.event in (Event.ACCEPT_BLIND, Event.LOSE):
            return Decision(Event.ACCEPT, CONFIRM_FLOOR_SECONDS, code=self.code, reason=self.reason)
        return Decision(Event.ACCEPT, CONFIRM_FLOOR_SECONDS, reason="the reply of an earlier send told its ids")


class Standing(Protocol):
    """What a decision looks at of an order."""

    @property
    def spent(self) -> int:
        """Attempts that count, this one included."""

    @property
    def holds(self) -> int:
        """Snoozes in a row before this one."""

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier send may have been executed."""


def backoff(step: int, policy: Policy, chance: random.Random | None = None) -> float:
    """Return a wait in seconds for the step-th failure (1, 2, …): full jitter below a doubling, capped bound."""
    bound = min(policy.cap_seconds, policy.base_seconds * 2.0 ** min(step - 1, 30))
    return (chance or random).uniform(bound / 10, bound)


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
    told = outcome.is_answer and order.holds >= UNKNOWNS_BEFORE_ATTENTION
    wait = RECONCILE_SECONDS + backoff(CAPPED_STEP if told else order.holds + 1, policy, chance)
    fix = f"{_ASK_WHAT} {_ADOPT}; settling it goes on by itself" if told else None
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
        reason=outcome.reason or "the marketplace has this order but told no id",
        fix=_ADOPT,
    )


def told_foreign_id(reference: str, owner: str) -> Decision:
    """Return what follows when an answer told the id of another order of ours: whose the others are, nobody knows."""
    reason = f"the marketplace answered with the id {reference}, which belongs to {owner}"
    return Decision(Event.ACCEPT_BLIND, attention=True, code=FOREIGN_ID, reason=reason, fix=_ADOPT)


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
            fix="look for it in the buyer's order list; adopt it if it is there, else: fulfil retry ORDER --absent",
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


_DECLINED = {
    Decline.RATE: "the marketplace takes no more calls now",
    Decline.TOKEN: "the account's access token was not accepted",
    Decline.CLOCK: "the time of this server was not accepted",
    Decline.SETUP: "the account's set-up was not accepted",
}


def declined(outcome: Declined, order: Standing, policy: Policy, chance: random.Random | None = None) -> Decision:
    """Return what follows when the marketplace processed nothing: the order waits, its account perhaps too."""
    wait = outcome.retry_after_seconds
    if wait is None:
        wait = backoff(order.holds + 1, policy, chance)
    pause, reason = None, f"{_DECLINED[outcome.kind]}: {outcome.reason}"
    if outcome.pauses_account:
        pause = Pause(wait, outcome.code, reason, outcome.fix)
    kind = outcome.kind
    return Decision(Event.SNOOZE, wait, False, outcome.code, reason, outcome.fix, pause, kind)


def _not_sent(outcome: NotSent, order: Standing, policy: Policy, chance: random.Random | None) -> Decision:
    if not outcome.counted:
        return Decision(Event.SNOOZE, 0.0, code="NOT_SENT", reason=outcome.cause)
    if order.spent < policy.max_attempts:
        wait = backoff(order.spent, policy, chance)
        return Decision(Event.RETRY, wait, code="NOT_SENT", reason=outcome.cause)
    if order.in_doubt:
        return Decision(
            Event.PARK,
            attention=True,
            code="NOT_SENT",
            reason=f"the marketplace cannot be reached ({outcome.cause}) and an earlier send may have been accepted",
            fix="when it answers again: fulfil retry ORDER",
        )
    return Decision(
        Event.EXHAUST,
        attention=True,
        code="NOT_SENT",
        reason=f"never arrived in {order.spent} attempts: {outcome.cause}",
        fix="check the account's address and the network, then: fulfil retry ORDER",
    )


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
    """Return what follows when a worker did not come back; an order that keeps killing workers is set aside.

    `crashes`: how many times in a row, this one included. `in_doubt`: an earlier send may have been executed.
    """
    if fate is Fate.NEVER_LEFT and not in_doubt:
        return _died_before_sending(crashes)
    if crashes >= CRASHES_BEFORE_QUARANTINE:
        return Decision(
            Event.PARK,
            attention=True,
            code="QUARANTINED",
            reason=f"its worker died {crashes} times in a row while sending it",
            fix="report the order's id to the maintainers; then fulfil reconcile ORDER or adopt it",
        )
    if fate is Fate.NEVER_LEFT:
        reason = "its worker died before it sent the order once more; an earlier send is to be settled"
        return Decision(Event.LOSE, RECONCILE_SECONDS, code="LEASE_RAN_OUT", reason=reason)
    return Decision(Event.LOSE, RECONCILE_SECONDS, code="LEASE_RAN_OUT", reason="its worker did not come back")


def _died_before_sending(crashes: int) -> Decision:
    if crashes >= CRASHES_BEFORE_QUARANTINE:
        return Decision(
            Event.EXHAUST,
            attention=True,
            code="QUARANTINED",
            reason=f"its worker died {crashes} times in a row before it sent the order",
            fix="report the order's id to the maintainers; then: fulfil retry ORDER",
        )
    return Decision(Event.RETRY, 0.0, code="NOT_SENT", reason="its worker died before the order left")


def window_closed() -> Decision:
    """Return what follows when an order may not be sent again because its key is no longer safe."""
    return Decision(
        Event.PARK,
        attention=True,
        code="WINDOW_CLOSED",
        reason="the time in which it may safely be sent again has passed",
        fix="look for it in the buyer's order list; adopt it if it is there, else: fulfil retry ORDER --absent",
    )


def decide_read(outcome: ReadOutcome, order: Standing, policy: Policy, chance: random.Random | None = None) -> Decision:
    """Return what follows from reading a placed order back. Waiting never uses up an attempt."""
    match outcome:
        case Found(records=records, differs=differs):
            return Decision(Event.CONFIRM, **told_of([record.alert for record in records], differs))
        case Declined():
            return declined(outcome, order, policy, chance)
        case Absent():
            code, reason = outcome.code or "NOT_SHOWN_YET", outcome.cause
        case NotSent():
            code, reason = "NOT_SENT", outcome.cause
        case Unknown(code=code) if code == FOREIGN_ORDER:
            return foreign_order(outcome.cause, order)
        case Unknown():
            code, reason = outcome.code or "UNREADABLE", outcome.cause
    if order.holds < len(READ_STEPS_SECONDS):
        return Decision(Event.SNOOZE, _read_again_seconds(order), code=code, reason=reason)
    return Decision(
        Event.SNOOZE,
        READ_LATER_SECONDS,
        attention=True,
        code=code,
        reason=f"placed, but not readable yet: {reason}",
        fix="look the id up in the buyer's order list; reading goes on every 15 minutes by itself",
    )


def _read_again_seconds(order: Standing) -> float:
    return float((*READ_STEPS_SECONDS, READ_LATER_SECONDS)[min(order.holds, len(READ_STEPS_SECONDS))])


def foreign_order(cause: str, order: Standing) -> Decision:
    """Return what follows when an order was read back as another one: a person is told at once, reading goes on."""
    fix = "find its right id in the buyer's order list, then: fulfil adopt ORDER --reference ID"
    wait = _read_again_seconds(order)
    return Decision(Event.SNOOZE, wait, attention=True, code=FOREIGN_ORDER, reason=cause, fix=fix)


def foreign_look_up(reference: str, owner: str, order: Standing) -> Decision:
    """Return what follows when a look-up found nothing but an id that belongs to another order of ours."""
    return Decision(
        Event.SNOOZE,
        _read_again_seconds(order),
        attention=True,
        code=FOREIGN_ID,
        reason=f"the look-up found the id {reference}, which belongs to {owner}",
        fix=f"{_ADOPT}; looking goes on by itself",
    )
