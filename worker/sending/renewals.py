"""What a refused access token means where it can be renewed: nothing was executed, and orders wait shortly."""

from __future__ import annotations

import time
from typing import TypeVar

from worker.accounts import Accounts
from worker.errors import LedgerRefused, Unavailable
from worker.ledger.accounts import Tokens
from worker.rules.codes import Code
from worker.rules.outcomes import Decline, Declined

Outcome = TypeVar("Outcome")

RENEWAL_SECONDS = 5.0
"""How long orders wait for the sweep to ring and the renewal to end."""
LONGEST_WAIT_SECONDS = 30.0
"""A renewal that is further away is no short wait: then the account waits as without stored tokens."""
AGAIN_SECONDS = 1.0
"""How long the answer about one pair is good for: the orders of a message are all refused at once."""


class Renewals:
    """Has tokens renewed that a call refused."""

    def __init__(self, accounts: Accounts, tokens: Tokens) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._said: dict[str, tuple[int, float, float | None]] = {}

    def answer(self, account: str, version: int | None, outcome: Outcome) -> Outcome | Declined:
        """Return an outcome as it is, but for a refused token that was sent with the stored pair `version`.

        That one is noted, so that the pair is renewed, and its order waits until then. None: the token is not a stored
        one. Must not run on the loop: it writes to the ledger.
        """
        if version is None or not isinstance(outcome, Declined) or outcome.kind is not Decline.TOKEN:
            return outcome
        wait = self._noted(account, version)
        if wait is None or wait > LONGEST_WAIT_SECONDS:
            fix = f"fulfil accounts list says how its tokens stand; to grant anew: fulfil accounts login {account}"
            return Declined(
                outcome.code, outcome.reason, outcome.retry_after_seconds, True, fix, outcome.request_id, outcome.kind
            )
        seconds = wait + RENEWAL_SECONDS if wait > 0 else AGAIN_SECONDS
        reason = f"{outcome.reason}; it is being renewed"
        return Declined(Code.TOKEN_RENEWAL, reason, seconds, True, None, outcome.request_id, outcome.kind)

    def _noted(self, account: str, version: int) -> float | None:
        known, at, wait = self._said.get(account, (0, 0.0, None))
        if known == version and time.monotonic() - at < AGAIN_SECONDS:
            return wait
        try:
            wait = self._tokens.refused(account, version)
        except (Unavailable, LedgerRefused):
            return None
        self._accounts.look_soon(account)
        self._said[account] = version, time.monotonic(), wait
        return wait
