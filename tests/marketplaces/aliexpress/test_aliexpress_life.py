"""What an AliExpress order-get says of an order's second life: which end FINISH is, whether it is paid, until when."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.marketplaces.aliexpress.aliexpress_kit import created, shown
from worker.marketplaces.aliexpress.create import CREATED_UNPAID
from worker.rules.life import Life, Stage
from worker.rules.outcomes import Accepted, OrderRecord

CHILD = {"product_id": 1005004638293060, "product_count": 1}
PAID_AT = "2019-06-03T18:05:47-07:00[America/Los_Angeles]"


def record(status: str, **more: Any) -> OrderRecord:
    (found,) = shown({"order_status": status, **more}).records
    assert isinstance(found, OrderRecord)
    return found


def life(status: str, **more: Any) -> Life:
    return record(status, **more).life


def children(*reasons: str | None) -> dict[str, Any]:
    rows = [CHILD if reason is None else {**CHILD, "end_reason": reason} for reason in reasons]
    return {"child_order_list": {"aeop_child_order_info": rows}}


def test_an_unpaid_order_awaits_its_payment_until_its_timeout() -> None:
    assert life("PLACE_ORDER_SUCCESS", pay_timeout_second="1036800") == Life(Stage.AWAITING_PAYMENT, False, 1036800)


@pytest.mark.parametrize("told", [None, "", "0", 0, "soon", "-5", "1e9", "9" * 30, [], True])
def test_a_timeout_that_tells_no_time_is_none(told: Any) -> None:
    assert life("PLACE_ORDER_SUCCESS", pay_timeout_second=told).pay_timeout_seconds is None


@pytest.mark.parametrize("told", ["86400", 86400, " 86400 "])
def test_a_timeout_comes_as_a_number_or_a_text(told: Any) -> None:
    assert life("PLACE_ORDER_SUCCESS", pay_timeout_second=told).pay_timeout_seconds == 86400


@pytest.mark.parametrize("status", ["PLACE_ORDER_SUCCESS", "FINISH", "IN_CANCEL", "BRAND_NEW"])
def test_a_time_of_payment_says_paid_whatever_the_status_says(status: str) -> None:
    assert life(status, order_paidtime_string=PAID_AT).paid is True


@pytest.mark.parametrize(
    ("status", "paid"),
    [
        ("PLACE_ORDER_SUCCESS", False),
        ("PAYMENT_PROCESSING", None),
        ("FUND_PROCESSING", None),
        ("RISK_CONTROL", True),
        ("WAIT_SELLER_SEND_GOODS", True),
        ("IN_CANCEL", None),
        ("IN_FROZEN", None),
        ("BRAND_NEW", None),
    ],
)
@pytest.mark.parametrize("told", [None, "", "null"])
def test_without_that_time_only_some_statuses_say_it(status: str, paid: bool | None, told: Any) -> None:
    assert life(status, order_paidtime_string=told).paid is paid


def test_a_finished_order_is_delivered_when_none_of_its_lines_was_cancelled() -> None:
    assert life("FINISH", **children(None, None)) == Life(Stage.DELIVERED, True)


def test_a_finished_order_with_a_cancelled_line_is_closed() -> None:
    assert life("FINISH", **children("CANCELED")) == Life(Stage.CLOSED, None, None, "CANCELED")
    assert life("FINISH", **children(None, "CANCELED"), order_paidtime_string=PAID_AT) == Life(
        Stage.CLOSED, True, None, "CANCELED"
    )


@pytest.mark.parametrize(
    "lines", [{}, {"child_order_list": []}, {"child_order_list": "?"}, {"child_order_list": ["?"]}]
)
def test_a_finished_order_that_shows_no_lines_is_not_said_to_be_delivered(lines: dict[str, Any]) -> None:
    assert life("FINISH", **lines).stage is None
    assert life("FINISH", logistics_status="BUYER_ACCEPT_GOODS", **lines).stage is Stage.DELIVERED


def test_a_cancelled_line_of_an_order_under_way_is_told_and_closes_nothing() -> None:
    assert life("WAIT_BUYER_ACCEPT_GOODS", **children(None, "CANCELED")) == Life(Stage.SHIPPED, True, None, "CANCELED")


def test_an_order_whose_automatic_payment_failed_is_unpaid_everywhere() -> None:
    """It was made, so it is accepted; what it costs is no amount that was paid (docs/vendors/aliexpress.md, 9)."""
    told = {"is_success": True, "order_list": {"number": [81]}, "error_msg": "OrderCreated, autoPay fail:APIPayFail"}
    outcome = created(told)
    assert isinstance(outcome, Accepted)
    assert outcome.code == CREATED_UNPAID
    money = {"amount": "12.30", "currency_code": "USD"}
    read = record("PLACE_ORDER_SUCCESS", user_order_amount=money, order_amount=money, pay_timeout_second="86400")
    assert read.life == Life(Stage.AWAITING_PAYMENT, False, 86400)
    assert read.amount
    assert read.paid_amount
    assert (read.amount.amount, read.paid_amount.amount) == (Decimal("12.30"), Decimal(0))
    paid = record("PLACE_ORDER_SUCCESS", user_order_amount=money, order_paidtime_string=PAID_AT)
    assert paid.paid_amount
    assert paid.paid_amount.amount == Decimal("12.30")
