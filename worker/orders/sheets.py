"""Orders as a table: CSV rows, one line item a row, rows with one order_id one after the other being one order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from worker.orders import ids
from worker.orders.jobs import Accounts, Rejection
from worker.orders.places import Places, apart
from worker.orders.records import Lines, Row, Sheet, Stop
from worker.orders.table import Group, Table

Rows = Iterator[tuple[int, dict[str, Any] | Rejection]]

MAX_ROWS_AN_ORDER = 1000
"""More rows with one order_id are a mistake, and are not held."""
_CHANGED = "the file changed while it was read"


def rows(lines: Callable[[], Lines], accounts: Accounts, name: str) -> Rows:
    """Read the sheet once to find each order's rows, then return the orders as a stream.

    Each is its first row's line and a job or a rejection. `lines` gives the sheet from its first line at every call.
    Columns are `order_id`, `account` and the vendor's leaf names, or dotted paths where a leaf name is
    ambiguous. Each row adds an element to the lists of objects; all other columns must agree with the order's
    first row or be blank. Raises InputError for a header that cannot be used.
    """
    sheet = Sheet(lines(), name)
    table = Table(sheet, accounts)
    table.check(name)
    places = _places(sheet)
    return _Orders(Sheet(lines(), name), table, places).read()


def _places(sheet: Sheet) -> Places:
    """Note where each order's rows begin, also of those nobody will read."""
    places, written, known = Places(), "", ""
    for row in sheet.rows():
        if row.order_id and row.order_id != written:
            written = row.order_id
            if known != (ids.usable(written) or written):
                known = ids.usable(written) or written
                places.note(written, row.line)
    if sheet.stop is not None:
        there = sheet.stop.order_id
        if there and (ids.usable(there) or there) != known:
            places.note(there, sheet.stop.line)
        for line, written in sheet.rest():
            places.note(written, line)
    places.close(sheet.line)
    return places


class _Orders:
    """The orders of a sheet, one at a time. A row whose order nobody can tell spoils those beside it."""

    def __init__(self, sheet: Sheet, table: Table, places: Places) -> None:
        self._sheet = sheet
        self._table = table
        self._places = places
        self._group: Group | None = None
        self._doubt: tuple[str, str] | None = None
        """What the next order is refused for: a row above it that may be its own."""

    def read(self) -> Rows:
        """Yield every order; a sheet that stops early ends with a rejection that says where and why."""
        stop: Stop | None = None
        for row in self._sheet.rows():
            # values stay verbatim for the model to judge; a cell of blanks is an empty one
            cells = [cell if cell.strip() else "" for cell in row.cells]
            if not any(cells):
                continue
            begun = self._begun(row)
            if row.line > self._places.end or (begun and begun.known and not begun.is_noted):
                stop = Stop(row.line, _CHANGED)
                break
            if begun:
                yield from self._finished()
                self._group = begun
            self._add(row, cells)
        stop = stop or self._sheet.stop
        if stop and self._group and (stop.order_id is None or self._group.has(stop.order_id)):
            self._group.fault = self._group.fault or ("order", "the file could not be read to the end of this order")
        yield from self._finished()
        if stop:
            yield stop.line, Rejection(stop.line, None, "file", f"nothing was read from here on: {stop.reason}")

    def _begun(self, row: Row) -> Group | None:
        """Return the order that begins with a row; None where the one above goes on."""
        if self._group is not None and (not row.order_id or self._group.has(row.order_id)):
            return None
        group = Group(row.line, row.order_id, self._doubt)
        group.runs = self._places.of(group.known) if group.known else []
        return group

    def _add(self, row: Row, cells: list[str]) -> None:
        group, fault = self._group, self._table.fault(row, cells)
        if group is None:
            return
        if row.order_id:
            self._doubt = None
        elif len(cells) == len(self._sheet.header):
            # it may have been meant as one more item of the order above, which would then be placed without it
            fault = fault or ("order_id", f"missing on line {row.line}")
        else:
            self._doubt = ("order", f"line {row.line} does not say whose row it is, and may be one of this order")
        if len(group.rows) >= MAX_ROWS_AN_ORDER:
            fault = fault or ("order", f"more than {MAX_ROWS_AN_ORDER} rows")
        group.fault = group.fault or fault
        if group.fault is None:
            group.rows.append(cells)

    def _finished(self) -> Rows:
        """Yield the order whose rows have all come; one whose rows stand in several places at the first of them."""
        group, self._group = self._group, None
        if group is None:
            return
        if len(group.runs) < 2:
            yield group.line, self._table.order(group)
        elif group.line == next(run.line for run in group.runs if run.usable):
            yield group.line, group.refuse("order_id", apart(group.runs))
