"""Every code the vendor page lists, and every one seen beyond it, has a class and a next step in words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.marketplaces.aliexpress.aliexpress_kit import created, place, reply
from worker.marketplaces.aliexpress.codes import ADDRESS_TEXTS, GATEWAY_CODES, NUMBERS, RESULT_CODES
from worker.marketplaces.aliexpress.statuses import ALERTING, LogisticsStatus, OrderStatus, meaning
from worker.rules.outcomes import Accepted, Declined, Refused, Unknown

CONTENT, MOMENT, LATER, ACCOUNT = "content", "moment", "later", "account"
ADDRESS = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"

PAGE = {
    ADDRESS: CONTENT,
    "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID": CONTENT,
    "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH": CONTENT,
    "BLACKLIST_BUYER_IN_LIST": ACCOUNT,
    "USER_ACCOUNT_DISABLED": ACCOUNT,
    "PRICE_PAY_CURRENCY_ERROR": CONTENT,
    "DELIVERY_METHOD_NOT_EXIST": MOMENT,
    "INVENTORY_HOLD_ERROR": LATER,
    "ERROR_WHEN_BUILD_FOR_PLACE_ORDER": LATER,
    "A001_ORDER_CANNOT_BE_PLACED": MOMENT,
    "A002_INVALID_ZONE": MOMENT,
    "A003_SUSPICIOUS_BUYER": ACCOUNT,
    "A004_CANNOT_USER_COUPON": MOMENT,
    "A005_INVALID_COUNTRIES": MOMENT,
    "A006_INVALID_ACCOUNT_INFO": ACCOUNT,
}
BEYOND = {
    "SKU_NOT_EXIST": MOMENT,
    "PRODUCT_NOT_EXIST": MOMENT,
    "PRODUCT_OFF_SHELF": MOMENT,
    "PRODUCT_HAS_BEEN_DELETED": MOMENT,
    "PRODUCT_OFFLINE": MOMENT,
    "INSUFFICIENT_INVENTORY": MOMENT,
    "SHIPPING_NOT_SUPPORT": MOMENT,
    "PRICE_CHANGED": MOMENT,
    "INVALID_ADDRESS": CONTENT,
    "INVALID_PHONE": CONTENT,
    "REMOTE_CREATE_ORDER_RESULT_ERROR": MOMENT,
    "PARM_ILLEGL": CONTENT,
}


@pytest.mark.parametrize(("code", "group"), (PAGE | BEYOND).items())
def test_result_codes(code: str, group: str) -> None:
    outcome = created({"is_success": False, "error_code": code, "error_msg": "no"})
    flags = {"from_body": group == CONTENT, "retryable": group == LATER, "stops_account": group == ACCOUNT}
    assert outcome == Refused(code, "no", outcome.fix, **flags, request_id="r1")
    assert len(outcome.fix) > 20


def test_every_listed_code_is_tested() -> None:
    listed = {entry.code for entry in RESULT_CODES}
    assert listed == (PAGE | BEYOND).keys() | {"REPEATED_ORDER_ERROR"}
    assert all(entry.meaning and entry.fix for entry in (*RESULT_CODES, *GATEWAY_CODES))
    assert {entry.code for entry in RESULT_CODES if entry.source == "page"} == PAGE.keys() | {"REPEATED_ORDER_ERROR"}


PAGE_TEXTS = {
    ADDRESS: ["address does not match the rules", "Please enter a city", "Please enter between 2 - 32 characters"],
    "BLACKLIST_BUYER_IN_LIST": ["Blacklist buyers", "This user is temporarily unable to place an order."],
    "USER_ACCOUNT_DISABLED": ["Buyer account has been disabled", "Contact customer service for further information."],
    "PRICE_PAY_CURRENCY_ERROR": ["Products in the place order request should not be declared in different currencies"],
    "DELIVERY_METHOD_NOT_EXIST": ["Delivery method is not exist", "Please fill valid delivery method"],
    "INVENTORY_HOLD_ERROR": ["Hold inventory error", "Maybe inventory is insufficient or system error occured."],
    "ERROR_WHEN_BUILD_FOR_PLACE_ORDER": ["System error.", "System error", "System error,Please connect tech support."],
    **{code: [code] for code in PAGE if code.startswith("A00")},
}


@pytest.mark.parametrize(("code", "texts"), PAGE_TEXTS.items())
def test_no_text_of_the_page_speaks_against_its_own_code(code: str, texts: list[str]) -> None:
    for text in texts:
        outcome = created({"is_success": False, "error_code": code, "error_msg": text})
        assert isinstance(outcome, Refused), outcome
        assert outcome.reason == text


@pytest.mark.parametrize("code", ["NEVER_SEEN_BEFORE", "SYSTEM_ERROR", "A007_NEW", "isv.business", "Address", "40"])
@pytest.mark.parametrize("text", ["no", "System busy, please try again later", "库存不足", "Please enter a City", ""])
def test_a_code_nobody_documents_is_no_refusal(code: str, text: str) -> None:
    outcome = created({"is_success": False, "error_code": code, "error_msg": text})
    assert (type(outcome), outcome.code, outcome.references) == (Unknown, code, ())
    assert text in outcome.cause


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Please enter a City", "city"),
        ("Please enter the country code and phone number without any spaces or special characters", "mobile_no"),
        ("Please select a State/Province/County", "province"),
        ("Please select a province", "province"),
        ("Please enter between 2 - 32 characters", "contact_person"),
        ("Please enter mobile phone number", "mobile_no"),
        ("Phone Number should contain 7-13 digits", "7-13"),
        ("Please enter a 8-digit national address in right format, eg. ABCD1234.", "nat_addr"),
    ],
)
@pytest.mark.parametrize("code", [ADDRESS, "INVALID_ADDRESS"])
def test_address_messages_have_their_own_fix(text: str, hint: str, code: str) -> None:
    outcome = created({"is_success": False, "error_code": code, "error_msg": text})
    assert isinstance(outcome, Refused)
    assert outcome.from_body
    assert hint in outcome.fix
    said, command = outcome.fix.rsplit(": ", 1)
    assert said in dict(ADDRESS_TEXTS).values()
    assert command == "fulfil amend ORDER --set logistics_address.FIELD=VALUE"


@pytest.mark.parametrize("text", ["computer says no", "Please enter a City", "Repeated placed order"])
def test_words_without_a_code_are_no_refusal(text: str) -> None:
    outcome = created({"is_success": False, "error_msg": text})
    assert outcome == Unknown(f"refused without a code: {text}", "NO_CODE", (), "r1")


def test_a_code_counts_only_where_the_vendor_puts_it() -> None:
    for code in ("isp.remote-service-timeout", "ApiCallLimit", "IllegalAccessToken", "25"):
        assert isinstance(created({"is_success": False, "error_code": code, "error_msg": "m"}), Unknown)
    for code in ("SKU_NOT_EXIST", "INVENTORY_HOLD_ERROR"):
        assert isinstance(place(reply({"error_response": {"code": code, "msg": "m"}})), Unknown)
        refusal = {"is_success": False, "error_code": code, "error_msg": "m"}
        for document in (
            refusal,
            {"result": refusal},
            {"aliexpress_ds_order_create_response": refusal},
            {"aliexpress_trade_ds_order_get_response": {"result": refusal}},
            {"aliexpress_ds_order_create_response": {"result": refusal}, "code": "15"},
            {"aliexpress_ds_order_create_response": {"result": refusal, "code": "15"}},
            {"aliexpress_ds_order_create_response": {"result": {**refusal, "success": True}}},
            {"aliexpress_ds_order_create_response": {"result": refusal}, "error_response": {"code": "40"}},
        ):
            outcome = place(reply(document))
            assert isinstance(outcome, Unknown), document
        legacy = place(reply({"aliexpress_trade_buy_placeorder_response": {"result": refusal}, "code": "0"}))
        assert isinstance(legacy, Refused)


@pytest.mark.parametrize("status", [201, 302, 400, 403, 404, 422])
def test_a_no_with_another_http_status_than_200_is_none(status: int) -> None:
    refusal = {"is_success": False, "error_code": "SKU_NOT_EXIST", "error_msg": "m"}
    for document in (
        {"aliexpress_ds_order_create_response": {"result": refusal}},
        {"error_response": {"code": "ApiCallLimit", "msg": "m"}},
        {"aliexpress_ds_order_create_response": {"result": {**refusal, "error_code": "REPEATED_ORDER_ERROR"}}},
    ):
        outcome = place(reply(document, status))
        assert isinstance(outcome, Unknown)
        assert "m" in outcome.cause


def test_a_flat_error_has_more_than_code_and_message() -> None:
    assert isinstance(place(reply({"code": "IllegalAccessToken", "message": "m"})), Unknown)
    assert isinstance(place(reply({"code": "IllegalAccessToken", "message": "m", "request_id": "r"})), Declined)


CONTRADICTIONS = [
    *("OrderCreated, autoPay fail:APIPayFail", "the order has been created, the signature service is unavailable"),
    *(
        "order placed",
        "Success",
        "订单已创建",
        "下单成功",
        "Repeated placed order",
        "the order exists already",
        "处理中",
    ),
    *("order id 8198352049851315", "see 8198352049851315", "request already been handled successfully"),
    *("System busy, please try again later", "read timed out", "系统异常", "signature error", "call frequency exceeds"),
]


@pytest.mark.parametrize("text", CONTRADICTIONS)
def test_words_that_speak_against_a_refusal_take_it_back(text: str) -> None:
    for code in ("SKU_NOT_EXIST", "INVENTORY_HOLD_ERROR", ADDRESS):
        outcome = created({"is_success": False, "error_code": code, "error_msg": text})
        assert (type(outcome), outcome.code) == (Unknown, code)
        assert "its words" in outcome.cause


@pytest.mark.parametrize("text", [*CONTRADICTIONS[:-2], "stock is short"])
def test_words_that_speak_against_a_ban_or_a_token_take_it_back(text: str) -> None:
    for code in ("ApiCallLimit", "7", "IllegalAccessToken", "26"):
        assert isinstance(place(reply({"error_response": {"code": code, "msg": text}})), Unknown)


def test_codes_of_one_fault_that_disagree_are_none() -> None:
    def fault(code: str, sub_code: str) -> Any:
        return place(reply({"error_response": {"code": code, "sub_code": sub_code, "msg": "m"}}))

    assert isinstance(fault("ApiCallLimit", "isv.insufficient-permission"), Unknown)
    assert isinstance(fault("25", "isp.http-read-timeout"), Unknown)
    assert isinstance(fault("25", "isv.something-of-its-own"), Unknown)
    assert isinstance(fault("7", "accesscontrol.limited-by-app-access-count"), Declined)


def test_names_of_ours_for_numbers_are_no_words_of_the_gateway() -> None:
    for word in ("MissingSession", "AppCallLimited", "InvalidMethod", "IllegalTimestamp", "isv.invalid-parameter:sku"):
        assert isinstance(place(reply({"error_response": {"code": word, "msg": "m"}})), Unknown)


DOOR = (Declined, 60.0, True)
WAIT = (Declined, None, False)
BAD = (Refused, None, True)
LOST = (Unknown, None, False)
GATEWAY: dict[str | int, tuple[Any, ...]] = {
    **dict.fromkeys(["ApiCallLimit", "AppApiCallLimit", "SellerCallLimit", "7", 7], WAIT),
    **dict.fromkeys(["IllegalAccessToken", "26", 27, "44"], DOOR),
    **dict.fromkeys(["IncompleteSignature", "25", 24, "InvalidAppKey", "InvalidAppkey", "29", "28"], DOOR),
    **dict.fromkeys(["AppWhiteIpLimit", "InsufficientPermission", "11", "22", "InvalidApiPath"], DOOR),
    **dict.fromkeys(["isv.account-migration-check-fail", "AUTH_TYPE_UNSUPPORTED", "InvalidTimestamp"], DOOR),
    **dict.fromkeys(["30", 31], DOOR),
    **dict.fromkeys(["MissingParameter", "40", "InvalidParameter", 41, "UnsupportedParamMapping"], BAD),
    **dict.fromkeys(["ServiceTimeout", "ServiceUnavailable", "InternalError", "10", 15, "15", "Brand.New", ""], LOST),
}
SUB_CODES = {
    **dict.fromkeys(["isp.service-unavailable", "isp.http-read-timeout", "isp.remote-service-timeout"], LOST),
    **dict.fromkeys(["isp.http-connection-timeout", "isp.http-connection-refuse", "isp.http-connection-closed"], LOST),
    **dict.fromkeys(["isp.something-new", "isv.business-of-its-own"], LOST),
    **dict.fromkeys(["isv.missing-parameter", "isv.invalid-parameter:sku"], LOST),
    **dict.fromkeys(["accesscontrol.limited-by-app-access-count", "accesscontrol.limited-by-api-access-count"], WAIT),
    "accesscontrol.limited-by-app-api-access-count": WAIT,
    **dict.fromkeys(["isv.insufficient-permission", "isv.invalid-authorization"], DOOR),
}


def shape(outcome: Any) -> tuple[Any, ...]:
    fix, from_body = getattr(outcome, "fix", None), getattr(outcome, "from_body", False)
    assert not isinstance(outcome, Declined) or outcome.pauses_account
    return type(outcome), getattr(outcome, "retry_after_seconds", None), from_body or bool(fix)


@pytest.mark.parametrize(("code", "expected"), GATEWAY.items())
def test_gateway_codes_of_a_create(code: int | str, expected: tuple[Any, ...]) -> None:
    nested = place(reply({"error_response": {"code": code, "type": "ISV", "msg": "m", "request_id": "r"}}))
    bare = place(reply({"error_response": {"code": code}}))
    assert shape(nested) == shape(bare) == expected
    assert nested.request_id == "r"
    if code:
        assert shape(place(reply({"type": "ISV", "code": code, "message": "m", "request_id": "r"}))) == expected


@pytest.mark.parametrize(("sub_code", "expected"), SUB_CODES.items())
@pytest.mark.parametrize("code", [15, "15", "50"])
def test_gateway_sub_codes_of_a_create(code: int | str, sub_code: str, expected: tuple[Any, ...]) -> None:
    outcome = place(reply({"error_response": {"code": code, "sub_code": sub_code, "sub_msg": "s", "msg": "m"}}))
    assert shape(outcome) == expected
    assert outcome.code == sub_code
    text = outcome.cause if isinstance(outcome, Unknown) else outcome.reason
    assert text == "m: s"


@pytest.mark.parametrize("error", [None, [], "x", {}, {"code": None}])
def test_an_error_without_content_is_unknown(error: Any) -> None:
    assert isinstance(place(reply({"error_response": error})), Unknown)


def test_the_tables_hold_together() -> None:
    gateway = [entry.code.casefold() for entry in GATEWAY_CODES]
    results = [entry.code.casefold() for entry in RESULT_CODES]
    assert len(set(gateway + results)) == len(gateway + results)
    assert {name.casefold() for name in NUMBERS.values()} <= set(gateway)


def test_repeated_is_no_refusal() -> None:
    assert isinstance(created({"is_success": False, "error_code": "repeated_order_error"}), Accepted)


PAGE_ORDER = [
    "PLACE_ORDER_SUCCESS", "PAYMENT_PROCESSING", "WAIT_SELLER_EXAMINE_MONEY", "RISK_CONTROL",
    "RISK_CONTROL_HOLD", "WAIT_SELLER_SEND_GOODS", "SELLER_PART_SEND_GOODS", "WAIT_BUYER_ACCEPT_GOODS",
    "FINISH", "IN_CANCEL", "WAIT_GROUP", "WAIT_COMPLETE_ADDRESS",
]  # fmt: skip
PAGE_LOGISTICS = [
    "DEFAULT", "WAIT_SELLER_SEND_GOODS", "SELLER_SEND_PART_GOODS", "SELLER_SEND_GOODS", "BUYER_ACCEPT_GOODS",
    "NO_LOGISTICS",
]  # fmt: skip


def test_every_status_has_a_meaning() -> None:
    assert set(OrderStatus) == {*PAGE_ORDER, "FUND_PROCESSING", "IN_ISSUE", "IN_FROZEN"}
    assert set(LogisticsStatus) == set(PAGE_LOGISTICS)
    assert all(status.meaning for status in (*OrderStatus, *LogisticsStatus))
    assert "not yet paid" in meaning("PLACE_ORDER_SUCCESS")
    assert meaning("BRAND_NEW") == "BRAND_NEW"
    assert set(ALERTING) <= set(OrderStatus)
