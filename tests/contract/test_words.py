"""A vendor's words are no proof that nothing was made: at random, they make no refusal, and they take one back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.contract_kit import KEY, Subject, check, create, drive
from worker.marketplaces import REGISTRY
from worker.marketplaces.calls import Reply
from worker.marketplaces.doubts import Topic, topics
from worker.rules.outcomes import Accepted, Declined, Refused, Unknown

SUBJECTS = list(REGISTRY)

# A busy machine is no failure, so no deadline.
searched = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])

MADE = [
    *(
        "created",
        "order created",
        "the order was placed",
        "order has been created",
        "Success",
        "successfully",
        "exists",
    ),
    *("already ordered", "OrderCreated", "order_created", "accepted", "we received your order", "repeated order"),
    *(
        "成功",
        "下单成功",
        "订单已创建",
        "已下单",
        "订单已存在",
        "重复下单",
        "订单创建",
        "已生成",
        "创建成功",
        "订单处理中",
    ),
]
BACKEND = [
    "system busy",
    "System error",
    "read timed out",
    "Internal error",
    "系统异常",
    "系统繁忙",
    "超时",
    "服务不可用",
]
LIMIT = ["too many requests", "call frequency exceeds the limit", "this ban will last 9 seconds", "限流", "调用频繁"]
DOOR = ["signature error", "invalid token", "no permission", "签名错误", "access-key", "timestamp expired", "无权限"]
GOODS = ["stock is short", "out of stock", "库存不足", "the address is not accepted", "product not found", "商品下架"]
PLAIN = ["please", "sorry", "refused", "不可以", "失败", "no", "order", "订单", "try again later", "请稍后再试", "1234"]
CODES = st.sampled_from(
    [
        *(
            "SYSTEM_ERROR",
            "NEVER_SEEN",
            "ORDER_FAILED",
            "isv.anything",
            "isp.anything",
            "gw.Anything",
            "500_010",
            "7001",
        ),
        *("9999", "500", "-1", "SUCCESS_NOT", "E10", "Aborted", "InvalidSomething", "isv.invalid-parameter", "X"),
    ]
) | st.from_regex(r"[A-Z][A-Z_]{2,12}|[a-z]{2,5}\.[a-z-]{3,9}|[1-9][0-9]{4,6}", fullmatch=True)
STATUSES = st.sampled_from([200, 200, 200, 201, 302, 400, 401, 402, 403, 404, 405, 406, 409, 422, 429, 500, 502, 503])
IDS = st.lists(st.integers(10**15, 10**18).map(str), max_size=2, unique=True)


def told(*vocabularies: list[str]) -> st.SearchStrategy[str]:
    """Draw words of these vocabularies, put together in any of the ways languages do."""
    words = st.lists(st.sampled_from([word for each in vocabularies for word in each]), min_size=1, max_size=4)
    return st.builds(
        lambda found, seam: seam.join(found), words, st.sampled_from([" ", ", ", ",", ": ", "; ", "", "."])
    )


ANYTHING = told(MADE, BACKEND, LIMIT, DOOR, GOODS, PLAIN)


def documented(subject: Subject, code: str) -> bool:
    known = {entry.code.casefold() for entry in subject.marketplace.codes if entry.code}
    return code.casefold() in known or code in subject.samples.NUMBERS


def outcome_of(subject: Subject, status: int, document: Any) -> Any:
    outcome = create(subject, Reply(status, {}, json.dumps(document, ensure_ascii=False).encode()))
    check(subject, outcome)
    return outcome


@searched
@given(code=CODES, words=ANYTHING, status=STATUSES, ids=IDS, place=st.integers(0, 20))
def test_words_and_codes_nobody_documents_are_neither_a_yes_nor_a_no(
    subject: Subject, code: str, words: str, status: int, ids: list[str], place: int
) -> None:
    if documented(subject, code):
        return
    forms = subject.samples.answers(code, words, ids)
    outcome = outcome_of(subject, status, forms[place % len(forms)])
    if ids:
        assert isinstance(outcome, Accepted | Unknown)
        assert set(outcome.references) >= {one for one in ids if one in json.dumps(forms[place % len(forms)])}
    elif isinstance(outcome, Declined):
        assert status in subject.samples.DOOR
        assert subject.samples.DOOR[status] in ("", code)
        assert not topics(words) & {Topic.MADE, Topic.BACKEND, Topic.ORDER}
    else:
        assert isinstance(outcome, Unknown), outcome


@searched
@given(
    words=told(GOODS, PLAIN), wrong=st.sampled_from([*MADE, *BACKEND]), first=st.booleans(), place=st.integers(0, 20)
)
def test_words_that_tell_of_an_order_or_a_failure_take_a_documented_no_back(
    subject: Subject, words: str, wrong: str, first: bool, place: int
) -> None:
    said = f"{wrong}, {words}" if first else f"{words}; {wrong}"
    noes = subject.samples.noes(said)
    outcome = create(subject, noes[place % len(noes)])
    assert isinstance(outcome, Unknown), outcome
    check(subject, outcome)


@searched
@given(number=st.integers(10**15, 10**19), words=told(GOODS, PLAIN), place=st.integers(0, 20))
def test_words_that_name_an_order_take_a_documented_no_back(
    subject: Subject, number: int, words: str, place: int
) -> None:
    for said in (f"{words} order id {number}", f"订单号{number}", f"{words} ({number})"):
        noes = subject.samples.noes(said)
        assert isinstance(create(subject, noes[place % len(noes)]), Unknown)


def test_words_of_another_kind_take_a_documented_no_back(subject: Subject) -> None:
    for words in (*LIMIT, *DOOR, *GOODS):
        found = topics(words)
        for no in subject.samples.noes(words):
            outcome = create(subject, no)
            if isinstance(outcome, Refused):
                assert found <= {Topic.ORDER, Topic.DOOR}, words
            elif isinstance(outcome, Declined):
                assert found in ({Topic.LIMIT}, {Topic.DOOR}), words


def test_plain_words_leave_a_documented_no_what_it_is(subject: Subject) -> None:
    kinds = {type(create(subject, no)) for words in ("", "sorry", "不可以") for no in subject.samples.noes(words)}
    assert kinds >= {Declined}
    assert kinds <= {Refused, Declined, Unknown}


@pytest.mark.parametrize("body", [f"<html>{words}</html>" for words in (*MADE, "order 8198352049851315")])
def test_http_429_that_tells_of_an_order_was_not_declined(subject: Subject, body: str) -> None:
    before = subject.samples.BEFORE_CREATE
    replies = (*before, Reply(429, {}, body.encode()))
    outcome = drive(subject.adapter().place(subject.order, KEY), lambda number, _: replies[number])[1]
    assert isinstance(outcome, Unknown), outcome


@pytest.mark.parametrize("words", [word for word in MADE if word != "订单创建"])
def test_the_vocabulary_is_read_as_what_it_says(words: str) -> None:
    assert Topic.MADE in topics(words)


@pytest.mark.parametrize(
    "words",
    [
        *("the order was not created", "order not placed", "nothing was created", "does not exist", "unsuccessful"),
        *(
            "success: false",
            "订单不存在",
            "商品不存在",
            "下单不成功",
            "创建失败",
            "未成功",
            "cannot be placed",
        ),
    ],
)
def test_a_plain_not_beside_the_word_takes_it_back(words: str) -> None:
    assert Topic.MADE not in topics(words)
