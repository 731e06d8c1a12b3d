"""Lesson 8. A lost message: Redis is only the doorbell; what stands still is rung for again by the sweep."""

from __future__ import annotations

from tests.harness import Shop, job

ORDER = "SO-801"
UNREACHABLE = "SO-802"


def begin(shop: Shop) -> list[str]:
    shop.submit([job(ORDER, "lost")])
    with shop.redis() as redis:
        (message,) = redis.lrange("place.lost", 0, -1)
        redis.delete("place.lost")
    # Nobody listens on port 1: this order is kept although no message can be sent at all.
    shop.submit([job(UNREACHABLE, "lost")], redis_url="redis://127.0.0.1:1/0")
    return [message.decode()]


def test_a_message_carries_ids_and_no_order(begun: list[str]) -> None:
    assert "orders.place" in begun[0]
    assert "product_id" not in begun[0]


def test_an_order_whose_message_was_lost_is_placed_all_the_same(shop: Shop) -> None:
    shop.wait_for(ORDER, "placed", "confirmed")
    (made,) = shop.sandbox_orders(ORDER)
    assert len(made["creates"]) == 1


def test_an_order_taken_while_redis_was_away_is_placed_all_the_same(shop: Shop) -> None:
    shop.wait_for(UNREACHABLE, "placed", "confirmed")
    (made,) = shop.sandbox_orders(UNREACHABLE)
    assert len(made["creates"]) == 1
