"""Lesson 13. The promise, held against every order of every lesson: the ledger's word is the marketplace's record."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from tests.harness import Shop
from worker.ledger.queries import Filter, Queries


@pytest.fixture
def told(shop: Shop) -> list[dict[str, Any]]:
    """Every order, once none of them moves by itself any more."""
    resting = {"confirmed", "refused", "unmatched", "dead", "cancelled"}
    shop.until("every order to come to rest", lambda: set(Queries(shop.ledger).counts()) <= resting, 90)
    return [order.as_json() for order in Queries(shop.ledger).orders(Filter())]


@pytest.fixture
def made(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    """What the marketplaces' own records hold, by order."""
    found = defaultdict(list)
    for order in shop.sandbox_orders():
        found[order["key"]].append(order)
    return found


def test_no_order_was_ever_made_twice(told: list[dict[str, Any]], made: dict[str, list[dict[str, Any]]]) -> None:
    assert {key: orders for key, orders in made.items() if len(orders) > 1} == {}


def test_every_order_we_call_confirmed_or_placed_is_there_under_the_ids_we_tell(
    told: list[dict[str, Any]], made: dict[str, list[dict[str, Any]]]
) -> None:
    for order in told:
        if order["state"] == "confirmed":
            (one,) = made[order["order_id"]]
            assert one["references"] == order["references"]
            assert one["gets"], order["order_id"]


def test_every_order_we_call_refused_is_not_there(
    told: list[dict[str, Any]], made: dict[str, list[dict[str, Any]]]
) -> None:
    assert [order["order_id"] for order in told if order["state"] == "refused" and made[order["order_id"]]] == []


def test_every_order_that_is_there_is_one_we_know(
    told: list[dict[str, Any]], made: dict[str, list[dict[str, Any]]]
) -> None:
    assert made.keys() <= {order["order_id"] for order in told}


def test_no_order_was_read_sooner_than_ten_seconds_after_its_create(
    told: list[dict[str, Any]], made: dict[str, list[dict[str, Any]]]
) -> None:
    early = {
        one["key"]: get - one["creates"][0]
        for orders in made.values()
        for one in orders
        for get in one["gets"]
        if get - one["creates"][0] < 10
    }
    assert early == {}
