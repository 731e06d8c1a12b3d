"""The tables of codes, texts and statuses: complete, without contradiction, and in words a person can act on."""

from __future__ import annotations

import re

import pytest

from worker.marketplaces.codes import Kind, KnownCode
from worker.marketplaces.xportcn.codes import CODES, NUMBERS, TEXTS, find, find_gateway, is_known
from worker.marketplaces.xportcn.statuses import ENDED, MEANINGS


@pytest.mark.parametrize("entry", [*CODES, *NUMBERS], ids=lambda entry: entry.code)
def test_every_entry_says_what_to_do(entry: KnownCode) -> None:
    assert entry.meaning
    assert entry.fix
    assert is_known(entry.code)
    assert find(entry.code, "").kind is entry.kind


def test_no_code_twice() -> None:
    codes = [entry.code.casefold() for entry in (*CODES, *NUMBERS)]
    assert len(codes) == len(set(codes))
    assert {f"500_00{number}" for number in range(1, 10)} <= set(codes)


@pytest.mark.parametrize("words", [entry.words for entry in TEXTS])
def test_every_text_can_match(words: str) -> None:
    re.compile(words)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        ("1", "App call exceeds limited frequency", Kind.RATE),
        ("1", "gw.QosAppFrequencyLimit", Kind.RATE),
        ("1", "接口限流", Kind.RATE),
        ("1", "调用过于频繁，请稍后再试", Kind.RATE),
        ("1", "Too Many Requests", Kind.RATE),
        ("500", "系统繁忙，请稍后再试", Kind.MAY_EXIST),
        ("500", "库存不足", Kind.REFUSED),
        ("500", "stock not enough", Kind.REFUSED),
        ("1", "收货地址不正确", Kind.REFUSED),
        ("1", "the address is in a designed zone", Kind.REFUSED),
        ("1", "签名验证失败", Kind.SETUP),
        ("1", "sign error", Kind.SETUP),
        ("1", "无权限", Kind.SETUP),
        ("1", "时间戳过期", Kind.CLOCK),
        ("1", "订单已存在", Kind.EXISTS),
        ("1", "duplicate outOrderId", Kind.EXISTS),
        ("404", "商品不存在", Kind.REFUSED),
        ("404", "Not Found", Kind.SETUP),
        ("500_007", "无代销权限", Kind.REFUSED),
        ("502", "?", Kind.MAY_EXIST),
        ("1500_0041", "?", Kind.REFUSED),
        ("99", "", Kind.REFUSED),
    ],
)
def test_words_count_where_a_code_says_nothing(code: str, text: str, kind: Kind) -> None:
    assert find(code, text).kind is kind


def test_the_gateway_s_unknown_errors_are_in_doubt() -> None:
    assert find_gateway("gw.New", "?").kind is Kind.MAY_EXIST
    assert find_gateway("gw.QosSomethingFrequencyLimit", "").kind is Kind.RATE
    assert find_gateway("gw.SignatureInvalid", "").fix
    assert find_gateway("GW.APIACLDECLINE", "").kind is Kind.SETUP


def test_statuses() -> None:
    documented = (
        "waitbuyerpay waitsellersend waitlogisticstakein waitbuyerreceive waitbuyersign signinsuccess signinfailed"
    )
    documented += " confirm_goods success cancel terminated waiting_for_payment waiting_for_sent"
    assert set(MEANINGS) == set(documented.split())
    assert {"cancel", "terminated"} <= ENDED
