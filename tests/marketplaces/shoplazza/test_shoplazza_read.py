"""What a confirm sends, and what every form of its answer says of the order (docs/vendors/shoplazza.md, 1)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.shoplazza.shoplazza_kit import (
    IDS,
    KEY,
    ORDER,
    REFERENCE,
    TOKEN,
    VERSIONS,
    adapter,
    confirm,
    drive,
    reply,
    shown,
)
from worker.marketplaces.calls import Lost
from worker.marketplaces.shoplazza.read import ShoplazzaRecord
from worker.marketplaces.shoplazza.statuses import ALERTING, FINANCIAL_STATUS, FULFILLMENT_STATUS, STATUS, meaning
from worker.rules.outcomes import Absent, Declined, Found, Money, NotSent, Unknown


def record(**changes):
    (found,) = confirm(reply({"code": "Success", "data": {"order": shown(**changes)}})).records
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("reference", IDS)
def test_the_request(version, reference):
    (request,), _ = drive(adapter(version).confirm([reference]), reply({}))
    url = f"https://developer.myshoplaza.com/openapi/{version}/orders/{reference}"
    assert (request.method, request.url, request.content) == ("GET", url, b"")
    assert request.headers["access-token"] == "test-access-token"


def test_an_adopted_reference_cannot_change_the_path():
    (request,), _ = drive(adapter().confirm(["1/../x?y#z"]), reply({}))
    assert request.url.endswith("/openapi/2026-01/orders/1%2F..%2Fx%3Fy%23z")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wrapped", [True, False])
def test_both_forms_in_every_version(version, wrapped):
    document = {"order": shown()}
    outcome = confirm(reply({"code": "Success", "data": document} if wrapped else document), version=version)
    (found,) = outcome.records
    assert (found.reference, found.status, found.fulfilment_status) == (REFERENCE, "opened", "initialled")
    assert (found.amount, found.paid_amount) == (Money(Decimal("16.99"), "USD"), Money(Decimal("0.00"), "USD"))
    assert found.details["financial_status"] == "waiting"
    assert found.alert is None


def test_several_references_are_all_read():
    replies = [reply({"order": shown(reference)}) for reference in IDS]
    assert [found.reference for found in confirm(*replies, ids=IDS).records] == list(IDS)
    early = confirm(reply({"order": shown(IDS[0])}), reply({"errors": ["Unable to find resource"]}, 404), ids=IDS)
    assert isinstance(early, Absent)
    assert isinstance(drive_none(), Absent)


def drive_none():
    try:
        next(adapter().confirm([]))
    except StopIteration as stop:
        return stop.value


PAGE = """id number note status financial_status fulfillment_status email_status cancel_reason recovery_status
payment_method discount_applications customer_note buyer_accepts_marketing currency total_price sub_total total_discount
total_tax total_shipping code_discount_total gift_card_total total_refund_price additional_total addtional_prices
shipping_tax_total customer_deleted_at created_at updated_at deleted_at canceled_at placed_at total_tip_received tags
total_paid shipping_line customer shipping_address billing_address payment_line line_items fulfillments logistics_code
refer_info config checkout_url location_line invoice_url"""


def test_every_field_of_the_page_is_typed():
    assert set(ShoplazzaRecord.model_fields) == set(PAGE.split())


def test_what_is_recorded():
    details = record(
        number=7,
        total_tax="1.10",
        buyer_accepts_marketing=False,
        addtional_prices=[{"name": "gift wrap", "price": "3.00"}],
        line_items=[{"id": "l1", "quantity": 2, "properties": {"colour": "red"}, "note": "red"}],
        fulfillments=[{"tracking_number": "1Z2345", "tracking_company": "UPS"}],
        brand_new={"kept": [1]},
    ).details
    expected = {
        "number": "7",
        "total_tax": "1.10",
        "total_price": "16.99",
        "buyer_accepts_marketing": False,
        "addtional_prices": [{"name": "gift wrap", "price": "3.00"}],
        "line_items": [{"id": "l1", "quantity": 2, "properties": {"colour": "red"}}],
        "fulfillments": [{"tracking_number": "1Z2345", "tracking_company": "UPS"}],
        "brand_new": {"kept": [1]},
    }
    assert expected.items() <= details.items()


def test_nothing_personal_is_recorded():
    person = {"first_name": "Zacharias", "email": "zq@example.org", "phone": "698765432", "city": "Obscureville"}
    details = record(
        note="for Aunt Petunia",
        customer_note="for Aunt Petunia",
        customer=person,
        shipping_address=person,
        billing_address=person,
        refer_info="10.1.2.3",
        browser_ip="10.1.2.3",
        payment_line={"payment_channel": "paypal", "merchant_email": "zq@example.org"},
        unknown_list=[{"inner": person}],
    ).details
    told = json.dumps(details)
    assert not [value for value in (*person.values(), "Petunia", "10.1.2.3") if value in told]
    assert details["payment_line"] == {"payment_channel": "paypal"}


def test_values_that_do_not_fit_stay_as_they_came():
    found = record(total_price="a lot", total_paid={"x": 1}, tags=["a"], line_items="none", number=None, sub_total=True)
    assert (found.amount, found.paid_amount) == (None, None)
    assert (found.details["total_price"], found.details["tags"]) == ("a lot", ["a"])
    for amount in ("NaN", "1e400", "9" * 60):
        assert record(total_price=amount).amount is None
    assert record(currency=None).amount is None


def test_a_fraction_keeps_its_digits():
    raw = json.dumps({"order": shown(total_price=0)}).replace('"total_price": 0', '"total_price": 16.10').encode()
    (found,) = confirm(reply(raw)).records
    assert found.amount == Money(Decimal("16.10"), "USD")


# --- statuses ---


@pytest.mark.parametrize(
    ("name", "words"),
    [("status", STATUS), ("financial_status", FINANCIAL_STATUS), ("fulfillment_status", FULFILLMENT_STATUS)],
)
def test_every_status_word(name, words):
    for word in words:
        found = record(**{name: word})
        assert found.details[name] == word
        assert meaning(name, word) == words[word]
        assert (found.alert is not None) is (word in ALERTING[name])
        if found.alert:
            assert word in found.alert
            assert ALERTING[name][word] in found.alert
    assert ALERTING[name].keys() <= words.keys()


def test_unknown_words_are_kept():
    found = record(status="brand_new", fulfillment_status="half_way", financial_status="odd")
    assert (found.status, found.fulfilment_status, found.alert) == ("brand_new", "half_way", None)
    assert meaning("status", "brand_new") == "brand_new"


def test_deleted_and_cancelled_by_their_times():
    assert "deleted" in record(deleted_at="2026-02-02T00:00:00Z").alert
    assert "cancelled" in record(canceled_at="2026-02-02T00:00:00Z").alert
    assert record(deleted_at=None, canceled_at="").alert is None


# --- no order ---


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("raw", [b"", b"{}", b"<html>", b'{"errors":["Unable to find resource"]}'])
def test_http_404_is_not_shown_yet(raw, version):
    assert isinstance(confirm(reply(raw, 404), version=version), Absent)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"order": {}},
        {"order": None},
        {"order": shown("11218-00000009")},
        {"order": {**shown(), "id": None}},
        {"order": {**shown(), "status": ""}},
        {"order": {**shown(), "status": None}},
        {"order": {**shown(), "status": ["opened"]}},
        {"orders": [shown()]},
        [],
        {"errors": ["no"]},
    ],
)
def test_what_does_not_show_this_order_confirms_nothing(document):
    assert isinstance(confirm(reply(document)), Unknown)


@pytest.mark.parametrize("status", [302, 400, 403, 405, 406, 422, 500, 503])
@pytest.mark.parametrize("raw", [b"", b"<html>", b"{}", b'{"errors":["no"]}', json.dumps({"order": shown()}).encode()])
def test_other_statuses_confirm_nothing(status, raw):
    assert isinstance(confirm(reply(raw, status)), Unknown)


def test_declined_and_lost():
    assert confirm(reply(b"", 429, retry_after="3")) == Declined("HTTP_429", "called too often", 3, True)
    assert confirm(reply(b"", 401)).code == "AccessToken"
    assert confirm(reply({"error": "store is not active"}, 400)).code == "StoreNotActive"
    assert confirm(Lost("refused", may_have_arrived=False)) == NotSent("refused")
    assert confirm(Lost("timeout", may_have_arrived=True)) == Unknown("timeout")


fields = st.sampled_from([*PAGE.split(), "order", "data", "code", "message", "errors", "x"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(fields, inner, max_size=6),
    max_leaves=20,
)


@given(order=st.dictionaries(fields, values), status=st.sampled_from([200, 200, 400, 404, 500]))
def test_any_order_is_read(order, status):
    outcome = confirm(reply({"order": {"id": REFERENCE, "status": "opened", **order}}, status))
    assert isinstance(outcome, Found | Absent | Declined | Unknown)
    if isinstance(outcome, Found):
        assert status == 200
        assert outcome.records[0].reference == REFERENCE
        json.dumps(outcome.records[0].details, allow_nan=False)


@given(raw=st.binary(max_size=200), status=st.sampled_from([200, 400, 401, 404, 429, 500]))
def test_garbage_confirms_nothing(raw, status):
    assert not isinstance(confirm(reply(raw, status)), Found)


def test_nesting_is_survived():
    deep = b'{"order":{"id":"%s","status":"opened","x":%s}}' % (REFERENCE.encode(), b"[" * 900 + b"]" * 900)
    assert isinstance(confirm(reply(deep)), Found)
    assert isinstance(confirm(reply(b"[" * 100_000)), Unknown)


def test_an_order_with_another_mark_of_ours_contradicts_and_any_other_tag_does_not():
    other = f"jq-{'0' * 24}"
    assert adapter().contradicts(ORDER, KEY, record(tags=f"vip, {other}"))
    assert adapter().contradicts(ORDER, KEY, record(tags=[other.upper()]))
    assert not adapter().contradicts(ORDER, KEY, record())
    for tags in (f"{other}, {TOKEN}", "vip", "jq-12", f"xx{other}", f"other-{'0' * 24}", "", None, 7):
        assert not adapter().contradicts(ORDER, KEY, record(tags=tags)), tags


def test_goods_are_not_compared_for_a_shop_changes_them():
    assert not adapter().contradicts(ORDER, KEY, record(line_items=[{"product_id": "a gift", "quantity": 9}]))
