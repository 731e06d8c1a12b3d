"""Claims orders and records what became of them; each method is one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, func, insert, update

from worker.ledger.among import among, beside, listed
from worker.ledger.engine import Ledger
from worker.ledger.foreign import disprove, owners, part, told_by, without_foreign
from worker.ledger.moves import (
    NOTE,
    Move,
    decided,
    event_row,
    forecast,
    forecasting,
    insert_ignore,
    is_paused,
    lock,
    moved,
    pause_accounts,
    pausing,
    references,
    standing_alarm,
    told_differs,
    upsert,
    write,
)
from worker.ledger.rows import Claim, Moved, Sent, Settled, Waiting
from worker.ledger.states import MOVES, Event, State, advance
from worker.ledger.tables import attempts, order_references, orders, results
from worker.ledger.written import abandoned, closing, result_row
from worker.outcomes import GOODS_DIFFER, Absent, Found
from worker.retry import (
    CONFIRM_FLOOR_SECONDS,
    FOREIGN_ID,
    Decision,
    Pause,
    lease_ran_out,
    told_foreign_id,
    window_closed,
)

EARLY_SECONDS = 0.005
"""A message may arrive this much before its order may be sent."""

_WAITS_FOR_IDS = frozenset(state for state, event in MOVES if event is Event.ACCEPT) - {State.PLACING, State.PLACED}
"""Where ids that come late settle an order; a queued one would otherwise be sent again."""

_CLAIM = (
    update(orders)
    .where(among(orders.c.order_id, listed("ids")))
    .values(
        state=advance(State.QUEUED, Event.CLAIM),
        epoch=orders.c.epoch + 1,
        attempts=orders.c.attempts + 1,
        first_sent_at=func.coalesce(orders.c.first_sent_at, bindparam("now")),
        lease_until=bindparam("until"),
        rung_at=None,
        updated_at=bindparam("now"),
    )
)
_CLAIM_WAITING = (
    update(orders).where(among(orders.c.order_id, listed("ids"))).values(due_at=bindparam("until"), rung_at=None)
)
_OPEN_ATTEMPT = insert(attempts)
_CLOSE_ATTEMPT = (
    update(attempts)
    .where(
        attempts.c.order_id == bindparam("b_order_id"),
        attempts.c.number == bindparam("b_number"),
        attempts.c.outcome.is_(None),
    )
    .values(
        {n: bindparam(n) for n in ("sent_at", "closed_at", "outcome", "code", "cause", "request_id", "duration_ms")}
    )
)


class Store:
    """Writes what happens to orders. `actor` names the process in every event."""

    def __init__(self, ledger: Ledger, actor: str = "worker") -> None:
        self.ledger = ledger
        self.actor = actor

    def claim(
        self,
        account: str,
        ids: Sequence[str],
        lease_seconds: float,
        resend_window_seconds: float | None,
        now: float | None = None,
    ) -> list[Claim]:
        """Take the orders of `ids` that are queued and due; their attempts are committed before this returns.

        Orders of a paused account are left alone. An order whose safe window has closed is parked, not claimed.
        """
        now = now or time.time()
        with self.ledger.writing() as connection:
            if is_paused(connection, account, now):
                connection.execute(_message_gone(ids))  # its message ends here: the sweep rings when the hold ends
                return []
            rows = lock(connection, ids, State.QUEUED, account=account, due_before=now + EARLY_SECONDS)
            late = {r.order_id for r in rows if _is_late(r, resend_window_seconds, now)}
            write(connection, [self._parked(r, now) for r in rows if r.order_id in late], now)
            return self._take(connection, [r for r in rows if r.order_id not in late], now, now + lease_seconds)

    def _parked(self, row: Row[Any], now: float) -> Move:
        decision = window_closed()
        return Move(row, decision.event, self.actor, decision.reason, decided(decision, now))

    def _take(self, connection: Connection, rows: Sequence[Row[Any]], now: float, until: float) -> list[Claim]:
        if not rows:
            return []
        claims = [_claim(row, now, until) for row in rows]
        connection.execute(_CLAIM, {"ids": [c.order_id for c in claims], "now": now, "until": until})
        connection.execute(
            _OPEN_ATTEMPT,
            [{"order_id": c.order_id, "number": c.number, "epoch": c.epoch, "sent_at": now} for c in claims],
        )
        connection.execute(
            NOTE,
            [event_row(c.order_id, now, Event.CLAIM, State.QUEUED, c.epoch, self.actor) for c in claims],
        )
        return claims

    def record(self, sent: Sequence[Sent], now: float | None = None) -> list[Moved]:
        """Close the attempts and move the orders.

        A claim whose lease was taken away moves nothing: its attempt is closed already. Ids it learned are kept,
        and they settle the order if it still waits for them. An id that another order holds is never learned.
        """
        now = now or time.time()
        ids = [one.claim.order_id for one in sent]
        with self.ledger.writing() as connection:
            rows = {row.order_id: row for row in lock(connection, ids)}
            held = owners(connection, ids, {reference for one in sent for reference in told_by(one)})
            had_ids = frozenset(held.known)
            learned, foreign = part(held, rows, sent, now)
            if learned:
                connection.execute(insert_ignore(connection, order_references), learned)
            known = held.known
            moves: dict[str, Move] = {}
            closed = []
            for one, wrong in zip(sent, foreign, strict=True):
                row = rows[one.claim.order_id]
                if row.epoch == one.claim.epoch and row.state == State.PLACING:
                    decision = told_foreign_id(*wrong) if wrong else one.decision
                    if row.order_id in (had_ids if wrong else known):
                        decision = decision.with_known_references()
                    moves[row.order_id] = self._sent_move(row, one, decision)
                    closed.append(closing(one))
                elif row.order_id in known and row.state in _WAITS_FOR_IDS and not wrong and _completes(row, one):
                    moves[row.order_id] = self._late_move(row, one)
            write(connection, list(moves.values()), now)
            if closed:
                connection.execute(_CLOSE_ATTEMPT, closed)
            pause_accounts(connection, [(s.claim.account, s.decision.pause) for s in sent], self.actor, now)
            return [moved(move, known) for move in moves.values()]

    def _sent_move(self, row: Row[Any], one: Sent, decision: Decision) -> Move:
        event = decision.event
        held = event is Event.SNOOZE
        not_executed = held or event in (Event.RETRY, Event.EXHAUST)
        settled = event in (Event.ACCEPT, Event.ACCEPT_BLIND, Event.REFUSE)
        changes = decided(decision, one.closed_at) | {
            "lease_until": None,
            "crashes": 0,
            "absences": 0,
            "absent_since": None,
            "spent": row.spent if held else row.spent + 1,
            "holds": row.holds + 1 if held or event is Event.LOSE else 0,
            "in_doubt": event is Event.LOSE or (row.in_doubt and not settled),
            "accepted_at": one.closed_at if event in (Event.ACCEPT, Event.ACCEPT_BLIND) else row.accepted_at,
            **forecasting(one.outcome),
        }
        if not_executed and not row.in_doubt and not one.claim.sent_before:
            changes["first_sent_at"] = None
        return Move(row, event, self.actor, decision.reason, changes)

    def _late_move(self, row: Row[Any], one: Sent) -> Move:
        # What was decided for a late blind, lost or refused reply schedules no read-back; this order needs one.
        due = one.decision.due_in_seconds if one.decision.event is Event.ACCEPT else CONFIRM_FLOOR_SECONDS
        decision = Decision(Event.ACCEPT, due, reason="the reply of an earlier send came late and told the ids")
        if one.decision.code == GOODS_DIFFER:
            decision = replace(one.decision, due_in_seconds=due)
        changes = decided(decision, one.closed_at) | {
            "accepted_at": one.closed_at,
            "in_doubt": False,
            "holds": 0,
            **forecasting(one.outcome),
        }
        return Move(row, decision.event, self.actor, decision.reason, changes)

    def claim_waiting(
        self, ids: Sequence[str], state: State, hold_seconds: float, now: float | None = None
    ) -> list[Waiting]:
        """Take the due orders of `ids` in `state`; until `hold_seconds` have passed nobody else gets them."""
        now = now or time.time()
        with self.ledger.writing() as connection:
            rows = lock(connection, ids, state, due_before=now)  # never early: ten seconds are ten seconds
            held = pausing(connection, {row.account for row in rows}, now)
            rows = [row for row in rows if row.account not in held]
            taken = [row.order_id for row in rows]
            connection.execute(_CLAIM_WAITING, {"ids": taken, "until": now + hold_seconds})
            known = references(connection, taken)
            return [_waiting(row, known.get(row.order_id, ())) for row in rows]

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
            write(connection, moves, now)
            pause_accounts(connection, [(s.order.account, s.decision.pause) for s in settled], self.actor, now)
            return [moved(move, known) for move in moves]

    def _settled_move(self, row: Row[Any], one: Settled, now: float) -> Move:
        decision = one.decision
        changes = decided(decision, now)
        if decision.event is Event.SNOOZE:
            changes |= {"holds": row.holds + 1, **standing_alarm(row)}
        if row.state == State.UNKNOWN and isinstance(one.outcome, Absent):
            changes |= {"absences": row.absences + 1, "absent_since": row.absent_since or now}
        if decision.event is Event.ACCEPT:
            changes |= {"in_doubt": False, "accepted_at": row.accepted_at or now, "holds": 0}
        if decision.event is Event.RETRY and isinstance(one.outcome, Absent):
            changes["in_doubt"] = False
        return Move(row, decision.event, self.actor, decision.reason, changes)

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

    def expire_leases(self, now: float | None = None) -> list[Moved]:
        """Declare every order unknown whose worker let its lease run out; quarantine what does so repeatedly."""
        now = now or time.time()
        with self.ledger.writing() as connection:
            rows = lock(connection, None, State.PLACING, lease_before=now, limit=1000)
            known = references(connection, [row.order_id for row in rows])
            moves = [self._expired(row, row.order_id in known, now) for row in rows]
            write(connection, moves, now)
            if rows:
                connection.execute(_CLOSE_ATTEMPT, [abandoned(row, now) for row in rows])
            return [moved(move, known) for move in moves]

    def _expired(self, row: Row[Any], known: bool, now: float) -> Move:
        decision = lease_ran_out(row.crashes + 1)
        if known:
            decision = decision.with_known_references()
        accepted = decision.event is Event.ACCEPT
        changes = decided(decision, now) | {
            "lease_until": None,
            "crashes": row.crashes + 1,
            "spent": row.spent + 1,
            # Look-ups from before this send prove nothing about it.
            "absences": 0,
            "absent_since": None,
            "in_doubt": not accepted,
            "accepted_at": row.accepted_at or (now if accepted else None),
        }
        return Move(row, decision.event, self.actor, decision.reason, changes)

    def hold(self, account: str, pause: Pause, now: float | None = None) -> None:
        """Hold an account's sends."""
        with self.ledger.writing() as connection:
            pause_accounts(connection, [(account, pause)], self.actor, now or time.time())

    def mark_rung(self, ids: Sequence[str], now: float | None = None) -> None:
        """Note that a message for these orders is on its way."""
        with self.ledger.writing() as connection:
            connection.execute(update(orders).where(among(orders.c.order_id, ids)).values(rung_at=now or time.time()))

    def let_go(self, ids: Sequence[str]) -> None:
        """Note that the message for these queued orders ends here: the next sweep rings for them again."""
        with self.ledger.writing() as connection:
            connection.execute(_message_gone(ids))

    def put_off(self, ids: Sequence[str], state: State, until: float) -> None:
        """Put due orders off because a limit is reached. No attempt, no event: nothing happened to them."""
        with self.ledger.writing() as connection:
            connection.execute(
                update(orders)
                .where(among(orders.c.order_id, ids), beside(orders.c.state) == state, beside(orders.c.due_at) < until)
                .values(due_at=until)
            )


def _stands(order: Waiting, row: Row[Any], known: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether an order is as it was taken; one that was read back must have the ids it was read under."""
    same_ids = order.state is not State.PLACED or order.references == known.get(order.order_id, ())
    return bool(row.state == order.state and row.epoch == order.epoch and same_ids)


def _completes(row: Row[Any], one: Sent) -> bool:
    """Tell whether a late reply settles an order: one that was told a foreign id needs more than what it has."""
    return row.code != FOREIGN_ID or bool(told_by(one))


def _message_gone(ids: Sequence[str]) -> Update:
    queued = beside(orders.c.state) == State.QUEUED
    return update(orders).where(among(orders.c.order_id, ids), queued).values(rung_at=None)


def _is_late(row: Row[Any], window_seconds: float | None, now: float) -> bool:
    return window_seconds is not None and row.first_sent_at is not None and now > row.first_sent_at + window_seconds


def _claim(row: Row[Any], now: float, until: float) -> Claim:
    return Claim(
        order_id=row.order_id,
        account=row.account,
        body=row.body,
        epoch=row.epoch + 1,
        number=row.attempts + 1,
        lease_until=until,
        first_sent_at=row.first_sent_at or now,
        sent_before=row.first_sent_at is not None,
        spent=row.spent + 1,
        holds=row.holds,
        in_doubt=row.in_doubt,
        suspect=row.crashes > 0,
    )


def _waiting(row: Row[Any], known: tuple[str, ...]) -> Waiting:
    return Waiting(
        order_id=row.order_id,
        account=row.account,
        state=State(row.state),
        epoch=row.epoch,
        body=row.body,
        references=known,
        first_sent_at=row.first_sent_at or row.created_at,
        updated_at=row.updated_at,
        spent=row.spent,
        holds=row.holds,
        absences=row.absences,
        absent_since=row.absent_since,
        in_doubt=row.in_doubt,
        forecast=forecast(row),
        differs=told_differs(row),
    )
