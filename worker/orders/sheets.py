"""Orders as a table: CSV rows, one line item a row, consecutive rows with one order_id being one order."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.errors import InputError
from worker.marketplaces.base import Marketplace
from worker.orders.columns import OWN_COLUMNS, PLACEHOLDER, Plan, fill, plan, stranger
from worker.orders.fields import shown
from worker.orders.models import Rejection, clean_order_id

Lines = Iterator[tuple[int, bytes | str]]
"""Line numbers and lines; a string says why a line cannot be given."""
Rows = Iterator[tuple[int, dict[str, Any] | Rejection]]

MAX_ROWS_AN_ORDER = 1000
"""More rows with one order_id are a mistake, and are not held."""


def rows(lines: Lines, accounts: Mapping[str, type[Marketplace]], name: str) -> Rows:
    """Read the header at once and return the orders as a stream of (first row's line, job or rejection).

    Columns are `order_id`, `account` and the vendor's leaf names, or dotted paths where a leaf name is
    ambiguous. Each row adds an element to the lists of objects; all other columns must agree with the order's
    first row or be blank. Raises InputError for a header that cannot be used.
    """
    sheet = _Sheet(lines, name)
    table = _Table(sheet.header, accounts)
    table.check(name)
    return _orders(sheet, table)


class _Sheet:
    """The records of a CSV stream with the line each began on; `stopped` says why it ended early."""

    def __init__(self, lines: Lines, name: str) -> None:
        self.number, first = next(lines)
        self.stopped = ""
        header = first.decode(errors="replace") if isinstance(first, bytes) else ""
        delimiter = max(",;\t", key=header.count)
        self._reader = csv.reader(self._text(header, lines), delimiter=delimiter, strict=True)
        try:
            self.header = [cell.strip() for cell in next(self._reader)]
        except csv.Error:
            raise InputError(f"{name}: its first row cannot be read as CSV column names") from None

    def _text(self, header: str, lines: Lines) -> Iterator[str]:
        yield header
        for self.number, line in lines:
            if isinstance(line, str):
                raise csv.Error(line)
            yield line.decode("utf-8", "surrogateescape")

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield every row that is not blank; a broken one ends the sheet, as what follows cannot be told apart."""
        while True:
            begun = self.number + 1
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.stopped = f"{str(error).split(' - ')[0]} (in the row begun on line {begun})"
                return
            # values stay verbatim for the model to judge; a cell of blanks is an empty one
            cells = [cell if cell.strip() else "" for cell in record]
            if any(cells):
                yield begun, cells


@dataclass(slots=True)
class _Group:
    """The rows of one order so far; `fault` is the first thing that makes it unplaceable."""

    line: int
    order_id: str
    rows: list[list[str]] = field(default_factory=list)
    fault: tuple[str, str] | None = None

    def add(self, line: int, cells: list[str], width: int) -> None:
        self.fault = self.fault or _row_fault(line, cells, width)
        if len(self.rows) >= MAX_ROWS_AN_ORDER:
            self.fault = self.fault or ("order", f"more than {MAX_ROWS_AN_ORDER} rows")
        if self.fault is None:
            self.rows.append(cells)

    def refuse(self, name: str, reason: str) -> Rejection:
        return Rejection(self.line, clean_order_id(self.order_id), name, reason)


def _row_fault(line: int, cells: list[str], width: int) -> tuple[str, str] | None:
    if len(cells) != width:
        return "order", f"line {line} has {len(cells)} cells, the header has {width}"
    whole = "".join(cells)
    if not whole.isascii() and any("\udc80" <= letter <= "\udcff" for letter in whole):
        return "order", f"line {line} is not UTF-8 text; save the file as UTF-8"
    if PLACEHOLDER in cells:
        return "order", f"line {line} still holds the template's {PLACEHOLDER}"
    return None


def _orders(sheet: _Sheet, table: _Table) -> Rows:
    group: _Group | None = None
    for line, cells in sheet.records():
        order_id = cells[table.order_id].strip() if table.order_id < len(cells) else ""
        if group is not None and not order_id:
            # it may have been meant as one more item of the order above, which would then be placed without it
            group.fault = group.fault or ("order_id", f"missing on line {line}")
        elif group is None or order_id != group.order_id:
            if group is not None:
                yield group.line, table.order(group)
            group = _Group(line, order_id)
        group.add(line, cells, len(sheet.header))
    if group is not None:
        if sheet.stopped:
            group.fault = group.fault or ("order", "the file could not be read to the end of this order")
        yield group.line, table.order(group)
    if sheet.stopped:
        reason = f"nothing was read from here on: {sheet.stopped}"
        yield sheet.number, Rejection(sheet.number, None, "file", reason)


class _Table:
    """The columns of one sheet and how its rows become orders."""

    def __init__(self, header: list[str], accounts: Mapping[str, type[Marketplace]]) -> None:
        self.header = header
        self.accounts = accounts
        self.plans = {marketplace: plan(marketplace, header) for marketplace in set(accounts.values())}
        self.order_id = header.index("order_id") if "order_id" in header else -1
        self.account = header.index("account") if "account" in header else -1

    def check(self, name: str) -> None:
        """Raise InputError where the header cannot be used with any configured marketplace."""
        for own in OWN_COLUMNS:
            if own not in self.header:
                raise InputError(f"{name} has no column {own}; its first row must name the columns")
        if not self.plans:
            raise InputError(f"{name}: no account is configured, so its columns mean nothing yet")
        twice = [column for column, count in Counter(self.header).items() if column and count > 1]
        twice += [doubled for each in self.plans.values() if (doubled := each.doubled())]
        if twice:
            raise InputError(f"{name} has the column {shown(twice[0])} twice")
        for index, column in enumerate(self.header):
            if column and all(index in each.strangers for each in self.plans.values()):
                raise InputError(f"{name}, column {shown(column)}: {stranger(self.plans, column)}")

    def order(self, group: _Group) -> dict[str, Any] | Rejection:
        """Return the job the rows describe, or why they describe none."""
        if group.fault is not None:
            return group.refuse(*group.fault)
        first = group.rows[0]
        account = first[self.account].strip()
        order: dict[str, Any] = {}
        marketplace = self.accounts.get(account)
        if marketplace is not None:
            here = self.plans[marketplace]
            fault = self._disagreement(group, here) or self._stranger(group, here, marketplace)
            fill(order, first, here.once)
            fault = fault or _missing_item(order, group, here)
            if fault is not None:
                return group.refuse(*fault)
        return {"order_id": group.order_id, "account": account, "order": order}

    def _disagreement(self, group: _Group, here: Plan) -> tuple[str, str] | None:
        first = group.rows[0]
        for number, row in enumerate(group.rows[1:], 2):
            if row[self.account].strip() not in ("", first[self.account].strip()):
                return "account", f"row {number} of the order differs from its first row"
            for index, leaf in here.once:
                if row[index] and row[index] != first[index]:
                    return f"order.{leaf.dotted}", f"row {number} of the order differs from its first row"
        return None

    def _stranger(self, group: _Group, here: Plan, marketplace: type[Marketplace]) -> tuple[str, str] | None:
        for index in here.strangers:
            if any(row[index] for row in group.rows):
                column = self.header[index]
                if not column:
                    return "order", "a column without a name holds a value"
                return f"order.{shown(column)}", stranger([marketplace], column)
        return None


def _missing_item(order: dict[str, Any], group: _Group, here: Plan) -> tuple[str, str] | None:
    """Add every row's elements to the order; return a fault where one of several rows has none to add."""
    if len(group.rows) > 1 and not here.lists:
        return "order", f"{len(group.rows)} rows, but nothing in their columns can stand more than once"
    for number, row in enumerate(group.rows, 1):
        added = [repeated.add(order, row) for repeated in here.lists]
        needed = [done for repeated, done in zip(here.lists, added, strict=True) if repeated.needed] or added
        if len(group.rows) > 1 and not any(needed):
            return "order", f"row {number} of the order adds no line item"
    return None
