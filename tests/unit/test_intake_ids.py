"""What an order_id may be, the same at every door: rounded numbers and look-alikes are refused with their cause."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sheet_kit import ACCOUNTS, sheet, taken
from worker.errors import UnusableId
from worker.marketplaces.digits import DECIMAL, EXPONENT, FRACTION
from worker.orders import ids
from worker.orders.alike import likeness
from worker.orders.jobs import Job, Rejection, validate
from worker.orders.marks import unmarked_id
from worker.rules.codes import typed

ORDER = {"address": {"city": "Oslo"}, "items": [{"product_id": "1", "product_count": 1}]}
SHAPE = "must be 1 to 64 characters without blanks"

ALIKE = [
    ("SO\u200b-1", "U+200B at position 3 (ZERO WIDTH SPACE) is a sign that cannot be seen; take it out"),
    ("\ufeffSO-1", "U+FEFF at position 1 (ZERO WIDTH NO-BREAK SPACE) is a sign that cannot be seen; take it out"),
    ("SO-1\u202c", "U+202C at position 5 (POP DIRECTIONAL FORMATTING) is a sign that cannot be seen; take it out"),
    ("SO\u00ad1", "U+00AD at position 3 (SOFT HYPHEN) is a sign that cannot be seen; take it out"),
    ("SO\x001", "U+0000 at position 3 is a control sign; take it out"),
    ("a\tb", "U+0009 at position 2 is a control sign; take it out"),
    ("a\u00a0b", "U+00A0 at position 2 (NO-BREAK SPACE) is a blank; take it out"),
    ("a\u2028b", "U+2028 at position 2 (LINE SEPARATOR) is a line break; take it out"),
    ("SO\ue000", "U+E000 at position 3 is a private-use sign, which looks different from place to place; take it out"),
    ("SO\u3164", "U+3164 at position 3 (HANGUL FILLER) cannot be seen; take it out"),
    ("SO\ufe0f", "U+FE0F at position 3 (VARIATION SELECTOR-16) cannot be seen; take it out"),
    ("SO\ufffd", "U+FFFD at position 3 (REPLACEMENT CHARACTER) says that the text was damaged before it came here"),
    (
        "S\u041e-1",
        "mixes Latin letters with U+041E at position 2 (CYRILLIC CAPITAL LETTER O); write it in letters of one script",
    ),
    (
        "\u0410B-1",
        "mixes Latin letters with U+0410 at position 1 (CYRILLIC CAPITAL LETTER A); write it in letters of one script",
    ),
    (
        "SO-\u03a9",
        "mixes Latin letters with U+03A9 at position 4 (GREEK CAPITAL LETTER OMEGA); write it in letters of one script",
    ),
    (
        "\u0416\u03a9",
        "mixes Cyrillic letters with U+03A9 at position 2 (GREEK CAPITAL LETTER OMEGA);"
        " write it in letters of one script",
    ),
    ("\u0421\u041e\u0420-1", "all its letters look like Latin ones, but are Cyrillic; write them in Latin letters"),
    ("\u0430-1", "all its letters look like Latin ones, but are Cyrillic; write them in Latin letters"),
    ("\u0401-1", "all its letters look like Latin ones, but are Cyrillic; write them in Latin letters"),
    ("\u0391\u0392-1", "all its letters look like Latin ones, but are Greek; write them in Latin letters"),
    ("SO\u20111", "U+2011 at position 3 (NON-BREAKING HYPHEN) looks like -; write the plain sign"),
    ("SO\u20131", "U+2013 at position 3 (EN DASH) looks like -; write the plain sign"),
    ("O\u2019Neil", "U+2019 at position 2 (RIGHT SINGLE QUOTATION MARK) looks like '; write the plain sign"),
    ("\uff33O-1", "U+FF33 at position 1 (FULLWIDTH LATIN CAPITAL LETTER S) looks like S; write the plain sign"),
    ("\u2161-1", "U+2161 at position 1 (ROMAN NUMERAL TWO) looks like II; write the plain sign"),
]
ROUNDED = [
    *((one, EXPONENT) for one in ("5.61954E+12", "5,61954e+12", "5.6e12", "5E+12", "SO-5.61954E+12", '="5.6E+12"')),
    *((one, DECIMAL) for one in ("1001.0", "5619540000000.5", "1001,0")),
]
TAKEN = [
    "SO-1",
    "12E45",
    "SO-1.5",
    "Ü~1/ä",
    "ЗАКАЗ-17",
    "ΩΔ-1",
    "注文SO-1",
    "주문-1",
    "カートA",
    "№12",
    "1.2.3",
    "x" * 64,
    7,
]


def judged(order_id: Any) -> Job | Rejection:
    return validate({"order_id": order_id, "account": "main", "order": ORDER}, 7, ACCOUNTS)


@pytest.mark.parametrize(("order_id", "reason"), [*ALIKE, *ROUNDED], ids=ascii)
def test_at_the_door_of_jobs(order_id: Any, reason: str) -> None:
    assert judged(order_id) == Rejection(7, None, "order_id", reason)


@pytest.mark.parametrize(("order_id", "reason"), [*ALIKE, *ROUNDED], ids=ascii)
def test_at_the_door_of_commands(order_id: Any, reason: str) -> None:
    with pytest.raises(UnusableId) as caught:
        ids.order_id(order_id)
    assert str(caught.value) == f"order_id: {reason}"


@pytest.mark.parametrize(("order_id", "reason"), ROUNDED)
def test_in_a_sheet_all_rows_of_a_rounded_id_are_one_rejection(order_id: Any, reason: str) -> None:
    written = '"{}"'.format(order_id.replace('"', '""'))
    found = taken(sheet(f"{written},main,Ann,Oslo,1,2,a", f"{written},main,Bo,Rome,2,2,a"))
    assert found == [Rejection(2, None, "order_id", reason)]


@pytest.mark.parametrize("number", ["5.61954E+12", "5e12", "1001.0", "1001.5"])
def test_a_json_number_with_a_point_or_an_exponent_is_no_id(number: str) -> None:
    raw = json.dumps({"order_id": 0, "account": "main", "order": ORDER}).replace(": 0,", f": {number},", 1)
    assert validate(raw.encode(), 7, ACCOUNTS) == Rejection(7, None, "order_id", FRACTION)
    assert judged(float(number)) == Rejection(7, None, "order_id", FRACTION)


@pytest.mark.parametrize("order_id", TAKEN)
def test_ids_that_look_like_no_other_are_taken(order_id: Any) -> None:
    result = judged(order_id)
    assert isinstance(result, Job), result
    assert result.order_id == str(order_id)


@pytest.mark.parametrize("word", ["Zürich-1", "é", "\u1e69-9", "주문-1", "が-1", "Й-Я1"])
def test_composed_and_decomposed_are_one_order(word: str) -> None:
    forms = {unicodedata.normalize(form, word) for form in ("NFC", "NFD")}
    assert len(forms) == 2
    assert {ids.order_id(form) for form in forms} == {unicodedata.normalize("NFC", word)}
    composed, decomposed = (f"{unicodedata.normalize(form, word)},main,Ann,Oslo,1,2,a" for form in ("NFC", "NFD"))
    (found,) = taken(sheet(decomposed, composed, decomposed))
    assert isinstance(found, Job), found
    assert (found.order_id, found.body.count("product_id")) == (unicodedata.normalize("NFC", word), 3)


def test_its_length_is_that_of_the_composed_form() -> None:
    assert isinstance(judged(unicodedata.normalize("NFD", "é" * 64)), Job)
    assert judged("é" * 65) == Rejection(7, None, "order_id", SHAPE)


def test_plain_blanks_around_an_id_are_taken_off_in_a_sheet() -> None:
    (found,) = taken(sheet(" SO-1 ,main,Ann,Oslo,1,2,a", "SO-1\u00a0,main,Ann,Oslo,2,2,a"))
    assert isinstance(found, Job), found
    assert found.order_id == "SO-1"


@pytest.mark.parametrize("twin", ["SO\u200b-1", "S\u041e-1", "SO\u20111", "\uff33O-1", "SO -1"])
def test_an_order_is_not_sent_without_a_row_whose_id_looks_like_its_own(twin: str) -> None:
    rows = ["SO-1,main,Ann,Oslo,1,2,a", f"{twin},main,Ann,Oslo,2,2,a", "SO-2,main,Bo,Rome,3,1,"]
    first, second, third = taken(sheet(*rows))
    reason = "the order_ids on lines 2 and 3 look the same: write one order's id in one way"
    assert first == Rejection(2, "SO-1", "order_id", reason)
    assert isinstance(second, Rejection)
    assert (second.line, second.order_id, second.field) == (3, None, "order_id")
    assert isinstance(third, Job)
    found = taken(sheet(rows[1], rows[0], rows[2]))
    assert [(one.line, one.order_id) for one in found] == [(2, None), (3, "SO-1"), (4, "SO-2")]
    assert not isinstance(found[1], Job)


@given(st.text(max_size=70))
def test_any_text_is_an_id_for_good_or_for_none(text: str) -> None:
    known = ids.usable(text)
    if known is not None:
        assert ids.usable(known) == known == unicodedata.normalize("NFC", unmarked_id(text))
        assert ids.usable(unicodedata.normalize("NFD", known)) == known
        assert known.isprintable()
        assert text in ids.spellings(text)
    assert isinstance(likeness(text), str)


@given(st.text(alphabet="SOЅОαΑ–-1١ ́", min_size=1, max_size=6), st.text(alphabet="SOЅОαΑ–-1١ ́", min_size=1, max_size=6))
def test_two_ids_that_look_the_same_are_never_two_orders(one: str, other: str) -> None:
    if likeness(one) == likeness(other):
        assert len({ids.usable(one), ids.usable(other)} - {None}) <= 1


@pytest.mark.parametrize(
    ("order_id", "words"), [("SO-1", "SO-1"), ("Ü~1/ä", "'Ü~1/ä'"), ("-5", "-- -5"), ("a;b", "'a;b'")]
)
def test_an_id_is_told_as_it_is_typed_in_a_shell(order_id: str, words: str) -> None:
    assert typed(order_id) == words
