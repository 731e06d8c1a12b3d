"""Every text of the vendor page's error table has a class and a next step in words."""

from __future__ import annotations

import pytest

from tests.marketplaces.shoplazza.shoplazza_kit import VERSIONS, place, reply
from worker.marketplaces.shoplazza.codes import DOOR, MAY_EXIST, REFUSALS
from worker.rules.outcomes import Refused, Unknown

CONTENT, MOMENT, LATER, SHOP = "content", "moment", "later", "shop"

PAGE_422 = {
    "The shipping address does not pass": ("ShippingAddress", CONTENT),
    "ShippingAddress is nil": ("ShippingAddress", CONTENT),
    "Get transaction settings error": ("transaction_settings", LATER),
    "not exists checkout setting": ("checkout_setting", SHOP),
    "Get transaction settings error;not exists checkout setting": ("checkout_setting", SHOP),
    "Failed to create order line items": ("record_not_found", MOMENT),
    "record_not_found": ("record_not_found", MOMENT),
    "create_order_calculate_failed": ("create_order_calculate_failed", MOMENT),
    "order price calculate error": ("create_order_calculate_failed", MOMENT),
    "create_order_build_failed": ("create_order_build_failed", MOMENT),
    "customer or paymentline information error": ("create_order_build_failed", MOMENT),
}
PAGE_422_MAY_EXIST = {
    "order_id 11218-00000001 CreateOrderBatchOption failed": "CreateOrderBatchOption",
    "CreateOrderBatchOption failed": "CreateOrderBatchOption",
    "Get Order Detail failed": "GetOrderDetail",
    "DecreaseInventory failed": "DecreaseInventory",
    "decrease inventory failed": "DecreaseInventory",
    "Create order failed": "CreateOrderFailed",
    "internal server error": "InternalError",
    "rpc error: code = Aborted": "InternalError",
}
PAGE_500 = ["Aborted", "NotFound", "Unimplemented", "Unauthenticated", "DeadlineExceeded"]


def forms(text):
    return [{"errors": [text]}, {"errors": text}, {"error": text}, {"code": "Failed", "message": text}]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(("text", "meant"), PAGE_422.items())
def test_texts_before_the_order_is_made(text, meant, status, version):
    code, group = meant
    flags = {"from_body": group == CONTENT, "retryable": group == LATER, "stops_account": group == SHOP}
    for document in forms(text):
        outcome = place(reply(document, status), version=version)
        assert outcome == Refused(code, text, outcome.fix, **flags)
        assert len(outcome.fix) > 20


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize(("text", "code"), PAGE_422_MAY_EXIST.items())
def test_texts_that_can_come_after_the_order_exists(text, code, status, version):
    for document in forms(text):
        outcome = place(reply(document, status), version=version)
        assert isinstance(outcome, Unknown)
        assert outcome.code == (f"HTTP_{status}" if status == 500 else code)
        assert outcome.references == ()


def test_a_printed_id_is_a_hint_and_no_reference():
    outcome = place(reply({"errors": ["order_id 11218-00000001 CreateOrderBatchOption failed"]}, 422))
    assert "it names order 11218-00000001" in outcome.cause
    assert outcome.references == ()


def test_plain_text_of_the_page_explains_and_is_no_refusal():
    for raw in (b"record_not_found", b'"store is not active"', b"zip is required"):
        outcome = place(reply(raw, 422))
        assert isinstance(outcome, Unknown)
        assert raw.decode().strip('"') in outcome.cause


@pytest.mark.parametrize("text", PAGE_500)
def test_http_500_is_unknown_whatever_it_says(text):
    for document in (*forms(text), text):
        outcome = place(reply(document, 500))
        assert (type(outcome), outcome.code) == (Unknown, "HTTP_500")
        assert text in outcome.cause


def test_http_406_is_unknown():
    outcome = place(reply({"errors": ["Create order failed"]}, 406))
    assert (type(outcome), outcome.code) == (Unknown, "HTTP_406")


def test_every_entry_has_its_words_and_is_tested():
    assert all(entry.meaning and entry.fix for entry in (*MAY_EXIST, *REFUSALS, *DOOR))
    assert {entry.code for entry in REFUSALS} == {code for code, _ in PAGE_422.values()}
    assert {entry.code for entry in MAY_EXIST} == set(PAGE_422_MAY_EXIST.values())


@pytest.mark.parametrize(
    "text", ["product unavailable", "payment token line", "the scope of delivery", "the address is not accepted"]
)
@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_words_nobody_listed_are_unknown(text, status):
    outcome = place(reply({"code": "InvalidParameter", "message": text}, status))
    assert outcome == Unknown(f"HTTP {status}: {text}", "InvalidParameter")
