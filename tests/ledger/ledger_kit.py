"""What the ledger tests share: jobs, the steps of an order's life in a line each, and the ledger's invariants."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.intake import Taken, open_batch, take
from worker.ledger.records import Records
from worker.ledger.tables import attempts, events, order_references, orders, results
from worker.orders.jobs import Job
from worker.rules.confirm import decide_read
from worker.rules.decision import Policy
from worker.rules.outcomes import Accepted, Found, Money, OrderRecord, PlaceOutcome, ReadOutcome
from worker.rules.place import decide
from worker.rules.reconcile import Ability, counts_as_absence, decide_unknown
from worker.rules.states import MOVES, Event, State
from worker.rules.values import Claim, Moved, Sent, Settled, Waiting

POLICY = Policy(max_attempts=3, base_seconds=2.0, cap_seconds=60.0, confirm_delay_seconds=12.0)
LEASE = 90.0
WINDOW = 22 * 3600.0
ACCOUNT = "main"
RESENDABLE = Ability(can_look_up=False, resend_window_seconds=WINDOW)
LOOKED_UP = Ability(can_look_up=True, resend_window_seconds=None)


@dataclass(frozen=True)
class Place:
    """Where ledgers live in one test: `url()` makes an empty database of the kind under test."""

    kind: str
    url: Callable[[], str]


def job(order_id: str, account: str = ACCOUNT, content: str = "a", line: int = 1) -> Job:
    body = f'{{"content":"{content}"}}'
    fingerprint = hashlib.sha256((account + body).encode()).hexdigest()
    return Job(order_id, account, "aliexpress", body, fingerprint, line, ())


def submit(ledger: Ledger, *order_ids: str, account: str = ACCOUNT) -> str:
    """Take new orders in and return their batch."""
    batch = open_batch(ledger, "orders.jsonl")
    taken: Taken = take(ledger, batch, [job(o, account, line=n) for n, o in enumerate(order_ids, 1)], [])
    assert len(taken.new) == len(order_ids)
    return batch


def claim(ledger: Ledger, *order_ids: str, now: float | None = None, window: float | None = WINDOW) -> list[Claim]:
    return Claims(ledger).claim(ACCOUNT, order_ids, Terms(LEASE, window), now)


def one_claim(ledger: Ledger, order_id: str = "SO-1", now: float | None = None, window: float | None = WINDOW) -> Claim:
    (found,) = claim(ledger, order_id, now=now, window=window)
    return found


def sent(one: Claim, outcome: PlaceOutcome, at: float | None = None) -> Sent:
    """Return the outcome of a claim as the worker hands it to the ledger."""
    at = at or time.time()
    return Sent(one, outcome, decide(outcome, one, POLICY), at, at + 0.25)


def record(ledger: Ledger, one: Claim, outcome: PlaceOutcome, at: float | None = None) -> list[Moved]:
    return Records(ledger).record([sent(one, outcome, at)], at)


def place_one(ledger: Ledger, outcome: PlaceOutcome, order_id: str = "SO-1", at: float | None = None) -> list[Moved]:
    """Claim one order and record what came of it."""
    return record(ledger, one_claim(ledger, order_id, at), outcome, at)


def waiting(ledger: Ledger, state: State, *order_ids: str, now: float) -> list[Waiting]:
    return Claims(ledger).claim_waiting(order_ids, state, LEASE, now)


def read_back(ledger: Ledger, outcome: ReadOutcome, now: float, order_id: str = "SO-1") -> list[Moved]:
    """Read a placed order back once."""
    (order,) = waiting(ledger, State.PLACED, order_id, now=now)
    return Records(ledger).settle([Settled(order, outcome, decide_read(outcome, order, POLICY))], now)


def reconcile(
    ledger: Ledger, now: float, ability: Ability = RESENDABLE, seen: ReadOutcome | None = None, order_id: str = "SO-1"
) -> list[Moved]:
    """Settle an unknown order once."""
    (order,) = waiting(ledger, State.UNKNOWN, order_id, now=now)
    decision = decide_unknown(order, ability, seen, POLICY, now)
    return Records(ledger).settle([Settled(order, seen, decision, counts_as_absence(seen, ability))], now)


def confirmed(ledger: Ledger, reference: str = "8198352049851315", order_id: str = "SO-1") -> None:
    """Take a queued order all the way."""
    place_one(ledger, Accepted((reference,)), order_id)
    read_back(ledger, Found((order_record(reference),)), time.time() + 60, order_id)


def order_record(reference: str = "8198352049851315", **changes: Any) -> OrderRecord:
    fields: dict[str, Any] = {
        "reference": reference,
        "status": "WAIT_SELLER_SEND_GOODS",
        "fulfilment_status": "NO_LOGISTICS",
        "amount": Money(Decimal("8.34"), "USD"),
        "paid_amount": Money(Decimal("7.90"), "EUR"),
        "details": {"order_status": "WAIT_SELLER_SEND_GOODS", "unknown_field": [1, None, "é\u0000 "]},
    }
    return OrderRecord(**fields | changes)


def row(ledger: Ledger, order_id: str = "SO-1") -> Any:
    with ledger.reading() as connection:
        return connection.execute(select(orders).where(orders.c.order_id == order_id)).one()


def rows(ledger: Ledger, table: Any, order_id: str = "SO-1") -> Sequence[Any]:
    with ledger.reading() as connection:
        query = select(table).where(table.c.order_id == order_id).order_by(*table.primary_key.columns)
        return connection.execute(query).all()


def tries(ledger: Ledger, order_id: str = "SO-1") -> list[tuple[int, str | None]]:
    """Return an order's attempts as (number, outcome)."""
    return [(one.number, one.outcome) for one in rows(ledger, attempts, order_id)]


def history(ledger: Ledger, order_id: str = "SO-1") -> list[str]:
    """Return an order's moves as `event>state`."""
    return [f"{one.event}>{one.to_state}" for one in rows(ledger, events, order_id)]


def known_ids(ledger: Ledger, order_id: str = "SO-1") -> list[str]:
    return [one.reference for one in rows(ledger, order_references, order_id)]


def result_rows(ledger: Ledger, order_id: str = "SO-1") -> Sequence[Any]:
    return rows(ledger, results, order_id)


def assert_invariants(ledger: Ledger) -> None:
    """Hold the whole ledger against what must be true of it at any time."""
    with ledger.reading() as connection:
        held = {one.order_id: one for one in connection.execute(select(orders))}
        moves, sends = defaultdict(list), defaultdict(list)
        for one in connection.execute(select(events).order_by(events.c.id)):
            moves[one.order_id].append(one)
        for one in connection.execute(select(attempts).order_by(attempts.c.order_id, attempts.c.number)):
            sends[one.order_id].append(one)
        told = set(connection.execute(select(order_references.c.order_id)).scalars())
        read = set(connection.execute(select(results.c.order_id)).scalars())
    assert moves.keys() | sends.keys() | told | read <= held.keys(), "something is kept of an order nobody submitted"
    for order_id, order in held.items():
        assert_order(order, moves[order_id], sends[order_id], order_id in told, order_id in read)


def assert_order(order: Any, moves: Sequence[Any], sends: Sequence[Any], told: bool, read: bool) -> None:
    """Hold one order, its events and its attempts against each other."""
    name, state = order.order_id, State(order.state)
    at = State.QUEUED
    for move in moves:
        assert move.from_state == at, f"{name}: an event begins at {move.from_state}, the one before ended at {at}"
        assert MOVES[State(move.from_state), Event(move.event)] == move.to_state, f"{name}: an illegal move"
        at = State(move.to_state)
    assert at == state, f"{name} is {state}, its events end at {at}"
    assert [move.epoch for move in moves] == sorted(move.epoch for move in moves), f"{name}: an epoch went back"
    assert [one.number for one in sends] == list(range(1, order.attempts + 1)), f"{name}: attempts are not counted"
    claims = [move.epoch for move in moves if move.event == Event.CLAIM]
    assert [one.epoch for one in sends] == claims == list(range(1, order.epoch + 1)), f"{name}: a claim and no attempt"
    open_ones = [one for one in sends if one.outcome is None]
    assert all(one.closed_at is None for one in open_ones), f"{name}: an attempt closed without an outcome"
    assert all(one.closed_at is not None for one in sends if one.outcome), f"{name}: an outcome without a close"
    assert len(open_ones) == (1 if state is State.PLACING else 0), f"{name} is {state} with {len(open_ones)} open sends"
    assert (order.lease_until is not None) == (state is State.PLACING), f"{name}: a lease without its state"
    assert order.spent >= 0, name
    assert order.snoozes >= 0, name
    if state is State.PLACED:
        assert told, f"{name} is placed and no id is known"
        assert order.due_at is not None, f"{name} is placed and nobody will ever read it"
        assert order.accepted_at is not None, name
    if state is State.CONFIRMED:
        assert read, f"{name} is confirmed and nothing was read back"
    if state is State.QUEUED:
        assert order.due_at is not None or order.attention, f"{name} is queued, never due, and nobody is told"
    if state in (State.UNKNOWN, State.UNMATCHED):
        assert order.due_at is not None or order.attention, f"{name} is {state}; nothing and nobody is told to go on"
    if state in (State.CONFIRMED, State.CANCELLED, State.REFUSED, State.DEAD):
        assert order.due_at is None, f"{name} is {state} and still due"
    if state is State.DEAD:
        assert not order.in_doubt, f"{name} is dead and may exist"
