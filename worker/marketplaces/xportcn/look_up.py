"""Finds an order by outOrderId in the order list, and says "absent" only where the list has proved that it can find.

Path and body of the list are not documented (xportcn.md, 1). A list that ignores the filter, ignores the page, shows no
outOrderId or is empty for reasons of its own looks just like an order that does not exist, and a wrong "absent" costs
a second order. So every row is compared here, and an empty answer counts only after the same list, asked for another
order's outOrderId that it shows itself, has found that one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.marketplaces.calls import Lost, ReadSteps, Reply, Request
from worker.marketplaces.codes import Clean
from worker.marketplaces.replies import text_of, values
from worker.marketplaces.xportcn.envelope import Answer, first_list
from worker.marketplaces.xportcn.read import ReadFault, read_answer, record, reference_of
from worker.rules.outcomes import Absent, Found, OrderRecord, ReadOutcome, Unknown

MAX_PAGES = 5
NO_PROOF = "LOOK_UP_UNPROVEN"
"""Our word for a list that answers, but has not shown that it can find an order by outOrderId."""
_CHECK = "check the account's list_path and list_body, or find the order by hand and adopt it"

Ask = Callable[[str | None, int], Request]
"""Builds the request for one page, filtered by an outOrderId or not at all."""
Row = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """What a scan of the list met: rows of the key, and an outOrderId of another order."""

    own: list[Row] = field(default_factory=list)
    other: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Search:
    """One look-up: how to ask, and how to read what comes."""

    ask: Ask
    success: Sequence[str]
    clean: Clean
    unit: str

    def find(self, key: str) -> ReadSteps:
        """Look the order up."""
        seen = yield from self._scan(key)
        if not isinstance(seen, Seen):
            return seen
        if seen.own:
            return self._found(seen.own)
        if seen.rows:  # the filter was ignored, and the whole list was read instead
            return _absent() if seen.other else _unproven("its rows show no outOrderId")
        return (yield from self._prove(key))

    def _scan(self, key: str) -> Generator[Request, Reply | Lost, Seen | ReadFault]:
        """Read the filtered list to its end; returns Seen, or why it cannot be told."""
        seen, known = Seen(), set[str]()
        for page in range(1, MAX_PAGES + 1):
            rows = yield from self._page(key, page)
            if not isinstance(rows, list):
                return rows
            self._note(seen, rows, key)
            fresh = {reference_of(row) for row in rows} - known
            if not rows or (seen.own and (len(seen.own) == seen.rows or not fresh)):
                return seen
            if not fresh:
                return _unproven("it ignores the filter and the page")
            known |= fresh
        return seen if seen.own else _unproven(f"it ignores the filter and has more than {MAX_PAGES} pages")

    def _prove(self, key: str) -> ReadSteps:
        """Settle an empty answer: take another order's outOrderId from the unfiltered list and have it found."""
        rows = yield from self._page(None, 1)
        if not isinstance(rows, list):
            return rows
        seen = Seen()
        self._note(seen, rows, key)
        if seen.own:
            return self._found(seen.own)
        if not seen.other:
            return _unproven("it shows no order with an outOrderId yet" if rows else "it shows no orders at all")
        again = yield from self._page(seen.other, 1)
        if not isinstance(again, list):
            return again
        return _absent() if any(seen.other in _keys(row) for row in again) else _unproven("the filter finds nothing")

    def _page(self, key: str | None, page: int) -> Generator[Request, Reply | Lost, list[Row] | ReadFault]:
        """Ask for one page; returns its rows, or the outcome of a failure."""
        came = yield self.ask(key, page)
        answer = read_answer(came, self.success, self.clean, "list_path")
        if isinstance(answer, Absent):  # an error code with such words is no list
            return Unknown(answer.cause, answer.code)
        if not isinstance(answer, Answer):
            return answer
        one = isinstance(answer.data, dict) and ("outOrderId" in answer.data or "baseInfo" in answer.data)
        rows = [answer.data] if one else first_list(answer.data)
        if rows is None:
            return Unknown("the order list's reply holds no list; check the account's list_path", NO_PROOF)
        return [row for row in rows if isinstance(row, dict)]

    def _note(self, seen: Seen, rows: list[Row], key: str) -> None:
        seen.rows += len(rows)
        for row in rows:
            keys = _keys(row)
            if key in keys:
                seen.own.append(row)
            elif keys and not seen.other:
                seen.other = keys[0]

    def _found(self, rows: list[Row]) -> ReadOutcome:
        records: dict[str, OrderRecord] = {}
        for row in rows:
            reference = reference_of(row)
            if not reference:
                return Unknown("the order list shows this order, but its id cannot be read", "ID_NOT_READABLE")
            records.setdefault(reference, record(reference, row, self.unit))
        return Found(tuple(records.values()))


def _keys(row: Row) -> list[str]:
    return list(dict.fromkeys(_texts(row)))


def _texts(row: Row) -> Iterator[str]:
    return filter(None, map(text_of, values(row, "outOrderId")))


def _absent() -> Absent:
    return Absent("the order list does not show an order with this outOrderId")


def _unproven(why: str) -> Unknown:
    return Unknown(f"the order list cannot prove that the order is absent ({why}); {_CHECK}", NO_PROOF)
