"""The sandbox's Shoplazza over real HTTP, by hand: what each version wants, and what it shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.marketplaces.shoplazza.shoplazza_shop import VERSIONS, Shop, job, order, raw, token
from worker.rules.outcomes import Absent, Accepted, Declined, Refused
from worker.sandbox.fake import Call

HEADERS = {"access-token": "sandbox-token", "content-type": "application/json"}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_form_of_the_version_is_required(shop: Shop, version: str) -> None:
    right = shop.post(raw(version), version)
    assert right.status_code == 200
    shown = right.json()
    assert ("data" in shown) is (version != "2022-01")
    wrong = raw("2026-01" if version == "2022-01" else "2022-01")
    refused = shop.post(wrong, version)
    assert refused.status_code == (422 if version == "2022-01" else 400)
    assert refused.json().keys() == ({"errors"} if version == "2022-01" else {"code", "message"})
    if version != "2022-01":
        old_keys = raw(version)
        old_keys["order"]["shipping_line"] = {"name": "Free", "shipping_price": "0"}
        assert "shipping_name" in shop.post(old_keys, version).json()["message"]
    assert len(shop.record()) == 1


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("2022-01", ["tax_total", "discount", "currency_code", "line_items", "shipping_line", "shipping_address"]),
        ("2025-06", ["tax_total", "currency_code", "line_items", "shipping_line", "shipping_address"]),
        ("2026-01", ["tax_total", "currency_code", "line_items", "shipping_line", "shipping_address"]),
    ],
)
def test_required_fields(shop: Shop, version: str, names: list[str]) -> None:
    for name in names:
        assert shop.post(raw(version, **{name: None}), version).status_code in (400, 422)
    place = job()["shipping_address"]
    needed = {"2022-01": "country", "2025-06": "address1", "2026-01": "zip"}[version]
    for name in ("last_name", "email", "province", needed):
        short = {**place, name: ""}
        answer = shop.post(raw(version, shipping_address=short), version)
        assert answer.status_code == (422 if version == "2022-01" else 400)
        assert name in answer.text
    assert shop.record() == []


def test_a_field_the_version_wants_is_told_to_the_operator(shop: Shop) -> None:
    place = {**job()["shipping_address"], "zip": None}
    outcome = shop.place(shipping_address=place)
    assert isinstance(outcome, Refused)
    assert "zip" in outcome.reason
    assert "zip" in outcome.fix
    assert isinstance(shop.place("SO-2", "2022-01", shipping_address=place), Accepted)
    assert isinstance(shop.place("SO-3", "2022-01", discount=None), Refused)
    assert isinstance(shop.place("SO-4", discount=None), Accepted)


@pytest.mark.parametrize(
    "changes",
    [
        {"tax_total": 9.99},
        {"tax_total": "9,99"},
        {"discount": "a lot"},
        {"line_items": "none"},
        {"line_items": ["none"]},
        {"line_items": [{"variant_id": 1, "product_id": "p", "quantity": 1}]},
        {"line_items": [{"variant_id": "v", "product_id": "p", "quantity": "1"}]},
        {"line_items": [{"variant_id": "v", "product_id": "p", "quantity": 0}]},
        {"shipping_line": "free"},
        {"tags": "vip"},
        {"note": 7},
        {"discount": "99999.00"},
    ],
)
def test_wrong_types_and_amounts(shop: Shop, changes: dict[str, Any]) -> None:
    assert shop.post(raw("2022-01", **changes), "2022-01").status_code == 422
    assert shop.record() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"order":[]}', b'{"order":7}'])
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_no_order(shop: Shop, body: bytes, version: str) -> None:
    assert shop.post(body, version).status_code in (400, 422)
    call = Call("POST", f"/openapi/{version}/orders", {}, {}, body, 0)
    assert shop.fake.key_of(call) == ""


def test_the_door(shop: Shop) -> None:
    for headers in ({"access-token": "wrong"}, {"access-token": ""}):
        answer = shop.post(raw(), **headers)
        assert (answer.status_code, answer.json()) == (401, {"code": "Unauthorized", "message": "Unauthorized"})
    assert shop.post(raw("2022-01"), "2022-01", **{"access-token": "x"}).json() == {"errors": ["Unauthorized"]}
    bearer = shop.http.get("/openapi/2026-01/orders", headers={"authorization": "Bearer sandbox-token"})
    assert bearer.status_code == 401
    assert shop.post(raw(), **{"content-type": "text/plain"}).status_code == 400
    assert shop.post(raw(), "2024-07").status_code == 404
    assert shop.get("/products").status_code == 404
    assert shop.http.put("/openapi/2026-01/orders/1", headers={"access-token": "sandbox-token"}).status_code == 405


def test_accounts_do_not_see_each_other(shop: Shop) -> None:
    reference = shop.place(token="main-token").references[0]
    shop.sync()
    assert isinstance(shop.confirm(reference), Absent)
    for version in VERSIONS:
        assert isinstance(shop.look_up(version=version), Absent)
    assert shop.record()[0]["account"] == "main"


def test_the_tag_filter_is_exact_and_missing_in_old_versions(shop: Shop) -> None:
    for number in range(3):
        shop.place(f"SO-{number}", tags=["vip"])
    shop.sync()
    found = shop.get("/orders", order_tags=token("SO-1")).json()["data"]["orders"]
    assert [f"vip, {token('SO-1')}"] == [shown["tags"] for shown in found]
    assert shop.get("/orders", order_tags=token("SO-1")[:-1]).json()["data"]["orders"] == []
    assert len(shop.get("/orders", order_tags="vip").json()["data"]["orders"]) == 3
    assert len(shop.get("/orders", "2025-06", order_tags=token("SO-1")).json()["data"]["orders"]) == 3
    assert len(shop.get("/orders", "2022-01", order_tags=token("SO-1")).json()["orders"]) == 3


def test_pages_and_cursors(shop: Shop) -> None:
    for number in range(5):
        shop.place(f"SO-{number}")
    shop.sync()
    first = shop.get("/orders", page_size="2").json()["data"]
    assert (len(first["orders"]), first["has_more"]) == (2, True)
    second = shop.get("/orders", page_size="2", cursor=first["cursor"]).json()["data"]
    last = shop.get("/orders", page_size="2", cursor=second["cursor"]).json()["data"]
    assert (len(last["orders"]), last["has_more"]) == (1, False)
    ids = [shown["id"] for page in (first, second, last) for shown in page["orders"]]
    assert len(set(ids)) == 5
    pages = [shop.get("/orders", "2022-01", limit="2", page=str(page)).json()["orders"] for page in (1, 2, 3, 4)]
    assert [shown["id"] for page in pages for shown in page] == ids
    assert pages[3] == []
    assert len(shop.get("/orders", "2022-01", created_at_min="2016-01-18T23:41:00Z").json()["orders"]) == 5
    assert shop.get("/orders", "2022-01", created_at_min="2999-01-18T23:41:00Z").json()["orders"] == []
    for wrong in ({"limit": "251"}, {"page": "x"}, {"created_at_min": "yesterday"}):
        assert shop.get("/orders", "2022-01", **wrong).status_code == 422


def test_a_busy_shop_is_read_to_its_end(shop: Shop) -> None:
    """600 orders of others came after ours: the versions without a filter have to turn pages."""
    placed = shop.place("SO-old").references
    body = raw("2022-01")
    call = Call("POST", "/openapi/2022-01/orders", {}, HEADERS, json.dumps(body).encode(), shop.clock())
    for _ in range(600):
        assert shop.fake.handle(call).status == 200
    shop.sync()
    for version in VERSIONS:
        seen = shop.look_up("SO-old", version)
        assert tuple(record.reference for record in seen.records) == placed
        assert isinstance(shop.look_up("SO-none", version), Absent)


def test_the_leaky_bucket(shop: Shop) -> None:
    shop.fake.limit = (3, 2)
    statuses = [shop.get("/orders").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    outcome = shop.place()
    assert outcome == Declined("HTTP_429", "called too often", 0.5, True, request_id=outcome.request_id)
    shop.clock.ahead += 1
    assert shop.get("/orders").status_code == 200
    assert shop.record() == []


def test_the_record_holds_nothing_personal(shop: Shop) -> None:
    shop.place(note="for Aunt Petunia")
    kept = json.dumps([made.request for made in shop.fake.orders]) + json.dumps(shop.record())
    assert not [word for word in ("Quillfeather", "zq@", "Obscureville", "Petunia", "Rue") if word in kept]


def test_key_of(shop: Shop) -> None:
    def key_of(method: str, path: str, body: object) -> str | None:
        return shop.fake.key_of(Call(method, path, {}, {}, json.dumps(body).encode(), 0))

    orders = "/openapi/2026-01/orders"
    note = f"[order X-1 jq-0]\n[order SO-7~empty {token('SO-7~empty')}]"
    assert key_of("POST", orders, {"order": {"note": note}}) == "SO-7~empty"
    assert key_of("POST", "/openapi/2022-01/orders", {"note": note}) == "SO-7~empty"
    assert key_of("POST", orders, {"order": {"note": "hello"}}) == ""
    assert key_of("POST", orders, {"order": {"note": None}}) == ""
    assert key_of("GET", orders, {}) is None
    assert key_of("POST", "/openapi/2026-01/products", {}) is None
    strange = "SO]7[é"
    sent = next(shop.adapter().place(order(), strange))
    call = Call("POST", orders, {}, {}, sent.content, 0)
    assert shop.fake.key_of(call) == strange


def test_reset_forgets(shop: Shop) -> None:
    shop.place()
    shop.sync()
    assert shop.http.post("/_sandbox/reset").status_code == 200
    assert shop.record() == []
    assert isinstance(shop.look_up(), Absent)
