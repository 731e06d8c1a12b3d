"""Lesson 2. A batch: many orders in one file, few messages, and a count of how they stand."""

from __future__ import annotations

from typing import Any

from tests.harness import Shop, job

ORDERS = [f"SO-2{number:02}" for number in range(1, 26)]


def begin(shop: Shop) -> tuple[dict[str, Any], int]:
    answer = shop.submit(job(order_id, "bulk") for order_id in ORDERS)
    with shop.redis() as redis:
        return answer, redis.llen("place.bulk")


def test_all_orders_of_a_file_are_one_batch(begun: tuple[dict[str, Any], int]) -> None:
    assert begun[0]["accepted"] == len(ORDERS)


def test_many_orders_share_a_message_in_the_queue_of_their_account(begun: tuple[dict[str, Any], int]) -> None:
    assert begun[1] == 1


def test_each_is_confirmed_and_was_created_once(shop: Shop) -> None:
    for order_id in ORDERS:
        order = shop.wait_for(order_id, "confirmed")
        (made,) = shop.sandbox_orders(order_id)
        assert order["references"] == made["references"]
        assert len(made["creates"]) == 1


def test_status_counts_the_orders_of_a_batch(shop: Shop, begun: tuple[dict[str, Any], int]) -> None:
    for order_id in ORDERS:
        shop.wait_for(order_id, "confirmed")
    answer = shop.cli("status", begun[0]["batch"], "--json")
    assert (answer.code, answer.json()["states"]) == (0, {"confirmed": len(ORDERS)})
