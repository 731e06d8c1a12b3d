"""Picks the rejected rows out of the file a batch was made of, with the reason of each, ready to be mended.

The ledger keeps no row that was not taken: it may hold anything. The file does, so it is asked.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worker.errors import InputError
from worker.orders import ids
from worker.orders.columns import REASON_COLUMN
from worker.orders.files import read, sheet
from worker.orders.jobs import Accounts, Rejection
from worker.orders.records import Row, Sheet
from worker.rules.troubles import RejectionView


@dataclass(slots=True)
class Picked:
    """The rejected rows as the text of a file, in the form of the file they came from."""

    text: str
    orders: int
    unread: list[int] = field(default_factory=list)
    """Lines that cannot be given as rows or jobs; they are mended in the file itself."""


def pick(path: str | Path, rejected: Sequence[RejectionView], accounts: Accounts) -> Picked:
    """Return the rejected rows of a file. Raises InputError for a file that is not the one they were rejected from."""
    with sheet(path) as rows:
        if rows is not None:
            return _rows(rows, rejected, str(path))
    return _jobs(path, rejected, accounts)


def _rows(rows: Sheet, rejected: Sequence[RejectionView], name: str) -> Picked:
    reasons = _reasons(rejected)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=rows.delimiter, lineterminator="\n")
    kept = [index for index, column in enumerate(rows.header) if column != REASON_COLUMN]
    writer.writerow([*(rows.header[index] for index in kept), REASON_COLUMN])
    chosen = _Chosen(reasons, name)
    for row in rows.rows():
        reason = chosen.reason(row)
        if reason is not None:
            cells = [row.cells[index] if index < len(row.cells) else "" for index in kept]
            writer.writerow([*cells, *row.cells[len(rows.header) :], reason])
    return Picked(text.getvalue(), len(chosen.seen), sorted(reasons.keys() - chosen.seen))


class _Chosen:
    """Tells which rows belong to rejected orders; an order's rows follow one another."""

    def __init__(self, reasons: dict[int, RejectionView], name: str) -> None:
        self._reasons = reasons
        self._by_id = {one.order_id: one for one in reasons.values() if one.order_id}
        self._name = name
        self._order = ""
        self._current: RejectionView | None = None
        self.seen: set[int] = set()
        """Lines of the rejections whose rows came."""

    def reason(self, row: Row) -> str | None:
        """Return why the order of a row was rejected; None: it was not."""
        order = ids.usable(row.order_id) or row.order_id
        here = self._reasons.get(row.line)
        if here is not None and here.order_id and here.order_id != order:
            raise InputError(_another(self._name, row.line))
        if here is not None or (order and order != self._order):
            self._current = here or self._by_id.get(order)
        self._order = order or self._order
        if self._current is None:
            return None
        self.seen.add(self._current.line)
        return told(self._current)


def _jobs(path: str | Path, rejected: Sequence[RejectionView], accounts: Accounts) -> Picked:
    reasons = _reasons(rejected)
    lines, unread, found = [], [], set()
    for line, raw in read(path, accounts):
        one = reasons.get(line)
        if one is None:
            continue
        found.add(line)
        job = None if isinstance(raw, Rejection) else _object(raw)
        if job is None:
            unread.append(line)
            continue
        if one.order_id and ids.usable(job.get("order_id")) != one.order_id:
            raise InputError(_another(str(path), line))
        lines.append(json.dumps({**job, REASON_COLUMN: told(one)}, ensure_ascii=False))
    missing = sorted(reasons.keys() - found)
    if missing:
        raise InputError(_another(str(path), missing[0]))
    return Picked("".join(f"{line}\n" for line in lines), len(lines), unread)


def _object(raw: bytes | dict[str, Any]) -> dict[str, Any] | None:
    if isinstance(raw, dict):
        return raw
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _reasons(rejected: Iterable[RejectionView]) -> dict[int, RejectionView]:
    """Return the rejections by their lines; the first of a line counts."""
    found: dict[int, RejectionView] = {}
    for one in rejected:
        found.setdefault(one.line, one)
    return found


def told(one: RejectionView) -> str:
    """Return a rejection's field and reason as they stand in the added column."""
    return f"{one.field}: {one.reason}"


def _another(name: str, line: int) -> str:
    return f"{name} is not the file this batch was made of: another order stands on line {line}"
