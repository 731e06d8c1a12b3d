"""The tables of codes, texts and statuses: complete, without contradiction, and in words a person can act on."""

from __future__ import annotations

import re

import pytest

from worker.marketplaces.xportcn.codes import CODES, NUMBERS, TEXTS, Kind, find, find_gateway, is_known
from worker.marketplaces.xportcn.statuses import ENDED, MEANINGS


@pytest.mark.parametrize("entry", [*CODES, *NUMBERS], ids=lambda entry: entry.code)
def test_every_entry_says_what_to_do(entry):
    assert entry.meaning
    assert entry.fix
    assert is_known(entry.code)
    assert find(entry.code, "").kind is entry.kind


def test_no_code_twice():
    codes = [entry.code.casefold() for entry in (*CODES, *NUMBERS)]
    assert len(codes) == len(set(codes))
    assert {f"500_00{number}" for number in range(1, 10)} <= set(codes)


@pytest.mark.parametrize("words", [text[0] for text in TEXTS])
def test_every_text_can_match(words):
    re.compile(words)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("1", "App call exceeds limited frequency", Kind.THROTTLE),
        ("1", "gw.QosAppFrequencyLimit", Kind.THROTTLE),
        ("1", "接口限流", Kind.THROTTLE),
        ("1", "调用过于频繁，请稍后再试", Kind.THROTTLE),
        ("1", "Too Many Requests", Kind.THROTTLE),
        ("500", "系统繁忙，请稍后再试", Kind.BACKEND_UNKNOWN),
        ("500", "库存不足", Kind.REFUSED),
        ("500", "stock not enough", Kind.REFUSED),
        ("1", "收货地址不正确", Kind.REFUSED),
        ("1", "the address is in a designed zone", Kind.REFUSED),
        ("1", "签名验证失败", Kind.CONFIGURATION),
        ("1", "sign error", Kind.CONFIGURATION),
        ("1", "无权限", Kind.CONFIGURATION),
        ("1", "时间戳过期", Kind.CLOCK),
        ("1", "订单已存在", Kind.DUPLICATE),
        ("1", "duplicate outOrderId", Kind.DUPLICATE),
        ("404", "商品不存在", Kind.REFUSED),
        ("404", "Not Found", Kind.CONFIGURATION),
        ("500_007", "无代销权限", Kind.REFUSED),
        ("502", "?", Kind.BACKEND_UNKNOWN),
        ("1500_0041", "?", Kind.REFUSED),
        ("99", "", Kind.REFUSED),
    ],
)
def test_words_count_where_a_code_says_nothing(code, text, kind):
    assert find(code, text).kind is kind


def test_the_gateway_s_unknown_errors_are_in_doubt():
    assert find_gateway("gw.New", "?").kind is Kind.BACKEND_UNKNOWN
    assert find_gateway("gw.QosSomethingFrequencyLimit", "").kind is Kind.THROTTLE
    assert find_gateway("gw.SignatureInvalid", "").fix
    assert find_gateway("GW.APIACLDECLINE", "").kind is Kind.CONFIGURATION


def test_statuses():
    documented = "waitbuyerpay waitsellersend waitlogisticstakein waitbuyerreceive waitbuyersign signinsuccess"
    documented += " confirm_goods success cancel terminated waiting_for_payment waiting_for_sent"
    assert set(MEANINGS) == set(documented.split())
    assert {"cancel", "terminated"} <= ENDED
