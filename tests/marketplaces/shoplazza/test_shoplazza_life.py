"""What the three statuses of a Shoplazza order together say of its second life."""

from __future__ import annotations

from typing import Any

import pytest

from tests.marketplaces.shoplazza.shoplazza_kit import confirm, reply, shown
from worker.marketplaces.shoplazza.statuses import FINANCIAL_STATUS, FULFILLMENT_STATUS, STATUS
from worker.rules.life import OVER, Life, Stage


def life(status: str = "placed", financial: Any = "paid", fulfilment: Any = "waiting", **more: Any) -> Life:
    told = {"status": status, "financial_status": financial, "fulfillment_status": fulfilment}
    (found,) = confirm(reply({"code": "Success", "data": {"order": shown(**told, **more)}})).records
    read = found.life
    assert isinstance(read, Life)
    return read


@pytest.mark.parametrize(
    ("statuses", "wanted"),
    [
        (("opened", "waiting", "initialled"), Life(Stage.AWAITING_PAYMENT, False)),
        (("opened", "paying", "initialled"), Life(Stage.PAYING)),
        (("opened", "authorized", "initialled"), Life(Stage.PAYING)),
        (("opened", "partially_paid", "initialled"), Life(Stage.AWAITING_PAYMENT, False)),
        (("opened", "failed", "initialled"), Life(Stage.AWAITING_PAYMENT, False)),
        (("placed", "paid", "waiting"), Life(Stage.AWAITING_SHIPMENT, True)),
        (("placed", "paid", "partially_shipped"), Life(Stage.PARTLY_SHIPPED, True)),
        (("placed", "paid", "shipped"), Life(Stage.SHIPPED, True)),
        (("placed", "paid", "partially_finished"), Life(Stage.PARTLY_SHIPPED, True)),
        (("placed", "paid", "finished"), Life(Stage.DELIVERED, True)),
        (("finished", "paid", "finished"), Life(Stage.DELIVERED, True)),
        (("finished", "paid", "shipped"), Life(Stage.SHIPPED, True)),
        (("finished", "paid", None), Life(Stage.DELIVERED, True)),
        (("placed", "paid", "cancelled"), Life(Stage.CLOSED, True)),
        (("placed", "paid", "returned"), Life(Stage.CLOSED, True)),
        (("placed", "refunded", "waiting"), Life(Stage.CLOSED, True)),
        (("placed", "partially_refunded", "shipped"), Life(Stage.SHIPPED, True)),
        (("placed", "paid", "returning"), Life(Stage.DISPUTED, True)),
        (("placed", "refunding", "returned"), Life(Stage.DISPUTED, True)),
        (("placed", "refund_failed", "shipped"), Life(Stage.DISPUTED, True)),
        (("cancelled", "refunding", "cancelled"), Life(Stage.CLOSED, True)),
        (("cancelled", "waiting", "initialled"), Life(Stage.CLOSED, False)),
        (("placed", "waiting", "waiting"), Life(Stage.AWAITING_PAYMENT, False)),
        (("opened", None, None), Life(Stage.AWAITING_PAYMENT)),
        (("placed", None, None), Life()),
    ],
)
def test_the_three_together(statuses: tuple[str, Any, Any], wanted: Life) -> None:
    assert life(*statuses) == wanted


def test_goods_that_are_paid_on_delivery_are_shipped_and_not_paid() -> None:
    assert life("placed", "waiting", "shipped") == Life(Stage.SHIPPED, False)


@pytest.mark.parametrize(
    "told", [{"canceled_at": "2026-01-02"}, {"cancelled_at": "2026-01-02"}, {"deleted_at": "2026-01-02"}]
)
def test_an_order_that_was_cancelled_or_deleted_is_closed(told: dict[str, Any]) -> None:
    assert life(**told, cancel_reason="customer Jane Doe") == Life(Stage.CLOSED, True, None, "customer …")


@pytest.mark.parametrize("word", ["on_hold", "Paid", "closed", "returned?"])
def test_one_word_that_nobody_documents_leaves_the_whole_open(word: str) -> None:
    assert life(status=word).stage is None
    assert life(financial=word).stage is None
    assert life("finished", fulfilment=word).stage is None
    assert life("cancelled", financial=word).stage is Stage.CLOSED


def test_an_order_with_a_line_that_went_back_is_closed_and_not_delivered() -> None:
    rows = [{"product_id": "p", "quantity": 1, "fulfillment_status": "returned"}]
    assert life("finished", "paid", "finished", line_items=rows).stage is Stage.CLOSED
    assert life("placed", "paid", "shipped", line_items=rows).stage is Stage.SHIPPED


def test_no_two_documented_words_leave_an_order_over_that_is_under_way() -> None:
    ends = {"cancelled", "refunded", "returned", "finished"}
    for status in STATUS:
        for financial in FINANCIAL_STATUS:
            for fulfilment in FULFILLMENT_STATUS:
                found = life(status, financial, fulfilment)
                assert found.stage, (status, financial, fulfilment)
                assert found.stage not in OVER or ends & {status, financial, fulfilment}
