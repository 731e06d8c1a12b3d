"""Reads the ledger for people and programs; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, func, not_, or_, select

from worker.errors import UnknownOrder, UnusableId
from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.listing import PAGE, listed
from worker.ledger.lookup import known
from worker.ledger.overdue import are_overdue, stalled
from worker.ledger.selection import Filter
from worker.ledger.stories import results_of, story
from worker.ledger.tables import batches, orders, rejections
from worker.rules.codes import addressed
from worker.rules.sorting import Sort
from worker.rules.states import FINAL, State
from worker.rules.story import OrderStory
from worker.rules.troubles import FailureView, RejectionView
from worker.rules.views import BatchView, OrderView, ResultView


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

    def counts(self, batch: str | None = None, ids: Sequence[str] | None = None) -> dict[str, int]:
        """Return how many orders, of a batch, of these ids or of all, stand in each state."""
        wanted = Filter(batch=batch, ids=None if ids is None else tuple(ids))
        query = select(orders.c.state, func.count()).where(*wanted.where()).group_by(orders.c.state)
        with self.ledger.reading() as connection:
            return {row.state: row[1] for row in connection.execute(query)}

    def attention_count(self, batch: str | None = None, ids: Sequence[str] | None = None) -> int:
        """Return how many orders, of a batch, of these ids or of all, wait for a person."""
        wanted = Filter(batch=batch, attention=True, ids=None if ids is None else tuple(ids))
        with self.ledger.reading() as connection:
            conditions = wanted.where(stalled(connection))
            return _count(connection, *conditions)

    def moving_count(self, batch: str | None = None, ids: Sequence[str] | None = None) -> int:
        """Return how many orders, of a batch, of these ids or of all, go on by themselves, waiting for no person."""
        with self.ledger.reading() as connection:
            moving = (orders.c.state.not_in(FINAL), orders.c.attention.is_(False), orders.c.closed_at.is_(None))
            overdue = are_overdue(stalled(connection))
            wanted = Filter(batch=batch, ids=None if ids is None else tuple(ids))
            return _count(connection, *wanted.where(), *moving, not_(overdue))

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

    def every_rejection(self) -> Iterator[tuple[str, RejectionView]]:
        """Yield what was rejected of all batches, with the batch, in the order it came; read page by page."""
        last = -1
        while True:
            query = select(rejections).where(rejections.c.id > last).order_by(rejections.c.id).limit(PAGE)
            with self.ledger.reading() as connection:
                rows = connection.execute(query).all()
            yield from ((row.batch_id, RejectionView.of(row)) for row in rows)
            if len(rows) < PAGE:
                return
            last = rows[-1].id

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
            return [_failure(FailureView.of(row)) for row in connection.execute(query)]

    def orders(
        self, wanted: Filter, sort: Sort = Sort.SUBMITTED, reverse: bool = False, limit: int | None = None
    ) -> Iterator[OrderView]:
        """Yield the orders that match, sorted, at most `limit`; read page by page."""
        return listed(self.ledger, wanted, sort, reverse, limit)

    def order(self, order_id: str) -> OrderStory:
        """Return everything the ledger tells of one order. Raises UnusableId, UnknownOrder."""
        with self.ledger.reading() as connection:
            return story(connection, order_id)

    def results(self, ids: Sequence[str]) -> dict[str, list[ResultView]]:
        """Return what was read back of these orders, an entry for each of the marketplace's ids."""
        with self.ledger.reading() as connection:
            return results_of(connection, ids)


def _count(connection: Connection, *conditions: Any) -> int:
    return int(connection.execute(select(func.count()).select_from(orders).where(*conditions)).scalar_one())


def _failure(view: FailureView) -> FailureView:
    """Return a trouble with advice about its example, so that the commands work as they stand."""
    return replace(view, fix=view.fix and addressed(view.fix, view.example, view.account))
