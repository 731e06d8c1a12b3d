"""Accounts that keep themselves alive, with everything real: tokens that end while orders are placed and read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import Shop, job
from worker.ledger.accounts import Tokens
from worker.ledger.keyring import KeyRing, new_key
from worker.rules.token_views import TokenView
from worker.rules.tokens import TokenState

SECRETS = ("sandbox-access-", "sandbox-refresh-", "sandbox-code-")
"""How every token and code of the sandbox begins."""
LIFE = 8.0
"""Seconds an access token lives: some end while the orders of a test are under way."""
WAIT = 120


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose account has no token in its settings; the sandbox's own for it has ended."""
    options: dict[str, Any] = {"token_keys": new_key(), "sweep_seconds": 1, "request_timeout_seconds": 3}
    with Shop(tmp_path / "shop", **options, log_level="DEBUG") as made:
        made.start_redis()
        made.start_sandbox()
        del made.environment["FULFIL_ACCOUNTS__MAIN__ACCESS_TOKEN"]
        plan(made, access_seconds=LIFE, configured_end_seconds=0)
        yield made
        assert_no_secret(made)


def assert_no_secret(shop: Shop) -> None:
    """Fail where a token stands in a log, or readable in the ledger's files."""
    for path in [*shop.logs.glob("*.log"), *shop.home.glob("ledger.sqlite3*")]:
        if path.name != "sandbox.log":
            found = path.read_bytes()
            assert [name for name in SECRETS if name.encode() in found] == [], path.name


def plan(shop: Shop, **plan: Any) -> None:
    httpx.post(f"{shop.sandbox_url}/_sandbox/tokens", json={"marketplace": "aliexpress", **plan}).raise_for_status()


def fault(shop: Shop, **fault: Any) -> None:
    httpx.post(f"{shop.sandbox_url}/_sandbox/faults", json=fault).raise_for_status()


def code(shop: Shop, **options: Any) -> str:
    asked = {"marketplace": "aliexpress", "account": "main", **options}
    return str(httpx.post(f"{shop.sandbox_url}/_sandbox/tokens/code", json=asked).raise_for_status().json()["code"])


def log_in(shop: Shop, **options: Any) -> None:
    answer = shop.cli("accounts", "login", "main", stdin=f"https://shop.example/back?code={code(shop)}&x=1\n".encode())
    assert answer.code == 0, answer
    assert [name for name in SECRETS if name in answer.out + answer.err] == []


def view(shop: Shop) -> TokenView:
    return Tokens(shop.ledger, KeyRing(())).views()[0]


def tally(shop: Shop) -> dict[str, Any]:
    return dict(httpx.get(f"{shop.sandbox_url}/_sandbox/tokens").json()["aliexpress"]["accounts"]["main"])


def made(shop: Shop) -> dict[str, int]:
    """Return how many orders the sandbox has under each of our ids."""
    found: dict[str, int] = {}
    for order in httpx.get(f"{shop.sandbox_url}/_sandbox/orders").json():
        found[order["key"]] = found.get(order["key"], 0) + 1
    return found


def confirmed_once(shop: Shop, ids: list[str]) -> None:
    for order_id in ids:
        shop.wait_for(order_id, "confirmed", seconds=WAIT)
    assert made(shop) == dict.fromkeys(ids, 1)
    assert [shop.spent(order_id) for order_id in ids] == [1] * len(ids)


@pytest.mark.timeout(300)
def test_orders_are_placed_and_read_while_tokens_end_all_the_time(shop: Shop) -> None:
    log_in(shop)
    shop.start("place", "confirm", "beat")
    ids = []
    for batch in range(4):
        now = [f"SO-{batch}-{number}" for number in range(5)]
        shop.submit([job(order_id) for order_id in now])
        ids += now
        seen = tally(shop)["refreshes"]
        shop.until("the next renewal", lambda seen=seen: tally(shop)["refreshes"] > seen, 60)  # type: ignore[misc]
    confirmed_once(shop, ids)
    assert view(shop).trouble(view(shop).stored_at) is None
    assert shop.cli("accounts", "list").code == 0
    assert shop.cli("accounts", "test", "main").code == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("old_pair", ["until_new_used", "lives"])
def test_a_death_between_the_renewal_and_its_record_costs_waiting_only(shop: Shop, old_pair: str) -> None:
    plan(shop, access_seconds=LIFE, configured_end_seconds=0, old_pair=old_pair)
    log_in(shop)
    deaths = shop.folder / "deaths"
    shop.environment |= {"FULFIL_TEST_CRASH": '{"renewed": 1}', "FULFIL_TEST_CRASH_LOG": str(deaths)}
    shop.start("confirm")
    shop.environment = {name: value for name, value in shop.environment.items() if "_TEST_CRASH" not in name}
    shop.start("place", "beat")
    shop.until("the worker to die with a pair in its hands", deaths.exists, 60)
    before = tally(shop)
    assert before["refreshes"] >= 1
    shop.start("confirm")
    ids = [f"SO-{number}" for number in range(5)]
    shop.submit([job(order_id) for order_id in ids])
    confirmed_once(shop, ids)
    assert tally(shop)["grants"] == before["grants"]
    assert view(shop).state is TokenState.GOOD


@pytest.mark.timeout(300)
def test_where_the_old_pair_ended_with_the_lost_reply_a_person_is_asked_and_nothing_is_lost(shop: Shop) -> None:
    plan(shop, access_seconds=LIFE, configured_end_seconds=0, old_pair="ends")
    log_in(shop)
    fault(shop, fault="reset_after_commit", operation="token")
    shop.start("place", "confirm", "beat")
    shop.until("a reply to be lost", lambda: view(shop).state is TokenState.UNSETTLED, 60)
    fault(shop, fault="reset_after_commit", operation="token", probability=0)
    shop.until("the account to be parked", lambda: view(shop).state is TokenState.PARKED, 60)
    ids = [f"SO-{number}" for number in range(3)]
    shop.submit([job(order_id) for order_id in ids])
    told = shop.until("the pause", lambda: _paused(shop), 60)
    assert told["code"] == "TOKEN_ENDED"
    assert told["fix"] == "fulfil accounts login main"
    assert shop.cli("accounts", "list").code == 1
    plan(shop, access_seconds=LIFE * 4, configured_end_seconds=0)
    log_in(shop)
    confirmed_once(shop, ids)
    assert _paused(shop) is None


def _paused(shop: Shop) -> dict[str, Any] | None:
    found = shop.cli("accounts", "list", "--json").json()[0]["paused"]
    return None if found is None else dict(found)


@pytest.mark.timeout(300)
def test_another_buyer_is_refused_while_orders_are_open(shop: Shop) -> None:
    log_in(shop)
    before = view(shop)
    shop.submit([job("SO-1")])
    answer = shop.cli("accounts", "login", "main", code(shop, buyer="stranger"))
    assert answer.code == 1
    assert "another buyer" in answer.err
    assert [name for name in SECRETS if name in answer.out + answer.err] == []
    assert view(shop) == before
    assert shop.cli("cancel", "SO-1").code == 0
    assert shop.cli("accounts", "login", "main", code(shop, buyer="stranger")).code == 0
    assert view(shop).buyer != before.buyer


@pytest.mark.timeout(300)
def test_commands_about_tokens(shop: Shop) -> None:
    plan(shop, configured_end_seconds=0)
    assert shop.cli("accounts", "login", "main", "not a code").code == 2
    wrong = shop.cli("accounts", "login", "main", "sandbox-code-of-yesterday")
    assert (wrong.code, "open the grant page again" in wrong.err) == (1, True)
    assert shop.cli("accounts", "list").code == 1
    page = shop.cli("accounts", "login", "main", stdin=b"\n")
    assert "/oauth/authorize?" in page.out
    log_in(shop)
    first = view(shop)
    old, new = shop.environment["FULFIL_TOKEN_KEYS"], shop.cli("accounts", "key").out.strip()
    shop.environment["FULFIL_TOKEN_KEYS"] = f"{new},{old}"
    assert shop.cli("accounts", "rekey").code == 0
    shop.environment["FULFIL_TOKEN_KEYS"] = new
    assert shop.cli("accounts", "test", "main").code == 0
    assert view(shop) == first
    shop.environment["FULFIL_TOKEN_KEYS"] = old
    lost = shop.cli("accounts", "test", "main")
    assert (lost.code, "FULFIL_TOKEN_KEYS" in lost.err, old in lost.err) == (2, True, False)
    assert shop.cli("accounts", "remove", "main").code == 0
    assert (_paused(shop) or {})["code"] == "TOKEN_ENDED"
