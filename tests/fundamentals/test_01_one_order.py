"""Lesson 1. One order: handed in, placed, read back no sooner than ten seconds later, and recorded."""

from __future__ import annotations

from typing import Any

from tests.harness import Shop, job

ORDER = "SO-101"


def begin(shop: Shop) -> dict[str, Any]:
    return shop.submit([job(ORDER)])


def test_an_order_that_is_handed_in_is_kept_in_a_batch(begun: dict[str, Any]) -> None:
    assert begun["batch"].startswith("B-")
    assert (begun["accepted"], begun["duplicates"], begun["rejected"]) == (1, 0, [])


def test_it_ends_as_confirmed_with_the_id_the_marketplace_gave_it(shop: Shop) -> None:
    order = shop.wait_for(ORDER, "confirmed")
    (made,) = shop.sandbox_orders(ORDER)
    assert order["references"] == made["references"]
    assert all(reference.isdigit() for reference in order["references"])
    assert order["due_at"] is None


def test_it_was_created_once(shop: Shop) -> None:
    shop.wait_for(ORDER, "confirmed")
    (made,) = shop.sandbox_orders(ORDER)
    assert len(made["creates"]) == 1
    assert made["account"] == "main"


def test_it_is_read_back_no_sooner_than_ten_seconds_after_its_create(shop: Shop) -> None:
    shop.wait_for(ORDER, "confirmed")
    (made,) = shop.sandbox_orders(ORDER)
    assert made["gets"][0] - made["creates"][0] >= 10


def test_what_was_read_back_is_recorded(shop: Shop) -> None:
    order = shop.wait_for(ORDER, "confirmed")
    (result,) = order["result"]
    assert result["reference"] in order["references"]
    assert result["status"] == "PLACE_ORDER_SUCCESS"
    assert (float(result["amount"]) > 0, result["currency"]) == (True, "USD")
    assert result["details"]["child_order_list"][0]["product_id"] == 1005004638293060


def test_every_move_and_every_attempt_is_in_its_history(shop: Shop) -> None:
    order = shop.wait_for(ORDER, "confirmed")
    assert [event["to"] for event in order["events"]] == ["placing", "placed", "confirmed"]
    (attempt,) = order["attempts"]
    assert (attempt["number"], attempt["outcome"]) == (1, "Accepted")
