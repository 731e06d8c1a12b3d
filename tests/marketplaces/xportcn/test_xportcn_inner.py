"""What 1688 says inside Xportcn's answer to a create: a no, ids, lines it did not take (docs/vendors/xportcn.md, 2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.marketplaces.xportcn.xportcn_kit import (
    ADDRESS,
    KEY,
    ORDER,
    PREVIEW_ROW,
    adapter,
    body,
    create,
    created,
    drive,
    dump,
    envelope,
    line,
    reply,
)
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Accepted, Declined, Money, Refused, Unknown

CREATED = reply(envelope({"orderIds": ["2019601741959504495"]}))
ID = "2019601741959504495"
GATEWAY = {"error_code": "gw.QosAppFrequencyLimit", "error_message": "App call exceeds limited frequency"}

# --- Xportcn says yes, 1688 inside it says no ---

INNER = [
    lambda code, told: {"success": False, "code": code, "message": told},
    lambda code, told: {"success": "false", "errorCode": code, "errorMessage": told, "orderId": None},
    lambda code, told: {"isSuccess": False, "resultCode": code, "errorMsg": told, "orderIds": []},
    lambda code, told: {"result": {"success": False, "code": code, "message": told}},
    lambda code, told: [{"success": False, "code": code, "message": told}],
]


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("outer", [(200, "成功"), (0, ""), (200, None), ("200", "success")])
def test_1688_s_documented_code_inside_a_yes_is_a_refusal(inner, outer):
    code, msg = outer
    outcome = created(inner("500_004", "库存不足"), code, msg)
    assert outcome == Refused("500_004", "库存不足", outcome.fix, request_id="r1")


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("500_011", "库存不足"),
        ("SYSTEM_BUSY", "系统繁忙"),
        (None, "不可以"),
        ("500", "订单已创建"),
        ("500_004", "订单已创建"),
    ],
)
def test_any_other_no_inside_a_yes_is_unknown_with_its_code_and_words(inner, code, told):
    outcome = created(inner(code, told))
    assert (type(outcome), outcome.code) == (Unknown, code or "200")
    assert told in outcome.cause


@pytest.mark.parametrize(
    "data",
    [
        {"success": True, "code": "500_004", "message": "库存不足"},
        {"code": "500_004", "message": "库存不足"},
        {"success": False, "code": "500_004", "result": {"success": True}},
        {"success": False, "code": "500_004", "message": "库存不足", "totalSuccessAmount": 3200},
        {"orders": [{"success": False, "code": "500_004"}]},
    ],
)
def test_a_no_that_contradicts_itself_is_unknown(data):
    assert isinstance(created(data), Unknown)
    assert isinstance(created(data, 200, "订单已生成"), Unknown)


def test_the_words_of_the_outer_yes_count_too():
    assert isinstance(created(INNER[0]("500_004", "库存不足"), 200, "订单已生成"), Unknown)
    assert isinstance(created(INNER[0]("500_004", "库存不足"), "500_004", "库存不足"), Refused)
    assert isinstance(created({"success": True}, "500_004", "库存不足"), Unknown)


@pytest.mark.parametrize("inner", INNER[:4])
def test_an_id_beside_a_no_inside_a_yes_is_an_order(inner):
    data = inner("500_004", "库存不足") | {"orderId": ID}
    outcome = created(data)
    assert outcome == Accepted((ID,), "500_004", "库存不足", "r1")
    assert created({"success": False, "orderId": ID, "code": None, "message": None}) == Accepted((ID,), request_id="r1")


# --- ids come first ---


@pytest.mark.parametrize(
    "document",
    [
        envelope({"orderIds": [ID]}, "500_004", "库存不足"),
        envelope({"success": False, "code": "500_004", "result": {"orderList": [{"orderId": ID}]}}),
        {"error_code": "gw.QosAppFrequencyLimit", "error_message": "x", "data": {"orderIds": [ID]}},
        {"error_code": "gw.SignatureInvalid", "error_message": "x", "orderId": ID},
        {**envelope(None, 401, "signature error"), "orderIds": [ID]},
        {"result": {"orderId": ID, "success": False}},
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500, 503])
def test_ids_come_first_whatever_they_stand_in(document, status):
    outcome = create(reply(document, status))
    assert isinstance(outcome, Accepted | Unknown)
    assert outcome.references == (ID,)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>order 2019601741959504495 was created</html>",
        envelope(None, 200, ""),
        envelope(None, "500_004", "库存不足"),
        envelope(None, 429, "订单已生成"),
        envelope({"success": True}, 429, "限流"),
        {"error_code": "gw.SignatureInvalid", "error_message": "x"},
    ],
)
def test_http_429_that_tells_of_an_order_was_not_declined(body):
    assert create(reply(body, 429)).cause.startswith("HTTP 429, but ")


@pytest.mark.parametrize("body", [b"<html>slow down</html>", envelope(None, 429, "限流"), GATEWAY])
def test_http_429_that_tells_of_nothing_else_was_declined(body):
    assert isinstance(create(reply(body, 429)), Declined)


# --- lines that were not taken ---

FAILED = {
    "totalSuccessAmount": 3200,
    "orderId": ID,
    "success": True,
    "code": None,
    "failedOfferList": [
        {"offerId": "77001", "specId": "s-2", "errorCode": "500_004", "errorMessage": "库存不足"},
        {"offerId": 77002},
        None,
        "x",
    ],
}
TWO_MORE = dump(
    body(line(), line(offerId="77001", specId="s-2", quantity=10), line(offerId="77001", specId="s-3", quantity=1))
)


def test_lines_that_were_not_taken_are_named():
    outcome = create(reply(envelope(FAILED)), TWO_MORE)
    assert (outcome.references, outcome.code) == ((ID,), "GOODS_DIFFER")
    assert outcome.differs.sentences == (
        "1688 did not take offer 77001 (specId s-2), 10 ordered: 500_004 库存不足",
        "1688 did not take offer 77002",
    )
    assert outcome.reason == "; ".join(outcome.differs.sentences)
    assert "1688" in outcome.differs.fix
    assert "fulfil show ORDER" in outcome.differs.fix


def test_lines_that_were_not_taken_are_named_without_an_id_too():
    outcome = create(reply(envelope({**FAILED, "orderId": None, "success": False})), TWO_MORE)
    assert isinstance(outcome, Unknown)
    assert "offer 77001 (specId s-2), 10 ordered" in outcome.cause


def test_nobody_s_name_comes_out_of_the_words_about_a_line():
    leaky = {**FAILED, "failedOfferList": [{"offerId": "77001", "errorMessage": f"张三丰 {ADDRESS['mobile']} 不在"}]}
    told = repr(create(reply(envelope(leaky)), TWO_MORE))
    assert "张三丰" not in told
    assert ADDRESS["mobile"] not in told


# --- what it will cost ---


def test_the_preview_s_amount_goes_along_as_a_forecast():
    accepted = create(reply(envelope({"orderIds": [ID]})))
    unknown = create(Lost("read timeout", may_have_arrived=True))
    assert accepted.forecast == unknown.forecast == Money(Decimal("65.61"), "CNY")
    refused = create(reply(envelope(None, "500_004", "库存不足")))
    assert isinstance(refused, Refused)
    steps = adapter().place(ORDER, KEY)
    untold = reply(envelope([{**PREVIEW_ROW, "sumPayment": None}]))
    assert drive(steps, untold, CREATED)[1].forecast is None
