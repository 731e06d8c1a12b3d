"""What a person does about an account's tokens: grant, look, remove; from whatever door."""

from __future__ import annotations

import time
from dataclasses import dataclass

from worker.accounts import Accounts
from worker.errors import InputError, NotAllowed, Unavailable
from worker.ledger.accounts import Tokens
from worker.ledger.pauses import Pauses
from worker.marketplaces.grants import TokenCalls, code_in
from worker.rules.codes import Code
from worker.rules.decision import Pause
from worker.rules.token_views import AccountView
from worker.rules.tokens import Grant, Refusal, TokenLost, TokenRefused, is_another
from worker.sending.loop import Loop

_REFUSED = {
    Refusal.CODE: "the code was used already or is too old (AliExpress: three minutes): open the grant page again",
    Refusal.ENDED: "the grant is not valid any more: open the grant page again",
    Refusal.SETUP: "the app's key or secret was not accepted: correct the account's settings",
}


@dataclass(frozen=True, slots=True)
class Logins:
    """Carries out a person's commands about tokens. No sentence of it holds a token or a code."""

    accounts: Accounts
    tokens: Tokens
    pauses: Pauses
    loop: Loop
    answer_seconds: float

    def page(self, account: str) -> str:
        """Return the address a person opens to grant. Raises UnknownAccount, ConfigError, NotAllowed."""
        self.tokens.check_key()
        return self._calls(account).grant_page()

    def login(self, account: str, given: str, actor: str) -> str:
        """Redeem what the browser came back with, the whole address or the code, and store the pair; a sentence.

        Raises UnknownAccount, ConfigError, InputError; NotAllowed where the marketplace refused or the buyer is
        another one; Unavailable where no answer came.
        """
        calls, code = self._calls(account), code_in(given)
        self.tokens.check_key()  # a code works once: nothing of ours may be missing when it is spent
        deadline = time.time() + self.answer_seconds
        outcome = self.loop.run(self.loop.client.drive(calls.create(code), deadline))
        if isinstance(outcome, TokenRefused):
            raise NotAllowed(f"{account}: {_REFUSED[outcome.kind]} ({outcome.code})")
        if isinstance(outcome, TokenLost):
            raise Unavailable(f"{account}: no answer ({outcome.cause}); open the grant page again for another code")
        return self._stored(account, outcome, actor)

    def _stored(self, account: str, grant: Grant, actor: str) -> str:
        own = self.accounts.own_buyer(account)
        if is_another(own, grant.buyer):
            raise NotAllowed(
                f"the grant is another buyer's than the settings of {account} name (BUYER_ID); it was not stored"
            )
        first = self.tokens.sending_buyer(account) is None
        still_open = self.tokens.grant(account, grant, own, actor)
        self.accounts.look_soon(account)
        said = f"{account}: its tokens are stored"
        if not grant.renewable or not grant.refresh:
            said += "; they cannot be renewed"
        if first and own is None and still_open and grant.buyer is not None and self._has_own_token(account):
            said += (
                f"; {still_open} of its orders are open: what was sent with the token of the settings waits for your"
                f" word that it is the same buyer's: fulfil accounts same-buyer {account}"
            )
        return said

    def listed(self) -> list[AccountView]:
        """Return every configured account with how its tokens stand. No key is needed for it."""
        stored, paused = {view.account: view for view in self.tokens.views()}, self.pauses.standing()
        return [
            AccountView(
                account=name,
                marketplace=configured.marketplace,
                tokens=stored.get(name),
                own_token=self._has_own_token(name),
                pause=paused.get(name),
            )
            for name, configured in self.accounts.configured.items()
        ]

    def remove(self, account: str, actor: str) -> str:
        """Forget an account's stored tokens; without a token in the settings its sends stop. Raises UnknownAccount."""
        self.accounts.check(account)
        own = self._has_own_token(account)
        reason = "its stored tokens were removed"
        pause = None if own else Pause(None, Code.TOKEN_ENDED, reason, f"fulfil accounts login {account}")
        if not self.tokens.remove(account, pause, actor):
            return f"{account} has no stored tokens"
        return f"{account}: {reason}; " + ("the token of its settings is used" if own else "its sends are paused")

    def _calls(self, account: str) -> TokenCalls:
        calls = self.accounts.token_calls(account)
        if calls is None:
            title = self.accounts.marketplaces[account].title
            raise InputError(f"{title} has no grant page: the account's token stands in its settings")
        return calls

    def _has_own_token(self, account: str) -> bool:
        return bool(self.accounts.configured[account].extras().get("access_token"))
