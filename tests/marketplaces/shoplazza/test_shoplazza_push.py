"""Shoplazza's webhooks: signed over the raw bytes, about one order, a hint and no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from worker.errors import ConfigError
from worker.marketplaces.calls import Lost, Reply, Webhook
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.shoplazza.credentials import ShoplazzaCredentials
from worker.rules.outcomes import Declined, NotSent, Unknown
from worker.rules.reach import heard

SECRET = "a-client-secret-of-a-test"


def adapter(secret: str | None = SECRET) -> Shoplazza:
    return Shoplazza("shop", ShoplazzaCredentials(access_token="t", shop="demo", client_secret=secret))


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-shoplazza-hmac-sha256": base64.b64encode(digest).decode(), "x-shoplazza-topic": "orders/fulfilled"}


@pytest.mark.parametrize("shape", [lambda order: order, lambda order: {"order": order}])
def test_a_webhook_names_its_order_bare_or_wrapped(shape: object) -> None:
    assert callable(shape)
    body = json.dumps(shape({"id": "190234-77", "status": "placed"})).encode()
    push = adapter().read_push(signed(body), body)
    assert push is not None
    assert (push.reference, push.status, push.created) == ("190234-77", "orders/fulfilled", False)


def test_only_the_apps_secret_over_the_very_bytes_counts() -> None:
    body = b'{"id": "1"}'
    assert adapter().is_genuine(signed(body), body)
    assert not adapter().is_genuine(signed(body), body + b" ")
    assert not adapter().is_genuine(signed(body, "another-client-secret"), body)
    assert not adapter().is_genuine({}, body)
    assert not adapter(None).is_genuine(signed(body, ""), body)


def test_an_account_without_the_secret_takes_none() -> None:
    assert (adapter().hears, adapter(None).hears) == (True, False)


@pytest.mark.parametrize(
    ("topic", "body"),
    [("products/create", b'{"id": "1"}'), ("orders/paid", b"[]"), ("orders/paid", b"{}"), ("orders/paid", b"\xff")],
)
def test_what_is_about_no_order_is_passed_over(topic: str, body: bytes) -> None:
    assert adapter().read_push({**signed(body), "x-shoplazza-topic": topic}, body) is None


def asked(came: Reply | Lost) -> object:
    steps = adapter().webhooks()
    request = next(steps)
    assert (request.method, request.url.endswith("/webhooks")) == ("GET", True), "nothing is subscribed here"
    try:
        steps.send(came)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("one request lists the webhooks")


def test_the_shops_webhooks_are_read_and_what_is_no_list_is_no_answer() -> None:
    body = json.dumps({"webhooks": [{"topic": "orders/paid", "address": "https://a.b/push/shop"}, {"id": 1}, 7]})
    assert asked(Reply(200, {}, body.encode())) == (Webhook("orders/paid", "https://a.b/push/shop"),)
    assert isinstance(asked(Reply(200, {}, b"[]")), Unknown)
    assert isinstance(asked(Reply(500, {}, body.encode())), Unknown)
    assert isinstance(asked(Reply(401, {}, b"{}")), Declined)
    assert isinstance(asked(Lost("no connection", may_have_arrived=False)), NotSent)


def test_a_webhook_that_is_missing_is_told() -> None:
    assert "orders/paid" in heard([("orders/paid", "https://a.b/push/shop")], "shop", "Shoplazza")
    for found in ([], [("orders/paid", "https://a.b/push/other")], [("products/create", "https://a.b/push/shop")]):
        with pytest.raises(ConfigError, match="tells of orders at"):
            heard(found, "shop", "Shoplazza")
