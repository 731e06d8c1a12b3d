"""Rows that are not one line of as many cells as the header: never an order, and never a part of somebody else's."""

from __future__ import annotations

import csv
import io
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sheet_kit import ACCOUNTS, HEADER, sheet, summary, taken
from worker.errors import InputError
from worker.orders.files import read
from worker.orders.jobs import MAX_JOB_BYTES, Job, Rejection

STOPPED = "nothing was read from here on: "
MEND = '; write a quote inside a text twice (""), and hand in texts with line breaks as JSON lines (.jsonl)'
SO_1 = "SO-1,main,Ann,Oslo,1,2,a"
SO_2 = "SO-2,main,Bo,Rome,3,1,"
SO_9 = "SO-9,main,Eve,Bonn,9,9,"
UNREAD = "order: the file could not be read to the end of this order"


def tabs(*rows: str) -> bytes:
    return sheet(*rows).replace(b",", b"\t")


def test_a_stray_quote_at_the_first_row_sends_nothing_and_says_where_it_opens() -> None:
    data = tabs('SO-1,main,"Gift for a friend,Oslo,1,2,a', 'SO-2,main,Bo,Rome,3,9,fits 15"', SO_9)
    assert summary(data, "x.tsv") == [
        (2, f"file: {STOPPED}on line 2 a quote opens in column full_name and does not close there{MEND}")
    ]


def test_the_orders_before_a_stray_quote_stay_good() -> None:
    data = sheet(SO_1, SO_2, 'SO-3,main,Cy,Oslo,1,2,"a', SO_9)
    assert [order for _, order in summary(data)[:2]] == ["SO-1", "SO-2"]
    assert summary(data)[2:] == [
        (4, f"file: {STOPPED}on line 4 a quote opens in column sku and does not close there{MEND}")
    ]


def test_an_order_with_rows_before_and_at_the_broken_place_is_refused_as_a_whole() -> None:
    data = sheet(SO_1, SO_2, 'SO-2,main,Bo,Rome,"3,1,', SO_9)
    assert summary(data)[:2] == [(2, "SO-1"), (3, UNREAD)]
    assert [line for line, _ in summary(data)] == [2, 3, 4]


def test_a_broken_row_that_does_not_say_whose_it_is_spoils_the_order_above() -> None:
    assert summary(sheet(SO_1, SO_2, '"SO-3,main,Cy,Oslo,1,2,a', SO_9))[:2] == [(2, "SO-1"), (3, UNREAD)]
    assert summary(sheet(SO_1, SO_2, ',main,"Cy,Oslo,1,2,a', SO_9))[:2] == [(2, "SO-1"), (3, UNREAD)]


@pytest.mark.parametrize("later", ['SO-2,main,"Bo,Rome,3,1,', f'{SO_9}"\n{SO_2}', f'SO-8,main,"B,R,1,1,\n{SO_2}'])
def test_an_order_with_rows_behind_the_broken_place_is_refused_too(later: str) -> None:
    broken = 'SO-3,main,"Cy,Oslo,1,2,a' if '"' not in later.partition("\n")[0] else SO_1
    found = dict(summary(sheet(SO_2, SO_1.replace("SO-1", "SO-4"), broken, *later.split("\n"))))
    assert "SO-2" not in found.values()
    assert found[2].startswith("order_id: its rows lie apart, on lines 2 and ")
    assert found[3] == "SO-4"


def test_a_text_with_a_line_break_ends_the_sheet_even_where_it_is_quoted_well() -> None:
    data = sheet(SO_1, 'SO-2,main,"Bo\nRome",Rome,3,1,', SO_9)
    assert summary(data) == [
        (2, "SO-1"),
        (3, f"file: {STOPPED}on line 3 a quote opens in column full_name and does not close there{MEND}"),
    ]


@pytest.mark.parametrize("cell", ['"Bo\rRome"', "Bo\rRome", 'Bo\r"Rome'])
def test_a_lone_carriage_return_is_a_line_break(cell: str) -> None:
    assert summary(sheet(SO_1, f"SO-2,main,{cell},Rome,3,1,", SO_9)) == [
        (2, "SO-1"),
        (3, f"file: {STOPPED}line 3 holds a line break (CR) in column full_name{MEND}"),
    ]


def test_an_order_behind_a_lone_carriage_return_on_the_same_line_is_known_to_go_on() -> None:
    data = sheet(SO_1, SO_2, f"SO-3,main,Cy,Oslo,1,2,a\r{SO_1}", SO_9)
    assert summary(data)[0] == (
        2,
        "order_id: its rows lie apart, on lines 2 and 4: put all rows of an order one after the other",
    )
    assert summary(data)[1] == (3, "SO-2")


def test_a_sheet_whose_lines_end_with_carriage_returns_alone_is_told() -> None:
    with pytest.raises(InputError, match=r"x\.csv: its lines end with CR alone; save it with line ends of LF or CRLF"):
        read(io.BytesIO(sheet(SO_1, SO_2).replace(b"\n", b"\r")), ACCOUNTS, "x.csv")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_line_ends_are_no_line_breaks(end: str) -> None:
    assert summary(sheet(SO_1, SO_2).replace(b"\n", end.encode())) == [(2, "SO-1"), (3, "SO-2")]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
@pytest.mark.parametrize("cell", ["Bo{}Rome", "Bo{}", "{}Bo", "{}"])
def test_other_line_breaks_refuse_their_order_only(sign: str, cell: str) -> None:
    data = sheet(SO_1, SO_1.replace("Ann", ""), f"SO-2,main,{cell.format(sign)},Rome,3,1,", SO_2, SO_9)
    where = f"(U+{ord(sign):04X}) in column full_name on line 4"
    reason = f"order: there is a line break {where}; take it out, or submit JSON lines (.jsonl)"
    assert summary(data) == [(2, "SO-1"), (4, reason), (6, "SO-9")]


def test_a_nul_byte_refuses_its_order_only() -> None:
    assert summary(sheet(SO_1, "SO-2,main,B\0o,Rome,3,1,", SO_9)) == [
        (2, "SO-1"),
        (3, "order: there is a NUL byte in column full_name on line 3: the file is damaged"),
        (4, "SO-9"),
    ]
    # the row is the order's, whatever stands at the end of its id: it is not sent without it
    assert summary(sheet(SO_1, "SO-1\0,main,Ann,Oslo,3,1,")) == [
        (2, "order: there is a NUL byte in column order_id on line 3: the file is damaged")
    ]


def test_an_order_is_not_sent_without_the_row_whose_id_a_nul_byte_damaged() -> None:
    assert not [one for one in taken(sheet(SO_1, "SO-1\0,main,Ann,Oslo,3,1,")) if isinstance(one, Job)]


def test_quotes_that_swallow_delimiters_on_a_line_are_named() -> None:
    assert summary(sheet(SO_1, 'SO-2,main,"Bo,Rome",3,1,', SO_9)) == [
        (2, "SO-1"),
        (3, "order: line 3 has 6 cells, the header has 7; in column full_name quotes hold several cells together"),
        (4, "SO-9"),
    ]


def test_quotes_that_hold_a_tab_are_told_also_where_the_number_of_cells_is_right() -> None:
    data = tabs(SO_1, 'SO-2\tmain\t"Bo\tRome"\t3\t1\t\t', SO_9)
    assert summary(data, "x.tsv") == [
        (2, "SO-1"),
        (3, "order: line 3: in column full_name quotes hold several cells together"),
        (4, "SO-9"),
    ]


def test_a_cell_of_quotes_and_delimiters_in_place_of_the_id_spoils_both_neighbours() -> None:
    found = summary(sheet(SO_1, '"SO-1,main",Ann,Oslo,3,1,', SO_2, SO_9))
    assert found[0][1].startswith("order: line 3 has 6 cells, the header has 7; in column order_id quotes")
    assert found[1] == (4, "order: line 3 does not say whose row it is, and may be one of this order")
    assert found[2] == (5, "SO-9")


def last(row: str) -> str:
    """Return a row with its order_id in the last column."""
    order_id, rest = row.split(",", 1)
    return f"{rest},{order_id}"


def test_a_row_of_another_width_may_be_its_neighbours_where_the_id_is_not_its_first_cell() -> None:
    header = last(HEADER.strip()) + "\n"
    rows = [SO_9, SO_1, SO_2, SO_2.replace("SO-2", "SO-3")]
    broken = "main,Ann,12 Main Street", "Apt 4,Oslo,5,1,b,SO-1"
    data = sheet(last(rows[0]), last(rows[1]), *broken, last(rows[2]), last(rows[3]), header=header)
    assert summary(data) == [
        (2, "SO-9"),
        (3, "order: line 4 has 3 cells, the header has 7"),
        (6, "order: line 5 does not say whose row it is, and may be one of this order"),
        (7, "SO-3"),
    ]


def test_between_two_rows_of_one_order_a_broken_row_is_that_orders() -> None:
    header = last(HEADER.strip()) + "\n"
    data = sheet(last(SO_1), "main,Ann", last(SO_1), last(SO_2), header=header)
    assert [line for line, _ in summary(data)] == [2, 5]
    assert summary(data)[1] == (5, "SO-2")


def test_a_line_too_long_for_a_row_ends_the_sheet() -> None:
    data = sheet(SO_1, "SO-2,main," + "x" * MAX_JOB_BYTES + ",Oslo,1,2,a", SO_9)
    assert summary(data) == [(2, UNREAD), (3, f"file: {STOPPED}line longer than 1 MiB")]
    data = sheet(SO_1, "SO-2,main," + "x" * 200_000 + ",Oslo,1,2,a", SO_9)
    assert summary(data) == [(2, UNREAD), (3, f"file: {STOPPED}a cell is longer than 131,072 characters")]


def test_no_value_of_a_row_is_repeated() -> None:
    rows = ['SO-2,main,"Zqx7,Oslo,1,2,a', "SO-2,Zqx7\r,Ann,Oslo,1,2,a", "SO-2,Zqx7", 'SO-2,main,"Zqx7,Zqx7",1,2,a']
    for row in rows:
        assert "Zqx7" not in repr(taken(sheet(SO_1, row, SO_9)))


texts = st.text(alphabet='ab,;"\t\r\n\u2028\x85 ', max_size=8)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.integers(0, 10**6))
def test_whatever_stands_in_the_cells_no_order_holds_anothers_text(cells: list[tuple[str, str]], seed: int) -> None:
    """Written carelessly or with care, each order has its own marks and no other's, or is none."""
    careful = random.Random(seed).random() < 0.5
    lines = [[f"SO-{n}", "main", f"n{n}n{a}", f"c{n}c{b}", str(n + 1), "1", ""] for n, (a, b) in enumerate(cells)]
    text = io.StringIO()
    if careful:
        csv.writer(text, lineterminator="\n").writerows(lines)
    else:
        text.writelines(",".join(line) + "\n" for line in lines)
    for one in taken(HEADER.encode() + text.getvalue().encode()):
        if isinstance(one, Job):
            number, body = one.order_id.removeprefix("SO-"), json.loads(one.body)
            assert body["address"]["full_name"].startswith(f"n{number}n")
            assert body["address"]["city"].startswith(f"c{number}c")
            assert not any(f"n{n}n" in one.body for n in range(len(cells)) if str(n) != number)
            assert "\n" not in body["address"]["full_name"] + body["address"]["city"]
        else:
            assert isinstance(one, Rejection)
