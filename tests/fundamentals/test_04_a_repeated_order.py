"""Lesson 4. A repeated order: REPEATED_ORDER_ERROR is success, the marketplace has the order already.

With ids in the answer the order is read back like any other. Without them it is `unmatched`: never sent again, and a
person tells us the id.
"""

from __future__ import annotations

from typing import Any

from tests.harness import Answer, Shop, job
from worker.rules.outcomes import Accepted

WITHOUT_IDS = "SO-401"
WITH_IDS = "SO-402"


def begin(shop: Shop) -> dict[str, tuple[str, ...]]:
    """Another program has placed both orders before we hear of them."""
    known = {}
    for one in (job(WITHOUT_IDS), job(WITH_IDS, "generous")):
        outcome = shop.create_elsewhere(one)
        assert isinstance(outcome, Accepted), outcome
        known[one["order_id"]] = outcome.references
    shop.submit([job(WITHOUT_IDS), job(WITH_IDS, "generous")])
    return known


def go_on(shop: Shop) -> tuple[dict[str, Any], Answer]:
    """A person looks the order up in the buyer's order list and tells its id."""
    unmatched = shop.wait_for(WITHOUT_IDS, "unmatched")
    (made,) = shop.sandbox_orders(WITHOUT_IDS)
    return unmatched, shop.cli("adopt", WITHOUT_IDS, "--reference", made["references"][0], "--json")


def test_without_ids_it_is_unmatched_and_a_person_is_told_what_to_do(gone_on: tuple[dict[str, Any], Answer]) -> None:
    unmatched, _ = gone_on
    (attempt,) = unmatched["attempts"]
    assert (attempt["outcome"], attempt["code"]) == ("Accepted", "REPEATED_ORDER_ERROR")
    assert unmatched["references"] == []
    assert unmatched["attention"]
    assert "fulfil adopt" in unmatched["fix"]


def test_adopt_tells_its_id(begun: dict[str, tuple[str, ...]], gone_on: tuple[dict[str, Any], Answer]) -> None:
    _, adopted = gone_on
    assert adopted.code == 0, adopted
    told = adopted.json()
    (read,) = told.pop("read")
    assert told == {"order_id": WITHOUT_IDS, "state": "placed", "references": list(begun[WITHOUT_IDS])}
    assert read["reference"] == begun[WITHOUT_IDS][0], "it was read before anything was said"


def test_then_it_is_read_back_and_confirmed(shop: Shop, begun: dict[str, tuple[str, ...]]) -> None:
    order = shop.wait_for(WITHOUT_IDS, "confirmed")
    assert [result["reference"] for result in order["result"]] == list(begun[WITHOUT_IDS])
    assert not order["attention"]


def test_with_ids_it_is_confirmed_by_itself(shop: Shop, begun: dict[str, tuple[str, ...]]) -> None:
    order = shop.wait_for(WITH_IDS, "confirmed")
    assert tuple(order["references"]) == begun[WITH_IDS]
    (attempt,) = order["attempts"]
    assert (attempt["outcome"], attempt["code"]) == ("Accepted", "REPEATED_ORDER_ERROR")


def test_there_is_still_one_order_of_each(shop: Shop) -> None:
    for order_id in (WITHOUT_IDS, WITH_IDS):
        shop.wait_for(order_id, "unmatched", "placed", "confirmed")
        (made,) = shop.sandbox_orders(order_id)
        assert len(made["creates"]) == 2  # the other program's, and ours that was told "repeated"
