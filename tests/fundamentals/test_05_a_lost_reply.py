"""Lesson 5. A lost reply: the order is `unknown`, and what became of it is settled before anything else happens.

AliExpress accepts an out_order_id once in 24 hours, so the same order is sent again under the same key.
"""

from __future__ import annotations

from tests.harness import Shop, job

NEVER_ARRIVED = "SO-501~timeout_before"
ARRIVED = "SO-502~timeout_after_commit"
ARRIVED_AND_TOLD = "SO-503~timeout_after_commit"


def begin(shop: Shop) -> None:
    """The end of an order_id chooses the fault its first create meets."""
    shop.submit([job(NEVER_ARRIVED), job(ARRIVED), job(ARRIVED_AND_TOLD, "generous")])


def test_an_order_that_never_arrived_is_sent_again_and_made_once(shop: Shop) -> None:
    order = shop.wait_for(NEVER_ARRIVED, "confirmed")
    assert [attempt["outcome"] for attempt in order["attempts"]] == ["Unknown", "Accepted"]
    assert [event["to"] for event in order["events"]][:4] == ["placing", "unknown", "queued", "placing"]
    (made,) = shop.sandbox_orders(NEVER_ARRIVED)
    assert len(made["creates"]) == 1


def test_an_order_that_had_arrived_is_sent_again_under_the_same_key_and_made_once(shop: Shop) -> None:
    order = shop.wait_for(ARRIVED, "unmatched")
    assert [attempt["outcome"] for attempt in order["attempts"]] == ["Unknown", "Accepted"]
    assert order["code"] == "REPEATED_ORDER_ERROR"
    (made,) = shop.sandbox_orders(ARRIVED)
    assert len(made["creates"]) == 2  # one made it, the other one was told "repeated"


def test_where_the_repeat_tells_the_ids_it_is_confirmed(shop: Shop) -> None:
    order = shop.wait_for(ARRIVED_AND_TOLD, "confirmed")
    (made,) = shop.sandbox_orders(ARRIVED_AND_TOLD)
    assert order["references"] == made["references"]
    assert len(made["creates"]) == 2


def test_while_it_was_unknown_it_was_shown_as_unknown(shop: Shop) -> None:
    order = shop.wait_for(ARRIVED, "unmatched")
    lost = next(event for event in order["events"] if event["to"] == "unknown")
    assert lost["event"] == "lose"
    assert "no complete answer in time" in lost["note"]
