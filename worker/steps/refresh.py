"""Renewing an account's tokens: by one process at a time, both tokens stored at once."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from worker.accounts import Accounts
from worker.crashpoints import CrashPoint, reached
from worker.errors import ConfigError, where
from worker.ledger.accounts import Renewal, Tokens
from worker.marketplaces.grants import TokenCalls
from worker.rules.tokens import (
    OTHER_BUYER,
    Grant,
    TokenLost,
    TokenOutcome,
    after_failure,
    is_another,
    may_renew,
    parked,
    stopped,
)
from worker.sending.loop import Loop

log = logging.getLogger(__name__)

STORE_SECONDS = 15.0
"""What a lease gives beyond the longest wait for the answer: time to store what came."""
NO_KEY_SECONDS = 60.0
"""How long a renewal waits that this process cannot do: it has not the key, or the app's settings are wrong."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """The step that renews tokens. `answer_seconds`: the longest wait for the marketplace's answer."""

    accounts: Accounts
    tokens: Tokens
    loop: Loop
    answer_seconds: float

    def run(self, account: Any) -> str:
        """Renew an account's tokens if that is due; return a sentence without a token."""
        if not isinstance(account, str) or account not in self.accounts.configured:
            return "no such account is configured here"
        try:
            calls = self.accounts.token_calls(account)
            renewal = self.tokens.claim(account, self.answer_seconds + STORE_SECONDS)
        except ConfigError as error:
            self.tokens.put_off(account, NO_KEY_SECONDS)
            log.error("the tokens of %s are not renewed here: %s", account, error)
            return str(error)
        if renewal is None or calls is None:
            return f"{account}: nothing to renew now"
        if not may_renew(renewal.view):
            self.tokens.kept(renewal, parked(renewal.view, time.time(), renewal.view.code or ""))
            return f"{account}: nothing renews its tokens; fulfil accounts login {account}"
        return self._renew(renewal, calls)

    def _renew(self, renewal: Renewal, calls: TokenCalls) -> str:
        account, view = renewal.view.account, renewal.view
        outcome = self._ask(renewal, calls)
        reached(CrashPoint.RENEWED)
        if isinstance(outcome, Grant) and not is_another(view.buyer, outcome.buyer):
            stored = self.tokens.renewed(renewal, outcome)
            self.accounts.look_soon(account)
            return f"{account}: renewed" if stored else f"{account}: another pair was stored meanwhile"
        kept = stopped(view, OTHER_BUYER) if isinstance(outcome, Grant) else after_failure(outcome, view, time.time())
        self.tokens.kept(renewal, kept)
        log.warning("the tokens of %s were not renewed: %s", account, kept.reason)
        return f"{account}: not renewed, {kept.reason}"

    def _ask(self, renewal: Renewal, calls: TokenCalls) -> TokenOutcome:
        # The answer must come within the lease: another process may try when it ends.
        deadline = renewal.lease_until - self.answer_seconds
        try:
            return self.loop.run(self.loop.client.drive(calls.renew(renewal.refresh), deadline))
        except Exception as error:
            # A defect of ours, and the request may be out; its text may hold a token, so only its type is told.
            log.error("%s: %s while renewing tokens", renewal.view.account, where(error))
            return TokenLost(f"an internal error ({type(error).__name__})")
