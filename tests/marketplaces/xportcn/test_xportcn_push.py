"""Xportcn's messages: no signature, so the secret in the address; about one order, a hint and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.marketplaces.xportcn.adapter import Xportcn
from worker.marketplaces.xportcn.credentials import XportcnCredentials

SECRET = "a-secret-in-an-address"


def adapter(secret: str | None = SECRET) -> Xportcn:
    keys = XportcnCredentials(access_key="k", access_secret="s", user_id="7", push_secret=secret)
    return Xportcn("wholesale", keys)


def message(kind: str, inner: Any) -> bytes:
    return json.dumps({"messageType": kind, "messageBody": inner, "timestamp": "1790000000000"}).encode()


@pytest.mark.parametrize("pack", [json.dumps, lambda inner: inner])
def test_a_message_names_its_order(pack: Any) -> None:
    body = message("ORDER_PAY_SUCCESS", pack({"orderId": 4032934567890123456, "payStatus": 2}))
    push = adapter().read_push({}, body)
    assert push is not None
    assert (push.reference, push.status) == ("4032934567890123456", "ORDER_PAY_SUCCESS")


def test_only_the_secret_in_the_address_counts() -> None:
    body = message("ORDER_CREATE", {"orderId": 1})
    assert adapter().is_genuine({}, body, SECRET)
    assert not adapter().is_genuine({}, body, "")
    assert not adapter().is_genuine({}, body, SECRET + "x")
    assert not adapter(None).is_genuine({}, body, "")
    assert (adapter().hears, adapter(None).hears) == (True, False)


@pytest.mark.parametrize(
    "body", [b"", b"[]", message("ORDER_CREATE", "{"), message("PRODUCT_X", {"orderId": 1}), message("ORDER_X", {})]
)
def test_what_is_about_no_order_is_passed_over(body: bytes) -> None:
    assert adapter().read_push({}, body) is None
