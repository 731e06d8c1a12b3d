"""Claiming: one winner, only what is due and may be sent, and an attempt on disk before anything is sent."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from tests.ledger.ledger_kit import (
    ACCOUNT,
    LEASE,
    WINDOW,
    claim,
    history,
    job,
    one_claim,
    place_one,
    reconcile,
    record,
    row,
    rows,
    submit,
    tries,
)
from worker.ledger.claims import Claims, Terms
from worker.ledger.due import EARLY_SECONDS, Due
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch, take
from worker.ledger.operators import Operator
from worker.ledger.tables import attempts
from worker.rules.outcomes import Declined, NotSent, Refused, Unknown
from worker.rules.states import State

CLAIMER = """
import json, sys
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
url, ids = sys.argv[1], json.loads(sys.argv[2])
ledger = Ledger(url)
ledger.version()
print("ready", flush=True)
sys.stdin.readline()
won = []
for start in range(0, len(ids), 10):
    won += [claim.order_id for claim in Claims(ledger).claim("main", ids[start:start + 10], Terms(90.0, None))]
print(json.dumps(won), flush=True)
"""


def test_a_claim_leads_to_placing_under_a_lease_and_a_new_epoch(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    found = one_claim(ledger, now=now)
    order = row(ledger)
    assert (order.state, order.epoch, order.lease_until) == ("placing", 1, now + LEASE)
    assert (found.epoch, found.number, found.spent, found.sent_before) == (1, 1, 1, False)
    assert found.body == job("SO-1").body
    assert history(ledger) == ["claim>placing"]


def test_the_attempt_is_on_disk_before_the_claim_is_handed_out(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    one_claim(ledger, now=now)
    (attempt,) = rows(ledger, attempts)  # another connection: committed
    assert (attempt.number, attempt.epoch, attempt.sent_at, attempt.outcome) == (1, 1, now, None)


def test_the_epoch_grows_with_every_claim_and_attempts_are_numbered(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    for number in (1, 2, 3):
        found = one_claim(ledger, now=time.time() + 1000 * number)
        assert (found.epoch, found.number) == (number, number)
        record(ledger, found, Declined("ApiCallLimit", "slow down", 1.0))
    assert tries(ledger) == [(1, "Declined"), (2, "Declined"), (3, "Declined")]


def test_a_claimed_order_is_not_claimed_again(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    assert claim(ledger, "SO-1")
    assert claim(ledger, "SO-1") == []
    assert claim(ledger, "SO-1", now=time.time() + 10 * LEASE) == [], "a lease that ran out is not a free order"


def test_an_id_named_twice_in_a_message_is_claimed_once(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    assert len(claim(ledger, "SO-1", "SO-1")) == 1


def test_unknown_ids_and_other_accounts_are_passed_over(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    submit(ledger, "SO-2", account="second")
    assert [c.order_id for c in claim(ledger, "SO-1", "SO-2", "no such order", "'; DROP TABLE orders; --")] == ["SO-1"]
    assert claim(ledger) == []


def test_an_order_is_claimed_when_it_is_due_and_a_hair_before(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Declined("ApiCallLimit", "slow down", 100.0))
    due = row(ledger).due_at
    assert claim(ledger, "SO-1", now=due - 0.1) == []
    assert claim(ledger, "SO-1", now=due - EARLY_SECONDS / 2)


def test_orders_of_a_paused_account_are_left_alone(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    Operator(ledger, "cli").pause(ACCOUNT)
    assert claim(ledger, "SO-1") == []
    assert row(ledger).state == "queued"
    Operator(ledger, "cli").resume(ACCOUNT)
    assert claim(ledger, "SO-1")


def test_a_timed_pause_ends_by_itself(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    place_one(ledger, Declined("ApiCallLimit", "ban will last 60 seconds", 60.0, pauses_account=True), at=at)
    assert claim(ledger, "SO-2", now=at + 59) == []
    assert claim(ledger, "SO-2", now=at + 61)


def test_the_pause_of_one_account_does_not_hold_up_another(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    submit(ledger, "SO-2", account="second")
    Operator(ledger, "cli").pause(ACCOUNT)
    assert Claims(ledger).claim("second", ["SO-1", "SO-2"], Terms(LEASE, WINDOW))[0].order_id == "SO-2"


def test_one_of_many_threads_wins_an_order(ledger: Ledger) -> None:
    ids = [f"SO-{n}" for n in range(40)]
    submit(ledger, *ids)
    gate = threading.Barrier(8)

    def thread(number: int) -> list[str]:
        mine = ids if number % 2 else ids[::-1]
        gate.wait(10)
        return [c.order_id for start in range(0, 40, 8) for c in claim(ledger, *mine[start : start + 8])]

    with ThreadPoolExecutor(8) as pool:
        won = [order_id for found in pool.map(thread, range(8)) for order_id in found]
    assert len(won) == len(set(won)) <= 40
    # A thread passes over what another one holds at that instant; whoever comes next gets the rest.
    rest = [c.order_id for c in claim(ledger, *ids)]
    assert sorted(won + rest) == sorted(ids)


def test_an_order_somebody_holds_is_passed_over_and_not_waited_for(ledger: Ledger) -> None:
    if ledger.sqlite:
        return  # SQLite lets one writer in at a time
    submit(ledger, "SO-1", "SO-2")
    with ledger.engine.connect() as other, other.begin():
        other.execute(text("UPDATE orders SET line = 9 WHERE order_id = 'SO-1'"))
        with ThreadPoolExecutor(1) as pool:
            assert [c.order_id for c in pool.submit(claim, ledger, "SO-1", "SO-2").result(5)] == ["SO-2"]
        other.rollback()


def test_one_of_several_processes_wins_an_order(ledger: Ledger) -> None:
    ids = [f"SO-{n}" for n in range(60)]
    submit(ledger, *ids)
    url = ledger.url.render_as_string(hide_password=False)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, url, json.dumps(mine)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for mine in (ids, ids[::-1])
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [order_id for process in started for order_id in json.loads(process.communicate(timeout=30)[0])]
    assert [process.returncode for process in started] == [0, 0]
    assert len(won) == len(set(won))
    rest = [c.order_id for c in claim(ledger, *ids)]
    assert sorted(won + rest) == sorted(ids)


def test_the_first_send_is_kept_while_a_send_may_have_arrived(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("no complete answer in time"), at=at)
    assert row(ledger).first_sent_at == at
    reconcile(ledger, at + 100)
    again = one_claim(ledger, now=at + 200)
    assert (again.first_sent_at, again.sent_before, again.in_doubt) == (at, True, True)
    record(ledger, again, NotSent("no connection"), at + 200)
    assert row(ledger).first_sent_at == at, "the first send is still in doubt"


@pytest.mark.parametrize(
    "outcome", [NotSent("no connection"), Declined("ApiCallLimit", "slow"), Refused("B", "b", "f", retryable=True)]
)
def test_a_first_send_that_was_not_executed_starts_no_window(ledger: Ledger, outcome: NotSent) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, outcome, at=at)
    assert row(ledger).first_sent_at is None
    again = one_claim(ledger, now=at + WINDOW * 2)
    assert again.first_sent_at == at + WINDOW * 2
    assert not again.sent_before


def test_an_order_whose_safe_window_closed_is_parked_not_claimed(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + 100)
    assert [c.order_id for c in claim(ledger, "SO-1", "SO-2", now=at + WINDOW + 1)] == ["SO-2"]
    order = row(ledger)
    assert (order.state, order.code, order.attention, order.due_at) == ("unknown", "WINDOW_CLOSED", True, None)
    assert order.epoch == 1
    assert tries(ledger) == [(1, "Unknown")], "nothing was sent, so nothing is an attempt"


def test_inside_the_window_to_its_last_second_an_order_is_claimed(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + 100)
    assert claim(ledger, "SO-1", now=at + WINDOW)


def test_without_a_window_an_old_order_is_claimed(ledger: Ledger) -> None:
    """A marketplace without a window lets an order go again only after its look-ups; then no clock runs."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    reconcile(ledger, at + 100)
    assert claim(ledger, "SO-1", now=at + WINDOW * 5, window=None)


def test_putting_off_moves_only_what_is_due_sooner_and_still_waits(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3")
    one_claim(ledger, "SO-2")
    place_one(ledger, Declined("L", "slow", 500.0), "SO-3")
    later, until = row(ledger, "SO-3").due_at, time.time() + 5
    Due(ledger).put_off(["SO-1", "SO-2", "SO-3"], State.QUEUED, until)
    assert row(ledger, "SO-1").due_at == until
    assert row(ledger, "SO-2").due_at < until
    assert row(ledger, "SO-3").due_at == later
    assert history(ledger, "SO-1") == []


def test_a_ring_is_noted_and_forgotten_with_the_next_move(ledger: Ledger) -> None:
    take(ledger, open_batch(ledger, "f"), [job("SO-1")], [])
    Due(ledger).mark_rung(["SO-1"], 50.0)
    assert row(ledger).rung_at == 50.0
    one_claim(ledger)
    assert row(ledger).rung_at is None
