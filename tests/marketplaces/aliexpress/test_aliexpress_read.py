"""What an order-get sends, and what every form of its answer says of the order (docs/vendors/aliexpress.md, 4)."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.aliexpress.aliexpress_kit import REFERENCE, adapter, confirm, drive, reply, shown
from worker.marketplaces.aliexpress import signing
from worker.marketplaces.aliexpress.read import AliExpressRecord, ChildOrder, Fee, LogisticsInfo, StoreInfo
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Absent, Declined, Found, Money, NotSent, Unknown

CHILD = {
    "product_count": 1,
    "sku_id": "1200003702000037",
    "product_name": "500ML Insulated Water Bottle",
    "shipping_fee": {"amount": "0.93", "currency_code": "USD"},
    "actual_fee": {"amount": "8.12", "currency_code": "USD"},
}
PARCEL = {"logistics_service": "CAINIAO_FULFILLMENT_STD", "logistics_no": "LP00675700340000"}
SAMPLE = {
    "gmt_create": "2024-09-09 21:00:03",
    "order_status": "FINISH",
    "logistics_info_list": {"aeop_order_logistics_info": [PARCEL]},
    "store_info": {"store_id": 1103800006, "store_name": "Kedi Bottles Store"},
    "user_order_amount": {"amount": "8.34", "currency_code": "USD"},
    "child_order_list": {"aeop_child_order_info": [CHILD]},
    "logistics_status": "BUYER_ACCEPT_GOODS",
}


def record(result=None, **changes):
    (found,) = shown({**(result or SAMPLE), **changes}).records
    return found


def test_the_request():
    (request,), _ = drive(adapter().confirm([REFERENCE]), reply({}))
    form = dict(parse_qsl(request.content.decode()))
    sign = form.pop("sign")
    assert sign == signing.call_signature(form, "helloworld")
    assert form.pop("single_order_query") == json.dumps({"order_id": REFERENCE}, separators=(",", ":"))
    assert form.pop("method") == "aliexpress.trade.ds.order.get"
    assert form.keys() == {"app_key", "format", "session", "sign_method", "timestamp"}


def test_the_vendors_sample():
    found = record()
    assert (found.reference, found.status, found.fulfilment_status) == (REFERENCE, "FINISH", "BUYER_ACCEPT_GOODS")
    assert found.amount == found.paid_amount == Money(Decimal("8.34"), "USD")
    assert found.alert is None
    lists = {"logistics_info_list": [PARCEL], "child_order_list": [CHILD]}
    assert found.details == {**SAMPLE, **lists}


def test_every_field_of_the_page_is_typed():
    fees = "actual_tax_fee actual_shipping_fee shipping_fee sale_discount_fee sale_fee actual_fee shipping_discount_fee"
    child = {*fees.split(), "product_price", "end_reason", "sku_id", "product_id", "product_name", "product_count"}
    top = "user_order_amount pay_timeout_second order_paidtime_string gmt_create order_status logistics_status amount"
    lists = "currency_code order_amount child_order_list logistics_info_list store_info"
    assert set(ChildOrder.model_fields) == child
    assert set(AliExpressRecord.model_fields) == {*top.split(), *lists.split()}
    assert set(Fee.model_fields) == {"amount", "currency_code", "already_include_tax"}
    assert set(LogisticsInfo.model_fields) == {"logistics_no", "logistics_service"}
    assert set(StoreInfo.model_fields) == {"store_id", "store_name", "store_url"}


def test_numbers_written_as_text_are_numbers_and_ids_stay_exact():
    child = {"product_id": "1005004638293060", "product_count": "2", "sku_id": 12000037022000037123}
    details = record(child_order_list=[child], store_info={"store_id": "7"}, pay_timeout_second=1036800).details
    kept = {"product_id": 1005004638293060, "product_count": 2, "sku_id": "12000037022000037123"}
    assert details["child_order_list"] == [kept]
    assert details["store_info"] == {"store_id": 7}
    assert details["pay_timeout_second"] == "1036800"


@pytest.mark.parametrize(
    "children",
    [
        {"aeop_child_order_info": [CHILD]},
        {"aeop_child_order_info": CHILD},
        {"ae_child_order_info": [CHILD]},
        {"ae_child_order_info": CHILD},
        [CHILD],
        [CHILD, None],
        CHILD,
    ],
)
def test_every_form_of_a_list(children):
    assert record(child_order_list=children).details["child_order_list"] == [CHILD]


@pytest.mark.parametrize("parcels", [{}, [], "", None, {"aeop_order_logistics_info": []}])
def test_no_parcels_yet(parcels):
    assert record(logistics_info_list=parcels).details["logistics_info_list"] == []


def test_old_prefixes_come_off():
    old = {"ae_order_status": "FINISH", "ae_child_order_list": {"ae_child_order_info": {"ae_sku_id": "1"}}}
    found = record(old)
    assert found.details == {"order_status": "FINISH", "child_order_list": [{"sku_id": "1"}]}


def test_objects_listed_once_are_objects():
    found = record(order_amount=[{"amount": "9.00", "currency_code": "EUR"}], store_info=[{"store_id": 1}])
    assert found.amount == Money(Decimal("9.00"), "EUR")
    assert found.details["store_info"] == {"store_id": 1}


def test_amounts():
    unpaid = record(
        order_amount={"amount": "12.10", "currency_code": "EUR"},
        user_order_amount={"amount": "0", "currency_code": "EUR"},
    )
    assert unpaid.amount == Money(Decimal("12.10"), "EUR")
    assert unpaid.paid_amount == Money(Decimal(0), "EUR")
    raw = b'{"result":{"order_status":"FINISH","order_amount":{"amount":8.10,"currency_code":"USD"}}}'
    (found,) = confirm(reply(raw)).records
    assert found.amount == Money(Decimal("8.10"), "USD")
    assert found.paid_amount is None
    assert found.details["order_amount"] == {"amount": "8.10", "currency_code": "USD"}


def test_what_does_not_fit_is_kept_as_it_came():
    strange = {
        "order_amount": {"amount": "about 8", "currency_code": "USD"},
        "user_order_amount": "8.34 USD",
        "store_info": "Kedi",
        "child_order_list": ["x"],
        "order_paidtime_string": "2019-06-03T18:05:47-07:00[America/Los_Angeles]",
        "brand_new": {"deep": [1, {"er": None}]},
        "logistics_status": ["?"],
    }
    found = record(strange, order_status="BRAND_NEW_STATUS")
    assert found.status == "BRAND_NEW_STATUS"
    assert (found.amount, found.paid_amount, found.fulfilment_status) == (None, None, None)
    assert found.details == {**strange, "order_status": "BRAND_NEW_STATUS"}


@pytest.mark.parametrize("status", ["IN_CANCEL", "IN_ISSUE", "IN_FROZEN", "WAIT_COMPLETE_ADDRESS"])
def test_a_person_should_know(status):
    assert status in record(order_status=status).alert


@pytest.mark.parametrize("status", ["FINISH", "PLACE_ORDER_SUCCESS", "BRAND_NEW"])
def test_a_cancelled_line_is_told(status):
    assert record(order_status=status).alert is None
    alert = record(order_status=status, child_order_list=[CHILD, {**CHILD, "end_reason": "CANCELED"}]).alert
    assert "CANCELED" in alert
    assert REFERENCE in alert


@pytest.mark.parametrize(
    "document",
    [
        {"aeop": 1, "aliexpress_trade_ds_order_get_response": {"result": SAMPLE}},
        {"aliexpress_ds_trade_order_get_response": {"result": SAMPLE}, "code": "0"},
        {"result": SAMPLE, "code": "0"},
        {**SAMPLE, "code": "0"},
        {"aliexpress_trade_ds_order_get_response": SAMPLE},
    ],
)
def test_every_envelope(document):
    assert confirm(reply(document)).records[0].status == "FINISH"


@pytest.mark.parametrize("result", [None, {}, [], {"order_status": ""}, {**SAMPLE, "order_status": None}])
def test_nothing_to_see_yet(result):
    assert isinstance(shown(result), Absent)


@pytest.mark.parametrize("sub_code", ["isv.insufficient-permission", "isv.invalid-authorization"])
@pytest.mark.parametrize("code", ["15", 15])
def test_not_synchronised_or_not_yours(code, sub_code):
    error = {"code": code, "type": "ISP", "sub_code": sub_code, "sub_msg": "Insufficient permission.", "msg": "Remote"}
    assert confirm(reply({"error_response": error})) == Absent("Remote: Insufficient permission.", sub_code)


def fault(code, text="m", sub_code=None):
    return confirm(reply({"error_response": {"code": code, "sub_code": sub_code, "msg": text, "request_id": "r"}}))


def test_errors_of_a_read():
    ban = "this ban will last 1 seconds"
    assert fault("ApiCallLimit", ban) == Declined("ApiCallLimit", ban, 2, True, None, "r")
    assert isinstance(fault("IllegalAccessToken"), Declined)
    assert fault("IllegalAccessToken").fix
    assert fault(15, sub_code="isp.service-unavailable") == Unknown("m", "isp.service-unavailable", (), "r")
    assert isinstance(fault("MissingParameter"), Unknown)
    assert isinstance(fault("Brand.New"), Unknown)


def test_transport_of_a_read():
    assert confirm(Lost("refused", may_have_arrived=False)) == NotSent("refused")
    assert confirm(Lost("timeout", may_have_arrived=True)) == Unknown("timeout")
    assert isinstance(confirm(reply(b"", 429, retry_after="3")), Declined)
    assert confirm(reply({"result": SAMPLE}, 500)) == Unknown("HTTP 500", "HTTP_500")
    assert isinstance(confirm(reply(b"<html>")), Unknown)


def test_several_references_are_found_together_or_not_at_all():
    good = reply({"result": SAMPLE})
    found = confirm(good, good)
    assert [one.reference for one in found.records] == [REFERENCE, str(int(REFERENCE) + 1)]
    assert isinstance(confirm(good, reply({"result": {}})), Absent)
    steps = adapter().confirm([])
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert isinstance(stop.value.value, Absent)


def test_absurd_nesting_does_not_stop_the_reading():
    raw = b'{"result":{"order_status":"FINISH","deep":' + b"[" * 400 + b"]" * 400 + b"}}"
    assert confirm(reply(raw)).records[0].status == "FINISH"


names = st.sampled_from([*AliExpressRecord.model_fields, *ChildOrder.model_fields, *Fee.model_fields])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=5), inner, max_size=5)
)
results = st.dictionaries(names, values, max_size=8).map(lambda result: {"order_status": "FINISH", **result})


@given(results)
def test_any_result_is_read_and_can_be_stored(result):
    outcome = shown(result)
    assert isinstance(outcome, Found | Absent)
    if isinstance(outcome, Found):
        (found,) = outcome.records
        assert "\x00" not in json.loads(json.dumps(found.details, allow_nan=False))
        assert len(found.status) <= 60


@given(st.binary(max_size=100) | values.map(lambda value: json.dumps(value).encode()), st.sampled_from([200, 404, 500]))
def test_any_answer_is_read(raw, status):
    assert isinstance(confirm(reply(raw, status)), Found | Absent | Unknown | Declined)
