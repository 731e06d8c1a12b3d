"""Rows under one header, at any width: a table where it fits, a record for each row where it does not.

No letter of a cell is ever cut off: what is too long goes on in the next line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from worker.rules.plain import plain_lines

Cell = str | Text
GAP = 2
INDENT = 2
NARROWEST = 2
"""Cells of a terminal that one letter may take."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and how wide it has to be."""

    name: str
    least: int = 0
    """It never gets narrower: where that does not fit, each row is a record."""
    folds: bool = False
    """It may be as narrow as `least`, its cells going on in further lines."""
    text: bool = False
    """It is read as text, and takes what the others leave."""
    right: bool = False
    label: str | None = None
    """Its name in a record; empty: none is needed; None: the same name, or none where it is the first."""


class Grid:
    """Prints rows page by page; the header comes once, and the first page decides how wide the columns are.

    `keep`: more pages may follow, so that a column which is empty in the first is shown all the same.
    """

    def __init__(self, columns: Sequence[Column], title: str = "", keep: bool = False) -> None:
        self.columns = columns
        self.title = title
        self.keep = keep
        self._layouts: dict[int, tuple[int, ...] | None] = {}
        """The columns' widths for a width of the terminal, 0: left out; None: records."""
        self._kept: tuple[bool, ...] | None = None

    def page(self, rows: Iterable[Sequence[Cell]]) -> Page:
        """Return rows that can be printed."""
        made = [tuple(map(_plain, row)) for row in rows]
        begins = self._kept is None
        if self._kept is None:
            columns = range(len(self.columns))
            self._kept = tuple(self.keep or not made or any(row[index].plain for row in made) for index in columns)
        return Page(self, made, begins)

    def widths(self, width: int, rows: Sequence[Sequence[Text]]) -> tuple[int, ...] | None:
        """Return the columns' widths in a terminal of that width, decided by the first rows asked for."""
        if width not in self._layouts:
            self._layouts[width] = self._fit(width, rows)
        return self._layouts[width]

    def _fit(self, width: int, rows: Sequence[Sequence[Text]]) -> tuple[int, ...] | None:
        shown = [index for index, kept in enumerate(self._kept or ()) if kept]
        wanted = {index: self._wanted(index, rows) for index in shown}
        texts = [index for index in shown if self.columns[index].text]
        room = width - GAP * (len(shown) - 1)
        least = {index: min(wanted[index], self.columns[index].least) for index in texts}
        spare = room - sum(wanted[index] for index in shown if index not in texts) - sum(least.values())
        for index in [index for index in shown if self.columns[index].folds and spare < 0]:
            narrow = max(wanted[index] + spare, min(wanted[index], self.columns[index].least))
            spare += wanted[index] - narrow
            wanted[index] = narrow
        if spare < 0:
            return None
        for place, index in enumerate(texts):
            share = spare // (len(texts) - place)
            more = share if self.keep else min(share, wanted[index] - least[index])
            wanted[index], spare = least[index] + more, spare - more
        return tuple(wanted.get(index, 0) for index in range(len(self.columns)))

    def _wanted(self, index: int, rows: Sequence[Sequence[Text]]) -> int:
        column = self.columns[index]
        cells = [line for row in rows for line in row[index].plain.split("\n")]
        named = 0 if column.text else cell_len(column.name)
        return max(column.least, named, NARROWEST, *map(cell_len, cells))


class Page:
    """Some rows of a grid."""

    def __init__(self, grid: Grid, rows: Sequence[Sequence[Text]], begins: bool) -> None:
        self._grid = grid
        self._rows = rows
        self._begins = begins

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Render as rich asks for it."""
        bold, width = console.get_style("bold"), options.max_width
        if self._begins and self._grid.title:
            yield from _lines([(line, bold) for line in wrapped(self._grid.title, width)])
        widths = self._grid.widths(width, self._rows)
        yield from self._records(console, width) if widths is None else self._table(console, widths)

    def _table(self, console: Console, widths: Sequence[int]) -> Iterator[Segment]:
        shown = [index for index, width in enumerate(widths) if width]
        if self._begins:
            header = [Text(column.name, "bold") for column in self._grid.columns]
            yield from self._row(console, header, widths, shown)
            yield from _lines([("─" * (sum(widths) + GAP * (len(shown) - 1)), console.get_style("dim"))])
        for row in self._rows:
            yield from self._row(console, row, widths, shown)

    def _row(
        self, console: Console, row: Sequence[Text], widths: Sequence[int], shown: Sequence[int]
    ) -> Iterator[Segment]:
        cells = {index: wrapped(row[index].plain, widths[index]) for index in shown}
        for number in range(max(map(len, cells.values()))):
            blank = ""
            for index in shown:
                text = cells[index][number] if number < len(cells[index]) else ""
                missing = " " * (widths[index] - cell_len(text))
                if text:
                    yield Segment(blank + missing if self._grid.columns[index].right else blank)
                    yield Segment(text, console.get_style(row[index].style))
                    blank = " " * GAP if self._grid.columns[index].right else missing + " " * GAP
                else:
                    blank += missing + " " * GAP
            yield Segment.line()

    def _records(self, console: Console, width: int) -> Iterator[Segment]:
        """Yield each row as a record: its first cell, then a line or more for each other that holds something."""
        for row in self._rows:
            first, begins = self._grid.columns[0].label, row[0].plain
            heading = f"{first}: {begins}" if first else begins
            yield from _lines([(line, console.get_style("bold")) for line in wrapped(heading, width)])
            for column, cell in zip(self._grid.columns[1:], row[1:], strict=True):
                label = column.name if column.label is None else column.label
                text = f"{label}: {cell.plain}" if label else cell.plain
                if cell.plain:
                    lines = wrapped(text, max(NARROWEST, width - INDENT))
                    yield from _lines([(" " * INDENT + line, console.get_style(cell.style)) for line in lines])


class Indented:
    """Lines that stand a little to the right, what is too long going on in the next."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._texts = [plain_lines(line) for line in lines]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Render as rich asks for it."""
        width, style = max(NARROWEST, options.max_width - 2 * INDENT), console.get_style("")
        yield from _lines(
            (" " * (INDENT if number == 0 else 2 * INDENT) + line, style)
            for text in self._texts
            for number, line in enumerate(text.split("\n") if options.no_wrap else wrapped(text, width))
        )


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines of at most so many cells, broken between words where that can be."""
    return [piece for line in text.split("\n") for piece in _wrapped_line(line, width)]


def _wrapped_line(line: str, width: int) -> list[str]:
    if cell_len(line) <= width:
        return [line]
    done, current = [], ""
    for word in line.split():
        joined = f"{current} {word}" if current else word
        if cell_len(joined) <= width:
            current = joined
            continue
        if current:
            done.append(current)
        *full, current = chop_cells(word, max(NARROWEST, width))
        done += full
    return [*done, current]


def _plain(cell: Cell) -> Text:
    text = cell if isinstance(cell, Text) else Text(cell)
    return Text(plain_lines(text.plain), text.style)


def _lines(styled: Iterable[tuple[str, Style]]) -> Iterator[Segment]:
    for text, style in styled:
        yield Segment(text, style)
        yield Segment.line()
