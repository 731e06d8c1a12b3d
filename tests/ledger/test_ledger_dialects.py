"""A list of ids in one parameter: found by their key, whatever their number and whatever else is asked."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import event, select

from tests.ledger.ledger_kit import ACCOUNT, claim, confirmed, sent, submit
from worker.ledger.dialects import in_list
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.records import Records
from worker.ledger.tables import orders
from worker.rules.outcomes import Accepted
from worker.rules.states import State


@pytest.mark.parametrize(
    "ids",
    [[], ["SO-1"], ["SO-2", "nobody", "SO-2", "SO-1"], ["it's", 'a "b"', "{c,d}", "ü\\", "NULL", ""]],
    ids=["none", "one", "twice", "marks"],
)
def test_what_is_in_the_list_is_found_once_and_nothing_else(ledger: Ledger, ids: list[str]) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3", "it's", 'a "b"', "{c,d}", "ü\\", "NULL")
    with ledger.reading() as connection:
        found = connection.execute(select(orders.c.order_id).where(in_list(orders.c.order_id, ids))).scalars().all()
    assert sorted(found) == sorted({one for one in ids if one not in ("", "nobody")})


def test_a_list_of_any_length_is_one_statement(ledger: Ledger) -> None:
    texts = set()
    for length in (1, 2, 30, 3000):
        query = select(orders.c.order_id).where(in_list(orders.c.order_id, [str(n) for n in range(length)]))
        with ledger.reading() as connection:
            texts.add(str(connection.execute(query).context.compiled))
    assert len(texts) == 1


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_no_statement_of_an_orders_life_goes_through_the_orders_of_others(ledger: Ledger) -> None:
    """SQLite cannot know how short a list is: asked for a state beside it, it would go through all in that state."""
    seen: dict[str, Any] = {}

    @event.listens_for(ledger.engine, "before_cursor_execute")
    def _note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if "json_each" in statement and not many:
            seen[statement] = parameters

    _whole_life(ledger)
    event.remove(ledger.engine, "before_cursor_execute", _note)
    assert len(seen) >= 8
    with ledger.reading() as connection:
        for statement, parameters in seen.items():
            plan = [step[3] for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step], statement
            assert not [step for step in plan if "ix_orders" in step], statement


def _whole_life(ledger: Ledger) -> None:
    due = Due(ledger)
    submit(ledger, "SO-1", "SO-2")
    confirmed(ledger)
    assert due.due_by_account(["SO-1", "SO-2"], State.QUEUED, time.time() + 1) == {ACCOUNT: ["SO-2"]}
    due.mark_rung(["SO-2"])
    due.forget_message(["SO-2"])
    Records(ledger).record([sent(one, Accepted(("8198352049851316",))) for one in claim(ledger, "SO-2")])
    due.put_off(["SO-2"], State.PLACED, time.time() + 60)
