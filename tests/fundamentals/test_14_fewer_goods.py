"""Lesson 14. Fewer goods than ordered: the order exists and is confirmed, and a person is told what is missing.

1688 may take a part of an order's lines and answer with an id. Its answer names what it did not take; the read-back
shows it too, and would show it without that. Nothing is ordered again by itself.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.harness import Answer, Shop

ORDER = "KA-1401"
TAKEN = {"offerId": 610947572360, "specId": "b266e0726506185beaf205cbae88530d", "quantity": 24}
FAILED = {"offerId": 610947572361, "specId": "b266e0726506185beaf205cbae88530e", "quantity": 10}
ADDRESS = {
    "fullName": "林小雨",
    "mobile": "13800001234",
    "provinceText": "浙江省",
    "cityText": "杭州市",
    "address": "示例路1号",
}


def begin(shop: Shop) -> None:
    """An account at 1688 joins before the workers start, with a marketplace of its own."""
    shop.start_program("1688", [sys.executable, "-m", "worker.sandbox", "--port", "0", "--sync-seconds", "1"])

    def listening() -> str | None:
        return next((line for line in shop.log("1688").splitlines() if "listening on " in line), None)

    address = shop.until("1688 to listen", listening, 30).rpartition(" ")[2]
    keys = {"access_key": "sandbox-key", "access_secret": "sandbox-secret", "user_id": "sandbox-user"}
    account = {"marketplace": "xportcn", "base_url": f"{address}/api", "rate_per_second": "50", **keys}
    shop.environment.update({f"FULFIL_ACCOUNTS__WHOLESALE__{name.upper()}": value for name, value in account.items()})


def go_on(shop: Shop) -> Answer:
    """Submit an order of two lines of which 1688 will take one, and wait for its end."""
    order = {"addressParam": ADDRESS, "cargoParamList": [TAKEN, FAILED], "message": "sandbox:PARTIAL"}
    job = {"order_id": ORDER, "account": "wholesale", "order": {"flow": "general", **order}}
    return shop.cli("submit", "-", "--wait", "--json", stdin=json.dumps(job).encode(), seconds=120)


def test_submit_waits_for_its_end_and_says_that_a_person_is_needed(gone_on: Answer) -> None:
    assert gone_on.code == 1, gone_on
    assert gone_on.json()["states"] == {"confirmed": 1}


def test_the_order_is_confirmed_and_says_what_is_missing(shop: Shop) -> None:
    order = shop.show(ORDER)
    assert (order["state"], order["code"], order["attention"]) == ("confirmed", "GOODS_DIFFER", True)
    assert f"none of offer {FAILED['offerId']}" in order["reason"]
    assert "10 were ordered" in order["reason"]
    assert str(TAKEN["offerId"]) not in order["reason"]
    assert "1688" in order["fix"]
    assert f"fulfil show {ORDER}" in order["fix"]


def test_it_costs_less_than_its_preview_said_and_that_is_told_too(shop: Shop) -> None:
    assert "its preview said" in shop.show(ORDER)["reason"]


def test_what_the_create_said_stands_in_its_attempt(shop: Shop) -> None:
    (attempt,) = shop.show(ORDER)["attempts"]
    assert (attempt["outcome"], attempt["code"]) == ("Accepted", "GOODS_DIFFER")
    assert f"1688 did not take offer {FAILED['offerId']}" in attempt["cause"]
    assert "10 ordered: 500_004 库存不足" in attempt["cause"]


def test_a_person_reads_it_in_plain_words(shop: Shop) -> None:
    told = shop.cli("why", ORDER).out
    assert "GOODS_DIFFER" in told
    assert "What to do" in told
    assert "林小雨" not in told


def test_nothing_is_ordered_again_by_itself(shop: Shop) -> None:
    made: list[dict[str, Any]] = shop.sandbox_orders(ORDER)
    assert [len(order["creates"]) for order in made] == [1]
