"""How the rows of one order become a job, or say why they cannot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from worker.errors import InputError, UnusableId
from worker.marketplaces.base import Marketplace
from worker.orders import ids, marks
from worker.orders.columns import OWN_COLUMNS, PLACEHOLDER, REPEAT_COLUMN, Plan, fill, plan, stranger
from worker.orders.fields import shown
from worker.orders.jobs import Accounts, Rejection
from worker.orders.places import Run
from worker.orders.records import Row, Sheet, bare

_ROWS_ASKED = 1000
_FLAGS = {"true": True, "false": False}


@dataclass(slots=True)
class Group:
    """The rows of one order so far; `fault` is the first thing that makes it unplaceable."""

    line: int
    written: str
    fault: tuple[str, str] | None = None
    known: str | None = None
    """The order_id it is known by; None where what is written cannot be one, for `unusable`."""
    unusable: str = ""
    runs: list[Run] = field(default_factory=list)
    """Where its rows stand in the sheet: more than one place is no order."""
    rows: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            self.known = ids.order_id(self.written)
        except UnusableId as error:
            self.unusable = error.reason

    @property
    def is_noted(self) -> bool:
        """Tell whether its rows stand where the first reading saw them."""
        return any(run.line == self.line for run in self.runs)

    def has(self, order_id: str) -> bool:
        """Tell whether an order_id, however written, is this order's."""
        return order_id == self.written or (self.known is not None and ids.usable(order_id) == self.known)

    def refuse(self, name: str, reason: str) -> Rejection:
        """Return the order's rejection; `name` is the field at fault."""
        return Rejection(self.line, self.known, name, reason)


class Table:
    """The columns of one sheet and how its rows become orders."""

    def __init__(self, sheet: Sheet, accounts: Accounts) -> None:
        self.header = header = sheet.header
        self.accounts = accounts
        kinds = dict.fromkeys(terms.marketplace for terms in accounts.values())
        self.plans = {marketplace: plan(marketplace, header) for marketplace in kinds}
        self.account = header.index("account") if "account" in header else -1
        self.repeat = header.index(REPEAT_COLUMN) if REPEAT_COLUMN in header else -1
        self._sheet = sheet

    def check(self, name: str) -> None:
        """Raise InputError where the header cannot be used with any configured marketplace."""
        for own in OWN_COLUMNS:
            if own not in self.header:
                raise InputError(f"{name} has no column {own}; its first row must name the columns")
        if not self.plans:
            raise InputError(f"{name}: no account is configured, so its columns cannot be understood")
        twice = [column for column, count in Counter(self.header).items() if column and count > 1]
        twice += [doubled for each in self.plans.values() if (doubled := each.doubled())]
        if twice:
            raise InputError(f"{name} has the column {shown(twice[0])} twice")
        for index, column in enumerate(self.header):
            if column and all(index in each.strangers for each in self.plans.values()):
                raise InputError(f"{name}, column {shown(column)}: {stranger(self._meant(), column)}")

    def _meant(self) -> list[type[Marketplace]]:
        """Return the marketplaces the first rows order from, all that are configured where the rows do not say."""
        rows = (row for row in islice(self._sheet.rows(), _ROWS_ASKED) if self.account < len(row.cells))
        accounts = (self.accounts.get(_account(row.cells[self.account])) for row in rows)
        meant = dict.fromkeys(terms.marketplace for terms in accounts if terms)
        return list(meant or self.plans)

    def fault(self, row: Row, cells: list[str]) -> tuple[str, str] | None:
        """Return what makes a single row no part of any order; `cells` are the row's without those of blanks."""
        if len(row.cells) != len(self.header):
            told = f"line {row.line} has {len(row.cells)} cells, the header has {len(self.header)}"
            return "order", "; ".join(filter(None, (told, self._swallowed(row))))
        # Commas stand in many texts, a tab in none: there it says that a quote took cells together.
        if self._sheet.delimiter == "\t" and '"' in row.text and (swallowed := self._swallowed(row)):
            return "order", f"line {row.line}: {swallowed}"
        if not row.text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in row.text):
            return "order", f"line {row.line} is not UTF-8 text; save the file as UTF-8"
        if "\0" in row.text or row.text.splitlines() != [row.text]:
            return "order", self._broken_text(row)
        if PLACEHOLDER in cells:
            return "order", f"line {row.line} still holds the template's {PLACEHOLDER}"
        return None

    def order(self, group: Group) -> dict[str, Any] | Rejection:
        """Return the job the rows describe, or why they describe none."""
        if group.fault is not None:
            return group.refuse(*group.fault)
        if group.known is None:
            return group.refuse("order_id", group.unusable)
        first = group.rows[0]
        account = _account(first[self.account])
        job: dict[str, Any] = {"order_id": group.written, "account": account, "order": {}}
        terms = self.accounts.get(account)
        if terms is not None:
            here = self.plans[terms.marketplace]
            fault = self._disagreement(group, here) or self._stranger(group, here, terms.marketplace)
            fill(job["order"], first, here.once)
            fault = fault or _missing_item(job["order"], group, here) or self._repeat(job, group)
            if fault is not None:
                return group.refuse(*fault)
        return job

    def _swallowed(self, row: Row) -> str | None:
        for index, cell in enumerate(row.cells):
            if self._sheet.delimiter in cell:
                return f"in column {self._sheet.column(index)} quotes hold several cells together"
        return None

    def _broken_text(self, row: Row) -> str:
        index, sign = next((i, sign) for i, cell in enumerate(row.cells) for sign in cell if _breaks(sign))
        where = f"in column {self._sheet.column(index)} on line {row.line}"
        if sign == "\0":
            return f"there is a NUL byte {where}: the file is damaged"
        return f"there is a line break (U+{ord(sign):04X}) {where}; take it out, or submit JSON lines (.jsonl)"

    def _repeat(self, job: dict[str, Any], group: Group) -> tuple[str, str] | None:
        """Put into the job whether orders of the same content are meant, where a row says so."""
        said = {row[self.repeat].strip().lower() for row in group.rows} - {""} if self.repeat >= 0 else set()
        if len(said) > 1 or not said <= _FLAGS.keys():
            return REPEAT_COLUMN, "must be true or false, and the same in all rows of the order"
        if said:
            job[REPEAT_COLUMN] = _FLAGS[said.pop()]
        return None

    def _disagreement(self, group: Group, here: Plan) -> tuple[str, str] | None:
        first = group.rows[0]
        for number, row in enumerate(group.rows[1:], 2):
            if _account(row[self.account]) not in ("", _account(first[self.account])):
                return "account", f"row {number} of the order differs from its first row"
            for index, leaf in here.once:
                if row[index] and row[index] != first[index]:
                    return f"order.{leaf.dotted}", f"row {number} of the order differs from its first row"
        return None

    def _stranger(self, group: Group, here: Plan, marketplace: type[Marketplace]) -> tuple[str, str] | None:
        for index in here.strangers:
            if any(row[index] for row in group.rows):
                column = self.header[index]
                if not column:
                    return "order", "a column without a name holds a value"
                return f"order.{shown(column)}", stranger([marketplace], column)
        return None


def _account(cell: str) -> str:
    return marks.unmarked_id(bare(cell))


def _missing_item(order: dict[str, Any], group: Group, here: Plan) -> tuple[str, str] | None:
    """Add every row's elements to the order; return a fault where one of several rows has none to add."""
    if len(group.rows) > 1 and not here.lists:
        return "order", f"{len(group.rows)} rows, but nothing in their columns can stand more than once"
    for number, row in enumerate(group.rows, 1):
        added = [repeated.add(order, row) for repeated in here.lists]
        needed = [done for repeated, done in zip(here.lists, added, strict=True) if repeated.needed] or added
        if len(group.rows) > 1 and not any(needed):
            return "order", f"row {number} of the order adds no line item"
    return None


def _breaks(sign: str) -> bool:
    return sign == "\0" or sign.splitlines() == [""]
