"""What the columns of a table mean: the vendor's leaf names, resolved by walking the order model."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from worker.marketplaces.base import Marketplace
from worker.orders.fields import Leaf, leaves, suggestion

OWN_COLUMNS = ("order_id", "account")
"""The columns that belong to the job, whatever the marketplace."""
REPEAT_COLUMN = "allow_repeat"
"""One more of the job's, which may be left out."""
REASON_COLUMN = "rejected_because"
"""What `fulfil export --rejected` adds, in a sheet and in a job; it is for the reader, and not read."""
_OWN = (*OWN_COLUMNS, REPEAT_COLUMN, REASON_COLUMN)
PLACEHOLDER = "<required>"
"""What the template puts into cells that must be filled; an order that still holds it is rejected."""
SEPARATOR = "|"
"""Between the values of one cell, where the vendor's field is a list of plain values."""

Columns = tuple[tuple[int, Leaf], ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A list of objects, one element a row. `needed`: the model requires it, so every row has to add one."""

    path: tuple[str, ...]
    columns: Columns
    needed: bool

    def add(self, order: dict[str, Any], row: list[str]) -> bool:
        """Add the row's element; tell whether it has one.

        Where the list is not `needed` (promotions, say), rows that repeat an element mean the same one.
        """
        element: dict[str, Any] = {}
        fill(element, row, self.columns)
        if not element:
            return False
        inner = order
        for part in self.path[:-1]:
            inner = inner.setdefault(part, {})
        present = inner.setdefault(self.path[-1], [])
        if self.needed or element not in present:
            present.append(element)
        return True


@dataclass(frozen=True, slots=True)
class Plan:
    """Which column holds what, for one marketplace: values that stand once, values that repeat, and strangers."""

    once: Columns
    lists: tuple[Repeated, ...]
    strangers: tuple[int, ...]

    def doubled(self) -> str | None:
        """Return a field that two columns name."""
        every = [leaf.dotted for _, leaf in (*self.once, *(pair for list_ in self.lists for pair in list_.columns))]
        return next((dotted for dotted in every if every.count(dotted) > 1), None)


def plan(marketplace: type[Marketplace], header: list[str]) -> Plan:
    """Resolve the columns of a header for a marketplace."""
    known, folded = _known(marketplace), _folded(marketplace)
    once: list[tuple[int, Leaf]] = []
    lists: dict[tuple[str, ...], list[tuple[int, Leaf]]] = {}
    strangers: list[int] = []
    for index, column in enumerate(header):
        name = column.removeprefix("order.").replace("[]", "")
        leaf = known.get(name) or next((folded[one] for one in fold(name) if one in folded), None)
        if column in _OWN:
            continue
        if leaf is None:
            strangers.append(index)
        elif leaf.outer:
            lists.setdefault(leaf.path[: leaf.outer], []).append((index, leaf))
        else:
            once.append((index, leaf))
    needed = {leaf.path[: leaf.outer] for leaf in leaves(marketplace.order_model) if leaf.required}
    repeated = (Repeated(path, tuple(found), path in needed) for path, found in lists.items())
    return Plan(tuple(once), tuple(repeated), tuple(strangers))


def fill(target: dict[str, Any], row: list[str], columns: Columns) -> None:
    """Put the cells that hold something where their leaves belong."""
    for index, leaf in columns:
        cell = row[index]
        if not cell:
            continue
        inner = target
        for part in leaf.path[leaf.outer : -1]:
            inner = inner.setdefault(part, {})
        inner[leaf.name] = [value.strip() for value in cell.split(SEPARATOR)] if leaf.many else cell


def fold(column: str) -> tuple[str, str]:
    """Return a column's name in small letters, with an underline for its blanks, and without them."""
    words = column.casefold().split()
    return "_".join(words), "".join(words)


def own_columns(header: list[str]) -> list[str]:
    """Return a header with the job's own columns named as they are known, however their case and blanks are written."""
    return [next((one for one in fold(column) if one in _OWN), column) for column in header]


def stranger(marketplaces: Iterable[type[Marketplace]], column: str) -> str:
    """Return why a column means nothing to any of the marketplaces, and what may have been meant."""
    every = dict.fromkeys(leaf for marketplace in marketplaces for leaf in leaves(marketplace.order_model))
    same = list(dict.fromkeys(leaf.dotted for leaf in every if leaf.name == column))
    if len(same) > 1:
        return f"could be {' or '.join(same)}; write the whole path"
    return f"unknown column; {suggestion(column, dict.fromkeys(_short(leaf, every) for leaf in every), 'column')}"


def columns(marketplace: type[Marketplace]) -> dict[str, Leaf]:
    """Return a marketplace's columns by the shortest name that is not ambiguous, in the order of its model."""
    every = leaves(marketplace.order_model)
    return {_short(leaf, every): leaf for leaf in every}


def template(marketplace: type[Marketplace]) -> str:
    """Return the CSV header of a marketplace and one example row; required cells hold `PLACEHOLDER`."""
    known = columns(marketplace)
    header = [*OWN_COLUMNS, *known]
    example = ["SO-1001", "main", *(PLACEHOLDER if leaf.required else "" for leaf in known.values())]
    sheet = io.StringIO()
    csv.writer(sheet, lineterminator="\n").writerows([header, example])
    return sheet.getvalue()


def _known(marketplace: type[Marketplace]) -> Mapping[str, Leaf]:
    """Return every column name that means something: leaf names where there is one such leaf, dotted paths."""
    return columns(marketplace) | {leaf.dotted: leaf for leaf in leaves(marketplace.order_model)}


@cache
def _folded(marketplace: type[Marketplace]) -> Mapping[str, Leaf]:
    """Return the columns by their names in small letters, those left out that would then mean more than one."""
    found: dict[str, Leaf] = {}
    twice: set[str] = set()
    for name, leaf in _known(marketplace).items():
        if found.setdefault(name.casefold(), leaf) is not leaf:
            twice.add(name.casefold())
    return {name: leaf for name, leaf in found.items() if name not in twice}


def _short(leaf: Leaf, every: Iterable[Leaf]) -> str:
    same = sum(other.name == leaf.name for other in every)
    return leaf.name if same == 1 and leaf.name not in _OWN else leaf.dotted
