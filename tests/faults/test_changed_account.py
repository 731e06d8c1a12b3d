"""Real workers whose account was changed, or that were killed, while orders were open: nothing is bought twice."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Shop, job, keys

LOST = "SO-1~timeout_after_commit"
SHOP_ORDER = {
    "line_items": [{"variant_id": "v-1", "product_id": "p-1", "quantity": 1}],
    "shipping_address": {
        "last_name": "Byron",
        "email": "ada@example.com",
        "country": "United States",
        "country_code": "US",
        "province": "California",
        "province_code": "CA",
        "city": "San Francisco",
        "zip": "94103",
        "address": "12 Analytical Way",
    },
    "tax_total": "0.00",
    "currency_code": "USD",
    "discount": "0",
    "shipping_line": {"name": "Free Shipping", "shipping_price": "0.00"},
}

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop with two buyers of one app, and a Shoplazza account."""
    with Shop(tmp_path, ("main", "bob")) as made:
        for name in ("app_key", "app_secret"):
            made.environment[variable("bob", name)] = keys("main")[name]
        for name, value in {"marketplace": "shoplazza", "access_token": "t", "shop": "s"}.items():
            made.environment[variable("boutique", name)] = value
        made.start_redis()
        made.start_sandbox(hang_seconds=3)
        made.environment[variable("boutique", "base_url")] = made.sandbox_url
        yield made


def variable(account: str, name: str) -> str:
    return f"FULFIL_ACCOUNTS__{account.upper()}__{name.upper()}"


def run(shop: Shop) -> None:
    shop.start("place", "confirm", "beat")


def end(shop: Shop) -> None:
    """Stop the workers in good order."""
    for name in ("beat", "place", "confirm"):
        process = shop.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_a_token_of_another_buyer_sends_no_order_that_may_exist_already(shop: Shop) -> None:
    shop.submit([job(LOST)])
    run(shop)
    shop.wait_for(LOST, "unknown")
    end(shop)
    own = shop.environment[variable("main", "access_token")]
    shop.environment[variable("main", "access_token")] = keys("bob")["access_token"]
    run(shop)
    shop.until("the order to be put aside", lambda: shop.show(LOST)["code"] == "ACCOUNT_CHANGED")
    order = shop.show(LOST)
    assert (order["state"], order["attention"]) == ("unknown", True)
    assert "fulfil accounts same-buyer main" in order["fix"]
    assert len(shop.sandbox_orders(LOST)) == 1
    end(shop)
    shop.environment[variable("main", "access_token")] = own
    run(shop)
    assert shop.cli("reconcile", LOST).code == 0
    shop.wait_for(LOST, "unmatched")
    assert len(shop.sandbox_orders(LOST)) == 1


def test_a_persons_word_that_the_new_token_is_the_same_buyers_lets_it_go_on(shop: Shop) -> None:
    shop.submit([job(LOST)])
    run(shop)
    shop.wait_for(LOST, "unknown")
    end(shop)
    shop.environment[variable("main", "access_token")] = "a renewed one the sandbox does not know"
    run(shop)
    shop.until("the order to be put aside", lambda: shop.show(LOST)["code"] == "ACCOUNT_CHANGED")
    said = shop.cli("accounts", "same-buyer", "main")
    assert (said.code, "1 orders go on" in said.out) == (0, True), said
    shop.until("it to be sent again under its key", lambda: len(shop.show(LOST)["attempts"]) > 1)


def test_leftovers_of_a_rehearsal_are_never_bought_for_real(shop: Shop, tmp_path: Path) -> None:
    shop.submit([job("SO-2")])
    with Shop(tmp_path / "live", ("main",)) as live:
        live.start_sandbox()
        shop.environment[variable("main", "base_url")] = f"{live.sandbox_url}/sync"
        run(shop)
        shop.until("the order to be put aside", lambda: shop.show("SO-2")["code"] == "ACCOUNT_CHANGED")
        assert shop.show("SO-2")["state"] == "queued"
        assert shop.sandbox_orders("SO-2") == []


def test_a_worker_killed_before_the_first_byte_costs_no_person_anything(shop: Shop) -> None:
    """Shoplazza has no key that protects: only the missing send mark proves that the order may go again."""
    shop.submit([{"order_id": "SL-1", "account": "boutique", "order": SHOP_ORDER}])
    crashes = {"FULFIL_TEST_CRASH": json.dumps({"claimed": 1.0}), "FULFIL_TEST_CRASH_LOG": str(shop.logs / "crashes")}
    shop.environment |= crashes
    shop.start("place")
    shop.until("the worker to die", lambda: shop.processes["place"].poll() is not None)
    assert shop.show("SL-1")["state"] == "placing"
    for name in crashes:
        del shop.environment[name]
    run(shop)
    order = shop.wait_for("SL-1", "confirmed")
    assert [attempt["outcome"] for attempt in order["attempts"]] == ["NotSent", "Accepted"]
    assert "unknown" not in {event["to"] for event in order["events"]}
    assert len(shop.sandbox_orders("SL-1")) == 1
