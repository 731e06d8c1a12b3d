"""What those who send see of stored tokens: the newest pair within seconds, the same buyer, and a short wait."""

from __future__ import annotations

import time
from typing import Any

import pytest

from config.settings import Account
from worker import accounts as module
from worker.accounts import Accounts
from worker.errors import ConfigError, LedgerAway
from worker.ledger.accounts import Tokens
from worker.ledger.bindings import others, remember
from worker.ledger.engine import Ledger
from worker.ledger.keyring import KeyRing, new_key
from worker.rules.codes import Code
from worker.rules.outcomes import Absent, Decline, Declined
from worker.rules.tokens import Grant
from worker.sending.renewals import AGAIN_SECONDS, RENEWAL_SECONDS, Renewals

APP = {"marketplace": "aliexpress", "app_key": "key", "app_secret": "secret"}
REFUSED = Declined("IllegalAccessToken", "no", 60.0, True, "set its access_token", "r-1", Decline.TOKEN)


@pytest.fixture
def tokens(ledger: Ledger) -> Tokens:
    return Tokens(ledger, KeyRing([new_key()]))


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)


def of(tokens: Tokens, **keys: Any) -> Accounts:
    return Accounts({"main": Account.model_validate({**APP, **keys})}, lambda: tokens)


def store(tokens: Tokens, number: int = 1, **changed: Any) -> None:
    grant = Grant(f"access-{number}", f"refresh-{number}", **({"buyer": "42"} | changed))
    tokens.grant("main", grant, None, "cli:ann")


def sent(accounts: Accounts) -> str:
    token: Any = accounts.adapter("main").credentials
    return str(token.access_token.get_secret_value())


def test_a_token_of_the_settings_works_without_key_and_stored_pair(ledger: Ledger) -> None:
    accounts = of(Tokens(ledger, KeyRing([])), access_token="mine")
    assert sent(accounts) == "mine"
    assert accounts.adapter("main").token_version is None


def test_a_stored_pair_goes_before_and_another_one_is_noticed(tokens: Tokens) -> None:
    accounts = of(tokens, access_token="mine")
    assert sent(accounts) == "mine"
    store(tokens)
    assert sent(accounts) == "access-1"
    before = accounts.adapter("main")
    store(tokens, 2)
    assert sent(accounts) == "access-2"
    assert accounts.adapter("main").token_version != before.token_version
    assert accounts.adapter("main") is accounts.adapter("main"), "nothing new, nothing made"
    tokens.remove("main", None, "cli:ann")
    assert sent(accounts) == "mine"


def test_it_looks_every_few_seconds_and_at_once_where_a_token_was_refused(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600.0)
    store(tokens)
    accounts = of(tokens)
    assert sent(accounts) == "access-1"
    store(tokens, 2)
    assert sent(accounts) == "access-1"
    accounts.look_soon("main")
    assert sent(accounts) == "access-2"


def test_where_a_new_pair_cannot_be_opened_the_adapter_that_was_made_stays(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    accounts = of(tokens)
    assert sent(accounts) == "access-1"
    store(Tokens(ledger, KeyRing([new_key()])), 2)
    assert sent(accounts) == "access-1"
    with pytest.raises(ConfigError, match="FULFIL_TOKEN_KEYS"):
        of(tokens).adapter("main")


def test_a_ledger_that_is_away_changes_nothing(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    store(tokens)
    accounts = of(tokens)
    assert sent(accounts) == "access-1"

    def away(_: Tokens) -> dict[str, int]:
        raise LedgerAway("it is away")

    monkeypatch.setattr(Tokens, "versions", away)
    assert sent(accounts) == "access-1"


def test_an_account_without_any_token_says_how_to_get_one(tokens: Tokens) -> None:
    with pytest.raises(ConfigError, match="fulfil accounts login main"):
        of(tokens).adapter("main")


def test_a_renewal_of_the_same_buyer_is_no_change_of_what_orders_were_sent_with(tokens: Tokens) -> None:
    store(tokens)
    accounts = of(tokens)
    before = accounts.binding("main")
    store(tokens, 2)
    assert accounts.binding("main").id == before.id
    named = of(tokens, access_token="mine", buyer_id="42")
    assert named.binding("main").id == before.id, "the settings had named this buyer"
    store(tokens, 3, buyer="77")
    assert accounts.binding("main").id != before.id


def test_from_a_token_of_the_settings_to_a_stored_one_waits_for_a_persons_word(ledger: Ledger, tokens: Tokens) -> None:
    accounts = of(tokens, access_token="mine")
    before = accounts.binding("main")
    with ledger.writing() as connection:
        remember(connection, before, time.time())
    store(tokens)
    with ledger.reading() as connection:
        assert before.id in others(connection, accounts.binding("main"), {before.id})


# What a refused token means


def test_a_refused_token_of_the_settings_is_as_ever(tokens: Tokens) -> None:
    accounts = of(tokens, access_token="mine")
    assert Renewals(accounts, tokens).answer("main", None, REFUSED) is REFUSED


def test_orders_wait_shortly_while_a_refused_token_is_renewed(tokens: Tokens) -> None:
    store(tokens, access_until=time.time() + 3600)
    accounts = of(tokens)
    version = accounts.adapter("main").token_version
    found = Renewals(accounts, tokens).answer("main", version, REFUSED)
    assert (found.code, found.kind, found.pauses_account, found.fix) == (
        Code.TOKEN_RENEWAL,
        Decline.TOKEN,
        True,
        None,
    )
    assert found.retry_after_seconds is not None
    assert found.retry_after_seconds <= RENEWAL_SECONDS
    assert tokens.due(time.time()) == ["main"]


def test_with_another_pair_stored_already_orders_go_on_in_a_moment(tokens: Tokens) -> None:
    store(tokens)
    accounts = of(tokens)
    version = accounts.adapter("main").token_version
    store(tokens, 2)
    found = Renewals(accounts, tokens).answer("main", version, REFUSED)
    assert found.retry_after_seconds == AGAIN_SECONDS
    assert tokens.due(time.time()) == []


def test_where_nothing_renews_the_account_waits_and_a_person_is_told_the_command(tokens: Tokens) -> None:
    store(tokens, renewable=False)
    accounts = of(tokens)
    found = Renewals(accounts, tokens).answer("main", accounts.adapter("main").token_version, REFUSED)
    assert (found.code, found.retry_after_seconds) == ("IllegalAccessToken", 60.0)
    assert found.fix is not None
    assert "fulfil accounts login main" in found.fix


@pytest.mark.parametrize("outcome", [Absent("no"), Declined("Limit", "often", 1.0, kind=Decline.RATE), (1, 2)])
def test_every_other_outcome_stays_as_it_is(tokens: Tokens, outcome: Any) -> None:
    store(tokens)
    assert Renewals(of(tokens), tokens).answer("main", 1, outcome) is outcome
