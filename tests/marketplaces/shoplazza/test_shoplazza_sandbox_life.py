"""The sandbox's Shoplazza after a create: statuses, fulfilments, webhooks of a shop, and its tokens."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.marketplaces.shoplazza.shoplazza_shop import Shop, raw
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.shoplazza.credentials import ShoplazzaCredentials

DAY = 86_400
APP = {"client_id": "sandbox-client-id", "client_secret": "sandbox-client-secret"}
TOKEN = "/admin/oauth/token"


def forward(shop: Shop, seconds: float) -> None:
    assert shop.http.post("/_sandbox/clock", json={"forward_seconds": seconds}).status_code == 200


def place(shop: Shop, key: str = "SO-1", **changes: Any) -> str:
    answer = shop.post(raw(note=f"[order {key} jq-1]", **changes))
    assert answer.status_code == 200, answer.text
    forward(shop, 4)
    reference: str = answer.json()["data"]["order"]["id"]
    return reference


def read(shop: Shop, path: str, **query: str) -> dict[str, Any]:
    answer = shop.get(path, **query)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def statuses(shop: Shop, reference: str) -> tuple[str, str, str]:
    order = read(shop, f"/orders/{reference}")["order"]
    return order["status"], order["financial_status"], order["fulfillment_status"]


def test_an_order_from_its_create_to_its_receipt(shop: Shop) -> None:
    reference = place(shop)
    seen = [statuses(shop, reference)]
    for event in ("pay", "ship_part", "ship", "deliver"):
        path = f"/_sandbox/orders/{reference}/life"
        assert shop.http.post(path, json={"event": event}).status_code == 200
        seen.append(statuses(shop, reference))
    assert seen == [
        ("opened", "waiting", "initialled"),
        ("placed", "paid", "waiting"),
        ("placed", "paid", "partially_shipped"),
        ("placed", "paid", "shipped"),
        ("finished", "paid", "finished"),
    ]


@pytest.mark.parametrize(
    ("key", "days", "told"),
    [
        ("SO-1", 300, ("opened", "waiting", "initialled")),
        ("SO-1~held", 0.5, ("placed", "authorized", "waiting")),
        ("SO-1~seller_cancels_unpaid", 1, ("cancelled", "cancelled", "cancelled")),
        ("SO-1~seller_cancels", 1, ("cancelled", "refunded", "cancelled")),
        ("SO-1~dispute", 12, ("placed", "refunding", "returning")),
        ("SO-1~delivered", 10, ("finished", "paid", "finished")),
    ],
)
def test_a_suffix_plays_a_life(shop: Shop, key: str, days: float, told: tuple[str, str, str]) -> None:
    reference = place(shop, key)
    forward(shop, days * DAY)
    assert statuses(shop, reference) == told
    order = read(shop, f"/orders/{reference}")["order"]
    assert (order["cancelled_at"] is not None) is (told[0] == "cancelled")
    assert (order["finished_at"] is not None) is (told[0] == "finished")
    assert order["total_paid"] == (
        "0.00" if told[1] in ("waiting", "authorized", "cancelled") else order["total_price"]
    )


def test_fulfilments_are_told_apart_and_with_their_order(shop: Shop) -> None:
    lines = [{"variant_id": f"v-{n}", "product_id": "p-1", "quantity": 2} for n in (1, 2)]
    reference = place(shop, "SO-1~two_parcels", line_items=lines)
    assert read(shop, f"/orders/{reference}/fulfillments")["fulfillments"] == []
    forward(shop, 3 * DAY)
    listed = read(shop, f"/orders/{reference}/fulfillments", page_size="1")
    assert (len(listed["fulfillments"]), listed["has_more"]) == (1, True)
    rest = read(shop, f"/orders/{reference}/fulfillments", cursor=listed["cursor"])
    found = [*listed["fulfillments"], *rest["fulfillments"]]
    assert read(shop, f"/orders/{reference}/fulfillments/count")["count"] == len(found) == 2
    order = read(shop, f"/orders/{reference}")["order"]
    assert order["fulfillments"] == found
    packed = [line["id"] for fulfilment in found for line in fulfilment["line_items"]]
    assert packed == [line["id"] for line in order["line_items"]]
    for fulfilment in found:
        (tracking,) = fulfilment["tracking_items"]
        assert {name: fulfilment[name] for name in tracking} == tracking
        assert tracking["tracking_number"] in tracking["tracking_url"]
        one = read(shop, f"/orders/{reference}/fulfillments/{fulfilment['id']}")
        assert one == {"fulfillment": fulfilment}
    assert shop.get(f"/orders/{reference}/fulfillments/nothing").status_code == 404


def test_a_number_changes_on_the_way(shop: Shop) -> None:
    reference = place(shop, "SO-1~number_changes")
    forward(shop, 2 * DAY)
    (before,) = read(shop, f"/orders/{reference}/fulfillments")["fulfillments"]
    forward(shop, 4 * DAY)
    (after,) = read(shop, f"/orders/{reference}/fulfillments")["fulfillments"]
    assert (before["id"], before["tracking_company"]) == (after["id"], "4PX")
    assert after["tracking_company"] == "Royal Mail"
    assert before["tracking_number"] != after["tracking_number"]


def test_its_webhooks_are_genuine_to_an_account_with_the_apps_secret(shop: Shop) -> None:
    place(shop, "SO-1~shipped")
    order = shop.fake.orders[0]
    keys = {"access_token": "sandbox-token", "shop": "sandbox", "client_secret": APP["client_secret"]}
    adapter = Shoplazza("sandbox", ShoplazzaCredentials.model_validate(keys), shop.running.url, shop.clock)
    reference = order.references[0]
    moves = [message for event in order.lives[reference].events for message in shop.fake.moved(order, reference, event)]
    assert len(moves) == 2
    for message in (*shop.fake.messages(order), *moves):
        headers = {name.lower(): value for name, value in message.headers.items()}
        assert adapter.is_genuine(headers, message.body)
        assert not adapter.is_genuine(headers, message.body + b" ")
        push = adapter.read_push(headers, message.body)
        assert push
        assert push.reference == reference


def test_a_fulfilment_is_read_alone(shop: Shop) -> None:
    reference = place(shop)
    path = f"/openapi/2026-01/orders/{reference}/fulfillments"
    answer = shop.http.post(path, json={}, headers={"access-token": "sandbox-token"})
    assert answer.status_code == 405


def test_a_shop_has_webhooks(shop: Shop) -> None:
    headers = {"access-token": "sandbox-token"}
    body = {"webhook": {"topic": "orders/update", "address": "https://shop.example/push"}}
    made = shop.http.post("/openapi/2026-01/webhooks", json=body, headers=headers).json()["data"]["webhook"]
    assert set(made) == {"id", "address", "topic", "format", "created_at", "updated_at"}
    flat = shop.http.post("/openapi/2022-01/webhooks", json=body["webhook"], headers=headers)
    assert flat.json()["webhook"]["topic"] == "orders/update"
    assert read(shop, "/webhooks")["webhooks"][0] == made
    assert read(shop, "/webhooks/count")["count"] == 2
    assert read(shop, f"/webhooks/{made['id']}")["webhook"] == made
    gone = shop.http.delete(f"/openapi/2026-01/webhooks/{made['id']}", headers=headers)
    assert gone.status_code == 200
    assert shop.get(f"/webhooks/{made['id']}").status_code == 404
    other = shop.http.get("/openapi/2026-01/webhooks", headers={"access-token": "main-token"})
    assert other.json()["data"]["webhooks"] == []


def grant(shop: Shop) -> dict[str, Any]:
    asked = {"marketplace": "shoplazza", "account": "sandbox"}
    code = shop.http.post("/_sandbox/tokens/code", json=asked).json()["code"]
    form = {**APP, "grant_type": "authorization_code", "code": code, "redirect_uri": "http://127.0.0.1/back"}
    answer = shop.http.post(TOKEN, data=form)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    assert shop.http.post(TOKEN, data=form).status_code == 400, "a code counts once"
    return told


def let_in(shop: Shop, token: str) -> bool:
    status = shop.http.get("/openapi/2026-01/orders", headers={"access-token": token}).status_code
    assert status in (200, 401)
    return status == 200


def test_a_token_ends_by_the_clock_and_is_renewed_by_form_and_by_json(shop: Shop) -> None:
    shop.http.post("/_sandbox/tokens", json={"marketplace": "shoplazza", "access_seconds": 600})
    told = grant(shop)
    assert {"token_type", "access_token", "refresh_token", "expires_at", "store_id", "store_name"} <= set(told)
    assert abs(told["expires_at"] - shop.clock() - 600) < 60
    assert let_in(shop, told["access_token"])
    forward(shop, 601)
    assert not let_in(shop, told["access_token"])
    asked = {**APP, "grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    new = shop.http.post(TOKEN, json=asked).json()
    assert {new["access_token"], new["refresh_token"]}.isdisjoint({told["access_token"], told["refresh_token"]})
    assert let_in(shop, new["access_token"])
    assert shop.http.post(TOKEN, data=asked).status_code == 400
    assert shop.http.post(TOKEN, data={**asked, "client_secret": "other"}).status_code == 401
    assert let_in(shop, "sandbox-token")


def test_the_grant_page_signs_its_way_back_in_hex(shop: Shop) -> None:
    query = {"response_type": "code", "client_id": "sandbox-client-id", "account": "main", "state": "s"}
    page = shop.http.get("/admin/oauth/authorize", params={**query, "redirect_uri": "http://127.0.0.1/back"})
    back = dict(parse_qsl(urlsplit(page.headers["location"]).query))
    signature = back.pop("hmac")
    joined = "&".join(f"{name}={back[name]}" for name in sorted(back))
    assert hmac.new(b"sandbox-client-secret", joined.encode(), hashlib.sha256).hexdigest() == signature
    assert (back["state"], back["shop"]) == ("s", "sandbox.myshoplaza.com")
