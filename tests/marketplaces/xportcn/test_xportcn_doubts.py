"""Which answers to a create are a no, and what takes a no back (docs/vendors/xportcn.md, 1, 2)."""

from __future__ import annotations

import pytest

from tests.marketplaces.xportcn.xportcn_kit import ORDER, create, created, envelope, preview, reply
from worker.rules.outcomes import Declined, Refused, Unknown

GARBAGE = [b"", b"  ", b"<html>Bad Gateway</html>", b'{"code": 200', b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000]
GATEWAY = {"error_code": "gw.QosAppFrequencyLimit", "error_message": "App call exceeds limited frequency"}

DOCUMENTED_DOOR = [
    (reply(GATEWAY), "gw.QosAppFrequencyLimit", 10, False),
    (reply(GATEWAY, 400), "gw.QosAppFrequencyLimit", 10, False),
    (reply(b"", 429), "HTTP_429", 10, False),
    (reply(b"", 429, retry_after="33"), "HTTP_429", 33, False),
    (reply(b"", 429, retry_after="soon"), "HTTP_429", 10, False),
    (reply({"error_code": "gw.SignatureInvalid", "error_message": "x"}, 400), "gw.SignatureInvalid", 60, True),
    (reply({"error_code": "gw.APIACLDecline", "error_message": "x"}), "gw.APIACLDecline", 60, True),
    (reply({"error_code": "APIACLDecline", "error_message": "no permission"}), "APIACLDecline", 60, True),
    (reply(envelope(None, 401, "signature error"), 401), "401", 60, True),
    (reply(envelope(None, "403", ""), 403), "403", 60, True),
    (reply(envelope(None, 404, "Not Found"), 404), "404", 60, True),
]
DOOR_BY_WORDS = [
    (reply(envelope(None, 1, "请求过于频繁")), "1", 10, False),
    (reply(envelope(None, 429, "")), "429", 10, False),
    (reply(envelope(None, 401, "signature error")), "401", 60, True),
    (reply(envelope(None, 7, "签名错误")), "7", 60, True),
    (reply(envelope(None, 7, "timestamp expired")), "7", 60, True),
    (reply(envelope(None, 7, "nonce-str重复请求")), "7", 60, True),
    (reply(envelope(None, 7, "access-key不存在")), "7", 60, True),
    (reply(envelope(None, 403, "")), "403", 60, True),
    (reply(envelope(None, 7, "签名错误"), 401), "7", 60, True),
    (reply({"error_code": "gw.SomethingNew", "error_message": "signature error"}), "gw.SomethingNew", 60, True),
]


def is_declined(outcome, code, seconds, mended):
    assert isinstance(outcome, Declined), outcome
    assert (outcome.code, outcome.retry_after_seconds, outcome.pauses_account) == (code, seconds, True)
    assert bool(outcome.fix) is mended


@pytest.mark.parametrize(("came", "code", "seconds", "mended"), DOCUMENTED_DOOR + DOOR_BY_WORDS)
def test_a_preview_is_declined_by_code_or_by_words(came, code, seconds, mended):
    is_declined(preview(came), code, seconds, mended)


@pytest.mark.parametrize(("came", "code", "seconds", "mended"), DOCUMENTED_DOOR)
def test_a_create_is_declined_by_a_documented_code(came, code, seconds, mended):
    is_declined(create(came), code, seconds, mended)


@pytest.mark.parametrize(("came", "code", "seconds", "mended"), DOOR_BY_WORDS)
def test_words_alone_decline_no_create(came, code, seconds, mended):
    outcome = create(came)
    assert (type(outcome), outcome.code) == (Unknown, code)


@pytest.mark.parametrize("msg", ["订单已创建,签名服务不可用", "order created, signature service unavailable", "已下单"])
def test_a_made_order_and_a_failed_signature_in_one_answer_is_unknown(msg):
    for code in (200, 500, 7, "401", "gw.SignatureInvalid", "500_004"):
        assert isinstance(create(reply(envelope(None, code, msg))), Unknown)
        assert isinstance(create(reply(envelope(None, code, msg), 401)), Unknown)
    for code in ("gw.SignatureInvalid", "gw.QosAppFrequencyLimit", "gw.APIACLDecline"):
        outcome = create(reply({"error_code": code, "error_message": msg}, 400))
        assert (type(outcome), outcome.code) == (Unknown, code)
        assert "order that was made" in outcome.cause


@pytest.mark.parametrize("number", range(1, 10))
@pytest.mark.parametrize("msg", ["库存不足", "", "下单失败"])
@pytest.mark.parametrize("status", [200, 400])
def test_refusals(number, msg, status):
    outcome = created(None, f"500_00{number}", msg, status)
    assert isinstance(outcome, Refused)
    assert (outcome.from_body, outcome.retryable, outcome.stops_account) == (False, False, False)
    assert outcome.code == f"500_00{number}"
    assert outcome.fix
    assert outcome.reason


@pytest.mark.parametrize(
    ("code", "msg"),
    [
        (1234, "下单失败[500_005]"),
        (500, "库存不足"),
        (500, "not support tradeType:【XXXX】"),
        (1234, "no such luck"),
        ("SOME_CODE", "no"),
        (404, "商品不存在"),
        ("500_010", "库存不足"),
        ("gw.QosAppFrequencyLimit", "App call exceeds limited frequency"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_code_nobody_documents_is_no_refusal(code, msg, status):
    outcome = created(None, code, msg, status)
    assert (type(outcome), outcome.code) == (Unknown, str(code))
    assert msg in outcome.cause


@pytest.mark.parametrize("status", [201, 302, 401, 403, 404, 405, 409, 422])
def test_a_refusal_with_a_status_nobody_documents_is_none(status):
    outcome = created(None, "500_004", "库存不足", status)
    assert (type(outcome), outcome.code) == (Unknown, "500_004")


@pytest.mark.parametrize(
    "msg",
    [
        "下单成功,库存不足",
        "订单已存在",
        "订单号 2019601741959504495",
        "系统异常",
        "签名错误",
        "调用频繁",
        "order created",
    ],
)
def test_words_that_speak_against_a_refusal_take_it_back(msg):
    outcome = created(None, "500_004", msg)
    assert (type(outcome), outcome.code) == (Unknown, "500_004")
    assert "its words" in outcome.cause


def test_an_offer_of_ours_in_the_words_names_no_order():
    assert isinstance(created(None, "500_004", f"商品 {ORDER['cargoParamList'][0]['offerId']} 库存不足"), Refused)
