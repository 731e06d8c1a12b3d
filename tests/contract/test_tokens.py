"""What every marketplace's calls for tokens keep to: pure, closed outcomes, no secret in any text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.contract_kit import NOW, Subject, ask, drive, texts
from worker.errors import ConfigError, InputError
from worker.marketplaces import REGISTRY
from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.grants import TokenCalls, code_in, token_calls
from worker.rules.tokens import Grant, Refusal, TokenLost, TokenRefused
from worker.sandbox.fake import Fake
from worker.sandbox.tokens import TokenPlan

SUBJECTS = [name for name, known in REGISTRY.items() if known.token_calls is not None]
APP = {
    "app_key": "sandbox-key",
    "app_secret": "sandbox-secret",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "shop": "sandbox",
}
TOKENS = ("secret-access-1", "secret-refresh-1", "code-7")
GOOD = {"access_token": TOKENS[0], "refresh_token": TOKENS[1], "expires_in": 100, "user_id": "42", "code": "0"}


def calls_of(subject: Subject, at: float = NOW, base_url: str | None = None) -> TokenCalls:
    kind = subject.marketplace.token_calls
    assert kind is not None
    return kind(APP | _sandbox_app(subject), base_url, clock=lambda: at)


def _sandbox_app(subject: Subject) -> dict[str, str]:
    from worker.sandbox import shoplazza_life

    if subject.name != "shoplazza":
        return {}
    return {"client_id": shoplazza_life.CLIENT_ID, "client_secret": shoplazza_life.CLIENT_SECRET}


def both(subject: Subject) -> Iterator[Any]:
    yield calls_of(subject).create(TOKENS[2])
    yield calls_of(subject).renew(TOKENS[1])


def said(subject: Subject, came: Reply | Lost, renews: bool = True) -> Any:
    steps = calls_of(subject).renew(TOKENS[1]) if renews else calls_of(subject).create(TOKENS[2])
    return drive(steps, lambda *_: came)[1]


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, {}, json.dumps(body).encode() if not isinstance(body, bytes) else body)


def test_xportcn_has_none_for_its_keys_never_end() -> None:
    assert [name for name, known in REGISTRY.items() if known.token_calls is None] == ["xportcn"]


def test_a_call_is_one_post_with_everything_in_its_body(subject: Subject) -> None:
    for steps in both(subject):
        asked, _ = drive(steps, lambda *_: Lost("cut", may_have_arrived=True))
        (request,) = asked
        assert (request.method, request.creates) == ("POST", False)
        assert urlsplit(request.url).query == ""
        assert request.url.startswith("https://")
        assert "secret" not in request.url


@pytest.mark.parametrize("arrived", [True, False])
def test_no_reply_is_lost_and_says_whether_it_may_have_arrived(subject: Subject, arrived: bool) -> None:
    assert said(subject, Lost("cut", may_have_arrived=arrived)) == TokenLost("cut", arrived)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>wrong host</html>", b"[]", b"null", {}, {"access_token": None}, {"access_token": " "},
     {"access_token": {"a": 1}}, {"access_token": 1.5}, {"code": "ServiceUnavailable", "message": "later"}],
)  # fmt: skip
def test_what_is_no_definite_answer_is_lost(subject: Subject, body: Any) -> None:
    for status in (200, 500, 503):
        outcome = said(subject, reply(body, status))
        assert isinstance(outcome, TokenLost)
        assert outcome.may_have_arrived


def test_a_blank_refresh_token_is_none(subject: Subject) -> None:
    for blank in (None, "", "  ", "null"):
        outcome = said(subject, reply(GOOD | {"refresh_token": blank}))
        assert isinstance(outcome, Grant)
        assert (outcome.access, outcome.refresh) == (TOKENS[0], "")
    without = {name: value for name, value in GOOD.items() if name != "refresh_token"}
    assert said(subject, reply(without)).refresh == ""


def test_a_no_under_a_server_error_proves_nothing(subject: Subject) -> None:
    for body in ({"code": "IllegalRefreshToken", "request_id": "1"}, {"error": "invalid_grant"}):
        assert isinstance(said(subject, reply(body, 502)), TokenLost)


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["IllegalRefreshToken", "invalid_grant", TOKENS[0]]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*GOOD, "error", "expire_time", "expires_at", "refresh_expires_in", "x"]), inner),
    max_leaves=8,
), st.sampled_from([200, 302, 400, 401, 500]))  # fmt: skip
def test_nothing_raises_and_no_text_holds_a_secret(subject: Subject, body: Any, status: int) -> None:
    for renews in (True, False):
        outcome = said(subject, reply(body, status), renews)
        assert isinstance(outcome, Grant | TokenRefused | TokenLost)
        shown = repr(outcome) if isinstance(outcome, Grant) else " ".join(texts(outcome))
        assert [secret for secret in (*TOKENS, *APP.values()) if "secret" in secret and secret in shown] == []
        if isinstance(outcome, Grant):
            assert outcome.access
            assert outcome.access_until is None or outcome.access_until >= NOW


# With the sandbox, which was written from the same facts and shares no code with the adapters.


def fake_of(subject: Subject, **plan: Any) -> Fake:
    fake = subject.fake_class({}, 0.0)
    assert fake.tokens is not None
    fake.tokens.set(TokenPlan(**plan), NOW)
    return fake


def at_sandbox(subject: Subject, fake: Fake, what: str, value: str, at: float = NOW) -> Any:
    steps = getattr(calls_of(subject, at, subject.url("http://sandbox")), what)(value)
    return drive(steps, lambda _, request: ask(fake, request, at))[1]


def granted(subject: Subject, fake: Fake) -> Grant:
    assert fake.tokens is not None
    outcome = at_sandbox(subject, fake, "create", fake.tokens.code("sandbox", NOW))
    assert isinstance(outcome, Grant), outcome
    return outcome


def test_a_code_is_redeemed_once(subject: Subject) -> None:
    fake = fake_of(subject)
    assert fake.tokens is not None
    code = fake.tokens.code("sandbox", NOW)
    grant = at_sandbox(subject, fake, "create", code)
    assert isinstance(grant, Grant)
    assert grant.refresh
    assert grant.renewable
    assert grant.access_until is not None
    assert grant.access_until <= NOW + 30 * 86400
    again = at_sandbox(subject, fake, "create", code)
    assert isinstance(again, TokenRefused)
    assert again.kind is Refusal.CODE


def test_a_renewal_gives_both_tokens_anew_and_an_ended_one_is_refused(subject: Subject) -> None:
    fake = fake_of(subject, old_pair="ends", access_seconds=40)
    first = granted(subject, fake)
    second = at_sandbox(subject, fake, "renew", first.refresh, NOW + 20)
    assert isinstance(second, Grant)
    assert len({first.access, second.access, first.refresh, second.refresh}) == 4
    assert second.buyer == first.buyer
    assert second.access_until is not None
    assert NOW + 40 < second.access_until <= NOW + 60
    refused = at_sandbox(subject, fake, "renew", first.refresh, NOW + 21)
    assert isinstance(refused, TokenRefused)
    assert refused.kind is Refusal.ENDED


def test_a_renewal_without_a_refresh_token_keeps_the_old_one_valid(subject: Subject) -> None:
    fake = fake_of(subject, blank_refresh=True)
    first = granted(subject, fake)
    second = at_sandbox(subject, fake, "renew", first.refresh)
    assert isinstance(second, Grant)
    assert second.refresh == ""
    assert isinstance(at_sandbox(subject, fake, "renew", first.refresh), Grant)


def test_an_app_that_is_not_accepted_is_a_matter_of_the_set_up(subject: Subject) -> None:
    fake, kind = fake_of(subject), subject.marketplace.token_calls
    assert kind is not None
    assert fake.tokens is not None
    wrong = APP | _sandbox_app(subject) | {"app_secret": "another-secret", "client_secret": "another-client-secret"}
    steps = kind(wrong, subject.url("http://sandbox"), clock=lambda: NOW).create(fake.tokens.code("sandbox", NOW))
    outcome = drive(steps, lambda _, request: ask(fake, request, NOW))[1]
    assert isinstance(outcome, TokenRefused)
    assert outcome.kind is Refusal.SETUP


def test_the_grant_page_names_the_app_and_no_secret(subject: Subject) -> None:
    page = calls_of(subject).grant_page()
    asked = parse_qs(urlsplit(page).query)
    assert asked["response_type"] == ["code"]
    assert "secret" not in page.replace("sandbox-client", "")


def test_an_app_whose_keys_are_missing_is_told_by_their_names(subject: Subject) -> None:
    kind = subject.marketplace.token_calls
    assert kind is not None
    with pytest.raises(ConfigError, match="FULFIL_ACCOUNTS__MAIN__"):
        token_calls(kind, "main", {}, None)


@pytest.mark.parametrize(
    "given",
    ["code-7", " code-7\n", "https://shop.example/back?code=code-7&state=1", "?code=code-7", "code=code-7&state=x",
     '"http://127.0.0.1/cb?state=1&code=code-7"'],
)  # fmt: skip
def test_a_person_may_give_the_whole_address_or_the_code(given: str) -> None:
    assert code_in(given) == "code-7"


@pytest.mark.parametrize("given", ["", "  ", "https://shop.example/back?error=denied", "two words", "x" * 600, "a\0b"])
def test_what_holds_no_code_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(InputError) as told:
        code_in(given)
    assert not given.strip() or given.strip() not in str(told.value)
