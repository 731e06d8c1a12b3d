"""Intake: an order is taken once, told apart from a changed one, and written with its group or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text

from tests.ledger.ledger_kit import ACCOUNT, history, job, one_claim, row, submit
from tests.running import until
from worker.ledger.engine import Ledger
from worker.ledger.intake import _row, open_batch, take
from worker.ledger.queries import Queries
from worker.ledger.tables import batches, orders
from worker.orders.jobs import Rejection


def test_a_new_order_is_queued_and_due_at_once(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1")
    order = row(ledger)
    assert (order.state, order.attempts, order.epoch, order.batch_id) == ("queued", 0, 0, batch)
    assert order.due_at <= order.updated_at
    assert order.rung_at is None
    assert order.first_sent_at is None
    assert history(ledger) == []


def test_an_order_that_is_rung_for_says_when(ledger: Ledger) -> None:
    take(ledger, open_batch(ledger, "f"), [job("SO-1")], [], rung_at=123.0)
    assert row(ledger).rung_at == 123.0


def test_the_same_order_again_is_a_duplicate_with_its_state(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    one_claim(ledger, "SO-1")
    taken = take(ledger, open_batch(ledger, "again"), [job("SO-1"), job("SO-2"), job("SO-3")], [])
    assert [new.order_id for new in taken.new] == ["SO-3"]
    assert taken.duplicates == [("SO-1", "placing"), ("SO-2", "queued")]
    assert taken.rejected == []


def test_the_same_order_id_with_another_content_is_a_rejection_that_says_so(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    before = row(ledger)
    batch = open_batch(ledger, "changed")
    taken = take(ledger, batch, [job("SO-1", content="b", line=7)], [])
    (rejected,) = taken.rejected
    assert (rejected.line, rejected.order_id, rejected.field) == (7, "SO-1", "order_id")
    assert rejected.reason == (
        "an order of this id was taken before with other content (state queued); this line changed nothing."
        " To change it: fulfil submit --replace FILE, or fulfil amend SO-1 --set FIELD=VALUE;"
        " to see it: fulfil show SO-1"
    )
    assert row(ledger) == before
    one_claim(ledger, "SO-1")
    (rejected_while_sent,) = take(ledger, batch, [job("SO-1", content="b", line=8)], []).rejected
    assert rejected_while_sent.reason.endswith("this line changed nothing. To see it: fulfil show SO-1")
    assert [r.as_json() for r in Queries(ledger).rejections(batch)] == [
        {"line": 7, "order_id": "SO-1", "field": "order_id", "reason": rejected.reason},
        {"line": 8, "order_id": "SO-1", "field": "order_id", "reason": rejected_while_sent.reason},
    ]


def test_the_same_order_for_another_account_is_a_rejection(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    taken = take(ledger, open_batch(ledger, "f"), [job("SO-1", account="second")], [])
    assert len(taken.rejected) == 1
    assert row(ledger).account == ACCOUNT


def test_of_one_order_twice_in_a_group_the_first_counts(ledger: Ledger) -> None:
    jobs = [job("SO-1", line=1), job("SO-1", line=2), job("SO-1", content="b", line=3)]
    taken = take(ledger, open_batch(ledger, "f"), jobs, [])
    assert [new.line for new in taken.new] == [1]
    assert taken.duplicates == [("SO-1", "queued")]
    assert [rejected.line for rejected in taken.rejected] == [3]
    assert row(ledger).line == 1


def test_a_batch_counts_what_became_of_its_jobs_over_all_its_groups(ledger: Ledger) -> None:
    batch = open_batch(ledger, "orders.csv")
    take(ledger, batch, [job("SO-1"), job("SO-2")], [Rejection(3, None, "order", "missing")])
    take(ledger, batch, [job("SO-2"), job("SO-1", content="b"), job("SO-3")], [])
    (found,) = [b.as_json() for b in Queries(ledger).batches(batch)]
    assert (found["accepted"], found["duplicates"], found["rejected"]) == (3, 1, 2)
    assert found["source"] == "orders.csv"


def test_a_group_of_rejections_alone_is_kept(ledger: Ledger) -> None:
    batch = open_batch(ledger, "f")
    take(ledger, batch, [], [Rejection(1, "SO-1", "order", "missing")])
    assert Queries(ledger).counts() == {}
    assert len([r.as_json() for r in Queries(ledger).rejections(batch)]) == 1


def test_a_full_group_of_a_thousand_is_taken_in_one_go(ledger: Ledger) -> None:
    batch = open_batch(ledger, "f")
    jobs = [job(f"SO-{n}", line=n) for n in range(1000)]
    assert len(take(ledger, batch, jobs, []).new) == 1000
    assert len(take(ledger, batch, jobs, []).duplicates) == 1000
    assert Queries(ledger).counts(batch) == {"queued": 1000}


def test_a_failure_half_way_leaves_neither_orders_nor_counts(ledger: Ledger) -> None:
    batch = open_batch(ledger, "f")
    impossible = Rejection(2, "SO-2", None, "a rejection needs a field")  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null"):
        take(ledger, batch, [job("SO-1")], [impossible])
    with ledger.reading() as connection:
        assert connection.execute(select(orders)).all() == []
        assert connection.execute(select(batches.c.accepted)).scalar() == 0
    assert len(take(ledger, batch, [job("SO-1")], []).new) == 1


def test_the_same_file_from_several_clients_at_once_is_taken_once(ledger: Ledger) -> None:
    clients, jobs = 6, [job(f"SO-{n:03}", line=n) for n in range(200)]
    gate = threading.Barrier(clients)

    def client(number: int) -> tuple[int, int]:
        batch = open_batch(ledger, f"client {number}")
        # Each hands the same jobs in in an order of its own: nobody may wait for another for ever.
        mine = jobs if number % 2 else jobs[::-1]
        gate.wait(10)
        taken = take(ledger, batch, mine, [])
        assert taken.rejected == []
        return len(taken.new), len(taken.duplicates)

    with ThreadPoolExecutor(clients) as pool:
        told = list(pool.map(client, range(clients)))
    assert sum(new for new, _ in told) == 200
    assert sum(again for _, again in told) == 200 * (clients - 1)
    assert Queries(ledger).counts() == {"queued": 200}


def test_two_clients_with_the_same_jobs_in_another_order_do_not_wait_for_each_other_for_ever(ledger: Ledger) -> None:
    """PostgreSQL would end one of them as a deadlock, and its orders would not be taken."""
    if ledger.sqlite:
        return  # SQLite lets one writer in at a time
    first, batch = [job("SO-1"), job("SO-2")], open_batch(ledger, "f")
    with ThreadPoolExecutor(1) as pool, ledger.engine.connect() as other:
        with other.begin():
            other.execute(insert(orders), [_row(first[0], batch, 1.0, None, {})])
            second = pool.submit(take, ledger, batch, first[::-1], [])
            wait_until_it_waits(ledger)
            other.execute(insert(orders), [_row(first[1], batch, 1.0, None, {})])
        taken = second.result(20)
    assert taken.new == []
    assert sorted(taken.duplicates) == [("SO-1", "queued"), ("SO-2", "queued")]


def wait_until_it_waits(ledger: Ledger) -> None:
    """Return when a connection to this database waits for another one's lock."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    def waits() -> bool:
        with ledger.reading() as connection:
            return bool(connection.execute(query).scalar())

    until("somebody to wait", waits, 10, every=0.01)
