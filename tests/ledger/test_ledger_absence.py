"""An order nobody finds: never made anew by the program, but by a person's word, or where the account asked for it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.ledger.ledger_kit import (
    LOOKED_UP,
    POLICY,
    claim,
    history,
    one_claim,
    order_record,
    place_one,
    reconcile,
    record,
    row,
    submit,
    tries,
    waiting,
)
from worker.errors import NotAllowed
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.records import Records
from worker.rules.outcomes import Absent, Accepted, Found, NotSent, Unknown
from worker.rules.reconcile import Ability, counts_as_absence, decide_unknown
from worker.rules.states import State
from worker.rules.values import Moved, Settled

OPTED_IN = Ability(can_look_up=True, resend_window_seconds=None, recreate_after_seconds=3600.0)
AGREES, DISAGREES = Absent("none", clock_offset_seconds=1.0), Absent("none", clock_offset_seconds=7200.0)


def lost(ledger: Ledger) -> float:
    """Lose the reply to SO-1; return when that was."""
    submit(ledger, "SO-1")
    at = time.time()
    place_one(ledger, Unknown("cut"), at=at)
    return at


def say_absent(ledger: Ledger, can_look_up: bool = True, alive: bool = False) -> Moved:
    return Operator(ledger, "cli:ada").absent("SO-1", can_look_up, lambda _: alive)


def test_a_persons_word_has_it_looked_up_once_more_and_only_then_made_anew(ledger: Ledger) -> None:
    at = lost(ledger)
    for step in range(3):
        reconcile(ledger, at + 100 + 40 * step, LOOKED_UP, Absent("none"))
    say_absent(ledger)
    order = row(ledger)
    assert (order.state, order.attention) == ("unknown", False)
    reconcile(ledger, time.time() + 1000, LOOKED_UP, Absent("none"))
    order = row(ledger)
    assert (order.state, order.in_doubt) == ("queued", False)
    assert "a person said that it does not exist" in (order.reason or "")


def test_the_last_look_up_may_prove_a_person_wrong(ledger: Ledger) -> None:
    lost(ledger)
    say_absent(ledger)
    reconcile(ledger, time.time() + 100, LOOKED_UP, Found((order_record(),)))
    assert row(ledger).state == "placed"


def test_a_word_counts_for_one_send_only(ledger: Ledger) -> None:
    at = lost(ledger)
    say_absent(ledger)
    reconcile(ledger, at + 1000, LOOKED_UP, Absent("none"))
    place_one(ledger, Unknown("cut again"), at=at + 1100)
    for step in range(9):
        reconcile(ledger, at + 9000 + 5000 * step, LOOKED_UP, Absent("none"))
    assert (row(ledger).state, row(ledger).attention) == ("unknown", True)


def test_where_nothing_can_be_looked_up_a_persons_word_is_enough_and_a_new_window_begins(ledger: Ledger) -> None:
    at = lost(ledger)
    say_absent(ledger, can_look_up=False)
    order = row(ledger)
    assert (order.state, order.in_doubt, order.first_sent_at) == ("queued", False, None)
    assert history(ledger)[-1] == "retry>queued"
    assert claim(ledger, "SO-1", now=at + 80 * 3600)[0].first_sent_at == at + 80 * 3600


def test_it_is_not_said_of_an_order_that_a_running_process_may_still_send(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    Claims(ledger, sender="asleep").claim("main", ["SO-1"], Terms(90.0, None), at)
    Records(ledger).expire_leases(at + 100)
    with pytest.raises(NotAllowed, match="restart the workers"):
        say_absent(ledger, alive=True)
    assert say_absent(ledger, alive=False).state is State.UNKNOWN


def test_it_is_said_of_unknown_orders_only(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    with pytest.raises(NotAllowed, match="SO-1 is queued"):
        say_absent(ledger)


def test_a_worker_that_wakes_up_before_it_sent_gives_the_order_back(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    asleep = one_claim(ledger, now=at)
    Records(ledger).expire_leases(at + 100)
    (moved,) = record(ledger, asleep, NotSent("its time ran out before it was sent"), at + 200)
    order = row(ledger)
    assert (moved.state, order.in_doubt, order.first_sent_at) == (State.QUEUED, False, None)
    assert tries(ledger) == [(1, "Unknown")], "the attempt was closed as lost, and history is not rewritten"


def test_it_gives_back_nothing_that_an_earlier_send_left_in_doubt(ledger: Ledger) -> None:
    at = lost(ledger)
    reconcile(ledger, at + 100)  # a key protects it: sent again
    asleep = one_claim(ledger, now=at + 200)
    assert asleep.in_doubt
    Records(ledger).expire_leases(at + 400)
    record(ledger, asleep, NotSent("its time ran out before it was sent"), at + 500)
    assert (row(ledger).state, row(ledger).in_doubt) == ("unknown", True)


def test_an_account_that_opted_in_makes_it_anew_after_its_time_and_not_before(ledger: Ledger) -> None:
    at = lost(ledger)
    now = at + 10
    while now < at + 3600:
        settle(ledger, AGREES, now)
        assert row(ledger).state == "unknown"
        now = row(ledger).due_at + 1
    settle(ledger, AGREES, at + 3700)
    assert row(ledger).state == "queued"
    assert "RECREATE_AFTER_SECONDS" in row(ledger).reason


def test_a_look_up_under_another_hour_begins_the_time_anew(ledger: Ledger) -> None:
    at = lost(ledger)
    for step in range(20):
        settle(ledger, DISAGREES if step == 18 else AGREES, at + 10 + 200 * step)
    order = row(ledger)
    assert (order.state, order.absences) == ("unknown", 1)


def test_an_answer_that_comes_late_wins_over_looking(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = time.time()
    asleep = one_claim(ledger, now=at)
    Records(ledger).expire_leases(at + 100)
    reconcile(ledger, at + 200, LOOKED_UP, Absent("none"))
    record(ledger, asleep, Accepted(("8198352049851315",)), at + 300)
    assert row(ledger).state == "placed"


def settle(ledger: Ledger, seen: Absent, now: float) -> None:
    """Look up once, for an account that opted in and whose sender is known to be gone."""
    (taken,) = waiting(ledger, State.UNKNOWN, "SO-1", now=max(now, _due(ledger)))
    order = replace(taken, senders_gone=True)
    decision = decide_unknown(order, OPTED_IN, seen, POLICY, now)
    Records(ledger).settle([Settled(order, seen, decision, counts_as_absence(seen, OPTED_IN))], now)


def _due(ledger: Ledger) -> float:
    return float(row(ledger).due_at or 0.0)
