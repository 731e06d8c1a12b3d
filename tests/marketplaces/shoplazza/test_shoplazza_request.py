"""What a create sends, version by version: every field, the headers, and the mark it is found again by."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from tests.marketplaces.shoplazza.shoplazza_kit import KEY, ORDER, TOKEN, VERSIONS, adapter, body, drive, dump, reply
from worker.errors import ConfigError
from worker.marketplaces.base import Rate
from worker.marketplaces.calls import Request
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.shoplazza.models import (
    UNSENT,
    LineItem,
    ShippingAddress,
    ShippingLine,
    ShoplazzaOrder,
)
from worker.marketplaces.shoplazza.signing import Mark

BRACKET = f"[order {KEY} {TOKEN}]"


def sent(order: dict[str, Any] = ORDER, version: str = "2026-01", **settings: Any) -> Request:
    (request,), _ = drive(adapter(version, **settings).place(order, KEY), reply({}))
    return request


def full() -> tuple[Any, ...]:
    """Return an order with every field of the page, and what of it has to be on the wire."""
    address = {name: f"{name} é{place}" for place, name in enumerate(ShippingAddress.model_fields)}
    address |= {"country_code": "FR", "zip": "75002", "latitude": "22.54", "longitude": "114.06"}
    line = {"name": "Express", "shipping_price": "10.00", "desc": "3 days"}
    items = [
        {"variant_id": "v-1", "product_id": "p-1", "quantity": 2},
        {"variant_id": "v2", "product_id": "2", "quantity": 1},
    ]
    wire = {
        "line_items": items,
        "shipping_address": address,
        "tags": ["vip", "spring sale"],
        "tax_total": "9.99",
        "currency_code": "USD",
        "discount": "10%",
        "note": "ring twice",
        "payment_line": "COD",
        "shipping_line": line,
    }
    unsent = dict.fromkeys(UNSENT, "2026") | {"refund_line_items": [{"id": "1"}]}
    parts: list[tuple[Any, type[BaseModel]]] = [(items[0], LineItem), (address, ShippingAddress), (line, ShippingLine)]
    assert all(part.keys() == model.model_fields.keys() for part, model in parts), "a field is missing in this test"
    assert wire.keys() | unsent.keys() == ShoplazzaOrder.model_fields.keys()
    return dump({**wire, **unsent}), wire


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_goes_on_the_wire(version: str) -> None:
    order, wire = full()
    request = sent(order, version)
    expected = {**wire, "tags": ["vip", "spring sale", TOKEN], "note": f"ring twice\n{BRACKET}"}
    if version != "2022-01":
        expected["shipping_line"] = {"shipping_name": "Express", "shipping_price": "10.00", "shipping_desc": "3 days"}
        expected = {"order": expected}
    assert json.loads(request.content) == expected
    assert b"\\u" not in request.content, "texts travel as UTF-8, not as escapes"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_smallest_order(version: str) -> None:
    order = dump(body(discount=None, shipping_line=None))
    content = json.loads(sent(order, version).content)
    content = content if version == "2022-01" else content["order"]
    assert content == {**order, "tags": [TOKEN], "note": BRACKET}


@pytest.mark.parametrize("version", VERSIONS)
def test_address_and_headers(version: str) -> None:
    request = sent(version=version)
    assert (request.method, request.url) == ("POST", f"https://developer.myshoplaza.com/openapi/{version}/orders")
    assert request.headers["access-token"] == "test-access-token"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"]
    assert "authorization" not in {name.lower() for name in request.headers}


@pytest.mark.parametrize(
    ("base", "url"),
    [
        (None, "https://developer.shoplazza.example/openapi/2026-01"),
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900/openapi/2026-01"),
        ("http://127.0.0.1:8900/", "http://127.0.0.1:8900/openapi/2026-01"),
        ("https://shop.example.com/openapi", "https://shop.example.com/openapi/2026-01"),
        ("https://shop.example.com/openapi/2026-01/", "https://shop.example.com/openapi/2026-01"),
    ],
)
def test_base_urls(base: str | None, url: str) -> None:
    assert adapter(base_url=base, domain_suffix="shoplazza.example").url == url


def test_a_base_url_of_another_version_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="2022-01"):
        adapter("2026-01", "https://shop.example.com/openapi/2022-01")


def test_the_mark() -> None:
    mark = Mark("jq-", KEY)
    assert mark.token == TOKEN == TOKEN.lower()
    assert len(mark.token) == 27
    assert Mark("jq-", KEY.lower()).token != TOKEN
    assert Mark("jq-", "Bestellung-é").token.isascii()
    content = json.loads(sent(tag_prefix="shop1_").content)["order"]
    assert content["tags"] == [TOKEN.replace("jq-", "shop1_")]


def test_the_mark_of_a_copied_order_does_not_come_along() -> None:
    other = Mark("jq-", "SO-0999")
    order = dump(body(tags=["vip", other.token, other.token.upper()], note=other.note("ring twice") + "\nor call"))
    content = json.loads(sent(order).content)["order"]
    assert content["tags"] == ["vip", TOKEN]
    assert content["note"] == f"ring twice\nor call\n{BRACKET}"
    assert Mark("jq-", KEY).note(Mark("jq-", KEY).note("a")) == f"a\n{BRACKET}"


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ({"tags": TOKEN}, True),
        ({"tags": f"vip, {TOKEN} ,x"}, True),
        ({"tags": TOKEN.upper()}, True),
        ({"tags": ["vip", TOKEN]}, True),
        ({"note": f"hello {BRACKET}"}, True),
        ({"tags": TOKEN + "0"}, False),
        ({"tags": "x" + TOKEN}, False),
        ({"tags": "vip", "note": KEY}, False),
        ({"tags": None, "note": None}, False),
        ({"tags": 7, "note": ["x"]}, False),
        ({}, False),
    ],
)
def test_an_order_is_ours_by_tag_or_note(order: dict[str, Any], found: bool) -> None:
    assert Mark("jq-", KEY).is_on(order) is found


def test_what_the_adapter_declares() -> None:
    assert Shoplazza.resend_window is None
    assert Shoplazza.default_rate == Rate(2, burst=35, shared=True)
    assert Shoplazza.order_model is ShoplazzaOrder
    assert all(adapter(version).can_look_up for version in VERSIONS)
    assert Shoplazza.personal_fields == ("shipping_address", "note")


def test_secrets_are_not_shown() -> None:
    shown = repr(vars(adapter())["credentials"]) + repr(vars(adapter())["_keys"])
    assert "test-access-token" not in shown
