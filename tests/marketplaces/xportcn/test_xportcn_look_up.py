"""The look-up: every row compared on our side, and "absent" only from a list that has proved it can find."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.marketplaces.xportcn.xportcn_kit import (
    KEY,
    NOW,
    ORDER,
    REFERENCE,
    adapter,
    drive,
    envelope,
    reply,
    sent_body,
)
from worker.marketplaces.calls import Lost
from worker.marketplaces.xportcn.look_up import MAX_PAGES, NO_PROOF
from worker.rules.outcomes import Absent, Declined, Found, NotSent, Unknown

OTHER = "SO-0999"


def row(key: Any = KEY, number: Any = REFERENCE, **more: Any) -> dict[str, Any]:
    return {"orderId": number, "outOrderId": key, "orderStatus": "waitbuyerpay", **more}


def listed(*rows: Any, **more: Any) -> Any:
    return reply(envelope({"records": list(rows), "total": len(rows), **more}))


EMPTY = listed()


def look(*replies: Any, **settings: Any) -> Any:
    return drive(adapter(**settings).look_up(ORDER, KEY, NOW), *replies)[1]


def references(outcome: Any) -> list[str]:
    assert isinstance(outcome, Found), outcome
    return [record.reference for record in outcome.records]


def unproven(outcome: Any) -> str:
    assert isinstance(outcome, Unknown), outcome
    assert outcome.code == NO_PROOF
    assert "list_path" in outcome.cause
    return outcome.cause


def test_the_requests():
    sent, _ = drive(adapter().look_up(ORDER, KEY, NOW), EMPTY, listed(row(OTHER, "7")), listed(row(OTHER, "7")))
    assert {request.url for request in sent} == {"https://www.xportcn.com/api/alibaba/ka/order/page"}
    assert [sent_body(request) for request in sent] == [
        {"outOrderId": KEY, "page": 1, "pageSize": 20},
        {"page": 1, "pageSize": 20},
        {"outOrderId": OTHER, "page": 1, "pageSize": 20},
    ]
    assert len({request.headers["nonce-str"] for request in sent}) == 3
    settings = {"list_path": "/v2/list", "list_body": '{"query": {"key": "{outOrderId}"}, "current": "{page}"}'}
    sent, _ = drive(adapter(**settings).look_up(ORDER, KEY, NOW), listed(row()))
    assert sent[0].url.endswith("/v2/list")
    assert sent_body(sent[0]) == {"query": {"key": KEY}, "current": 1}


@pytest.mark.parametrize(
    "data",
    [
        {"records": [row()]},
        {"list": [row()], "orderBy": []},
        [row()],
        {"result": {"orderList": [row()]}},
        row(),
        {"records": [row(number=int(REFERENCE))]},
        {"records": [{"baseInfo": {"id": 12, "idOfStr": REFERENCE, "outOrderId": KEY}, "productItems": [{"id": 3}]}]},
        {"records": [{"id": 5, "detail": {"orderId": REFERENCE, "outOrderId": KEY}}]},
    ],
)
def test_every_form_of_a_hit(data):
    assert references(look(reply(envelope(data)))) == [REFERENCE]


def test_a_hit_holds_what_the_row_says():
    (record,) = look(listed(row(totalAmount=6400, closeReason="buyerCancel") | {"orderStatus": "cancel"})).records
    assert (record.status, str(record.amount.amount)) == ("cancel", "64.00")
    assert "buyerCancel" in record.alert


def test_several_ids_are_all_told_once():
    assert references(look(listed(row(), row(number="2"), row()))) == [REFERENCE, "2"]


@pytest.mark.parametrize("key", ["SO-100", "SO-10011", "so-1001", "XSO-1001", "", None, ["SO-1001x"]])
def test_a_row_of_another_key_is_never_adopted(key):
    assert not isinstance(look(listed(row(key)), EMPTY), Found)


def test_absent_has_to_be_proved():
    proof = listed(row(OTHER, "7"), row(None, "8"))
    assert isinstance(look(EMPTY, proof, listed(row(OTHER, "7"))), Absent)
    assert "filter finds nothing" in unproven(look(EMPTY, proof, EMPTY))
    assert "filter finds nothing" in unproven(look(EMPTY, proof, listed(row("x", "9"))))
    assert "no orders at all" in unproven(look(EMPTY, EMPTY))
    assert "no order with an outOrderId" in unproven(look(EMPTY, listed(row(None, "8"), {"orderId": "9"})))


def test_the_unfiltered_list_may_show_it_after_all():
    assert references(look(EMPTY, listed(row(OTHER, "7"), row()))) == [REFERENCE]


def pages(*texts: str) -> list[Any]:
    """Return pages of rows of other orders, a word a page; K in it is a row of ours."""
    return [
        listed(*[row(KEY if letter == "K" else f"SO-{letter}", f"1{ord(letter)}") for letter in text]) for text in texts
    ]


def test_a_list_that_ignores_the_filter_is_read_to_its_end():
    assert isinstance(look(*pages("abc", "def", "")), Absent)
    assert references(look(*pages("abc", "dKf", ""))) == ["175"]
    assert references(look(*pages("K"))) == ["175"], "a filter that works needs one page"
    assert "filter and has more than" in unproven(look(*pages("a", "b", "c", "d", "e")))
    assert references(look(*pages("a", "b", "c", "d", "K")[:MAX_PAGES])) == ["175"]


def test_a_list_that_ignores_filter_and_page_proves_nothing():
    assert "the filter and the page" in unproven(look(*pages("abc", "abc")))
    assert references(look(*pages("abK", "abK"))) == ["175"]


def test_rows_without_out_order_id_prove_nothing():
    assert "rows show no outOrderId" in unproven(look(listed({"orderId": "5"}), EMPTY))


def test_a_hit_without_an_id_is_not_absent():
    outcome = look(listed({"outOrderId": KEY}))
    assert isinstance(outcome, Unknown)
    assert outcome.code == "ID_NOT_READABLE"


@pytest.mark.parametrize("data", [None, {}, "", 5, {"total": 0}, {"records": None}, ["x"]])
def test_a_reply_without_a_list_is_not_absent(data):
    unproven(look(reply(envelope(data))))


FAILURES = [
    (Lost("cut", may_have_arrived=True), Unknown),
    (Lost("no route", may_have_arrived=False), NotSent),
    (reply(b"", 429), Declined),
    (reply(b"", 502), Unknown),
    (reply(b"<html>"), Unknown),
    (reply(envelope(None, 401, "signature error")), Declined),
    (reply(envelope(None, 500, "订单不存在")), Unknown),
    (reply(envelope(None, 404, "Not Found")), Unknown),
    (reply({"status": 404, "error": "Not Found"}, 404), Unknown),
]


@pytest.mark.parametrize("before", [[], [EMPTY], [EMPTY, listed(row(OTHER, "7"))], pages("abc")])
@pytest.mark.parametrize(("came", "kind"), FAILURES)
def test_a_failure_anywhere_is_no_answer(before, came, kind):
    assert isinstance(look(*before, came), kind)


def test_a_wrong_path_names_its_setting():
    assert "list_path" in look(reply({"status": 404}, 404)).cause


names = st.sampled_from(["records", "orderId", "outOrderId", "id", "total", "baseInfo"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from([KEY, OTHER])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.text(max_size=5), inner, max_size=5)
)
rows = st.lists(st.fixed_dictionaries({"orderId": scalars, "outOrderId": scalars}), max_size=3)
data = st.one_of(values, rows, st.fixed_dictionaries({"records": rows})).map(envelope)
anything = st.binary(max_size=60) | (values | data).map(lambda value: json.dumps(value).encode())


@given(st.lists(anything, min_size=MAX_PAGES + 3, max_size=MAX_PAGES + 3))
def test_any_answers_are_read_and_only_our_key_is_found(raws):
    steps, outcome, used = adapter().look_up(ORDER, KEY, NOW), None, []
    next(steps)
    for raw in raws:
        used.append(raw)
        try:
            steps.send(reply(raw))
        except StopIteration as stop:
            outcome = stop.value
            break
    assert isinstance(outcome, Found | Absent | Declined | NotSent | Unknown)
    if isinstance(outcome, Found):
        assert any(KEY.encode() in raw for raw in used)
    if isinstance(outcome, Absent):
        assert len(used) > 1
