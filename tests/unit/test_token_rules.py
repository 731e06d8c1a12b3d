"""The rules of tokens: when they are renewed, how a lost reply is settled, when a person is asked."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.rules.codes import Code
from worker.rules.token_views import AccountView, TokenView, account_lines
from worker.rules.tokens import (
    DAY,
    EARLY_SECONDS,
    FAILURES_BEFORE_A_PERSON,
    LONGEST_WAIT_SECONDS,
    Grant,
    Kept,
    Refusal,
    TokenLost,
    TokenRefused,
    TokenState,
    after_failure,
    after_refused_call,
    asked_ahead,
    ends_at,
    is_early_refusal,
    parked,
    refresh_end,
    renewal_due,
)

NOW = 1_700_000_000.0
ENDED = TokenRefused(Refusal.ENDED, "IllegalRefreshToken")


def view(**changed: Any) -> TokenView:
    known = TokenView(
        account="main",
        version=1,
        state=TokenState.GOOD,
        granted_at=NOW - DAY,
        stored_at=NOW - DAY,
        access_until=NOW + 1800,
        refresh_until=NOW + 59 * DAY,
        renewable=True,
        has_before=False,
        due_at=NOW,
        tries=0,
        refusals=0,
        buyer="42",
        code=None,
        reason=None,
        actor="cli:ann",
    )
    return dataclasses.replace(known, **changed)


@pytest.mark.parametrize(
    ("lifetime", "told", "ends"),
    [
        (3600, None, NOW + 3600),
        (None, NOW + 50, NOW + 50),
        (3600, NOW + 50, NOW + 50),
        (50, NOW + 3600, NOW + 50),
        (None, None, None),
        (0, None, None),
        (3600, NOW - 9 * DAY, NOW + 3600),  # another clock, or milliseconds taken for seconds
        (3600, NOW / 1000, NOW + 3600),
    ],
)
def test_a_token_ends_at_the_earlier_of_its_lifetime_and_the_told_time(
    lifetime: float | None, told: float | None, ends: float | None
) -> None:
    assert ends_at(NOW, lifetime, told) == ends


def test_it_is_renewed_half_an_hour_before_its_end_and_a_short_one_at_its_half() -> None:
    assert renewal_due(NOW + 30 * DAY, True, NOW) == NOW + 30 * DAY - EARLY_SECONDS
    assert renewal_due(NOW + 40, True, NOW) == NOW + 20
    assert renewal_due(None, True, NOW) is None
    assert renewal_due(NOW + 40, False, NOW) == NOW + 40, "it cannot be renewed: it is looked at when it ends"


@given(st.floats(1, 90 * DAY))
def test_a_renewal_is_due_before_the_end_and_never_at_once(lifetime: float) -> None:
    due = renewal_due(NOW + lifetime, True, NOW)
    assert due is not None
    assert NOW < due < NOW + lifetime


def test_the_refresh_clock_does_not_start_anew() -> None:
    assert refresh_end(NOW + 5, NOW + 60 * DAY) == NOW + 5
    assert refresh_end(NOW + 5, None) == NOW + 5
    assert refresh_end(None, NOW + 5) == NOW + 5


def test_a_lost_reply_keeps_the_pair_and_is_tried_again() -> None:
    kept = after_failure(TokenLost("cut"), view(), NOW)
    assert kept.state is TokenState.UNSETTLED
    assert kept.due_in_seconds is not None
    assert 0 < kept.due_in_seconds <= LONGEST_WAIT_SECONDS
    assert not kept.stops
    assert after_failure(TokenLost("refused", may_have_arrived=False), view(), NOW).state is TokenState.GOOD


def test_a_refused_refresh_token_parks_and_the_access_token_is_used_to_its_end() -> None:
    kept = after_failure(ENDED, view(), NOW)
    assert kept == Kept(TokenState.PARKED, 0, 1800, "IllegalRefreshToken", kept.reason)
    over = parked(view(access_until=NOW), NOW, "IllegalRefreshToken")
    assert (over.stops, over.due_in_seconds, over.code) == (True, None, Code.TOKEN_ENDED)


def test_the_pair_before_is_tried_once_and_no_more() -> None:
    first = after_failure(ENDED, view(has_before=True), NOW)
    assert (first.state, first.due_in_seconds) == (TokenState.BEFORE, 0.0)
    then = after_failure(ENDED, view(has_before=True, state=TokenState.BEFORE), NOW)
    assert then.state is TokenState.PARKED


@given(
    st.lists(st.sampled_from([TokenLost("cut"), TokenLost("no", False), ENDED]), min_size=1, max_size=30),
    st.booleans(),
    st.randoms(),
)
def test_whatever_fails_in_a_row_it_ends_with_a_person_or_goes_on_within_minutes(
    outcomes: list[Any], has_before: bool, chance: random.Random
) -> None:
    standing, refused = view(has_before=has_before), 0
    for outcome in outcomes:
        kept = after_failure(outcome, standing, NOW, chance)
        refused += outcome is ENDED
        standing = dataclasses.replace(standing, state=kept.state, tries=kept.tries)
        if kept.state is TokenState.PARKED:
            assert refused == 1 + has_before
            assert standing.trouble(NOW) is not None
            return
        assert kept.due_in_seconds is not None
        assert kept.due_in_seconds <= LONGEST_WAIT_SECONDS
        assert refused <= has_before
    expected = standing.tries >= FAILURES_BEFORE_A_PERSON
    assert (standing.trouble(NOW) is not None) == expected


def test_a_refused_call_renews_at_once_and_again_only_after_a_while() -> None:
    fresh = view(stored_at=NOW - 1)
    assert after_refused_call(fresh, 1, NOW + 900, NOW) == NOW
    again = after_refused_call(fresh, 2, NOW + 900, NOW)
    assert again is not None
    assert again > NOW + 60
    failing = view(tries=3)
    assert after_refused_call(failing, 1, NOW + 70, NOW) == NOW + 70
    assert after_refused_call(view(state=TokenState.PARKED), 1, None, NOW) is None
    assert after_refused_call(view(renewable=False), 1, None, NOW) is None


def test_a_token_refused_after_its_end_is_no_early_refusal() -> None:
    assert is_early_refusal(view(stored_at=NOW - 1), NOW)
    assert not is_early_refusal(view(stored_at=NOW - 1, access_until=NOW), NOW)
    assert not is_early_refusal(view(stored_at=NOW - DAY), NOW)


@pytest.mark.parametrize(
    ("granted", "left", "asked"),
    [
        (60 * DAY, 8 * DAY, False),
        (60 * DAY, 7 * DAY, True),
        (60 * DAY, 3600, True),
        (2 * DAY, 1.5 * DAY, False),
        (2 * DAY, 0.9 * DAY, True),
        (600, 300, False),
    ],
)
def test_a_person_is_asked_a_week_and_a_day_ahead(granted: float, left: float, asked: bool) -> None:
    standing = view(granted_at=NOW + left - granted, refresh_until=NOW + left)
    assert (asked_ahead(standing, NOW) is not None) == asked
    told = standing.trouble(NOW)
    assert (told is not None) == asked
    if told is not None:
        assert told.fix == "fulfil accounts login main"


def test_no_grant_shows_its_tokens() -> None:
    assert "secret-" not in repr(Grant("secret-access", "secret-refresh", "42"))


def test_an_account_is_told_in_words_with_a_command_that_works() -> None:
    bare = AccountView("main", "aliexpress", None, own_token=False, pause=None)
    assert account_lines(bare, NOW) == ["main (aliexpress): no token; fulfil accounts login main"]
    assert bare.needs_a_person(NOW)
    assert not dataclasses.replace(bare, own_token=True).needs_a_person(NOW)
    ended = dataclasses.replace(bare, tokens=view(state=TokenState.PARKED))
    assert "fulfil accounts login main" in account_lines(ended, NOW)[-1]
    assert ended.as_json(NOW)["tokens"]["trouble"]["code"] == "TOKEN_ENDED"
