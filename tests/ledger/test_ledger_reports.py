"""Reports: lists of any length, filters, one order's whole story, and what is due."""

from __future__ import annotations

import time

import pytest

from tests.ledger.ledger_kit import (
    ACCOUNT,
    confirmed,
    job,
    known_ids,
    one_claim,
    order_record,
    place_one,
    reconcile,
    record,
    row,
    submit,
)
from worker.errors import UnknownOrder
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.listing import PAGE
from worker.ledger.queries import Queries
from worker.ledger.records import Records
from worker.ledger.selection import Filter
from worker.rules.outcomes import Accepted, Declined, NotSent, Refused, Unknown
from worker.rules.states import State
from worker.rules.views import utc

ID = "8198352049851315"


def listed(ledger: Ledger, **wanted: object) -> list[str]:
    return [order["order_id"] for order in (o.as_json() for o in Queries(ledger).orders(Filter(**wanted)))]  # type: ignore[arg-type]


def test_a_list_of_more_than_a_page_holds_every_order_once_in_its_order(ledger: Ledger) -> None:
    expected: list[str] = []
    for group in ("A", "B", "C"):  # of one instant each: pages end inside a group
        ids = [f"SO-{group}-{n:04}" for n in range(700)]
        submit(ledger, *ids)
        expected += ids
    assert listed(ledger) == expected


@pytest.mark.parametrize("orders", [0, 1, PAGE - 1, PAGE, PAGE + 1])
def test_a_list_ends_where_it_should(ledger: Ledger, orders: int) -> None:
    batch = open_batch(ledger, "f")
    take(ledger, batch, [job(f"SO-{n:05}") for n in range(orders)], [])
    assert len(listed(ledger)) == orders


def test_filters_narrow_a_list(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1", "SO-2", "SO-3")
    submit(ledger, "SO-4", account="second")
    place_one(ledger, Refused("X", "x", "f"), "SO-1")
    place_one(ledger, Accepted((ID,)), "SO-2")
    assert listed(ledger, state="refused") == ["SO-1"]
    assert listed(ledger, account="second") == ["SO-4"]
    assert listed(ledger, batch=batch) == ["SO-1", "SO-2", "SO-3"]
    assert listed(ledger, attention=True) == ["SO-1"]
    assert listed(ledger, state="placed", account=ACCOUNT, batch=batch) == ["SO-2"]
    assert listed(ledger, state="no such state") == []


def test_a_listed_order_has_the_documented_keys(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Accepted((ID, "9")))
    (found,) = (o.as_json() for o in Queries(ledger).orders(Filter()))
    assert {"order_id", "account", "marketplace", "state", "references", "attempts", "code", "reason", "due_at"} <= set(
        found
    )
    assert found["references"] == sorted(known_ids(ledger))
    assert found["attempts"] == 1
    assert found["due_at"].endswith("Z")


def test_one_order_is_shown_with_every_attempt_every_move_and_what_was_read(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Declined("ApiCallLimit", "slow", 1.0, request_id="req-0"))
    with ledger.writing() as connection:
        connection.exec_driver_sql("UPDATE orders SET due_at = 0")
    confirmed(ledger)
    found = Queries(ledger).order("SO-1").as_json()
    assert [(a["number"], a["outcome"], a["code"], a["request_id"]) for a in found["attempts"]] == [
        (1, "Declined", "ApiCallLimit", "req-0"),
        (2, "Accepted", None, None),
    ]
    assert [(e["event"], e["from"], e["to"], e["epoch"]) for e in found["events"]] == [
        ("claim", "queued", "placing", 1),
        ("snooze", "placing", "queued", 1),
        ("claim", "queued", "placing", 2),
        ("accept", "placing", "placed", 2),
        ("confirm", "placed", "confirmed", 2),
    ]
    (result,) = found["result"]
    assert (result["reference"], result["amount"], result["details"]) == (ID, "8.34", order_record().details)
    assert "body" not in found, "personal data stays in the ledger"


def test_an_order_or_batch_that_is_not_there_is_said_to_be_missing(ledger: Ledger) -> None:
    with pytest.raises(UnknownOrder, match="no order SO-9 in the ledger"):
        Queries(ledger).order("SO-9").as_json()
    with pytest.raises(UnknownOrder, match="no batch B-9 in the ledger"):
        [b.as_json() for b in Queries(ledger).batches("B-9")]
    assert Queries(ledger).known(["SO-9"]) == ([], {"SO-9": "no order SO-9 in the ledger"})


def test_counts_are_by_state_and_batch(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1", "SO-2", "SO-3")
    other = submit(ledger, "SO-4")
    place_one(ledger, Accepted((ID,)), "SO-1")
    place_one(ledger, Refused("X", "x", "f"), "SO-2")
    assert Queries(ledger).counts() == {"placed": 1, "refused": 1, "queued": 2}
    assert Queries(ledger).counts(batch) == {"placed": 1, "refused": 1, "queued": 1}
    assert Queries(ledger).counts(other) == {"queued": 1}
    assert (Queries(ledger).attention_count(), Queries(ledger).attention_count(other)) == (1, 0)
    assert (Queries(ledger).moving_count(batch), Queries(ledger).moving_count(other)) == (2, 1)


def test_the_newest_batches_come_first(ledger: Ledger) -> None:
    made = [open_batch(ledger, f"file {n}") for n in range(4)]
    assert [b["batch_id"] for b in [b.as_json() for b in Queries(ledger).batches(limit=3)]] == made[:0:-1]


def test_due_orders_are_told_by_account(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    submit(ledger, "SO-3", account="second")
    place_one(ledger, Declined("L", "slow", 100.0), "SO-2")
    ids = ["SO-1", "SO-2", "SO-3", "SO-9"]
    found = Due(ledger).due_by_account(ids, State.QUEUED, time.time())
    assert dict(found) == {ACCOUNT: ["SO-1"], "second": ["SO-3"]}


def test_what_stands_still_is_due_and_was_not_rung_for_lately(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3")
    submit(ledger, "SO-4", account="second")
    Due(ledger).mark_rung(["SO-2"], 1000.0)
    one_claim(ledger, "SO-3")
    now = time.time()
    still = Due(ledger).standing_still(State.QUEUED, now, 999.0, 10)
    assert sorted(still) == ["SO-1", "SO-4"]
    assert sorted(Due(ledger).standing_still(State.QUEUED, now, 1000.0, 10)) == ["SO-1", "SO-2", "SO-4"]
    assert Due(ledger).standing_still(State.QUEUED, now, 999.0, 10, "second") == ["SO-4"]
    assert Due(ledger).standing_still(State.QUEUED, now - 3600, 999.0, 10) == []
    assert len(Due(ledger).standing_still(State.QUEUED, now, 999.0, 1)) == 1


def test_nothing_that_is_parked_or_through_stands_still(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3")
    confirmed(ledger, order_id="SO-1")
    place_one(ledger, Accepted((), "REPEATED_ORDER_ERROR"), "SO-2")
    place_one(ledger, Refused("X", "x", "f"), "SO-3")
    late = time.time() + 99999
    assert [i for state in State for i in Due(ledger).standing_still(state, late, late, 10)] == []


def test_orders_whose_workers_died_are_rung_for_apart(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3")
    at = time.time()
    for order_id, deaths in (("SO-1", 1), ("SO-2", 2)):
        for death in range(deaths):
            one_claim(ledger, order_id, at + death * 1000)
            Records(ledger).expire_leases(at + death * 1000 + 100)
            reconcile(ledger, at + death * 1000 + 200, order_id=order_id)
    late = at + 99999
    assert Due(ledger).standing_still(State.QUEUED, late, late, 10, ACCOUNT) == ["SO-3"]
    assert Due(ledger).suspects(ACCOUNT, late, late) == ["SO-1"]


def test_times_are_utc_to_the_millisecond() -> None:
    assert utc(1700000000.9996) == "2023-11-14T22:13:21.000Z"
    assert utc(0.0) == "1970-01-01T00:00:00.000Z"
    assert utc(None) is None


def test_an_unknown_order_shows_that_it_is_in_doubt(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    one = one_claim(ledger)
    record(ledger, one, Unknown("cut"))
    found = Queries(ledger).order("SO-1").as_json()
    assert (found["in_doubt"], found["attempts"][0]["cause"]) == (True, "cut")
    assert found["first_sent_at"] is not None
    assert row(ledger).attention is False
    submit(ledger, "SO-2")
    place_one(ledger, NotSent("down"), "SO-2")
    assert Queries(ledger).order("SO-2").as_json()["first_sent_at"] is None
