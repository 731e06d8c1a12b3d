"""What the details of a 1688 order say of its second life: its payment, its deadline, and which end it came to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.marketplaces.xportcn.xportcn_kit import REFERENCE, shown
from worker.rules.life import Life, Stage


def life(status: str, **more: Any) -> Life:
    (found,) = shown({"orderId": REFERENCE, "orderStatus": status, **more}).records
    read = found.life
    assert isinstance(read, Life)
    return read


def test_an_unpaid_order_lapses_after_its_timeout() -> None:
    assert life("WAITING_FOR_PAYMENT", payStatus=1, payTimeout=43200) == Life(Stage.AWAITING_PAYMENT, False, 43200)
    assert life("waitbuyerpay", payTimeout="0") == Life(Stage.AWAITING_PAYMENT, False)
    assert life("waitbuyerpay", payTimeout="soon") == Life(Stage.AWAITING_PAYMENT, False)


def test_1688s_own_object_says_the_same() -> None:
    (found,) = shown({"baseInfo": {"idOfStr": REFERENCE, "status": "waitsellersend"}}).records
    assert found.life == Life(Stage.AWAITING_SHIPMENT, True)


@pytest.mark.parametrize(
    "status", ["waitbuyerreceive", "waitbuyersign", "signinsuccess", "signinfailed", "confirm_goods"]
)
def test_signed_at_the_warehouse_is_not_delivered(status: str) -> None:
    assert life(status) == Life(Stage.SHIPPED, True)


def test_only_a_completed_order_is_over() -> None:
    assert life("success") == Life(Stage.DELIVERED, True)
    rows = [{"productID": 1, "quantity": 1}, {"productID": 2, "quantity": 1, "status": "cancel"}]
    assert life("success", productItems=rows) == Life(Stage.CLOSED, None, None, "cancel")


@pytest.mark.parametrize(("paid", "told"), [(1, False), ("2", True), (None, None), (7, None)])
def test_a_cancelled_order_says_why_and_whether_it_was_paid(paid: Any, told: bool | None) -> None:
    found = life("CANCEL", payStatus=paid, closeReason="buyerCancel")
    assert found == Life(Stage.CLOSED, told, None, "buyerCancel")


def test_what_is_said_of_the_payment_counts_before_the_status() -> None:
    assert life("waitsellersend", payStatus=1).paid is False
    assert life("waitbuyerpay", payStatus=2).paid is True


@pytest.mark.parametrize("status", ["canceled", "cancelled", "closed", "11", "delivered"])
def test_a_status_that_no_page_has_ends_nothing(status: str) -> None:
    assert life(status) == Life()


def test_a_reason_names_nobody() -> None:
    assert life("cancel", closeReason="买家张三丰取消").end_reason == "买家…取消"
