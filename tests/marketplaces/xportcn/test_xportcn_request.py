"""What placing an order sends: a preview, then a create, each signed by itself (docs/vendors/xportcn.md, 1)."""

from __future__ import annotations

import hashlib

import pytest

from tests.marketplaces.xportcn.xportcn_kit import (
    ADDRESS,
    KEY,
    LINE,
    NOW,
    ORDER,
    PREVIEW_ROW,
    PREVIEWED,
    SECRETS,
    adapter,
    body,
    credentials,
    drive,
    dump,
    envelope,
    reply,
    sent_body,
)
from worker.marketplaces.base import Rate
from worker.marketplaces.xportcn import signing
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.marketplaces.xportcn.models import XportcnOrder

CREATED = reply(envelope({"orderIds": ["1"]}))
URL = "https://www.xportcn.com/api/alibaba/ka/order"


def placed(order=ORDER, previewed=PREVIEWED, **settings):
    return drive(adapter(**settings).place(order, KEY), previewed, CREATED)[0]


def test_signature_is_md5_of_the_parts_joined():
    assert signing.call_signature(["a", "b", "c"]) == "900150983CD24FB0D6963F7D28E17F72", "RFC 1321's vector"
    assert signing.call_signature(iter("abc")) == signing.call_signature(["abc"])


def test_every_request_is_signed_by_itself():
    requests = placed()
    assert [request.method for request in requests] == ["POST", "POST"]
    assert [request.url for request in requests] == [f"{URL}/create/preview", f"{URL}/create"]
    for request in requests:
        headers = dict(request.headers)
        nonce, stamp = headers["nonce-str"], headers["timestamp"]
        assert len(nonce) == 32
        assert nonce.isalnum()
        assert stamp == "1700000000"
        expected = hashlib.md5(f"test-key{stamp}{nonce}{SECRETS[0]}".encode()).hexdigest().upper()
        assert headers.pop("signature") == expected
        assert headers == {
            "access-key": "test-key",
            "user-id": "2100007341207",
            "nonce-str": nonce,
            "timestamp": "1700000000",
            "content-type": "application/json",
            "accept": "application/json",
        }


def test_headers_are_fresh_for_every_request():
    moments = iter([NOW, NOW + 1, NOW + 2, NOW + 3])
    xportcn = Xportcn("main", credentials(), clock=lambda: next(moments))
    requests = [*drive(xportcn.place(ORDER, KEY), PREVIEWED, CREATED)[0]]
    requests += drive(xportcn.place(ORDER, KEY), PREVIEWED, CREATED)[0]
    assert len({request.headers["nonce-str"] for request in requests}) == 4
    assert len({request.headers["signature"] for request in requests}) == 4
    assert [int(request.headers["timestamp"]) - int(NOW) for request in requests] == [0, 1, 2, 3]
    one = xportcn.confirm([])
    assert list(one) == [], "nothing is built before it is asked for"


def test_signature_rule_and_unit_are_settings():
    rule = "secret,access_key,user_id,nonce,timestamp,secret"
    (request, _) = placed(sign_order=rule, timestamp_unit="ms")
    nonce = request.headers["nonce-str"]
    assert request.headers["timestamp"] == "1700000000000"
    text = f"{SECRETS[0]}test-key2100007341207{nonce}1700000000000{SECRETS[0]}"
    assert request.headers["signature"] == hashlib.md5(text.encode()).hexdigest().upper()


@pytest.mark.parametrize("base", [None, "https://www.xportcn.com", "https://www.xportcn.com/api/"])
def test_address_of_the_api(base):
    assert Xportcn("main", credentials(), base).url == "https://www.xportcn.com/api"


def test_the_preview_s_body():
    (request, _) = placed()
    line = {**LINE, "offerId": 610947572360}
    assert sent_body(request) == {
        "flow": "general",
        "outOrderId": KEY,
        "addressParam": ADDRESS,
        "cargoParamList": [line],
    }
    (request, _) = placed(dump(body(flow=None)))
    assert "flow" not in sent_body(request)


def test_every_field_goes_on_the_wire_and_ours_does_not():
    texts = {"message": "好", "shopPromotionId": "7", "tradeType": "period", "userId": "U", "staffName": "Li"}
    order = body(**texts, developerId=5, platformOrder=0, dropshipping="y", max_amount=7000)
    assert order.keys() == XportcnOrder.model_fields.keys(), "a field is missing in this test"
    (_, request) = placed(dump(order))
    del order["max_amount"]
    assert sent_body(request) == {**order, "outOrderId": KEY, "cargoParamList": [{**LINE, "offerId": 610947572360}]}
    assert "好".encode() in request.content, "texts travel as UTF-8, not as escapes"


def rows(*offers):
    return reply(envelope([{**PREVIEW_ROW, **offer} for offer in offers]))


@pytest.mark.parametrize(
    ("previewed", "trade_type"),
    [
        (PREVIEWED, None),
        (rows({"tradeModeNameList": ["assureTrade", "period"]}), "assureTrade"),
        (rows({"tradeModeNameList": "period, alipay"}), "period"),
        (rows({"orderModel": {"tradeModelList": [{"tradeType": "period"}, {"tradeType": "alipay"}]}}), "period"),
        (rows({"tradeType": "nzassure"}), "nzassure"),
        (rows({"tradeModeNameList": [None, "", "bank"]}), "bank"),
        (rows({"tradeModeNameList": None}), None),
        (rows({"tradeModeNameList": ["alipay", "period"]}, {"tradeModeNameList": ["period"]}), "period"),
        (rows({"tradeModeNameList": ["alipay"]}, {"tradeModeNameList": ["period"]}), None),
    ],
)
def test_trade_type_comes_from_the_preview(previewed, trade_type):
    (_, request) = placed(previewed=previewed)
    assert sent_body(request).get("tradeType") == trade_type


def test_the_job_s_own_trade_type_stays():
    (_, request) = placed(dump(body(tradeType="creditBuy")), rows({"tradeModeNameList": ["alipay"]}))
    assert sent_body(request)["tradeType"] == "creditBuy"


def test_preview_and_create_agree():
    for flow in ("general", "fenxiaonew", None):
        previewed, created = (sent_body(request) for request in placed(dump(body(flow=flow))))
        assert previewed.items() <= created.items()


def test_what_the_adapter_declares():
    assert Xportcn.resend_window is None
    assert Xportcn.default_rate == Rate(2, 1, shared=True)
    assert Xportcn.calls_to_place == 2
    assert adapter().can_look_up is True
    assert adapter(list_path="").can_look_up is False
    assert set(Xportcn.personal_fields) <= set(XportcnOrder.model_fields)
    assert not any(secret in repr(vars(adapter())) for secret in SECRETS)
