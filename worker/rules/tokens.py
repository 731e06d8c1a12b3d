"""How an account's tokens live: when they are renewed, how a lost reply is settled, and when a person is asked."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from worker.rules.codes import CODES, Code

MINUTE = 60.0
DAY = 86_400.0
EARLY_SECONDS = 30 * MINUTE
"""Tokens are renewed this long before they end (AliExpress' own advice); shorter lives at their half."""
ASK_SECONDS = (7 * DAY, DAY)
"""How long before a refresh token ends a person is asked to grant anew."""
REPLY_SECONDS = 10.0
"""First wait after a renewal that failed; it doubles with each in a row."""
LONGEST_WAIT_SECONDS = 300.0
SETUP_SECONDS = 600.0
"""Wait after a marketplace refused the app itself: a person has to mend the settings first."""
FAILURES_BEFORE_A_PERSON = 3
"""After so many renewals in a row without an answer that helps, a person is told; trying goes on."""
UNNAMED = "grant-"
"""How the name begins that a buyer gets of whom the grant told no id."""
REFUSED_AGAIN_SECONDS = 600.0
"""A token that is refused so soon after it was stored, before its own end, is not at once renewed a second time."""


class TokenState(StrEnum):
    """How the stored pair of tokens stands."""

    GOOD = "good"
    """The pair is the newest the marketplace gave."""
    UNSETTLED = "unsettled"
    """A renewal's reply was lost: the marketplace may have given a pair we never saw. The stored one still counts."""
    BEFORE = "before"
    """The stored refresh token was refused: that of the pair before it is tried once."""
    PARKED = "parked"
    """Nothing renews it any more: a person has to grant anew."""


class Refusal(StrEnum):
    """Why a marketplace gave no tokens."""

    ENDED = "ended"
    """The refresh token is not accepted any more."""
    CODE = "code"
    """The code of the grant page was used already, or is too old."""
    SETUP = "setup"
    """The app's key, its secret or its permission was not accepted."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A new pair of tokens. `refresh` is empty where the reply told none; ends are unix seconds by our clock.

    `buyer`: whose tokens they are, in the marketplace's own id; None where the account's settings say it (a shop's).
    `renewable`: False where the marketplace says that this grant can never be renewed.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    buyer: str | None = None
    access_until: float | None = None
    refresh_until: float | None = None
    renewable: bool = True


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The marketplace said no. `code`: its own word; never a text of its, which might repeat a token."""

    kind: Refusal
    code: str


@dataclass(frozen=True, slots=True)
class TokenLost:
    """No usable reply. `may_have_arrived`: the marketplace may have given a pair that we did not see."""

    cause: str
    may_have_arrived: bool = True


TokenOutcome = Grant | TokenRefused | TokenLost


class Standing(Protocol):
    """What is known of an account's stored pair; unix seconds."""

    @property
    def state(self) -> TokenState:
        """How the pair stands."""

    @property
    def tries(self) -> int:
        """Renewals in a row that gave no pair."""

    @property
    def stored_at(self) -> float:
        """When the pair was stored."""

    @property
    def granted_at(self) -> float:
        """When a person granted."""

    @property
    def access_until(self) -> float | None:
        """When the access token ends; None: not told."""

    @property
    def refresh_until(self) -> float | None:
        """When the refresh token ends, however often it is renewed; None: not told."""

    @property
    def renewable(self) -> bool:
        """Whether there is a refresh token."""

    @property
    def has_before(self) -> bool:
        """Whether another refresh token, of the pair before, is kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is noted of a pair that stays as it is. `due_in_seconds` None: nothing is tried until another is stored.

    `stops`: the account's sends stop with the reason and the fix, until another pair is stored.
    """

    state: TokenState
    tries: int
    due_in_seconds: float | None
    code: str | None = None
    reason: str | None = None
    stops: bool = False


@dataclass(frozen=True, slots=True)
class TokenTrouble:
    """What a person should know of an account's tokens, and what to do about it."""

    account: str
    code: Code
    reason: str
    fix: str


def ends_at(sent_at: float, lifetime_seconds: float | None, told_at: float | None) -> float | None:
    """Return when a token ends by our clock: its lifetime from our sending, or the told time if that is earlier.

    A told time that has passed already is of another clock or unit, and a lifetime of nothing tells nothing: neither
    counts.
    """
    ends = []
    if lifetime_seconds is not None and lifetime_seconds > 0:
        ends.append(sent_at + lifetime_seconds)
    if told_at is not None and told_at > sent_at:
        ends.append(told_at)
    return min(ends, default=None)


def renewal_due(access_until: float | None, renewable: bool, now: float) -> float | None:
    """Return when a pair stored now is looked at: to renew it, else at its end; None: no end is told."""
    if access_until is None or not renewable:
        return access_until
    return access_until - min(EARLY_SECONDS, max(0.0, access_until - now) / 2)


def refresh_end(before: float | None, told: float | None) -> float | None:
    """Return when a renewed pair's refresh token ends: the clock of the first grant goes on, whatever a reply says."""
    return min((end for end in (before, told) if end is not None), default=None)


def is_another(bound: str | None, told: str | None) -> bool:
    """Tell whether two buyers are surely not the same; one whose id no grant told may be anybody."""
    unnamed = any(buyer is None or buyer.startswith(UNNAMED) for buyer in (bound, told))
    return not unnamed and bound != told


def may_renew(standing: Standing) -> bool:
    """Tell whether asking the marketplace for a new pair makes sense."""
    return standing.renewable and standing.state is not TokenState.PARKED


def after_failure(
    outcome: TokenRefused | TokenLost, standing: Standing, now: float, chance: random.Random | None = None
) -> Kept:
    """Return what follows from a renewal that gave no pair. The stored pair stays whatever the outcome is.

    A lost reply is settled so: the old access token goes on being used, and the old refresh token is tried again; only
    a refusal of it, and of the one before it, needs a person. Source: docs/vendors/aliexpress.md (tokens).
    """
    tries = standing.tries + 1
    if isinstance(outcome, TokenLost):
        arrived = outcome.may_have_arrived and standing.state is TokenState.GOOD
        state = TokenState.UNSETTLED if arrived else standing.state
        return Kept(state, tries, _backoff(tries, chance), Code.TOKEN_FAILS, f"no answer: {outcome.cause}")
    if outcome.kind is not Refusal.ENDED:
        reason = f"the marketplace refuses the app ({outcome.code})"
        return Kept(standing.state, tries, SETUP_SECONDS, outcome.code, reason)
    if standing.has_before and standing.state is not TokenState.BEFORE:
        return Kept(TokenState.BEFORE, tries, 0.0, outcome.code, "the pair before it is tried")
    return parked(standing, now, outcome.code)


def parked(standing: Standing, now: float, code: str) -> Kept:
    """Return what follows when nothing can renew a pair: sends go on as long as its access token lives, then stop."""
    left = 0.0 if standing.access_until is None else standing.access_until - now
    if left <= 0:
        return stopped(standing)
    return Kept(TokenState.PARKED, standing.tries, left, code, CODES[Code.TOKEN_ENDED].meaning)


def stopped(standing: Standing, reason: str = CODES[Code.TOKEN_ENDED].meaning) -> Kept:
    """Return what follows when neither token of a pair is of use any more: the account's sends stop."""
    return Kept(TokenState.PARKED, standing.tries, None, Code.TOKEN_ENDED, reason, stops=True)


OTHER_BUYER = "the renewal gave the tokens of another buyer, which were not taken"


def after_refused_call(standing: Standing, refusals: int, due_at: float | None, now: float) -> float | None:
    """Return when to renew because a call said that its access token is not accepted; None: renewing will not help.

    `refusals`: how often it happened lately before a token's own end, this one included. Nothing was executed.
    """
    if not may_renew(standing):
        return None
    if standing.tries > 1 and due_at is not None:
        return max(due_at, now)  # renewing fails by itself at present: it keeps its own pace
    if refusals <= 1:
        return now
    return standing.stored_at + min(REFUSED_AGAIN_SECONDS, MINUTE * 2.0**refusals)


def is_early_refusal(standing: Standing, now: float) -> bool:
    """Tell whether an access token is refused before its end, although it was stored just now."""
    over = standing.access_until is not None and now >= standing.access_until
    return not over and standing.state is TokenState.GOOD and now - standing.stored_at < REFUSED_AGAIN_SECONDS


def trouble(account: str, standing: Standing, now: float) -> TokenTrouble | None:
    """Return what a person should know of an account's tokens now; None: nothing."""
    log_in = f"fulfil accounts login {account}"
    if standing.state is TokenState.PARKED:
        return TokenTrouble(account, Code.TOKEN_ENDED, CODES[Code.TOKEN_ENDED].meaning, log_in)
    end = standing.refresh_until if standing.renewable else standing.access_until
    if end is not None and now >= end:
        return TokenTrouble(account, Code.TOKEN_ENDED, CODES[Code.TOKEN_ENDED].meaning, log_in)
    if standing.tries >= FAILURES_BEFORE_A_PERSON:
        fix = f"fulfil accounts list says why; or grant anew: {log_in}"
        return TokenTrouble(account, Code.TOKEN_FAILS, CODES[Code.TOKEN_FAILS].meaning, fix)
    ahead = asked_ahead(standing, now)
    if ahead is not None:
        reason = f"its tokens end in {_told(ahead)}, and only a person's grant begins their time anew"
        return TokenTrouble(account, Code.TOKEN_ENDS_SOON, reason, log_in)
    return None


def asked_ahead(standing: Standing, now: float) -> float | None:
    """Return the seconds left for a person to grant anew, once it is time to ask; None: it is not.

    A grant that lives no longer than a week, as an app in test has it, is asked for a day ahead only.
    """
    end = standing.refresh_until if standing.renewable else standing.access_until
    if end is None:
        return None
    whole = end - standing.granted_at
    asks = [ahead for ahead in ASK_SECONDS if ahead < whole]
    left = end - now
    return left if asks and left <= max(asks) else None


def _told(seconds: float) -> str:
    hours = max(1, round(seconds / 3600))
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"


def _backoff(tries: int, chance: random.Random | None) -> float:
    bound = min(LONGEST_WAIT_SECONDS, REPLY_SECONDS * 2.0 ** min(tries - 1, 10))
    return (chance or random).uniform(bound / 2, bound)
