"""Records the outcomes of sends and reads; each method is one transaction."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, update

from worker.ledger import ceilings
from worker.ledger.dialects import insert_ignore, upsert
from worker.ledger.engine import Ledger
from worker.ledger.leases import lost, lost_attempt, lost_move
from worker.ledger.life_writer import begin_lives
from worker.ledger.marks import Dead
from worker.ledger.moves import Move, forecasting, lock, standing_alarm, write
from worker.ledger.pauses import pause_accounts
from worker.ledger.references import disprove, owners, part, references, told_by, without_foreign
from worker.ledger.results import closing, result_row
from worker.ledger.tables import attempts, order_references, results
from worker.rules.alarms import Patience
from worker.rules.codes import Code
from worker.rules.decision import Decision
from worker.rules.history import Cause
from worker.rules.outcomes import Absent, Found, NotSent, OrderRecord
from worker.rules.place import came_back, late_answer, told_foreign_id
from worker.rules.states import MOVES, Event, State
from worker.rules.values import Moved, Sent, Settled, Waiting

_WAITS_FOR_IDS = frozenset(state for state, event in MOVES if event is Event.ACCEPT) - {State.PLACING, State.PLACED}
"""States in which a late answer's ids settle an order; a queued order would otherwise be sent again."""

_CLOSE_ATTEMPT = (
    update(attempts)
    .where(
        attempts.c.order_id == bindparam("b_order_id"),
        attempts.c.number == bindparam("b_number"),
        attempts.c.outcome.is_(None),
    )
    .values(
        {
            name: bindparam(name)
            for name in (
                *("sent_at", "closed_at", "outcome", "code", "cause"),
                *("request_id", "duration_ms", "sender_gone_at"),
            )
        }
    )
)
_SENDER_GONE = (
    update(attempts)
    .where(attempts.c.order_id == bindparam("b_order_id"), attempts.c.number == bindparam("b_number"))
    .values(sender_gone_at=bindparam("at"))
)


class Records:
    """Writes the outcomes of sends and reads; `actor` names the process in every event.

    `limited`: the accounts whose orders and money of a day are counted. `patience`: how long each account bears
    silence about a confirmed order.
    """

    def __init__(
        self,
        ledger: Ledger,
        actor: str = "worker",
        limited: Collection[str] = (),
        patience: Mapping[str, Patience] | None = None,
    ) -> None:
        self.ledger = ledger
        self.actor = actor
        self.limited = limited
        self._patience = patience or {}

    def record(self, sent: Sequence[Sent], now: float | None = None) -> list[Moved]:
        """Close the attempts and move the orders.

        A claim whose lease was taken away moves nothing: its attempt is closed already. Ids it learned are kept,
        and they settle the order if it still waits for them. An id that belongs to another order is never learned.
        """
        now = now or time.time()
        ids = [one.claim.order_id for one in sent]
        with self.ledger.writing() as connection:
            rows = {row.order_id: row for row in lock(connection, ids)}
            owned = owners(connection, ids, {reference for one in sent for reference in told_by(one)})
            had_ids = frozenset(owned.known)
            learned, foreign = part(owned, rows, sent, now)
            if learned:
                connection.execute(insert_ignore(connection, order_references), learned)
            known = owned.known
            moves: dict[str, Move] = {}
            closed, ended = [], []
            for one, wrong in zip(sent, foreign, strict=True):
                row = rows[one.claim.order_id]
                if row.epoch == one.claim.epoch and row.state == State.PLACING:
                    decision = told_foreign_id(*wrong) if wrong else one.decision
                    if row.order_id in (had_ids if wrong else known):
                        decision = decision.with_known_references()
                    moves[row.order_id] = self._answered(row, one, decision)
                    closed.append(closing(one))
                    continue
                ended.append({"b_order_id": row.order_id, "b_number": one.claim.number, "at": one.closed_at})
                if row.order_id in known and row.state in _WAITS_FOR_IDS and not wrong and _completes(row, one):
                    moves[row.order_id] = self._answered_late(row, one)
                elif isinstance(one.outcome, NotSent) and _was_asleep(row, one):
                    moves[row.order_id] = self._back(row, one, one.outcome)
            moved = write(connection, list(moves.values()), now, known)
            if closed:
                connection.execute(_CLOSE_ATTEMPT, closed)
            if ended:
                connection.execute(_SENDER_GONE, ended)
            if self.limited:
                ceilings.give_back(connection, [one for one in sent if one.claim.account in self.limited])
            pause_accounts(connection, [(s.claim.account, s.decision.pause) for s in sent], self.actor, now)
            return moved

    def _answered(self, row: Row[Any], one: Sent, decision: Decision) -> Move:
        first = not one.claim.sent_before
        return Move(row, decision, Cause.ANSWER, self.actor, one.closed_at, first, forecasting(one.outcome))

    def _answered_late(self, row: Row[Any], one: Sent) -> Move:
        return Move(
            row, late_answer(one.decision), Cause.LATE_ANSWER, self.actor, one.closed_at, more=forecasting(one.outcome)
        )

    def _back(self, row: Row[Any], one: Sent, outcome: NotSent) -> Move:
        decision = came_back(outcome)
        return Move(row, decision, Cause.NEVER_LEFT, self.actor, one.closed_at, not one.claim.sent_before)

    def settle(self, settled: Sequence[Settled], now: float | None = None) -> list[Moved]:
        """Write what reading back or looking up told; an order that moved on meanwhile is left as it is."""
        now = now or time.time()
        with self.ledger.writing() as connection:
            rows = {row.order_id: row for row in lock(connection, [one.order.order_id for one in settled])}
            known = references(connection, list(rows))
            standing = [one for one in settled if _stands(one.order, rows[one.order.order_id], known)]
            current = without_foreign(connection, rows, standing)
            moves = [self._settled_move(rows[one.order.order_id], one, now) for one in current]
            for order_id, reference in self._keep_records(connection, current, now):
                known[order_id] = (*known.get(order_id, ()), reference)
            disprove(connection, rows, current)
            self._spend(connection, current)
            moved = write(connection, moves, now, known)
            begin_lives(connection, _confirmed(rows, current), self._patience, self.actor, now)
            pause_accounts(connection, [(s.order.account, s.decision.pause) for s in settled], self.actor, now)
            return moved

    def _spend(self, connection: Connection, settled: Sequence[Settled]) -> None:
        for account in sorted({one.order.account for one in settled} & set(self.limited)):
            amounts = [
                (one.order.first_sent_at, record.amount.currency, float(record.amount.amount))
                for one in settled
                if one.order.account == account and one.decision.event is Event.CONFIRM
                for record in (one.outcome.records if isinstance(one.outcome, Found) else ())
                if record.amount is not None
            ]
            ceilings.spend(connection, account, amounts)

    def _settled_move(self, row: Row[Any], one: Settled, now: float) -> Move:
        cause = Cause.READ
        if row.state == State.UNKNOWN and isinstance(one.outcome, Absent):
            cause = Cause.ABSENCE if one.absent else Cause.ABSENCE_UNDER_DOUBT
        more = standing_alarm(row) if one.decision.event is Event.SNOOZE else {}
        return Move(row, one.decision, cause, self.actor, now, more=more)

    def _keep_records(self, connection: Connection, settled: Sequence[Settled], now: float) -> list[tuple[str, str]]:
        read = [(one, one.outcome.records) for one in settled if isinstance(one.outcome, Found)]
        learned: list[dict[str, Any]] = [
            {
                "order_id": one.order.order_id,
                "reference": record.reference,
                "source": "read" if one.order.state is State.PLACED else "look_up",
                "learned_at": now,
            }
            for one, records in read
            for record in records
            if record.reference not in one.order.references
        ]
        if learned:
            connection.execute(insert_ignore(connection, order_references), learned)
        kept = [
            result_row(one.order.order_id, record, now)
            for one, records in read
            for record in records
            if one.decision.event is Event.CONFIRM
        ]
        if kept:
            connection.execute(upsert(connection, results), kept)
        return [(row["order_id"], row["reference"]) for row in learned]

    def expire_leases(self, now: float | None = None, dead: Sequence[Dead] = ()) -> list[Moved]:
        """Take back the orders whose worker let its lease run out or is known to be dead.

        An order that surely never left is queued again, any other is unknown; an order that keeps killing its workers
        is parked. `dead`: processes known to be gone, with the sends they had noted.
        """
        now = now or time.time()
        with self.ledger.writing() as connection:
            found = lost(connection, dead, now)
            known = references(connection, [row.order_id for row, _ in found])
            moves = [lost_move(row, fate, row.order_id in known, self.actor, now) for row, fate in found]
            moved = write(connection, moves, now, known)
            if found:
                connection.execute(_CLOSE_ATTEMPT, [lost_attempt(row, fate, now) for row, fate in found])
            return moved


def _confirmed(rows: Mapping[str, Row[Any]], settled: Sequence[Settled]) -> list[tuple[Row[Any], OrderRecord]]:
    """Return the records of orders that were just confirmed, each with its order's row."""
    return [
        (rows[one.order.order_id], record)
        for one in settled
        if one.decision.event is Event.CONFIRM and isinstance(one.outcome, Found)
        for record in one.outcome.records
    ]


def _was_asleep(row: Row[Any], one: Sent) -> bool:
    """Tell whether an order was taken for unknown only because the worker of this very claim had slept."""
    same = row.state == State.UNKNOWN and row.epoch == one.claim.epoch
    return bool(same and not one.claim.in_doubt)


def _stands(order: Waiting, row: Row[Any], known: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether an order is as it was taken; one that was read back must have the ids it was read under."""
    same_ids = order.state is not State.PLACED or order.references == known.get(order.order_id, ())
    return bool(row.state == order.state and row.epoch == order.epoch and same_ids)


def _completes(row: Row[Any], one: Sent) -> bool:
    """Tell whether a late answer settles an order: after a foreign id, only an answer with an id of its own does."""
    return row.code != Code.FOREIGN_ID or bool(told_by(one))
