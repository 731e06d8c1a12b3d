"""A decision: one move of an order, and what every kind of decision is made of."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from worker.rules.outcomes import Decline, Declined
from worker.rules.states import Event

CONFIRM_FLOOR_SECONDS = 10
"""The vendor's word: an order is not shown sooner after its create."""
CLOCKS_DIFFER_SECONDS = 60.0
"""How far the clocks of two hosts may be apart before one of them counts as wrong."""
CAPPED_STEP = 31
"""A failure from which on a backoff is at its cap."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings a decision needs; durations in seconds."""

    max_attempts: int
    base_seconds: float
    cap_seconds: float
    confirm_delay_seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Why an account's sends stop, and for how long; `seconds` None means until a person resumes it."""

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
    def snoozes(self) -> int:
        """Snoozes in a row before this one."""

    @property
    def in_doubt(self) -> bool:
        """Whether an earlier send may have been executed."""


def backoff(step: int, policy: Policy, chance: random.Random | None = None) -> float:
    """Return a wait in seconds for the step-th failure (1, 2, …): full jitter below a doubling, capped bound."""
    bound = min(policy.cap_seconds, policy.base_seconds * 2.0 ** min(step - 1, 30))
    return (chance or random).uniform(bound / 10, bound)


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
        wait = backoff(order.snoozes + 1, policy, chance)
    pause, reason = None, f"{_DECLINED[outcome.kind]}: {outcome.reason}"
    if outcome.pauses_account:
        pause = Pause(wait, outcome.code, reason, outcome.fix)
    kind = outcome.kind
    return Decision(Event.SNOOZE, wait, False, outcome.code, reason, outcome.fix, pause, kind)
