"""Closing: what a person dealt with elsewhere needs nobody any more, in every place that counts or lists what does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import LOOKED_UP, order_record, ordered, place_one, read_back, reconcile, row, submit
from worker.errors import NotAllowed
from worker.ledger.engine import Ledger
from worker.ledger.life_writer import LifeWriter, Look
from worker.ledger.lives import Lives
from worker.ledger.queries import Queries
from worker.ledger.selection import Filter
from worker.ledger.tables import orders
from worker.marketplaces.base import Push
from worker.rules.outcomes import Absent, Accepted, Found, OrderRecord, Refused, Unknown

NOW = 1_700_000_000.0
REFERENCE = "8198352049851315"


def parked(ledger: Ledger) -> None:
    place_one(ledger, Unknown("timeout"), at=NOW)
    reconcile(ledger, NOW + 90_000)


def not_found(ledger: Ledger) -> None:
    place_one(ledger, Unknown("timeout"), at=NOW)
    for late in range(4):
        reconcile(ledger, NOW + 4000 * (late + 1), LOOKED_UP, Absent("not in the list"))


def unmatched(ledger: Ledger) -> None:
    place_one(ledger, Accepted((), code="REPEATED_ORDER_ERROR"), at=NOW)


def alerted(ledger: Ledger) -> None:
    place_one(ledger, Accepted((REFERENCE,)), at=NOW)
    read_back(ledger, Found((alerting("it is being cancelled"),)), NOW + 60)


def refused(ledger: Ledger) -> None:
    place_one(ledger, Refused("SKU_NOT_EXIST", "no such variant", "choose another"), at=NOW)


def alerting(alert: str | None) -> OrderRecord:
    return order_record(REFERENCE, status="IN_CANCEL", alert=alert)


@pytest.mark.parametrize("made", [parked, not_found, unmatched, alerted, refused])
def test_what_is_closed_leaves_every_list_and_count_of_what_needs_a_person(
    ledger: Ledger, made: Callable[[Ledger], None]
) -> None:
    batch = submit(ledger, "SO-1")
    with ledger.writing() as connection:
        connection.execute(update(orders).values(due_at=NOW))
    made(ledger)
    queries = Queries(ledger)
    stood = row(ledger).state
    assert (queries.attention_count(batch), len(queries.failures(Filter()))) == (1, 1)
    ordered(ledger, "close", note="dealt with by hand")
    closed = row(ledger)
    assert (closed.state, closed.due_at, closed.attention, closed.lease_until) == (stood, None, False, None)
    assert closed.reason == "closed by a person: dealt with by hand"
    assert (queries.attention_count(), queries.attention_count(batch), queries.moving_count(batch)) == (0, 0, 0)
    assert queries.failures(Filter()) == []
    assert list(queries.orders(Filter(attention=True))) == []
    (event,) = [one for one in queries.order("SO-1").events if one.event == "close"]
    assert (event.actor, event.note) == ("cli:anna", "closed by a person: dealt with by hand")
    with pytest.raises(NotAllowed, match="was closed by a person"):
        ordered(ledger, "close", note="once more")


def pushed(ledger: Ledger, at: float, record: OrderRecord) -> None:
    Lives(ledger).hint("main", Push(REFERENCE, f"Status{at}", at, False), at)
    LifeWriter(ledger, {}).keep([Look("SO-1", REFERENCE, record)], at + 1)


def test_a_message_that_repeats_what_a_person_dealt_with_does_not_ask_for_them_again(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    with ledger.writing() as connection:
        connection.execute(update(orders).values(due_at=NOW))
    alerted(ledger)
    ordered(ledger, "close", note="refunded")
    pushed(ledger, NOW + 100, alerting("it is being cancelled"))
    pushed(ledger, NOW + 200, alerting(None))
    assert (row(ledger).attention, row(ledger).reason) == (False, "closed by a person: refunded")
    assert row(ledger).closed_at is not None


def test_a_message_with_news_asks_for_a_person_once_more(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    with ledger.writing() as connection:
        connection.execute(update(orders).values(due_at=NOW))
    alerted(ledger)
    ordered(ledger, "close", note="refunded")
    pushed(ledger, NOW + 100, alerting("a dispute is open"))
    order = row(ledger)
    assert (order.attention, order.code, order.reason, order.closed_at) == (True, "ALERT", "a dispute is open", None)
