"""The second life in the ledger: begun at the confirm, read anew, told in time; one writer, an event for every move."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.ledger.ledger_kit import history, order_record, place_one, read_back, row, submit
from worker.ledger.engine import Ledger
from worker.ledger.life_queries import LifeQueries
from worker.ledger.life_tables import life_events, parcels, supplier_orders
from worker.ledger.life_writer import LifeWriter, Look
from worker.ledger.lives import Lives
from worker.ledger.operators import Operator
from worker.ledger.queries import Queries
from worker.ledger.selection import Filter
from worker.rules.acts import ActKind
from worker.rules.life import Life, Parcel, Parcels, Stage
from worker.rules.life_words import track_lines
from worker.rules.outcomes import Accepted, Found, OrderRecord

NOW = time.time() + 3600  # ahead of whatever hour the suite comes to these tests
DAY = 86_400.0


def shown(stage: Stage | None, reference: str = "81", paid: bool | None = None, **given: Any) -> OrderRecord:
    timeout = given.pop("timeout", 10 * 86_400)
    life = Life(stage, paid, timeout, given.pop("end_reason", None))
    return order_record(reference=reference, life=life, **given)


def begun(ledger: Ledger, *records: OrderRecord, order_id: str = "SO-1") -> None:
    """Confirm an order with these records, and so begin the lives of its supplier orders."""
    submit(ledger, order_id)
    place_one(ledger, Accepted(tuple(record.reference for record in records)), order_id)
    read_back(ledger, Found(records), NOW + 60, order_id)


def looked(
    ledger: Ledger, record: OrderRecord | None, *found: Parcel, at: float = NOW + 120, reference: str = "81"
) -> None:
    look = Look("SO-1", reference, record, Parcels(found) if record is not None else None)
    LifeWriter(ledger, {}).keep([look], at)


def standing(ledger: Ledger, reference: str = "81") -> Any:
    with ledger.reading() as connection:
        query = select(supplier_orders).where(supplier_orders.c.reference == reference)
        return connection.execute(query).one()


def told(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return list(connection.execute(select(life_events.c.event).order_by(life_events.c.id)).scalars())


def test_a_confirm_begins_a_life_for_each_of_the_marketplaces_orders(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.AWAITING_PAYMENT, "81"), shown(Stage.AWAITING_SHIPMENT, "82", paid=True))
    first, second = standing(ledger, "81"), standing(ledger, "82")
    assert (first.stage, first.paid, second.stage, second.paid) == ("awaiting_payment", None, "awaiting_shipment", True)
    assert first.deadline_at == row(ledger).accepted_at + 10 * DAY
    assert sorted(told(ledger)) == ["awaiting_shipment", "deadline", "paid"]
    assert row(ledger).state == "confirmed"


def test_what_is_read_anew_moves_the_life_and_not_the_placing(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.AWAITING_PAYMENT))
    before = history(ledger)
    looked(ledger, shown(Stage.SHIPPED, status="WAIT_BUYER_ACCEPT_GOODS"), Parcel("LX1", "Cainiao"))
    order = standing(ledger)
    assert (order.stage, order.paid, order.status) == ("shipped", True, "WAIT_BUYER_ACCEPT_GOODS")
    assert told(ledger) == ["deadline", "paid", "shipped", "parcel_added"]
    assert (row(ledger).state, history(ledger)) == ("confirmed", before)


def test_a_changed_number_is_told_with_the_one_it_replaces(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.SHIPPED))
    looked(ledger, shown(Stage.SHIPPED), Parcel("LX1"))
    looked(ledger, shown(Stage.SHIPPED), Parcel("LX2"), at=NOW + 240)
    with ledger.reading() as connection:
        kept = {one.number: one.replaced_by for one in connection.execute(select(parcels))}
        event = connection.execute(select(life_events).order_by(life_events.c.id.desc())).first()
    assert kept == {"LX1": "LX2", "LX2": None}
    assert event is not None
    assert (event.event, event.number, event.replaces) == ("parcel_replaced", "LX2", "LX1")


def test_a_deadline_is_announced_by_time_alone_and_again_when_it_has_passed(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.AWAITING_PAYMENT))
    deadline = standing(ledger).deadline_at
    writer = LifeWriter(ledger, {})
    assert writer.tell(deadline - 2.5 * DAY) == 0
    assert writer.tell(deadline - 1.9 * DAY) == 1
    order = row(ledger)
    assert (order.attention, order.code, order.state) == (True, "UNPAID_SOON", "confirmed")
    assert "at the latest" in order.reason
    assert writer.tell(deadline - 1.8 * DAY) == 0
    assert writer.tell(deadline + 1) == 1
    assert row(ledger).code == "UNPAID_LAPSED"
    assert told(ledger)[1:] == ["alarm", "alarm", "alarm_ended"]


def test_paying_ends_the_alarm_and_the_attention(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.AWAITING_PAYMENT))
    LifeWriter(ledger, {}).tell(standing(ledger).deadline_at - DAY)
    assert row(ledger).attention
    looked(ledger, shown(Stage.AWAITING_SHIPMENT, paid=True))
    assert (row(ledger).attention, row(ledger).code, row(ledger).reason) == (False, None, None)
    assert standing(ledger).alarms == []


def test_what_a_person_closed_needs_them_again_only_for_news(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.AWAITING_PAYMENT))
    deadline = standing(ledger).deadline_at
    LifeWriter(ledger, {}).tell(deadline - DAY)
    with ledger.writing() as connection:
        Operator(ledger, "cli:anna").act_on(
            connection, ActKind.CLOSE, ["SO-1"], lambda _: None, lambda _: False, "paid by hand"
        )
    looked(ledger, shown(Stage.AWAITING_PAYMENT), at=deadline - DAY / 2)
    assert (row(ledger).attention, row(ledger).closed_at is None) == (False, False)
    LifeWriter(ledger, {}).tell(deadline + 1)
    assert (row(ledger).attention, row(ledger).code) == (True, "UNPAID_LAPSED")


def test_a_read_that_shows_nothing_is_tried_again_and_keeps_what_is_known(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.SHIPPED))
    looked(ledger, None, at=NOW + 120)
    order = standing(ledger)
    assert (order.stage, order.misses, order.due_at) == ("shipped", 1, pytest.approx(NOW + 180))
    looked(ledger, None, at=NOW + 180)
    assert standing(ledger).due_at == pytest.approx(NOW + 480)


def test_one_process_has_a_due_order_at_a_time_and_what_is_over_is_due_no_more(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.SHIPPED))
    lives = Lives(ledger)
    later = NOW + 2 * DAY
    assert lives.due(NOW, {"main": 10}) == {}
    assert lives.due(later, {"main": 10}) == {"main": ["SO-1"]}
    assert [one.order.reference for one in lives.claim(["SO-1"], 60, later)] == ["81"]
    assert lives.claim(["SO-1"], 60, later + 1) == []
    looked(ledger, shown(Stage.DELIVERED), at=later + 2)
    assert lives.due(later + 365 * DAY, {"main": 10}) == {}


def test_the_backlog_of_one_account_hides_nothing_of_another(ledger: Ledger) -> None:
    for number in range(4):
        begun(ledger, shown(Stage.SHIPPED, f"8{number}"), order_id=f"SO-{number}")
    with ledger.writing() as connection:
        connection.execute(update(supplier_orders).values(due_at=NOW))
        connection.execute(update(supplier_orders).where(supplier_orders.c.reference == "83").values(account="other"))
        connection.execute(update(supplier_orders).where(supplier_orders.c.reference == "83").values(due_at=NOW + 1))
    assert Lives(ledger).due(NOW + 2, {"main": 2, "other": 2}) == {"main": ["SO-0", "SO-1"], "other": ["SO-3"]}


def test_a_push_or_a_person_has_it_read_at_once_even_when_it_is_over(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.DELIVERED))
    assert Lives(ledger).wake(["SO-1", "SO-none"]) == 1
    assert Lives(ledger).due(time.time(), {"main": 10}) == {"main": ["SO-1"]}


def test_lists_choose_orders_by_the_stage_of_any_of_their_parts(ledger: Ledger) -> None:
    begun(ledger, shown(Stage.SHIPPED, "81"), shown(Stage.AWAITING_PAYMENT, "82"))
    begun(ledger, shown(Stage.DELIVERED, "83"), order_id="SO-2")
    found = {
        stage: [one.order_id for one in Queries(ledger).orders(Filter(stage=stage))]
        for stage in ("shipped", "awaiting_payment", "delivered", "closed")
    }
    assert found == {"shipped": ["SO-1"], "awaiting_payment": ["SO-1"], "delivered": ["SO-2"], "closed": []}


def test_an_order_is_tracked_with_its_parts_parcels_and_events_and_unpaid_ones_are_listed_by_deadline(
    ledger: Ledger,
) -> None:
    begun(ledger, shown(Stage.AWAITING_PAYMENT, "81"), shown(Stage.AWAITING_PAYMENT, "82", timeout=None))
    begun(ledger, shown(Stage.AWAITING_PAYMENT, "83", timeout=3600), order_id="SO-2")
    queries = LifeQueries(ledger)
    assert [one.reference for one in queries.unpaid()] == ["82", "83", "81"]
    looked(ledger, shown(Stage.SHIPPED), Parcel("LX1", "Cainiao", items=(("1005", 2),)))
    tracked = queries.tracked("SO-1")
    assert tracked.stands == "partly shipped"
    assert tracked.lives[0].parcels[0].goods == (("1005", 2),)
    assert "parcel LX1 by Cainiao" in "\n".join(track_lines(tracked, NOW + 300))
    assert tracked.as_json()["supplier_orders"][1]["deadline"] is None
    assert queries.of_orders(["SO-2"])["SO-2"][0].reference == "83"
