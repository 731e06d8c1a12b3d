"""Lists of orders of any length, in any of the orders a list may stand in.

The ids are sorted first and in memory, then their rows are read page by page: 100,000 ids are some megabytes and half a
second, no page has to sort the others again, and no database knows the natural order of ids.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select

from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.overdue import Stalled, is_overdue, stalled
from worker.ledger.references import references
from worker.ledger.selection import Filter
from worker.ledger.tables import batches, orders
from worker.rules.codes import CODES, Code, addressed
from worker.rules.overdue import told_overdue
from worker.rules.sorting import Natural, Sort, natural
from worker.rules.states import State
from worker.rules.views import OrderView

PAGE = 1000

_BEGUN = func.coalesce(batches.c.created_at, orders.c.created_at)
_BEFORE_THE_ID: dict[Sort, tuple[Any, Any]] = {
    Sort.SUBMITTED: (_BEGUN, orders.c.batch_id),
    Sort.AGE: (-_BEGUN, orders.c.batch_id),
    Sort.ID: (literal(""), literal("")),
    Sort.STATE: (orders.c.state, literal("")),
    Sort.ACCOUNT: (orders.c.account, literal("")),
    Sort.UPDATED: (-orders.c.updated_at, literal("")),
}
"""What counts before the natural order of the ids."""


def listed(
    ledger: Ledger, wanted: Filter, sort: Sort = Sort.SUBMITTED, reverse: bool = False, limit: int | None = None
) -> Iterator[OrderView]:
    """Yield the orders that match, sorted, at most `limit`; what ceased to match meanwhile is left out."""
    with ledger.reading() as connection:
        lines = stalled(connection)
        ids = _ids(connection, wanted.where(lines), sort, reverse, limit)
    for start in range(0, len(ids), PAGE):
        yield from _page(ledger, ids[start : start + PAGE], wanted, lines)


def _page(ledger: Ledger, ids: Sequence[str], wanted: Filter, lines: Stalled) -> list[OrderView]:
    query = select(orders).where(in_list(orders.c.order_id, ids), *wanted.where(lines))
    with ledger.reading() as connection:
        rows = {row.order_id: row for row in connection.execute(query)}
        known_ids = references(connection, list(rows))
    found = (rows[order_id] for order_id in ids if order_id in rows)
    return [order_view(row, known_ids.get(row.order_id, ()), is_overdue(row, lines)) for row in found]


def _ids(connection: Connection, where: list[Any], sort: Sort, reverse: bool, limit: int | None) -> list[str]:
    query = select(orders.c.order_id, *_BEFORE_THE_ID[sort]).where(*where)
    if sort in (Sort.SUBMITTED, Sort.AGE):
        query = query.outerjoin(batches, batches.c.batch_id == orders.c.batch_id)
    rows: Iterable[Row[Any]] = connection.execute(query)
    if limit is None:
        return [row[0] for row in sorted(rows, key=_key, reverse=reverse)]
    some = heapq.nlargest if reverse else heapq.nsmallest
    return [row[0] for row in some(limit, rows, key=_key)]


def _key(row: Any) -> tuple[Any, Any, Natural]:
    return row[1], row[2], natural(row[0])


def order_view(row: Row[Any], known_ids: tuple[str, ...], overdue: bool) -> OrderView:
    """Return how an order stands, of its row. `overdue`: it waits for no stated reason."""
    state = State(row.state)
    code, reason, fix = row.code, row.reason, row.fix
    if overdue:
        code, reason, fix = Code.OVERDUE, told_overdue(state), CODES[Code.OVERDUE].fix
    return OrderView(
        order_id=row.order_id,
        account=row.account,
        marketplace=row.marketplace,
        state=state,
        references=known_ids,
        attempts=row.attempts,
        code=code,
        reason=reason,
        fix=fix and addressed(fix, row.order_id, row.account),
        due_at=row.due_at,
        attention=row.attention or overdue,
        in_doubt=row.in_doubt,
        batch=row.batch_id,
        line=row.line,
        created_at=row.created_at,
        first_sent_at=row.first_sent_at,
        accepted_at=row.accepted_at,
        closed_at=row.closed_at,
        updated_at=row.updated_at,
    )
