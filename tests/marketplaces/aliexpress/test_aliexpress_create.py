"""What every form of a create's answer means (docs/vendors/aliexpress.md, 2 and 3)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.aliexpress.aliexpress_kit import body, confirm, created, dump, place, reply
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Accepted, Declined, NotSent, Refused, Unknown

ID = 8198352049851315
IDS = (str(ID),)

# --- accepted ---

OK = {"is_success": True, "order_list": {"number": [ID]}}
DEMO = {"is_success": "true", "order_list": [1000000000], "error_code": "PARM_ILLEGL"}


@pytest.mark.parametrize(
    "document",
    [
        {"aliexpress_ds_order_create_response": {"result": OK, "request_id": "r"}},
        {"aliexpress_ds_order_create_response": {"result": OK}, "code": "0", "request_id": "r"},
        {"aliexpress_trade_buy_placeorder_response": {"result": OK, "request_id": "r"}},
        {"result": OK, "code": "0", "request_id": "r"},
        {"result": OK, "code": 0, "request_id": "r"},
        {**OK, "request_id": "r"},
        {"aliexpress_ds_order_create_response": {**OK, "request_id": "r"}},
    ],
)
def test_every_envelope_of_a_success(document):
    assert place(reply(document)) == Accepted(IDS, request_id="r")


@pytest.mark.parametrize(
    ("order_list", "ids"),
    [
        ({"number": [ID]}, IDS),
        ({"number": [str(ID)]}, IDS),
        ({"number": ID}, IDS),
        ({"number": str(ID)}, IDS),
        ([ID], IDS),
        ([str(ID)], IDS),
        (ID, IDS),
        (f" {ID} ", IDS),
        ({"number": [ID, ID + 1]}, (str(ID), str(ID + 1))),
        ({"number": [ID, str(ID), None, 0, "0", ""]}, IDS),
        ([2**53 + 1, 2**63 + 1], (str(2**53 + 1), str(2**63 + 1))),
    ],
)
@pytest.mark.parametrize("success", [True, "true", "True"])
def test_every_form_of_the_id_list(order_list, ids, success):
    assert created({"is_success": success, "order_list": order_list}) == Accepted(ids, request_id="r1")


@pytest.mark.parametrize("order_list", [None, {}, [], "", {"number": []}, [0], [None], True, [True], "n/a", -5, "１２"])
def test_success_without_an_id_is_unknown(order_list):
    assert isinstance(created({"is_success": True, "order_list": order_list}), Unknown)


@pytest.mark.parametrize("number", [b"8198352049851315.0", b"8.198352049851315E15", b"NaN", b"Infinity"])
def test_a_float_is_never_an_id(number):
    raw = b'{"aliexpress_ds_order_create_response":{"result":{"is_success":true,"order_list":{"number":[%s]}}}}'
    assert isinstance(place(reply(raw % number)), Unknown)


def test_created_but_not_paid_stands():
    text = "OrderCreated, autoPay fail:APIPayFail"
    assert created({**OK, "error_msg": text}) == Accepted(IDS, "CREATED_UNPAID", text, "r1")


def test_ids_mean_an_order_whatever_else_is_said():
    assert created(DEMO) == Accepted(("1000000000",), "PARM_ILLEGL", None, "r1")
    refusal = {**OK, "is_success": False, "error_code": "INVENTORY_HOLD_ERROR", "error_msg": "Hold inventory error"}
    assert created(refusal) == Accepted(IDS, "INVENTORY_HOLD_ERROR", "Hold inventory error", "r1")
    assert created({**OK, "is_success": False}).references == IDS
    assert created({"order_list": [ID]}).references == IDS
    assert place(reply({"result": OK}, status=503)).references == IDS


@pytest.mark.parametrize(
    "result",
    [
        {"is_success": False, "error_code": "REPEATED_ORDER_ERROR", "error_msg": "repeated placed order"},
        {"is_success": "false", "error_code": "REPEATED_ORDER_ERROR"},
        {"is_success": True, "error_code": "REPEATED_ORDER_ERROR"},
    ],
)
def test_repeated_means_it_is_there(result):
    outcome = created(result)
    assert (outcome.references, outcome.code) == ((), "REPEATED_ORDER_ERROR")
    assert outcome.reason
    assert created({**result, "order_list": [ID]}).references == IDS


# --- refused, unknown, declined ---


def test_vendor_sample_of_a_refusal():
    outcome = created(
        {"error_msg": "Please enter a city", "error_code": "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"}
        | {"is_success": False}
    )
    assert isinstance(outcome, Refused)
    assert outcome.from_body
    assert not outcome.retryable
    assert "city" in outcome.fix


@pytest.mark.parametrize(
    "result",
    [
        {"is_success": False},
        {"is_success": False, "error_code": "", "error_msg": None},
        {"is_success": True},
        {"error_code": "SKU_NOT_EXIST"},
        {"is_success": "perhaps", "error_code": "SKU_NOT_EXIST"},
        {},
        None,
        [],
        "ok",
    ],
)
def test_what_is_not_clear_is_unknown(result):
    assert isinstance(created(result), Unknown)


@pytest.mark.parametrize("status", [200, 302, 403, 404, 500, 502, 503, 504])
@pytest.mark.parametrize(
    "raw",
    [b"", b"  ", b"<html>Bad Gateway</html>", b'{"aliexpress_ds', b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000],
)
def test_what_cannot_be_read_is_unknown(status, raw):
    assert isinstance(place(reply(raw, status)), Unknown)


def test_a_refusal_with_http_500_is_unknown():
    assert isinstance(place(reply({"result": {"is_success": False, "error_code": "SKU_NOT_EXIST"}}, 500)), Unknown)


def test_lost():
    assert place(Lost("refused", may_have_arrived=False)) == NotSent("refused")
    assert place(Lost("read timeout", may_have_arrived=True)) == Unknown("read timeout")


@pytest.mark.parametrize(
    ("headers", "raw", "seconds"),
    [
        ({}, b"", None),
        ({"retry_after": "30"}, b"", 31),
        ({"retry_after": "soon"}, b"this ban will last 4 seconds", 5),
    ],
)
def test_http_429(headers, raw, seconds):
    assert place(reply(raw, 429, **headers)) == Declined("HTTP_429", "called too often", seconds, True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Api access frequency exceeds the limit. this ban will last 1 seconds", 2),
        ("App Call Limited: This ban will last for 22238 more seconds", 22239),
        ("this ban will last 999999999 seconds", 86400),
        ("too fast", None),
    ],
)
def test_the_ban_is_waited_out(text, seconds):
    outcome = place(reply({"error_response": {"type": "ISV", "code": "ApiCallLimit", "msg": text}}))
    assert outcome == Declined("ApiCallLimit", text, seconds, pauses_account=True)


def test_a_ban_by_an_unlisted_code_is_believed_of_a_read_only():
    came = reply({"code": "NewLimit", "message": "limit reached, this ban will last 9 seconds", "request_id": "r"})
    assert place(came) == Unknown("limit reached, this ban will last 9 seconds", "NewLimit", (), "r")
    read = confirm(came)
    assert (type(read), read.code, read.retry_after_seconds) == (Declined, "NewLimit", 10)


@pytest.mark.parametrize(
    "body",
    [
        {"aliexpress_ds_order_create_response": {"result": OK}},
        {"error_response": {"code": "ApiCallLimit", "order_list": {"number": [ID]}}},
        {"code": "ApiCallLimit", "message": "m", "request_id": "r", "result": {"order_list": [ID]}},
        {"order_list": [{"order_id": ID}]},
        {"aliexpress_ds_order_create_response": {"result": {"is_success": False, "data": {"order_list": [ID]}}}},
    ],
)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 422, 429, 500, 503])
def test_ids_come_first_whatever_they_stand_in(body, status):
    outcome = place(reply(body, status))
    assert isinstance(outcome, Accepted)
    assert outcome.references == IDS


@pytest.mark.parametrize(
    "body",
    [
        b"order 8198352049851315 was placed",
        b"<html>the order has been created</html>",
        "订单已生成".encode(),
        {"aliexpress_ds_order_create_response": {"result": {"is_success": True}}},
        {"aliexpress_ds_order_create_response": {"result": {"is_success": False, "error_code": "SKU_NOT_EXIST"}}},
        {"error_response": {"code": "IllegalAccessToken", "msg": "m"}},
        {"error_response": {"code": "ServiceTimeout", "msg": "m"}},
        {"error_response": {"code": "Brand.New", "msg": "signature error"}},
    ],
)
def test_http_429_that_tells_of_an_order_was_not_declined(body):
    outcome = place(reply(body, 429))
    assert isinstance(outcome, Unknown)
    assert outcome.cause.startswith("HTTP 429, but ")


@pytest.mark.parametrize(
    "body", [b"<html>Too many requests</html>", b"{}", {"error_response": {"code": "ApiCallLimit"}}]
)
def test_http_429_that_tells_of_nothing_else_was_declined(body):
    assert isinstance(place(reply(body, 429)), Declined)


# --- what must never happen ---

SECRETS = {"full_name": "Zacharias Quillfeather", "mobile_no": "698765432", "city": "Obscureville"}


def test_personal_data_never_leaves_in_a_text():
    extend = {"trade_extra_param": {"nat_addr": "QXYZ9876"}, "payment": {"pay_currency": "USD"}}
    order = dump(body(extend=extend, **SECRETS))
    order["product_items"][0]["order_memo"] = "for Aunt Petunia"
    leak = "OBSCUREVILLE; Zacharias Quillfeather 698765432 QXYZ9876 for aunt petunia; USD"
    for code in ("SKU_NOT_EXIST", "Obscureville", ""):
        results = [{"is_success": False}, {"is_success": True}, {"is_success": True, "order_list": [ID]}]
        for result in results:
            outcome = place(reply({"result": {**result, "error_code": code, "error_msg": leak}}), order)
            assert_clean(outcome)
        for envelope in ({"error_response": {"code": code, "sub_msg": leak}}, {"code": code or 15, "message": leak}):
            assert_clean(place(reply(envelope), order))


def assert_clean(outcome):
    text = repr(outcome).lower()
    secrets = (*SECRETS.values(), "QXYZ9876", "aunt petunia")
    assert not [value for value in secrets if value.lower() in text]
    assert "usd" in text, "the currency is no secret and helps"


def test_texts_can_be_stored():
    raw = rb'{"result":{"is_success":false,"error_code":"X\u0000Y","error_msg":"a\ud800b\u0000"},"request_id":"\u0000"}'
    outcome = place(reply(raw))
    assert isinstance(outcome, Unknown)
    stored = outcome.code + outcome.cause + outcome.request_id
    assert "\x00" not in stored
    stored.encode()


def test_codes_and_request_ids_fit_their_columns():
    outcome = created({"is_success": False, "error_code": "X" * 5000, "error_msg": "y" * 5000}, request_id="z" * 5000)
    assert (len(outcome.code), len(outcome.cause), len(outcome.request_id)) == (100, 300, 100)
    refused = created({"is_success": False, "error_code": "SKU_NOT_EXIST", "error_msg": "y" * 5000})
    assert len(refused.reason) == 300


words = st.sampled_from(
    [
        *("result", "is_success", "order_list", "number", "error_code", "error_msg", "code", "msg", "error_response"),
        *("aliexpress_ds_order_create_response", "request_id", "sub_code", "REPEATED_ORDER_ERROR", "true", "15"),
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | st.text(max_size=4), inner),
    max_leaves=20,
)
wrapped = st.builds(lambda result: {"aliexpress_ds_order_create_response": {"result": result}}, documents)
anything = st.binary(max_size=200) | (documents | wrapped).map(lambda value: json.dumps(value).encode())


@given(raw=anything, status=st.sampled_from([200, 400, 429, 500]))
def test_any_answer_is_read_and_none_is_believed_without_ids(raw, status):
    outcome = place(reply(raw, status))
    assert isinstance(outcome, Accepted | Refused | Declined | Unknown)
    if isinstance(outcome, Accepted):
        assert outcome.references or outcome.code == "REPEATED_ORDER_ERROR"
        assert all(i.isascii() and i.isdigit() and int(i) for i in outcome.references)


@given(st.integers(min_value=1, max_value=10**30))
def test_ids_of_any_size_stay_exact(number):
    assert created({"is_success": True, "order_list": {"number": [number]}}).references == (str(number),)
