"""The rows of a sheet, each on one line: what goes on over a line's end is no row, and nothing behind it is read.

A quote that nobody closed makes a reader of CSV take the rows behind it for one long text: a customer's address would
end up in another customer's order. So every line is read by itself.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from worker.errors import InputError
from worker.orders import signs
from worker.orders.columns import own_columns
from worker.orders.fields import shown

Lines = Iterator[tuple[int, bytes | str]]
"""Line numbers and lines; a string says why a line cannot be given."""

_MEND = 'write a quote inside a text twice (""), and hand in texts with line breaks as JSON lines (.jsonl)'
_QUOTED = r'"[^"]*(?:""[^"]*)*"'
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""A first line by which a spreadsheet tells itself what stands between the cells."""


class Row(NamedTuple):
    """One line that can be read. `order_id`, as it is written, is empty where the row does not say whose it is."""

    line: int
    text: str
    cells: list[str]
    order_id: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Why nothing is read from a line on. `order_id`: whose row stands there; None where nobody can tell."""

    line: int
    reason: str
    order_id: str | None = None


class Sheet:
    """The header and the rows of a sheet; `stop` says why they end early, `line` where the reading is."""

    def __init__(self, lines: Lines, name: str) -> None:
        self._lines = lines
        self.stop: Stop | None = None
        self.line, first = next(lines)
        self._text = _text(first) if isinstance(first, bytes) else ""
        if "\r" in self._text:
            raise InputError(f"{name}: its lines end with CR alone; save it with line ends of LF or CRLF")
        told = separator(self._text)
        if told is not None:
            self.line, first = next(lines, (self.line, b""))
            self._text = _text(first) if isinstance(first, bytes) else ""
        self.delimiter = told if told and told in self._text else max(",;\t", key=self._text.count)
        try:
            self.header = own_columns([bare(cell) for cell in self._cells()])
        except csv.Error:
            raise InputError(f"{name}: its first row cannot be read as CSV column names") from None
        if len(self.header) == 1 and self.delimiter in self.header[0] and '"' in self._text:
            raise InputError(
                f"{name}: each row is one quoted cell; export it again with quotes around single cells only, or none"
            )
        self._column = self.header.index("order_id") if "order_id" in self.header else -1

    def rows(self) -> Iterator[Row]:
        """Yield every row, up to the end or to a line that cannot be read as one row."""
        for number, piece in self._lines:
            self.line = number
            self._text = "" if isinstance(piece, str) else _text(piece)
            if isinstance(piece, str):
                self.stop = Stop(self.line, piece)
                return
            try:
                if "\r" in self._text:
                    raise csv.Error
                cells = self._cells()
            except csv.Error:
                self.stop = self._broken(self._text)
                return
            yield Row(number, self._text, cells, self._order_id(cells))

    def rest(self) -> Iterator[tuple[int, str]]:
        """Yield line and order_id of what may be rows behind the stop, each line taken by itself."""
        parts = self._text.split("\r")[1:]
        while True:
            for self._text in parts:
                with suppress(csv.Error):
                    cells = self._cells(strict=False)
                    if 0 <= self._column < len(cells) and bare(cells[self._column]):
                        yield self.line, bare(cells[self._column])
            following = next(self._lines, None)
            if following is None:
                return
            self.line, piece = following
            parts = _text(piece).split("\r") if isinstance(piece, bytes) else []

    def column(self, index: int) -> str:
        """Return a column's name in a form that is safe to print."""
        name = shown(self.header[index]) if index < len(self.header) else ""
        return name or f"number {index + 1}"

    def _cells(self, strict: bool = True) -> list[str]:
        return next(csv.reader((self._text,), delimiter=self.delimiter, strict=strict), [])

    def _order_id(self, cells: list[str]) -> str:
        cell = cells[self._column] if self._column < len(cells) else ""
        if len(cells) != len(self.header) and (self._column or self.delimiter in cell):
            return ""  # a cell too many or too few may have moved the others
        return bare(cell)

    def _broken(self, text: str) -> Stop:
        """Return which cell of a line makes it unreadable, and whose row the line is."""
        end = re.escape(self.delimiter)
        cell = re.compile(rf'({_QUOTED}|[^"{end}\r][^{end}\r]*|)({end}|\Z)')
        before: list[str] = []
        place = 0
        while (found := cell.match(text, place)) and "\r" not in found[1]:
            before.append(found[1])
            place = found.end()
            if not found[2]:
                return Stop(self.line, "a cell is longer than 131,072 characters")
        known = bare(before[self._column].strip('"')) if self._column < len(before) else ""
        where = f"in column {self.column(len(before))}"
        reason = f"{_fault(text[place:]).format(line=self.line, where=where)}; {_MEND}"
        return Stop(self.line, reason, known or None)


def bare(cell: str) -> str:
    """Return a cell without blanks and signs nobody sees at its ends."""
    return signs.trimmed(cell)[0].strip()


def separator(line: str) -> str | None:
    """Return the sign a first line names as what stands between the cells; None for a line that names none."""
    found = _SEPARATOR_LINE.fullmatch(line.strip("\r\n "))
    return found[1] if found else None


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n")


def _fault(text: str) -> str:
    """Return what is wrong with the cell a text begins with; the places of line and column are left open."""
    quoted = re.match(_QUOTED, text)
    if text.startswith('"') and quoted is None:
        return "on line {line} a quote opens {where} and does not close there"
    if quoted is not None and "\r" not in quoted[0]:
        return "on line {line} a quote {where} closes in the middle of a text"
    return "line {line} holds a line break (CR) {where}"
