"""How an account's tokens stand, for people and for those who renew them: ends and words, never a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worker.rules.moments import instant
from worker.rules.tokens import TokenState, TokenTrouble, trouble
from worker.rules.troubles import PauseView
from worker.rules.views import utc


@dataclass(frozen=True, slots=True)
class TokenView:
    """One account's stored pair without the pair; unix seconds. It is the `Standing` that the rules look at."""

    account: str
    version: int
    state: TokenState
    granted_at: float
    stored_at: float
    access_until: float | None
    refresh_until: float | None
    renewable: bool
    has_before: bool
    due_at: float | None
    tries: int
    refusals: int
    buyer: str | None
    code: str | None
    reason: str | None
    actor: str

    def trouble(self, now: float) -> TokenTrouble | None:
        """Return what a person should know of it now; None: nothing."""
        return trouble(self.account, self, now)

    def as_json(self, now: float) -> dict[str, Any]:
        """Return it for a program; times as ISO 8601 in UTC."""
        told = self.trouble(now)
        return {
            "account": self.account,
            "state": str(self.state),
            "granted_at": utc(self.granted_at),
            "granted_by": self.actor,
            "stored_at": utc(self.stored_at),
            "access_ends_at": utc(self.access_until),
            "refresh_ends_at": utc(self.refresh_until),
            "renewable": self.renewable,
            "next_renewal": utc(self.due_at),
            "failures": self.tries,
            "last_answer": self.reason,
            "trouble": None if told is None else {"code": told.code, "reason": told.reason, "fix": told.fix},
        }


@dataclass(frozen=True, slots=True)
class AccountView:
    """One configured account: where its token stands, how it stands, and whether its sends are paused."""

    account: str
    marketplace: str
    tokens: TokenView | None
    own_token: bool
    pause: PauseView | None

    @property
    def source(self) -> str:
        """Where the token that is sent comes from, in a word or two."""
        return "ledger" if self.tokens is not None else "settings" if self.own_token else "none"

    def needs_a_person(self, now: float) -> bool:
        """Tell whether a person has something to do about it."""
        return self.source == "none" or (self.tokens is not None and self.tokens.trouble(now) is not None)

    def as_json(self, now: float) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "account": self.account,
            "marketplace": self.marketplace,
            "token": self.source,
            "tokens": None if self.tokens is None else self.tokens.as_json(now),
            "paused": None if self.pause is None else self.pause.as_json(),
        }


def account_lines(view: AccountView, now: float) -> list[str]:
    """Return how an account's token stands, a line, and what a person should know of it, a line each."""
    lines = [f"{view.account} ({view.marketplace}): {_stands(view)}"]
    if view.tokens is not None and view.own_token:
        lines.append("  the token in its settings is not used while tokens are stored")
    if view.pause is not None:
        lines.append(f"  paused: {view.pause.reason}" + (f"; {view.pause.fix}" if view.pause.fix else ""))
    told = None if view.tokens is None else view.tokens.trouble(now)
    if told is not None:
        lines.append(f"  {told.reason}; {told.fix}")
    elif view.tokens is not None and view.tokens.reason is not None:
        lines.append(f"  last renewal: {view.tokens.reason}; it is tried on")
    return lines


def _stands(view: AccountView) -> str:
    tokens = view.tokens
    if tokens is None:
        none = f"no token; fulfil accounts login {view.account}"
        return "its token stands in its settings, and nothing here renews it" if view.own_token else none
    told = ["tokens stored"]
    if tokens.access_until is not None:
        told.append(f"access until {instant(tokens.access_until)}")
    if tokens.refresh_until is not None:
        told.append(f"a person grants anew before {instant(tokens.refresh_until)}")
    if not tokens.renewable:
        told.append("they cannot be renewed")
    elif tokens.due_at is not None and tokens.state is not TokenState.PARKED:
        told.append(f"renewed next at {instant(tokens.due_at)}")
    return ", ".join(told)
