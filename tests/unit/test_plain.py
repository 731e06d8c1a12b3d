"""Text of others, where it enters and where it is shown: nothing in it commands a terminal or turns letters round."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cli.spreadsheet import as_text
from worker.ledger.moves import told
from worker.marketplaces.replies import parse
from worker.rules.plain import escaped, plain
from worker.terminal.screen import Screen

HOSTILE = "a\x1b[31mred\x1b[0m\x1b]0;title\x07 b\u202egnp.exe\u202c \x9b2Jc\r\nd\x00e\x7f\u2066f\u2069"
EVIL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\u2028\u2029\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HOSTILE, "ared bgnp.exe c d�e�f"),
        ("out of stock", "out of stock"),
        ("line\r\nbreak\ttab", "line break tab"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b", "�"),
        ("库存不足 • né ‍👩‍👧", "库存不足 • né ‍👩‍👧"),
    ],
)
def test_a_text_is_made_plain(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text())
def test_whatever_comes_is_plain_and_stays_so(text: str) -> None:
    assert not EVIL.search(plain(text))
    assert "\n" not in plain(text)
    assert plain(plain(text)) == plain(text)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.booleans())
def test_an_answers_texts_and_names_are_plain_however_they_are_spelt(value: Any, ascii_only: bool) -> None:
    body = json.dumps({"x": value}, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert not EVIL.search(json.dumps(parse(body), ensure_ascii=False))


def test_what_the_ledger_is_told_is_plain() -> None:
    assert told(HOSTILE) == plain(HOSTILE)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_for_a_terminal_holds_the_same_value(value: Any) -> None:
    shown = escaped(json.dumps(value, ensure_ascii=False))
    assert not EVIL.search(shown)
    assert json.loads(shown) == value


def test_a_terminal_is_shown_colours_of_ours_and_none_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=HOSTILE)
    table.add_column(HOSTILE)
    table.add_row(HOSTILE)
    Screen().print(HOSTILE, Text(HOSTILE, "bold"), table)
    shown = capsys.readouterr().out
    assert not EVIL.search(shown)
    assert "red" in shown


ROWS = [
    ("order_id", '=HYPERLINK("http://evil","x")', True),
    ("order_id", "@SUM(1)", True),
    ("order_id", "+1", True),
    ("order_id", "-1", True),
    ("order_id", "8198352049851315", True),
    ("order_id", "007", True),
    ("order_id", "1-2", True),
    ("order_id", "12E5", True),
    ("order_id", "SO-1001", False),
    ("reference", "8198352049851315", True),
    ("reason", " =1+1", True),
    ("reason", "＝1", True),
    ("reason", "\ufeff=1", True),
    ("reason", "8198352049851315", True),
    ("reason", "8198352049851315 is FINISH", False),
    ("reason", "out of stock", False),
    ("amount", "8.34", False),
    ("amount", "-8.34", False),
    ("amount", "=8", True),
    ("read_at", "2026-11-26T13:00:00Z", False),
]


@pytest.mark.parametrize(("name", "value", "marked"), ROWS)
def test_a_cell_a_spreadsheet_would_change_is_marked_as_text(name: str, value: str, marked: bool) -> None:
    assert as_text({name: value}) == {name: f"'{value}" if marked else value}
