"""The task `accounts.refresh` on a real ledger, the marketplace played: what is stored, kept, parked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from config.settings import Account
from worker.accounts import Accounts
from worker.ledger.accounts import Tokens
from worker.ledger.engine import Ledger
from worker.ledger.keyring import KeyRing, new_key
from worker.ledger.pauses import Pauses
from worker.marketplaces.calls import Lost
from worker.rules.codes import Code
from worker.rules.tokens import Grant, Refusal, TokenLost, TokenRefused, TokenState
from worker.steps.refresh import Refresh

APP = {"marketplace": "aliexpress", "app_key": "key", "app_secret": "secret"}
ENDED = TokenRefused(Refusal.ENDED, "IllegalRefreshToken")


class Desk:
    """The step with the loop played: `outcome` is what the marketplace answers, `asked` how often it was asked."""

    def __init__(self, ledger: Ledger, **keys: Any) -> None:
        self.ledger, self.tokens = ledger, Tokens(ledger, KeyRing([new_key()]))
        self.accounts = Accounts({"main": Account.model_validate({**APP, **keys})}, lambda: self.tokens)
        self.outcome: Any = TokenLost("cut")
        self.asked = 0
        self.deadline = 0.0
        played: Any = self
        self.step = Refresh(self.accounts, self.tokens, played, answer_seconds=5.0)

    @property
    def client(self) -> Desk:
        return self

    async def drive(self, steps: Any, deadline: float) -> Any:
        self.asked, self.deadline = self.asked + 1, deadline
        next(steps)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    @staticmethod
    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run(coroutine)

    def store(self, seconds: float = 0.0, **changed: Any) -> None:
        """Store a pair whose access token ends in so many seconds; by default it is due at once."""
        grant = replace(Grant("access-1", "refresh-1", "42", time.time() + seconds), **changed)
        self.tokens.grant("main", grant, None, "cli:ann")

    def refresh(self) -> str:
        said = self.step.run("main")
        assert [secret for secret in ("access-", "refresh-") if secret in said] == []
        return said

    @property
    def state(self) -> TokenState:
        return self.tokens.views()[0].state

    @property
    def pauses(self) -> list[str]:
        return [pause.code for pause in Pauses(self.ledger).standing().values()]


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)


def test_a_due_pair_is_renewed_once(desk: Desk) -> None:
    desk.store()
    desk.outcome = Grant("access-2", "refresh-2", "42", time.time() + 3600)
    assert desk.refresh() == "main: renewed"
    assert desk.refresh() == "main: nothing to renew now"
    assert desk.asked == 1
    assert desk.deadline > time.time()
    sending = desk.tokens.sending("main")
    assert sending is not None
    assert sending.access == "access-2"


def test_what_is_not_due_is_left_alone_whoever_asks(desk: Desk) -> None:
    desk.store(3600)
    assert desk.refresh() == "main: nothing to renew now"
    for forged in ("other", None, 7, ["main"], {"a": 1}):
        desk.step.run(forged)
    assert desk.asked == 0


@pytest.mark.parametrize("outcome", [TokenLost("cut"), KeyError("secret-of-ours"), TokenRefused(Refusal.SETUP, "X")])
def test_what_gives_no_pair_keeps_the_one_there_is(desk: Desk, outcome: Any, caplog: pytest.LogCaptureFixture) -> None:
    desk.store()
    desk.outcome = outcome
    desk.refresh()
    sending = desk.tokens.sending("main")
    assert sending is not None
    assert sending.access == "access-1"
    assert desk.state is not TokenState.PARKED
    assert desk.pauses == []
    assert "secret-of-ours" not in caplog.text


def test_a_refused_refresh_token_parks_and_is_never_sent_again(desk: Desk) -> None:
    desk.store()
    desk.outcome = ENDED
    desk.refresh()
    assert (desk.state, desk.pauses) == (TokenState.PARKED, [Code.TOKEN_ENDED])
    for _ in range(3):
        desk.refresh()
    assert desk.asked == 1


def test_a_parked_account_goes_on_until_its_access_token_ends(desk: Desk) -> None:
    desk.store(1.0)
    time.sleep(0.6)  # past its half: due, not ended
    desk.outcome = ENDED
    desk.refresh()
    assert (desk.state, desk.pauses) == (TokenState.PARKED, [])
    time.sleep(0.6)
    desk.refresh()
    assert desk.pauses == [Code.TOKEN_ENDED]
    assert desk.asked == 1


def test_tokens_of_another_buyer_are_not_taken(desk: Desk) -> None:
    desk.store()
    desk.outcome = Grant("access-2", "refresh-2", "77", time.time() + 3600)
    desk.refresh()
    sending = desk.tokens.sending("main")
    assert sending is not None
    assert (sending.access, sending.buyer) == ("access-1", "42")
    assert desk.pauses == [Code.TOKEN_ENDED]


def test_a_process_without_the_key_leaves_it_to_others(ledger: Ledger, desk: Desk) -> None:
    desk.store()
    played: Any = desk
    blind = Refresh(desk.accounts, Tokens(ledger, KeyRing([])), played, 5.0)
    assert "FULFIL_TOKEN_KEYS" in blind.run("main")
    assert desk.asked == 0
    assert desk.state is TokenState.GOOD
    assert desk.tokens.due(time.time()) == []
    assert desk.tokens.due(time.time() + 61) == ["main"]


def test_the_request_is_no_lost_one_that_never_left(desk: Desk) -> None:
    desk.store()
    desk.outcome = TokenLost(Lost("no connection", may_have_arrived=False).cause, may_have_arrived=False)
    desk.refresh()
    assert desk.state is TokenState.GOOD
