"""What order details send, and what every form of their answer says of an order (docs/vendors/xportcn.md, 1, 2)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.xportcn.xportcn_kit import (
    KEY,
    ORDER,
    REFERENCE,
    adapter,
    confirm,
    drive,
    envelope,
    reply,
    sent_body,
    shown,
)
from worker.marketplaces.calls import Lost
from worker.marketplaces.xportcn.statuses import MEANINGS, meaning
from worker.rules.outcomes import Absent, Declined, Found, Money, NotSent, Unknown

FLAT = {"orderId": REFERENCE, "orderNo": "PO2026", "orderStatus": "WAITING_FOR_PAYMENT", "payStatus": 1}
FLAT |= {"totalAmount": 10000, "shippingFee": 500, "productAmount": 9500, "tbCreateTime": 1700000000000}
NESTED = {
    "baseInfo": {"id": int(REFERENCE) - 51, "idOfStr": REFERENCE, "status": "waitsellersend", "totalAmount": "64.50"},
    "nativeLogistics": {
        "contactPerson": "李雷",
        "mobile": "13800001234",
        "logisticsItems": [{"logisticsBillNo": "SF1"}],
    },
    "productItems": [{"subItemID": int(REFERENCE) + 7, "status": "waitbuyerpay", "price": 1.5}],
}


def record(data, **settings):
    (found,) = shown(data, **settings).records
    return found


def test_the_request():
    (request,), _ = drive(adapter().confirm([REFERENCE]), reply(envelope(FLAT)))
    assert request.url == "https://www.xportcn.com/api/alibaba/ka/order/detail"
    assert sent_body(request) == {"webSite": "1688", "orderId": REFERENCE}
    settings = {"detail_path": "/v2/detail", "detail_body": '{"ids": ["{orderId}"]}'}
    (request,), _ = drive(adapter(**settings).confirm([REFERENCE]), reply(envelope(FLAT)))
    assert (request.url, sent_body(request)) == ("https://www.xportcn.com/api/v2/detail", {"ids": [REFERENCE]})


def test_xportcn_s_flat_names():
    found = record(FLAT)
    assert (found.reference, found.status, found.alert) == (REFERENCE, "WAITING_FOR_PAYMENT", None)
    assert (found.amount, found.paid_amount) == (Money(Decimal("100.00"), "CNY"), Money(Decimal(0), "CNY"))
    assert found.details == {**FLAT}


def test_1688_s_own_object():
    found = record(NESTED)
    assert (found.reference, found.status) == (REFERENCE, "waitsellersend")
    assert (found.amount, found.paid_amount) == (Money(Decimal("64.50"), "CNY"), None)
    assert found.details["nativeLogistics"]["logisticsItems"] == [{"logisticsBillNo": "SF1"}]
    assert found.details["productItems"][0]["price"] == "1.5"


@pytest.mark.parametrize("wrap", [lambda row: [row], lambda row: {"result": row}, lambda row: {"orders": [row]}])
@pytest.mark.parametrize("row", [FLAT, NESTED])
def test_where_the_order_stands_does_not_matter(wrap, row):
    assert record(wrap(row)).status in ("WAITING_FOR_PAYMENT", "waitsellersend")


def test_ids_stay_exact_and_are_compared():
    details = record(NESTED).details
    assert details["baseInfo"]["id"] == str(int(REFERENCE) - 51)
    assert details["productItems"][0]["subItemID"] == str(int(REFERENCE) + 7)
    assert record({"orderId": int(REFERENCE), "status": "success"}).reference == REFERENCE
    assert record({"status": "success"}).reference == REFERENCE, "no id in it: it is what was asked for"
    for other in ({**FLAT, "orderId": "77"}, [{**FLAT, "orderId": "77"}], [{"status": "a"}, {"status": "b"}]):
        assert shown(other) == Unknown("the details are of another order than the one asked for")
    assert record([{**FLAT, "orderId": "77"}, FLAT]).details == FLAT


def test_personal_data_of_the_details_is_hidden():
    receiver = {"toFullName": "李雷", "receiverInfo": {"x": "李雷"}, "buyerContact": {"name": "李雷"}, "phone": "0571"}
    details = record(
        {**FLAT, "logistics": {**receiver, "fullName": "李雷", "mobile": "", "address": "网商路699号"}}
    ).details
    assert "李雷" not in json.dumps(details, ensure_ascii=False)
    assert details["logistics"]["address"] == "•••"
    assert details["logistics"]["mobile"] == ""
    assert "13800001234" not in json.dumps(record(NESTED).details)


@pytest.mark.parametrize(
    ("total", "unit", "yuan"),
    [
        (6400, "auto", "64.00"),
        ("6400", "auto", "64.00"),
        (64.5, "auto", "64.5"),
        ("64.50", "auto", "64.50"),
        (6400, "fen", "64.00"),
        (64, "yuan", "64"),
        ("64.50", "yuan", "64.50"),
        (0, "auto", "0.00"),
    ],
)
def test_amounts(total, unit, yuan):
    assert str(record({**FLAT, "totalAmount": total}, detail_amount_unit=unit).amount.amount) == yuan


@pytest.mark.parametrize("total", [None, "", "about 8", True, -1, "NaN", float("inf"), "9" * 30, [], {}])
def test_unreadable_amounts_are_none(total):
    assert record({**FLAT, "totalAmount": total}).amount is None


@pytest.mark.parametrize(
    ("pay", "paid"), [(1, "0"), ("1", "0"), (2, "100.00"), ("2", "100.00"), (3, None), (None, None)]
)
def test_pay_status(pay, paid):
    amount = record({**FLAT, "payStatus": pay}).paid_amount
    assert (str(amount.amount) if amount else None) == paid


@pytest.mark.parametrize("status", [*MEANINGS, "WAITING_FOR_PAYMENT", "WAITING_FOR_SENT", "CANCEL", "some_new_one"])
def test_statuses(status):
    found = record({**FLAT, "orderStatus": status})
    assert found.status == status
    ended = status.lower() in ("cancel", "terminated")
    assert (found.alert is not None) is ended
    assert (meaning(status) == status) is (status in ("some_new_one", "success"[:0]))


def test_alerts_say_why():
    found = record({**FLAT, "orderStatus": "CANCEL", "closeReason": "sellerGoodsLack"})
    assert all(word in found.alert for word in (REFERENCE, "CANCEL", "sellerGoodsLack", "submit a new one"))


def test_what_names_no_status_says_so():
    assert record({"orderId": REFERENCE, "status": True}).status == "NOT_TOLD"
    assert record({"orderId": REFERENCE, "logisticsStatus": "signed"}).fulfilment_status == "signed"
    assert len(record({**FLAT, "orderStatus": "x" * 500}).status) == 60


@pytest.mark.parametrize("data", [None, [], {}, "", [None], [{}]])
def test_not_shown_yet(data):
    assert isinstance(shown(data), Absent)


@pytest.mark.parametrize(
    "msg", ["订单不存在", "该订单未找到", "查无此订单", "order does not exist", "Order 5 not found"]
)
@pytest.mark.parametrize("code", [500, 404, 1234])
def test_not_shown_in_words(msg, code):
    assert confirm(reply(envelope(None, code, msg))) == Absent(msg, str(code))


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (Lost("cut", may_have_arrived=True), Unknown),
        (Lost("no route", may_have_arrived=False), NotSent),
        (reply(b"", 429), Declined),
        (reply(b"", 500), Unknown),
        (reply(envelope(FLAT), 503), Unknown),
        (reply(b"<html>"), Unknown),
        (reply({"error_code": "gw.QosAppFrequencyLimit", "error_message": "x"}, 400), Declined),
        (reply({"error_code": "gw.APIACLDecline", "error_message": "x"}), Declined),
        (reply({"error_code": "gw.New", "error_message": "x"}), Unknown),
        (reply(envelope(None, 401, "signature error")), Declined),
        (reply(envelope(None, 1, "操作频繁")), Declined),
        (reply(envelope(None, 500, "系统异常")), Unknown),
        (reply(envelope(None, 1234, "no")), Unknown),
        (reply(envelope(None, 404, "Not Found")), Unknown),
    ],
)
def test_errors_of_a_read(came, kind):
    assert isinstance(confirm(came), kind)


@pytest.mark.parametrize(
    "came", [reply({"status": 404}, 404), reply(envelope(None, 404, "Not Found")), reply(b"<html>"), reply({}, 405)]
)
def test_a_wrong_path_names_its_setting(came):
    outcome = confirm(came)
    assert isinstance(outcome, Unknown), "not Declined: placing must go on"
    assert "detail_path" in outcome.cause


def test_several_references_are_found_together_or_not_at_all():
    second = {**FLAT, "orderId": str(int(REFERENCE) + 1)}
    found = confirm(reply(envelope(FLAT)), reply(envelope(second)))
    assert [one.reference for one in found.records] == [REFERENCE, second["orderId"]]
    assert isinstance(confirm(reply(envelope(FLAT)), reply(envelope(None))), Absent)
    with pytest.raises(StopIteration) as stop:
        next(adapter().confirm([]))
    assert isinstance(stop.value.value, Absent)


def test_absurd_nesting_does_not_stop_the_reading():
    raw = json.dumps(envelope(FLAT)).encode().replace(b'"PO2026"', b"[" * 400 + b"]" * 400)
    found = confirm(reply(raw)).records[0]
    assert found.status == "WAITING_FOR_PAYMENT"
    json.dumps(found.details)


names = st.sampled_from(["orderId", "idOfStr", "id", "status", "orderStatus", "totalAmount", "payStatus", "baseInfo"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just(REFERENCE)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=5), inner, max_size=5)
)
anything = st.binary(max_size=100) | (values | values.map(envelope)).map(lambda value: json.dumps(value).encode())


@given(anything, st.sampled_from([200, 404, 500]))
def test_any_answer_is_read_and_can_be_stored(raw, status):
    outcome = confirm(reply(raw, status))
    assert isinstance(outcome, Found | Absent | Unknown | Declined)
    for found in outcome.records if isinstance(outcome, Found) else ():
        assert found.reference == REFERENCE
        assert len(found.status) <= 60
        assert "\\u0000" not in json.dumps(found.details, allow_nan=False)


OURS = ORDER["cargoParamList"][0]["offerId"]


@pytest.mark.parametrize("name", ["offerId", "productID", "productId"])
def test_another_key_and_none_of_the_offers_is_another_order(name):
    other = {**FLAT, "outOrderId": "SO-0", "productItems": [{name: int(OURS) + 1, "quantity": 1}]}
    assert adapter().contradicts(ORDER, KEY, record(other))
    assert not adapter().contradicts(ORDER, KEY, record({**other, "outOrderId": KEY}))
    assert not adapter().contradicts(ORDER, KEY, record({**other, "baseInfo": {"outOrderId": KEY}}))
    assert not adapter().contradicts(ORDER, KEY, record({**other, "outOrderId": ""}))
    for lines in ([{name: int(OURS)}], [{name: OURS}, {name: "1"}], [], None, "?"):
        assert not adapter().contradicts(ORDER, KEY, record({**other, "productItems": lines})), lines
