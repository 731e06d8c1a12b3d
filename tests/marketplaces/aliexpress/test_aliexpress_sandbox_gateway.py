"""The sandbox's AliExpress over real HTTP: who is let in, and what is wrong with a request of any kind."""

from __future__ import annotations

import json
import time

import pytest

from tests.marketplaces.aliexpress.aliexpress_gateway import CREATE, GET, Gateway, order, references
from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.fake import Call


def test_a_known_signature_is_accepted_and_any_other_is_not() -> None:
    """The vendor's own Python SDK made the vector, and three others agree (docs/vendors/aliexpress.md, 1)."""
    fake = AliExpressFake(
        {"a": {"app_key": "12345678", "app_secret": "helloworld", "access_token": "test-access-token"}}
    )
    query = {
        "app_key": "12345678",
        "format": "json",
        "method": GET,
        "partner_id": "iop-sdk-python-20220609",
        "session": "test-access-token",
        "sign_method": "sha256",
        "simplify": "false",
        "single_order_query": '{"order_id":"8198352049851315"}',
        "timestamp": "1700000000000",
        "sign": "4A68D7F46F93EDF0EE588978B292F73129F585C3060E870BAF12D4385FAA26F1",
    }
    good = json.loads(fake.handle(Call("POST", "/sync", query, {}, b"", 1_700_000_000)).body)
    assert good["error_response"]["sub_code"] == "isv.insufficient-permission"
    for change in ({"simplify": "true"}, {"sign": "0" * 64}, {"extra": "1"}):
        bad = json.loads(fake.handle(Call("POST", "/sync", {**query, **change}, {}, b"", 1_700_000_000)).body)
        assert bad["code"] == "IncompleteSignature"


def test_signature_errors_are_flat(gateway: Gateway) -> None:
    body = gateway.post({**gateway.parameters(CREATE), "sign": "0" * 64})
    assert (body["type"], body["code"]) == ("ISV", "IncompleteSignature")
    assert set(body) == {"type", "code", "message", "request_id"}
    assert gateway.post(gateway.parameters(CREATE, app_key="unknown"))["code"] == "InvalidAppKey"
    assert gateway.post(gateway.parameters(CREATE, sign_method="md5"))["code"] == "IncompleteSignature"
    assert gateway.record() == []


@pytest.mark.parametrize(
    ("form", "off", "right"),
    [
        *(("ms", 0, True), ("ms", 7100, True), ("ms", -7100, True), ("ms", 7300, False), ("ms", -7300, False)),
        *(("date", 0, True), ("date", -7100, True), ("date", 7300, False)),
        *(("seconds", 0, False), ("words", 0, False)),
    ],
)
def test_timestamps(gateway: Gateway, form: str, off: int, right: bool) -> None:
    moment = time.time() + off
    text = {
        "ms": str(int(moment * 1000)),
        "date": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)),
        "seconds": str(int(moment)),
        "words": "yesterday",
    }[form]
    body = gateway.read(1, timestamp=text)
    assert ("error_response" in body) is right
    assert right or body["code"] == "IllegalTimestamp"


@pytest.mark.parametrize("name", ["method", "app_key", "timestamp", "sign_method"])
def test_a_missing_system_parameter(gateway: Gateway, name: str) -> None:
    parameters = gateway.parameters(CREATE)
    del parameters[name]
    error = gateway.post(parameters)["error_response"]
    assert error["code"] == "MissingParameter"
    assert name in error["msg"]


def test_tokens(gateway: Gateway) -> None:
    for parameters in (gateway.parameters(GET, session="wrong"), gateway.parameters(GET, session=None)):
        assert gateway.post(parameters)["error_response"]["code"] == "IllegalAccessToken"
    # The token of one app is no token of another.
    assert gateway.read(1, session="main-token")["error_response"]["code"] == "IllegalAccessToken"
    by_other_name = gateway.parameters(GET, session=None, access_token="sandbox-token", single_order_query="{}")
    assert gateway.post(by_other_name)["error_response"]["code"] == "MissingParameter"


def test_an_unknown_method(gateway: Gateway) -> None:
    assert gateway.post(gateway.parameters("aliexpress.ds.order.list"))["error_response"]["code"] == "InvalidApiPath"


def test_parameters_may_be_in_the_query(gateway: Gateway) -> None:
    text = json.dumps(order())
    parameters = gateway.parameters(CREATE, param_place_order_request4_open_api_d_t_o=text)
    business = {
        "param_place_order_request4_open_api_d_t_o": parameters.pop("param_place_order_request4_open_api_d_t_o")
    }
    body = gateway.http.post("/sync", params=parameters, data=business).json()
    assert references(body["aliexpress_ds_order_create_response"]["result"])
    body = gateway.http.get("/sync", params={**parameters, **business}).json()
    assert body["aliexpress_ds_order_create_response"]["result"]["error_code"] == "REPEATED_ORDER_ERROR"
