"""Reads the ledger for people and programs; changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, not_, or_, select

from worker.errors import UnknownOrder, UnusableId
from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.lookup import known
from worker.ledger.overdue import are_overdue, is_overdue, stalled
from worker.ledger.references import references
from worker.ledger.selection import Filter
from worker.ledger.tables import attempts, batches, events, orders, rejections, results
from worker.rules.codes import CODES, Code
from worker.rules.overdue import told_overdue
from worker.rules.states import FINAL, State
from worker.rules.views import (
    AttemptView,
    BatchView,
    EventView,
    FailureView,
    OrderStory,
    OrderView,
    RejectionView,
    ResultView,
)

PAGE = 1000


class Queries:
    """What may be asked of the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def known(self, order_ids: Iterable[str]) -> tuple[list[str], dict[str, str]]:
        """Return the orders that are meant, as the ledger spells their ids, and what is said of all others."""
        asked, said = list(dict.fromkeys(order_ids)), {}
        with self.ledger.reading() as connection:
            query = select(orders.c.order_id).where(in_list(orders.c.order_id, asked))
            exact = set(connection.execute(query).scalars())
            held = []
            for order_id in asked:
                try:
                    held.append(order_id if order_id in exact else known(connection, order_id))
                except (UnusableId, UnknownOrder) as error:
                    said[order_id] = str(error)
        return held, said

    def has_account(self, account: str) -> bool:
        """Tell whether the ledger holds an order of this account."""
        with self.ledger.reading() as connection:
            query = select(orders.c.order_id).where(orders.c.account == account).limit(1)
            return connection.execute(query).first() is not None

    def counts(self, batch: str | None = None) -> dict[str, int]:
        """Return how many orders stand in each state."""
        query = select(orders.c.state, func.count()).where(*Filter(batch=batch).where()).group_by(orders.c.state)
        with self.ledger.reading() as connection:
            return {row.state: row[1] for row in connection.execute(query)}

    def attention_count(self, batch: str | None = None) -> int:
        """Return how many orders wait for a person."""
        with self.ledger.reading() as connection:
            conditions = Filter(batch=batch, attention=True).where(stalled(connection))
            return _count(connection, *conditions)

    def moving_count(self, batch: str | None = None) -> int:
        """Return how many orders, of a batch or of all, go on by themselves and do not wait for a person yet."""
        with self.ledger.reading() as connection:
            moving = (orders.c.state.not_in(FINAL), orders.c.attention.is_(False), orders.c.closed_at.is_(None))
            overdue = are_overdue(stalled(connection))
            return _count(connection, *Filter(batch=batch).where(), *moving, not_(overdue))

    def batches(self, batch: str | None = None, limit: int = 20) -> list[BatchView]:
        """Return one batch, or the newest ones. Raises UnknownOrder for a batch the ledger does not hold."""
        query = select(batches).order_by(batches.c.created_at.desc()).limit(limit)
        if batch is not None:
            query = query.where(batches.c.batch_id == batch)
        with self.ledger.reading() as connection:
            found = [BatchView.of(row) for row in connection.execute(query)]
        if batch is not None and not found:
            raise UnknownOrder(f"no batch {batch} in the ledger")
        return found

    def rejections(self, batch: str) -> Iterator[RejectionView]:
        """Yield what a batch's intake rejected, in the order of its lines; read page by page.

        Raises UnknownOrder for a batch the ledger does not hold.
        """
        self.batches(batch)
        last = (-1, -1)
        while True:
            behind = or_(rejections.c.line > last[0], and_(rejections.c.line == last[0], rejections.c.id > last[1]))
            query = select(rejections).where(rejections.c.batch_id == batch, behind)
            with self.ledger.reading() as connection:
                rows = connection.execute(query.order_by(rejections.c.line, rejections.c.id).limit(PAGE)).all()
            yield from map(RejectionView.of, rows)
            if len(rows) < PAGE:
                return
            last = (rows[-1].line, rows[-1].id)

    def failures(self, wanted: Filter) -> list[FailureView]:
        """Return what keeps orders from going on, the most frequent first: the same trouble of an account once."""
        troubled = or_(orders.c.attention.is_(True), orders.c.state.in_((State.REFUSED, State.DEAD)))
        number, example = func.count().label("count"), func.min(orders.c.order_id).label("example")
        query = (
            select(
                orders.c.account,
                orders.c.code,
                orders.c.state,
                number,
                func.min(orders.c.updated_at).label("first_at"),
                func.max(orders.c.updated_at).label("last_at"),
                func.min(orders.c.fix).label("fix"),
                func.min(orders.c.reason).label("reason"),
                example,
            )
            .where(troubled, orders.c.closed_at.is_(None))
            .group_by(orders.c.account, orders.c.code, orders.c.state)
            .order_by(number.desc(), orders.c.account, example)
        )
        with self.ledger.reading() as connection:
            query = query.where(*wanted.where(stalled(connection)))
            return [FailureView.of(row) for row in connection.execute(query)]

    def orders(self, wanted: Filter) -> Iterator[OrderView]:
        """Yield the orders that match, in the order they were submitted; read page by page."""
        last: tuple[float, str] | None = None
        with self.ledger.reading() as connection:
            lines = stalled(connection)
        while True:
            query: Select[Any] = (
                select(orders).where(*wanted.where(lines)).order_by(orders.c.created_at, orders.c.order_id).limit(PAGE)
            )
            if last is not None:
                after = and_(orders.c.created_at == last[0], orders.c.order_id > last[1])
                query = query.where(or_(orders.c.created_at > last[0], after))
            with self.ledger.reading() as connection:
                rows = connection.execute(query).all()
                known_ids = references(connection, [row.order_id for row in rows])
            for row in rows:
                yield _view(row, known_ids.get(row.order_id, ()), is_overdue(row, lines))
            if len(rows) < PAGE:
                return
            last = (rows[-1].created_at, rows[-1].order_id)

    def order(self, order_id: str) -> OrderStory:
        """Return everything the ledger tells of one order. Raises UnusableId, UnknownOrder."""
        with self.ledger.reading() as connection:
            order_id = known(connection, order_id)
            row = connection.execute(select(orders).where(orders.c.order_id == order_id)).one()
            return OrderStory(
                _view(row, references(connection, [order_id]).get(order_id, ()), is_overdue(row, stalled(connection))),
                tuple(_attempts(connection, order_id)),
                tuple(_events(connection, order_id)),
                tuple(_results(connection, [order_id])[order_id]),
            )

    def results(self, ids: Sequence[str]) -> dict[str, list[ResultView]]:
        """Return what was read back of these orders, an entry for each of the marketplace's ids."""
        with self.ledger.reading() as connection:
            return _results(connection, ids)


def _count(connection: Connection, *conditions: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(orders).where(*conditions)).scalar_one())


def _view(row: Row[Any], known_ids: tuple[str, ...], overdue: bool) -> OrderView:
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
        fix=fix,
        due_at=row.due_at,
        attention=row.attention or overdue,
        in_doubt=row.in_doubt,
        batch=row.batch_id,
        line=row.line,
        created_at=row.created_at,
        first_sent_at=row.first_sent_at,
        accepted_at=row.accepted_at,
        closed_at=row.closed_at,
    )


def _attempts(connection: Connection, order_id: str) -> Iterator[AttemptView]:
    query = select(attempts).where(attempts.c.order_id == order_id).order_by(attempts.c.number)
    return (AttemptView.of(row) for row in connection.execute(query))


def _events(connection: Connection, order_id: str) -> Iterator[EventView]:
    query = select(events).where(events.c.order_id == order_id).order_by(events.c.id)
    return (EventView.of(row) for row in connection.execute(query))


def _results(connection: Connection, ids: Sequence[str]) -> dict[str, list[ResultView]]:
    query = select(results).where(in_list(results.c.order_id, ids)).order_by(results.c.reference)
    found: dict[str, list[ResultView]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.order_id].append(ResultView.of(row))
    return found
