"""A host's clock that was hours ahead: what it wrote is put right by the next sweep, and nothing waits for that hour.

Found by the campaign's wrong clocks: 117 of 200 orders stood queued until three hours later.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import (
    LEASE,
    LOOKED_UP,
    POLICY,
    WINDOW,
    claim,
    confirmed,
    one_claim,
    place_one,
    reconcile,
    record,
    row,
    submit,
    waiting,
)
from worker.ledger.clocks import put_right
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.tables import orders
from worker.rules.decision import CLOCKS_DIFFER_SECONDS, Pause
from worker.rules.outcomes import Absent, Accepted, Declined, NotSent, PlaceOutcome, Unknown
from worker.rules.states import State
from worker.steps.sweep import Sweep

HOURS = 3 * 3600.0
IDS = ("8198352049850001",)


def sent_ahead(ledger: Ledger, outcome: PlaceOutcome) -> float:
    """Let a host send SO-1 whose clock is three hours ahead; return the right time."""
    submit(ledger, "SO-1")
    now = time.time()
    record(ledger, one_claim(ledger, now=now + HOURS), outcome, now + HOURS)
    assert row(ledger).due_at >= now + HOURS
    return now


@pytest.mark.parametrize(
    ("outcome", "state", "most"),
    [
        (NotSent("its turn went by", counted=False), State.QUEUED, 0.0),
        (NotSent("no connection"), State.QUEUED, POLICY.cap_seconds),
        (Declined("L", "slow", 30.0), State.QUEUED, 30.0),
        (Unknown("cut"), State.UNKNOWN, 5 + POLICY.cap_seconds),
    ],
)
def test_what_was_put_off_is_put_off_from_now_on(
    ledger: Ledger, outcome: PlaceOutcome, state: State, most: float
) -> None:
    now = sent_ahead(ledger, outcome)
    assert Due(ledger).standing_still(state, now + most + 2, now, 10) == []
    assert put_right(ledger, now + 1) == 1
    assert now < row(ledger).due_at <= now + most + 2
    assert Due(ledger).standing_still(state, now + most + 2, now, 10) == ["SO-1"]
    assert put_right(ledger, now + 1) == 0, "what is right stays"


def test_a_read_back_still_waits_its_ten_seconds(ledger: Ledger) -> None:
    now = sent_ahead(ledger, Accepted(IDS))
    put_right(ledger, now + 1)
    assert row(ledger).due_at == pytest.approx(now + 1 + POLICY.confirm_delay_seconds, abs=0.5)


def test_a_key_that_was_used_under_a_clock_ahead_is_not_held_safe_for_hours_too_long(ledger: Ledger) -> None:
    now = sent_ahead(ledger, Unknown("cut"))
    assert row(ledger).first_sent_at == now + HOURS
    put_right(ledger, now + 1)
    assert row(ledger).first_sent_at == pytest.approx(now + 1, abs=0.5)
    reconcile(ledger, now + 100)
    assert row(ledger).state == "queued"
    assert claim(ledger, "SO-1", now=now + WINDOW + 2) == []
    assert row(ledger).code == "WINDOW_CLOSED"


@pytest.mark.parametrize(("looked_up", "left"), [(HOURS, 0), (100.0, 1)])
def test_absences_that_were_counted_by_a_clock_ahead_are_counted_anew(
    ledger: Ledger, looked_up: float, left: int
) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    place_one(ledger, Unknown("cut"), at=now)
    reconcile(ledger, now + looked_up, LOOKED_UP, Absent("not there"))
    assert row(ledger).absences == 1
    put_right(ledger, now + 50)
    assert (row(ledger).absences, row(ledger).absent_since) == (left, now + looked_up if left else None)


def test_a_first_send_under_a_right_clock_is_left_as_it_is(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    place_one(ledger, Unknown("cut"), at=now)
    waiting(ledger, State.UNKNOWN, "SO-1", now=now + HOURS)
    put_right(ledger, now + 1)
    assert row(ledger).first_sent_at == now


@pytest.mark.parametrize("state", [State.PLACED, State.UNKNOWN])
def test_what_was_taken_to_be_read_by_a_host_that_is_gone_is_read_by_another(ledger: Ledger, state: State) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    place_one(ledger, Accepted(IDS) if state is State.PLACED else Unknown("cut"), at=now)
    assert len(waiting(ledger, state, "SO-1", now=now + HOURS)) == 1
    assert put_right(ledger, now) == 1
    assert row(ledger).due_at == pytest.approx(now + LEASE, abs=0.01)


def test_what_waits_for_room_does_not_wait_for_hours(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    with monkeypatch.context() as ahead:
        ahead.setattr("worker.ledger.due.time.time", lambda: now + HOURS)
        Due(ledger).put_off(["SO-1"], State.QUEUED, now + HOURS + 15)
    assert put_right(ledger, now) == 1
    assert row(ledger).due_at == pytest.approx(now + 15, abs=0.01)


def test_two_hosts_clocks_are_never_quite_the_same(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    ahead = now + CLOCKS_DIFFER_SECONDS - 1
    record(ledger, one_claim(ledger, now=ahead), Unknown("cut"), ahead)
    before = row(ledger)
    assert put_right(ledger, now) == 0
    assert row(ledger) == before


def test_what_waits_long_under_a_right_clock_goes_on_waiting(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    now = time.time()
    place_one(ledger, Declined("L", "the day's limit", 20_000.0), at=now)
    assert put_right(ledger, now + 1) == 0
    assert row(ledger).due_at >= now + 20_000


def test_what_is_being_sent_and_what_is_over_is_left_alone(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    now = time.time()
    one_claim(ledger, "SO-1", now=now + HOURS)
    confirmed(ledger, order_id="SO-2")
    before = row(ledger, "SO-1"), row(ledger, "SO-2")
    put_right(ledger, now)
    assert (row(ledger, "SO-1"), row(ledger, "SO-2")) == before


def test_a_pause_ends_so_many_seconds_from_now_and_a_persons_pause_does_not_end(ledger: Ledger) -> None:
    now = time.time()
    Pauses(ledger).pause("main", Pause(60.0, "ApiCallLimit", "too often", None), now + HOURS)
    Pauses(ledger).pause("other", Pause(20_000.0, "DAY", "the day's limit", None), now)
    Operator(ledger, "cli").pause("mine")
    put_right(ledger, now + 1)
    standing = Pauses(ledger).standing(now + 62)
    assert set(standing) == {"other", "mine"}
    assert Pauses(ledger).standing(now + 59).keys() == {"main", "other", "mine"}
    assert standing["mine"].until is None


def test_the_sweep_puts_right_and_rings(ledger: Ledger) -> None:
    """Mutation of `Sweep.run`: without `put_right`."""
    now = sent_ahead(ledger, Unknown("cut"))
    rung: list[str] = []

    played: Any = SimpleNamespace(
        accounts={},
        chunk=10,
        dead=list,
        clear=lambda *_: None,
        replay=lambda _: 0,
        expire_leases=lambda dead: [],
        standing=dict,
        any_due=lambda: False,
        unfinished=lambda _: [],
        due=lambda *_: {},
        tell=lambda: None,
        llen=lambda _: 0,
        reconcile=rung.extend,
        leave=lambda _: None,
    )
    parts = (
        "settings",
        "accounts",
        "pauses",
        "pushes",
        "records",
        "spool",
        "graves",
        "limits",
        "bell",
        "suspects",
        "acts",
        "tokens",
        "lives",
        "writer",
        "signs",
    )
    Sweep(ledger=ledger, due=Due(ledger), broker=played, deaf=str, **dict.fromkeys(parts, played)).run()
    assert row(ledger).due_at < now + 120
    with ledger.writing() as connection:
        connection.execute(update(orders).values(due_at=now))
    Sweep(ledger=ledger, due=Due(ledger), broker=played, deaf=str, **dict.fromkeys(parts, played)).run()
    assert rung == ["SO-1"]
