"""Tokens in the ledger: encrypted, two at once, leased to one process, fenced against one that comes late."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.ledger.ledger_kit import ACCOUNT, submit
from worker.errors import ConfigError, NotAllowed
from worker.ledger.accounts import Renewal, Tokens
from worker.ledger.audit import Audit
from worker.ledger.engine import Ledger
from worker.ledger.keyring import KeyRing, new_key
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.tables import account_tokens
from worker.rules.acts import ActKind
from worker.rules.codes import Code
from worker.rules.decision import Pause
from worker.rules.tokens import Grant, Kept, TokenLost, TokenState, after_failure, stopped

NOW = 1_700_000_000.0
KEY = new_key()
LEASE = 45.0


@pytest.fixture
def tokens(ledger: Ledger) -> Tokens:
    return Tokens(ledger, KeyRing([KEY]))


def pair(number: int = 1, **changed: Any) -> Grant:
    known: dict[str, Any] = {"buyer": "42", "access_until": NOW + 40, "refresh_until": NOW + 600}
    return Grant(f"access-{number}", f"refresh-{number}", **(known | changed))


def store(tokens: Tokens, grant: Grant | None = None, now: float = NOW) -> None:
    tokens.grant(ACCOUNT, grant or pair(), None, "cli:ann", now)


def leased(tokens: Tokens, at: float = NOW + 20) -> Renewal:
    found = tokens.claim(ACCOUNT, LEASE, at)
    assert found is not None
    return found


def access(tokens: Tokens) -> str:
    found = tokens.sending(ACCOUNT)
    assert found is not None
    return found.access


def raw(ledger: Ledger) -> str:
    with ledger.reading() as connection:
        return str(connection.execute(select(account_tokens)).mappings().all())


def test_nothing_readable_is_stored(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    tokens.renewed(leased(tokens), pair(2), NOW + 21)
    shown = raw(ledger) + repr(tokens.sending(ACCOUNT)) + repr(tokens.views())
    assert [secret for secret in ("access-", "refresh-") if secret in shown] == []


def test_it_is_due_at_its_half_and_one_process_renews(tokens: Tokens) -> None:
    store(tokens)
    assert tokens.due(NOW + 19) == []
    assert tokens.due(NOW + 20) == [ACCOUNT]
    assert tokens.claim(ACCOUNT, LEASE, NOW + 19) is None
    first = leased(tokens)
    assert first.refresh == "refresh-1"
    assert tokens.due(NOW + 21) == []
    assert tokens.claim(ACCOUNT, LEASE, NOW + 21) is None
    assert tokens.renewed(first, pair(2, access_until=NOW + 61, refresh_until=NOW + 9999), NOW + 21)
    assert access(tokens) == "access-2"
    (view,) = tokens.views()
    assert (view.refresh_until, view.due_at, view.state) == (NOW + 600, NOW + 41, TokenState.GOOD)


def test_of_many_at_once_one_gets_the_lease(tokens: Tokens) -> None:
    store(tokens)
    got: list[Renewal | None] = []

    def ask() -> None:
        got.append(tokens.claim(ACCOUNT, LEASE, NOW + 20))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len([one for one in got if one is not None]) == 1


def test_a_renewal_that_nobody_ended_is_a_lost_one_and_keeps_the_old_pair(tokens: Tokens) -> None:
    store(tokens)
    leased(tokens)
    later = leased(tokens, NOW + 20 + LEASE)
    assert (later.view.state, later.view.tries, later.refresh) == (TokenState.UNSETTLED, 1, "refresh-1")
    assert access(tokens) == "access-1"


def test_what_comes_after_its_lease_is_fenced(tokens: Tokens) -> None:
    store(tokens)
    slow = leased(tokens)
    quick = leased(tokens, NOW + 20 + LEASE)
    assert not tokens.kept(slow, stopped(slow.view), NOW + 70), "only the holder of the lease tells a failure"
    assert tokens.renewed(quick, pair(3, access_until=NOW + 110), NOW + 71)
    assert not tokens.renewed(slow, pair(2), NOW + 72), "another pair was stored meanwhile"
    assert access(tokens) == "access-3"


def test_a_late_pair_is_better_than_none(tokens: Tokens) -> None:
    store(tokens)
    slow = leased(tokens)
    quick = leased(tokens, NOW + 20 + LEASE)
    assert tokens.kept(quick, stopped(quick.view), NOW + 70)
    assert tokens.renewed(slow, pair(2, access_until=NOW + 110), NOW + 71)
    assert access(tokens) == "access-2"
    assert Pauses(tokens._ledger).standing(NOW + 71) == {}


def test_a_login_is_not_overwritten_by_a_renewal_of_the_grant_before(tokens: Tokens) -> None:
    store(tokens)
    old = leased(tokens)
    tokens.remove(ACCOUNT, None, "cli:ann")
    store(tokens, pair(7), NOW + 30)
    assert not tokens.renewed(old, pair(2), NOW + 31)
    assert access(tokens) == "access-7"


def test_a_blank_refresh_token_keeps_the_old_one(tokens: Tokens) -> None:
    store(tokens)
    tokens.renewed(leased(tokens), Grant("access-2", "", None, NOW + 60), NOW + 21)
    again = leased(tokens, NOW + 41)
    assert again.refresh == "refresh-1"
    assert not again.view.has_before


def test_the_pair_before_is_tried_where_the_stored_one_is_refused(tokens: Tokens) -> None:
    store(tokens)
    tokens.renewed(leased(tokens), pair(2, access_until=NOW + 60), NOW + 21)
    second = leased(tokens, NOW + 41)
    assert (second.refresh, second.view.has_before) == ("refresh-2", True)
    tokens.kept(second, Kept(TokenState.BEFORE, 1, 0.0), NOW + 42)
    assert leased(tokens, NOW + 42).refresh == "refresh-1"


def test_a_failure_keeps_the_pair(tokens: Tokens) -> None:
    store(tokens)
    renewal = leased(tokens)
    assert tokens.kept(renewal, after_failure(TokenLost("cut"), renewal.view, NOW + 21), NOW + 21)
    (view,) = tokens.views()
    assert (view.state, view.tries, access(tokens)) == (TokenState.UNSETTLED, 1, "access-1")
    assert view.due_at is not None
    assert NOW + 21 < view.due_at <= NOW + 31


def test_parked_stops_the_account_until_another_pair_is_stored(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    renewal = leased(tokens)
    tokens.kept(renewal, stopped(renewal.view), NOW + 41)
    standing = Pauses(ledger).standing(NOW + 42)[ACCOUNT]
    assert (standing.code, standing.until, standing.fix) == (Code.TOKEN_ENDED, None, "fulfil accounts login main")
    assert tokens.due(NOW + 10**7) == [], "not tried again until another refresh token is stored"
    store(tokens, pair(2), NOW + 50)
    assert Pauses(ledger).standing(NOW + 51) == {}


def test_a_persons_own_pause_stays(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    Operator(ledger, "cli:ann").pause(ACCOUNT)
    renewal = leased(tokens)
    tokens.kept(renewal, stopped(renewal.view), NOW + 41)
    store(tokens, pair(2), NOW + 50)
    assert Pauses(ledger).standing(NOW + 51)[ACCOUNT].code == Code.PAUSED


def test_a_refused_call_brings_the_renewal_forward_once(tokens: Tokens) -> None:
    store(tokens, pair(access_until=NOW + 86400))
    (view,) = tokens.views()
    assert tokens.refused(ACCOUNT, view.version, NOW + 5) == 0.0
    assert tokens.due(NOW + 5) == [ACCOUNT]
    assert tokens.refused(ACCOUNT, view.version - 1, NOW + 5) == 0.0, "another pair is stored already"
    tokens.renewed(leased(tokens, NOW + 5), pair(2, access_until=NOW + 86400), NOW + 6)
    (view,) = tokens.views()
    wait = tokens.refused(ACCOUNT, view.version, NOW + 7)
    assert wait is not None
    assert wait > 60, "the new one is refused too: renewing does not help at once"
    assert tokens.refused("other", 1, NOW) is None


def test_a_refused_call_stops_an_account_that_nothing_renews(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens, pair(renewable=False, access_until=NOW + 86400))
    (view,) = tokens.views()
    assert tokens.refused(ACCOUNT, view.version, NOW + 5) is None
    assert Pauses(ledger).standing(NOW + 6)[ACCOUNT].code == Code.TOKEN_ENDED


def test_another_buyer_is_refused_while_orders_are_open(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    submit(ledger, "SO-1")
    with pytest.raises(NotAllowed, match="another buyer"):
        store(tokens, pair(2, buyer="77"))
    assert access(tokens) == "access-1"
    store(tokens, pair(3))
    assert access(tokens) == "access-3", "the same buyer may grant at any time"
    submit(ledger, "SO-2", account="fresh")
    with pytest.raises(NotAllowed):
        tokens.grant("fresh", pair(2, buyer="77"), "42", "cli:ann", NOW)  # the settings named its buyer
    Operator(ledger, "cli:ann").act(ActKind.CANCEL, "SO-1", lambda _: None, lambda _: False, "")
    store(tokens, pair(4, buyer="77"))
    assert tokens.views()[0].buyer == "77"


def test_a_buyer_of_whom_no_grant_told_an_id_may_log_in_again(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens, pair(buyer="grant-1"))
    submit(ledger, "SO-1")
    store(tokens, pair(2, buyer="grant-2"))
    assert access(tokens) == "access-2"


def test_who_granted_and_removed_is_written_down(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    tokens.remove(ACCOUNT, None, "cli:ben")
    acts = Audit(ledger).newest(10, account=ACCOUNT)
    assert [(act.what, act.actor) for act in acts] == [("login", "ann"), ("remove tokens", "ben")]


def test_keys_change_by_turns(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    tokens.renewed(leased(tokens), pair(2, access_until=NOW + 60), NOW + 21)
    new = new_key()
    with pytest.raises(ConfigError, match="FULFIL_TOKEN_KEYS"):
        Tokens(ledger, KeyRing([new])).sending(ACCOUNT)
    assert Tokens(ledger, KeyRing([new, KEY])).rekey() == 1
    assert access(Tokens(ledger, KeyRing([new]))) == "access-2"
    with pytest.raises(ConfigError) as told:
        tokens.rekey()
    assert KEY not in str(told.value)
    with pytest.raises(ConfigError, match="fulfil accounts key"):
        Tokens(ledger, KeyRing([])).sending(ACCOUNT)


def test_a_row_moved_to_another_account_opens_nothing(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    with ledger.writing() as connection:
        connection.execute(update(account_tokens).values(account="other"))
    with pytest.raises(ConfigError, match="another account"):
        tokens.sending("other")


def test_a_removal_pauses_in_the_same_moment(ledger: Ledger, tokens: Tokens) -> None:
    store(tokens)
    assert tokens.remove(ACCOUNT, Pause(None, Code.TOKEN_ENDED, "its stored tokens were removed", None), "cli:ann")
    assert tokens.sending(ACCOUNT) is None
    assert set(Pauses(ledger).standing()) == {ACCOUNT}
    assert not tokens.remove(ACCOUNT, None, "cli:ann")
