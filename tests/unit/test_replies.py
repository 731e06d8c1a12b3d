"""What every adapter opens its replies with: nothing changes on the way, nothing unstorable comes through."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from worker.marketplaces.calls import Lost, Reply
from worker.marketplaces.replies import (
    Fraction,
    Kept,
    Read,
    Text,
    clock_offset,
    id_of,
    lost,
    money,
    parse,
    read_object,
    retry_after,
    text_of,
)
from worker.rules.outcomes import Money, NotSent, Unknown


@pytest.mark.parametrize("text", ["9007199254740993", "10234136520598611512", "0.1", "1.10", "1e400", "-0.0", "NaN"])
def test_a_number_is_kept_to_its_last_sign(text: str) -> None:
    assert text_of(parse(text.encode())) == text


def test_a_fraction_is_told_apart_from_a_text_that_looks_like_it() -> None:
    number, text = parse(b'[12.50, "12.50"]')
    assert number == text == "12.50"
    assert isinstance(number, Fraction)
    assert not isinstance(text, Fraction)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty reply"),
        (b" \r\n", "empty reply"),
        (b"<html>", "the reply is not JSON"),
        (b"\xff\xfe{\x00}\x00", "the reply is not JSON"),
        (b"[" * 100_000, "the reply is not JSON"),
        (b"9" * 5000, "the reply is not JSON"),
        (b"[]", "the reply is not a JSON object"),
        (b"null", "the reply is not a JSON object"),
    ],
)
def test_a_body_that_is_no_object_says_why(body: bytes, said: str) -> None:
    assert read_object(body) == said


def test_a_byte_order_mark_is_no_part_of_it() -> None:
    assert read_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_what_no_database_takes_is_replaced_in_names_and_values_at_any_depth() -> None:
    assert parse(rb'{"a\u0000": ["\ud800x", {"b": "\u0000"}], "c": 1.5}') == {"a�": ["�x", {"b": "�"}], "c": "1.5"}
    assert isinstance(parse(rb'{"c": 1.5, "d": "\u00e9"}')["c"], Fraction)


@given(st.binary(max_size=30) | st.recursive(st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_whatever_is_parsed_can_be_stored(body: bytes) -> None:
    read = read_object(body)
    stored = json.dumps(read, ensure_ascii=False)
    stored.encode()
    assert "\\u0000" not in stored


@pytest.mark.parametrize("text", ["1", "8198352049851315", "11218-00000001", "2392769-HQWIFA72023", "T000042"])
def test_an_id_is_a_string_however_it_came(text: str) -> None:
    assert id_of(text) == id_of(f" {text} ") == text
    if text.isdigit():
        assert id_of(int(text)) == text


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -5,
        "",
        "0",
        "000",
        "null",
        "None",
        "-12",
        "a b1",
        "1,2",
        "١٢",
        "x" * 65 + "1",
        [],
        {},
        Fraction("1"),
    ],
)
def test_what_cannot_be_an_id_is_none(value: Any) -> None:
    assert id_of(value) == ""


def test_a_lost_request_was_not_sent_only_where_it_cannot_have_arrived() -> None:
    assert lost(Lost("no route", may_have_arrived=False)) == NotSent("no route")
    assert lost(Lost("no answer", may_have_arrived=True)) == Unknown("no answer")


class Shown(BaseModel):
    count: Kept[int] = None
    word: Text = None


@pytest.mark.parametrize(("given_", "kept"), [(3, 3), ("3", 3), ("three", "three"), ([1], [1]), (None, None)])
def test_a_value_that_does_not_fit_stays_as_it_came(given_: Any, kept: Any) -> None:
    assert Shown.model_validate({"count": given_}).count == kept


@pytest.mark.parametrize(("given_", "kept"), [(7, "7"), (True, "true"), ("x", "x"), ({"a": 1}, {"a": 1})])
def test_a_text_may_come_as_a_number_or_a_truth_value(given_: Any, kept: Any) -> None:
    assert Shown.model_validate({"word": given_}).word == kept


@pytest.mark.parametrize(
    ("date", "offset"),
    [
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", -10.0),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_the_marketplaces_clock_is_read_off_its_date(date: str | None, offset: float | None) -> None:
    came = Reply(200, {} if date is None else {"date": date}, b"")
    assert clock_offset(came, 10.0) == offset
    assert clock_offset(Lost("cut", may_have_arrived=True), 10.0) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("12345678", None),
        ("١", None),
    ],
)
def test_the_wait_a_reply_asks_for_is_a_plain_number_of_seconds(header: str, seconds: float | None) -> None:
    assert retry_after(Reply(429, {"retry-after": header}, b"")) == seconds
    assert retry_after(Reply(429, {}, b"")) is None


def test_money_needs_both_halves() -> None:
    assert money(Decimal("1.10"), "USD") == Money(Decimal("1.10"), "USD")
    for amount, currency in (
        ("1.10", "USD"),
        (None, "USD"),
        (Decimal(1), ""),
        (Decimal(1), 840),
        (Decimal(1), "X" * 11),
    ):
        assert money(amount, currency) is None


def test_what_is_read_keeps_fields_nobody_knows_and_never_fails() -> None:
    assert Read.model_validate({"brand_new": {"a": [1]}}).details() == {"brand_new": {"a": [1]}}
    nested: Any = "x"
    for _ in range(600):
        nested = [nested]
    assert Read.model_validate({"deep": nested}).details() == {}
