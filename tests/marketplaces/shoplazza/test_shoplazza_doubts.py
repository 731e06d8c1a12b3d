"""Which answers to a create are a no, and what takes one back: texts that are not quite documented, ids, codes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.marketplaces.shoplazza.shoplazza_kit import REFERENCE, VERSIONS, confirm, place, reply
from worker.rules.outcomes import Declined, Refused, Unknown

OK = {"order": {"id": REFERENCE, "number": "00000001", "status": "opened"}}
ROWS = [
    ("The shipping address does not pass", "ShippingAddress is nil"),
    ("Get transaction settings error", "not exists checkout setting"),
    ("Failed to create order line items", "record_not_found"),
    ("create_order_calculate_failed", "order price calculate error"),
    ("create_order_build_failed", "customer or paymentline information error"),
]
"""The page's table of 422, as far as it refuses."""


def forms(text: str) -> list[dict[str, Any]]:
    return [{"errors": [text]}, {"errors": text}, {"error": text}, {"code": "Failed", "message": text}]


# --- the page's texts, word for word ---


@pytest.mark.parametrize(("first", "second"), ROWS)
@pytest.mark.parametrize("joined", ["{};{}", "{}: {}", "{}; {}.", " {} ;{}"])
def test_the_two_texts_of_one_row_may_stand_together(first: str, second: str, joined: str) -> None:
    for document in [*forms(joined.format(first, second)), {"errors": [first, second]}]:
        assert isinstance(place(reply(document, 422)), Refused)


@pytest.mark.parametrize("text", [text for row in ROWS for text in row])
def test_a_documented_text_with_anything_else_in_it_is_no_refusal(text: str) -> None:
    other = next(row[0] for row in ROWS if text not in row)
    for odd in (f"{text}, order created", f"{text} for order 11218-00000001", f"not {text}", f"{text}; {other}"):
        for document in forms(odd):
            assert isinstance(place(reply(document, 422)), Unknown), odd


@pytest.mark.parametrize("text", [text for row in ROWS for text in row])
def test_a_documented_text_with_anything_else_beside_it_is_no_refusal(text: str) -> None:
    for document in (
        {"errors": [text, "some words nobody knows"]},
        {"errors": [text], "message": "m"},
        {"errors": [{"message": text}]},
        {"message": text},
        {"error": {"message": text}},
        {"errors": [text], "order": {"number": "1"}},
        {"code": "Success", "message": text},
        {"code": 13, "message": text},
        {"code": "DeadlineExceeded", "message": text},
        {"code": "OrderCreated", "message": text},
    ):
        assert isinstance(place(reply(document, 422)), Unknown), document


@pytest.mark.parametrize("text", [text for row in ROWS for text in row])
@pytest.mark.parametrize("status", [200, 401, 403, 404, 405, 406, 409, 423, 500])
def test_a_documented_text_with_another_status_is_no_refusal(text: str, status: int) -> None:
    assert not isinstance(place(reply({"errors": [text]}, status)), Refused)
    assert isinstance(place(reply({"errors": [text]}, status)), Unknown)


# --- plain complaints about a field ---

FIELD_FAULTS = [
    *("zip is required", "shipping_address.zip is required", "Zip is invalid.", "tags is invalid"),
    *("line_items[0].quantity must be an integer of at least 1", "shipping_line.shipping_name is required"),
    *("tax_total must be a numeric string", "order is required", "currency_code must be USD"),
]


@pytest.mark.parametrize("text", FIELD_FAULTS)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", [400, 422])
def test_a_plain_complaint_about_a_field_we_send_is_a_refusal(text: str, version: str, status: int) -> None:
    for document in (*forms(text), {"errors": ["tags is invalid", text]}):
        outcome = place(reply(document, status), version=version)
        assert isinstance(outcome, Refused)
        assert outcome.code == document.get("code", f"HTTP_{status}")
        assert (outcome.from_body, outcome.retryable, outcome.stops_account) == (False, False, False)
        assert "fulfil amend ORDER --set FIELD=VALUE" in outcome.fix


@pytest.mark.parametrize(
    "text",
    [
        *("refund_total is invalid", "created_at is required", "something is required", "zip", "zip required"),
        *("order_id is invalid", "zip is required, the order was created", "zip must be sent again, order created"),
        *(
            "zip must be corrected in order 11218-00000001",
            "tags must be read later: system busy",
            "zip is invalid 成功",
        ),
        *("the zip is required", "zip is required for order 5", "transaction.zip is invalid", "is invalid"),
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_complaint_that_is_not_plain_is_unknown(text: str, status: int) -> None:
    for document in forms(text):
        assert isinstance(place(reply(document, status)), Unknown)


def test_fields_with_their_texts_are_a_documented_form() -> None:
    refused = place(reply({"errors": {"zip": ["is required"], "city": "is invalid"}}, 422))
    assert isinstance(refused, Refused)
    assert refused.reason == "zip is required: city is invalid"
    assert isinstance(place(reply({"errors": {"zip": ["is odd"]}}, 422)), Unknown)
    assert isinstance(place(reply({"errors": {"zip": ["is required"], "order": ["was created"]}}, 422)), Unknown)


# --- ids ---


@pytest.mark.parametrize(
    "document",
    [
        OK,
        {"code": "Success", "data": OK},
        {**OK, "errors": ["record_not_found"]},
        {"code": "Unauthorized", "message": "Unauthorized", "data": OK},
        {"error": "store is not active", **OK},
        {"data": {"id": 1}, **OK},
    ],
)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 406, 422, 429, 500, 503])
def test_an_id_comes_first_whatever_the_status(document: dict[str, Any], status: int) -> None:
    outcome = place(reply(document, status))
    assert isinstance(outcome, Unknown)
    assert outcome.references == (REFERENCE,)


# --- the door ---


@pytest.mark.parametrize("raw", [b"", b"{}", b"Unauthorized", b'"Unauthorized"', b"<html>", b'{"message":"no"}'])
@pytest.mark.parametrize("status", [401, 403])
def test_the_door_counts_in_a_documented_form_only(raw: bytes, status: int) -> None:
    assert isinstance(place(reply(raw, status)), Unknown)


@pytest.mark.parametrize("text", ["tags are odd", "no", "signature error", "zip is required", "record_not_found"])
def test_http_403_that_does_not_speak_of_the_scope_is_unknown(text: str) -> None:
    assert isinstance(place(reply({"errors": [text]}, 403)), Unknown)
    assert isinstance(place(reply({"errors": ["Forbidden"]}, 403)), Declined)
    assert isinstance(place(reply({"code": "Forbidden", "message": "sorry"}, 403)), Declined)


@pytest.mark.parametrize("text", ["order created", "订单已创建", "库存不足", "system busy", "see 11218-00000001"])
@pytest.mark.parametrize("status", [401, 403, 429])
def test_words_that_speak_against_the_door_take_it_back(text: str, status: int) -> None:
    for document in ({"errors": [text]}, {"error": text}, {"code": "Unauthorized", "message": text}):
        assert isinstance(place(reply(document, status)), Unknown), document
    assert isinstance(place(reply({"code": "Success", "message": "Unauthorized"}, status)), Unknown)


@pytest.mark.parametrize("document", [{"errors": ["record_not_found"]}, {"errors": ["zip is required"]}])
def test_http_429_that_refuses_the_order_was_not_declined(document: dict[str, Any]) -> None:
    assert place(reply(document, 429)).cause.startswith("HTTP 429, but ")
    assert isinstance(place(reply(b"<html>order 11218-00000001 was created", 429)), Unknown)


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (402, {"errors": ["Store is inactive"]}, "StoreNotActive"),
        (404, {"errors": ["shop not found"]}, "StoreNotActive"),
        (400, {"code": "InvalidToken", "message": "access token is invalid"}, "AccessToken"),
        (400, {"errors": ["Unauthorized"]}, "AccessToken"),
        (400, {"errors": ["invalid token"]}, "AccessToken"),
    ],
)
def test_other_words_of_the_door_hold_the_account_by_a_read_only(
    status: int, document: dict[str, Any], code: str
) -> None:
    assert isinstance(place(reply(document, status)), Unknown)
    read = confirm(reply(document, status))
    assert (type(read), read.code, read.pauses_account) == (Declined, code, True)
