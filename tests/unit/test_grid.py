"""Tables at any width: no letter is lost, columns stand under each other, the header comes once."""

from __future__ import annotations

import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from worker.rules.rejected import reasons
from worker.rules.states import State
from worker.rules.troubles import FailureView, OrphanView, RejectionView
from worker.rules.views import OrderView, ResultView
from worker.terminal.grid import Column, Grid, Indented, wrapped
from worker.terminal.screen import console
from worker.terminal.tables import (
    failures_table,
    order_rows,
    orders_grid,
    orders_table,
    orphans_table,
    reasons_table,
)

SENTENCE = "The delivery method does not exist for this address; choose another one of those the product page offers."
WIDTHS = range(40, 201)
WORDS = st.text(st.sampled_from("abcdef人民共和国é→"), min_size=1, max_size=24)
TEXTS = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)


def shown(renderable: object, width: int) -> str:
    made = console()
    made.file, made.width, made.soft_wrap = io.StringIO(), width, False
    made.print(renderable)
    return made.file.getvalue()


def order(order_id: str, reason: str = SENTENCE, references: tuple[str, ...] = ()) -> OrderView:
    return OrderView(
        order_id=order_id,
        account="main",
        marketplace="aliexpress",
        state=State.CONFIRMED if references else State.REFUSED,
        references=references,
        attempts=1,
        code=None if references else "DELIVERY_METHOD_NOT_EXIST",
        reason=None if references else reason,
        fix=None if references else "choose another method",
        due_at=None,
        attention=True,
        in_doubt=False,
        batch="B-1",
        line=1,
        created_at=0.0,
        first_sent_at=None,
        accepted_at=None,
        closed_at=None,
        updated_at=0.0,
    )


def result(reference: str, status: str) -> ResultView:
    return ResultView(reference, 0.0, status, None, "12.30", "USD", None, None, None, {})


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_word_of_a_sentence_survives_in_every_table(width: int) -> None:
    rejected = [RejectionView(n, f"SO-{n}", "order.logistics_address.country", SENTENCE) for n in (3, 5, 6)]
    failure = FailureView("wholesale", "DELIVERY_METHOD_NOT_EXIST", "refused", 31, 0.0, 9e8, SENTENCE, SENTENCE, "SO-1")
    tables = (
        orders_grid().page(order_rows([order("SO-1001")], {}, 90.0)),
        orders_table([order("SO-1001")], {}),
        failures_table([failure]),
        reasons_table(reasons(rejected)),
        orphans_table([OrphanView("main", "8190000000000001", "PLACE_ORDER_SUCCESS", 0.0, SENTENCE)]),
        Indented([SENTENCE]),
    )
    for table in tables:
        told = shown(table, width)
        assert max(map(cell_len, told.splitlines())) <= width
        assert [word for word in SENTENCE.split() if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", told)] == []


@given(TEXTS, st.integers(2, 60))
def test_what_is_wrapped_loses_no_letter_and_is_never_too_wide(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert squeezed("".join(lines)) == squeezed(text)
    assert all(cell_len(line) <= width for line in lines)


@given(st.lists(st.tuples(WORDS, TEXTS), min_size=1, max_size=5), st.integers(8, 200))
def test_a_grid_of_any_texts_keeps_every_letter_at_any_width(rows: list[tuple[str, str]], width: int) -> None:
    grid = Grid((Column("id", 4, folds=True), Column("text", 12, text=True, label="")), keep=True)
    told = shown(grid.page(rows), width)
    for letter in set("".join(map("".join, rows))) - set(" idtex"):
        assert told.count(letter) == sum(row.count(letter) for pair in rows for row in pair)
    assert max(map(cell_len, told.splitlines())) <= width


def test_wide_signs_take_their_place_so_that_columns_stand_under_each_other() -> None:
    orders = [order("SO-1", references=("1",)), order("SO-2", references=("2",))]
    results = {"SO-1": [result("1", "等待买家付款")], "SO-2": [result("2", "success")]}
    lines = [line for line in shown(orders_table(orders, results), 100).splitlines() if "USD" in line]
    assert len({cell_len(line.partition("12.30")[0]) for line in lines}) == 1


def test_a_width_of_sixty_gives_a_record_for_each_order() -> None:
    told = shown(orders_grid().page(order_rows([order("SO-1001")], {}, 7200.0)), 60)
    assert told.splitlines()[:3] == ["SO-1001", "  state: refused", "  age: 2h"]
    assert "order status" not in told


def test_the_header_comes_once_however_many_pages_follow() -> None:
    grid = orders_grid()
    pages = [shown(grid.page(order_rows([order(f"SO-{n}")], {}, time.time())), 120) for n in range(3)]
    assert ["marketplace ids" in page for page in pages] == [True, False, False]
    assert all("The delivery method" in page for page in pages)


def test_a_column_that_is_empty_everywhere_is_left_out_of_a_single_table() -> None:
    assert "marketplace ids" not in shown(orders_table([order("SO-1")], {}), 120)
    assert "marketplace ids" in shown(orders_table([order("SO-1", references=("1",))], {}), 120)


def test_a_text_that_commands_the_terminal_is_made_plain_before_it_is_measured() -> None:
    told = shown(orders_table([order("SO-1", "\x1b[31mred\x1b[0m alert")], {}), 100)
    assert "\x1b" not in told
    assert "red alert" in told


def test_in_a_pipe_a_sentence_stays_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    made = console()
    made.file = io.StringIO()
    made.print(SENTENCE * 3)
    made.print(Indented([SENTENCE * 3]))
    assert made.file.getvalue().splitlines() == [SENTENCE * 3, "  " + SENTENCE * 3]
