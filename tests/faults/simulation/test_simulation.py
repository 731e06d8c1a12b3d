"""Thousands of interleavings of workers, crashes, clocks and marketplaces; after each step the promise holds."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Row, delete, select

from tests.faults.simulation.markets import KINDS
from tests.faults.simulation.world import TIMED, Clock, World
from worker.errors import FulfilError
from worker.ledger.engine import Ledger
from worker.ledger.tables import events, metadata, orders, results
from worker.rules.states import FINAL, MOVES, Event, State

FAULTS = ["", "", "", "lost_before", "lost_after", "lost_after", "throttled", "refused", "refused_connection"]
FAULTS += ["wrong_ids", "wrong_ids", "late_commit", "late_commit"]
STEPS = st.sampled_from([0.5, 3.0, 12.0, 25.0, 70.0, 600.0, 6 * 3600.0, 12 * 3600.0, 23 * 3600.0, 30 * 3600.0])
EXAMPLES = int(os.environ.get("FULFIL_TEST_SIMULATIONS", "60"))
MANY = st.integers(min_value=0, max_value=10_000)


class Promise(RuleBasedStateMachine):
    """What can happen, and what must hold whatever happens."""

    ledger: Ledger
    clock: Clock

    @initialize(seed=st.integers(0, 2**32), tells=st.booleans())
    def begin(self, seed: int, tells: bool) -> None:
        with self.ledger.writing() as connection:
            for table in metadata.sorted_tables:
                connection.execute(delete(table))
        self.clock.now = 1_800_000_000.0
        self.world = World(self.ledger, self.clock, seed)
        for market in self.world.markets.values():
            market.tells_ids = tells
        # Hypothesis leaves whole rules out of an example; there must be something in hand even where `submit` is one.
        for account in KINDS:
            for number in range(2):
                self.world.submit(f"{account}-{number}", account)
                self.world.deliver(0)

    @rule(number=st.integers(0, 5), account=st.sampled_from(list(KINDS)))
    def submit(self, number: int, account: str) -> None:
        self.world.submit(f"{account}-{number}", account)

    @precondition(lambda self: self.world.messages)
    @rule(index=MANY, keep=st.booleans())
    def deliver(self, index: int, keep: bool) -> None:
        self.world.deliver(index % len(self.world.messages), keep=keep)

    @precondition(lambda self: self.world.messages)
    @rule(index=MANY)
    def lose_a_message(self, index: int) -> None:
        self.world.messages.pop(index % len(self.world.messages))

    @rule()
    def flush_the_broker(self) -> None:
        self.world.messages.clear()

    @precondition(lambda self: self.world.flights)
    @rule(index=MANY, fault=st.sampled_from(FAULTS))
    def send(self, index: int, fault: str) -> None:
        self.world.send(index % len(self.world.flights), fault)

    @precondition(lambda self: self.world.flights)
    @rule(index=MANY)
    def record(self, index: int) -> None:
        self.world.record(index % len(self.world.flights))

    @precondition(lambda self: self.world.flights)
    @rule(index=MANY)
    def die(self, index: int) -> None:
        self.world.die(index % len(self.world.flights))

    @rule(seconds=STEPS)
    def time_passes(self, seconds: float) -> None:
        self.world.time_passes(seconds)

    @precondition(lambda self: self.world.flights)
    @rule(index=MANY)
    def freeze(self, index: int) -> None:
        self.world.freeze(index % len(self.world.flights))

    @rule(index=MANY)
    def a_person_says_it_does_not_exist(self, index: int) -> None:
        known = sorted(self.world.accepted)
        if known:
            with contextlib.suppress(FulfilError):
                self.world.say_absent(known[index % len(known)])

    @rule(seconds=st.sampled_from([1.0, 30.0, 300.0]))
    def the_clock_is_set_back(self, seconds: float) -> None:
        self.clock.now -= seconds

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule(index=MANY, word=st.sampled_from(["retry", "cancel", "reconcile"]))
    def a_person_acts(self, index: int, word: str) -> None:
        known = sorted(self.world.accepted)
        if not known:
            return
        order_id, operator = known[index % len(known)], self.world.operator()
        try:
            if word == "retry":
                operator.retry(order_id)
            else:
                getattr(operator, word)(order_id)
        except FulfilError:
            pass  # what the state forbids is refused with a sentence

    @rule(index=MANY)
    def a_person_finds_an_id(self, index: int) -> None:
        known = sorted(self.world.accepted)
        order_id = known[index % len(known)] if known else ""
        made = self.world.markets[self.world.accepted[order_id]].made.get(order_id) if known else None
        if made:
            with contextlib.suppress(FulfilError):  # it needs none, or another order holds it still
                self.world.operator().adopt(order_id, made[-1][1])

    @invariant()
    def no_order_exists_twice(self) -> None:
        for market in self.world.markets.values():
            twice = {key: made for key, made in market.made.items() if len(made) > 1}
            assert not twice, f"{market.name}: {twice}"

    @invariant()
    def no_key_is_sent_again_after_its_window(self) -> None:
        market = self.world.markets["onceaday"]
        for key, sends in market.sends.items():
            assert max(sends) - min(sends) <= 22 * 3600 + 300, f"{key}: {sends}"

    @invariant()
    def the_ledger_says_nothing_false(self) -> None:
        for row in self.rows():
            exists = bool(self.world.markets[row.account].made.get(row.order_id))
            if row.state == State.CONFIRMED:
                assert exists, f"{row.order_id} is confirmed, the marketplace never made it"
            if row.state in (State.REFUSED, State.DEAD, State.CANCELLED):
                assert not exists, f"{row.order_id} is {row.state}, the marketplace made it"

    @invariant()
    def nothing_accepted_is_lost(self) -> None:
        assert {row.order_id for row in self.rows()} == set(self.world.accepted)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        for _ in range(200):  # calm: no faults any more
            if all(State(row.state) in FINAL or row.attention for row in self.rows()):
                break
            self.world.time_passes(20)
            self.world.sweep()
            while self.world.messages:
                self.world.deliver(0)
            while self.world.flights:
                self.world.send(0, "")  # also what slept wakes up now
                self.world.record(0)
        self.no_order_exists_twice()
        self.the_ledger_says_nothing_false()
        for row in self.rows():
            assert State(row.state) in FINAL or row.attention, f"{row.order_id} is stuck: {row.state} {row.reason}"
        self.what_is_confirmed_was_read_under_its_own_ids()
        self.every_move_is_legal()

    def what_is_confirmed_was_read_under_its_own_ids(self) -> None:
        with self.ledger.reading() as connection:
            read = connection.execute(select(results.c.order_id, results.c.reference)).all()
        for order_id, reference in read:
            market = self.world.markets[self.world.accepted[order_id]]
            assert market.is_of(reference, order_id), f"{order_id} is confirmed under {reference}"

    def every_move_is_legal(self) -> None:
        with self.ledger.reading() as connection:
            found = connection.execute(select(events).order_by(events.c.id)).all()
        stands: dict[str, str] = {}
        for move in found:
            assert stands.get(move.order_id, State.QUEUED) == move.from_state
            assert MOVES[State(move.from_state), Event(move.event)] == move.to_state
            stands[move.order_id] = move.to_state

    def rows(self) -> Sequence[Row[Any]]:
        with self.ledger.reading() as connection:
            return connection.execute(select(orders)).all()


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="fulfil-sim-", dir=memory if memory.is_dir() else None))
    opened = Ledger(f"sqlite:///{folder}/ledger.sqlite3")
    opened.migrate()
    yield opened
    opened.engine.dispose()
    shutil.rmtree(folder)


def test_the_promise_holds_in_every_interleaving(ledger: Ledger) -> None:
    clock = Clock()
    Promise.ledger, Promise.clock = ledger, clock
    patches = [mock.patch(f"worker.ledger.{module}.time", clock) for module in TIMED]
    for patch in patches:
        patch.start()
    try:
        run_state_machine_as_test(
            Promise,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
    finally:
        for patch in patches:
            patch.stop()


def test_an_order_told_the_id_of_one_whose_answer_was_lost_is_not_confirmed_until_a_person_helps(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for module in TIMED:
        monkeypatch.setattr(f"worker.ledger.{module}.time", clock)
    world = World(ledger, clock, 1)
    for order_id, fault in (("SO-1", "lost_after"), ("SO-2", "wrong_ids")):
        world.submit(order_id, "blind")
        world.deliver(0)
        world.send(0, fault)
        world.record(0)
    for _ in range(5):
        clock.now += 100
        world.sweep()
    with ledger.reading() as connection:
        found = {row.order_id: (row.state, row.code, row.attention) for row in connection.execute(select(orders))}
    assert found == {"SO-1": ("unknown", "CANNOT_TELL", True), "SO-2": ("placed", "FOREIGN_ORDER", True)}
    for order_id in ("SO-1", "SO-2"):
        world.operator().adopt(order_id, world.markets["blind"].made[order_id][0][1])
    clock.now += 100
    world.sweep()
    with ledger.reading() as connection:
        assert set(connection.execute(select(orders.c.state)).scalars()) == {"confirmed"}


@pytest.fixture
def world(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which nothing happens but what the test says."""
    clock = Clock()
    for module in TIMED:
        monkeypatch.setattr(f"worker.ledger.{module}.time", clock)
    return World(ledger, clock, 1)


def sent(world: World, fault: str, account: str = "searchable") -> None:
    """Submit SO-1 and send it, with what goes wrong on the way."""
    world.submit("SO-1", account)
    world.deliver(0)
    world.send(0, fault)


def made(world: World, account: str = "searchable") -> int:
    return len(world.markets[account].made["SO-1"])


def go_on(world: World, seconds: float, steps: int) -> None:
    """Let the programs work for so long."""
    for _ in range(steps):
        world.time_passes(seconds / steps)
        world.sweep()
        while world.messages:
            world.deliver(0)
        for index in reversed([i for i, flight in enumerate(world.flights) if not flight.frozen]):
            world.send(index, "")
            world.record(index)


def test_an_order_committed_long_after_it_was_looked_up_is_made_once_and_found(world: World) -> None:
    sent(world, "late_commit")
    world.record(0)
    go_on(world, 1700, 40)
    assert (made(world), state(world)) == (0, "unknown")
    go_on(world, 9000, 40)
    assert (made(world), state(world)) == (1, "confirmed")


def test_a_worker_frozen_at_the_very_moment_of_the_send_makes_no_second_order(world: World) -> None:
    world.submit("SO-1", "searchable")
    world.deliver(0)
    world.freeze(0)
    go_on(world, 7200, 60)
    assert (made(world), state(world)) == (0, "unknown")
    with pytest.raises(FulfilError, match="restart the workers"):
        world.say_absent("SO-1")
    world.send(0, "")
    world.record(0)
    go_on(world, 600, 10)
    assert (made(world), state(world)) == (1, "confirmed")


@pytest.mark.parametrize("account", ["searchable", "blind", "onceaday"])
def test_a_worker_killed_before_it_sent_costs_nobody_a_word(world: World, account: str) -> None:
    world.submit("SO-1", account)
    world.deliver(0)
    world.die(0)
    go_on(world, 120, 10)
    assert (made(world, account), state(world)) == (1, "confirmed")


def test_a_worker_killed_after_it_sent_makes_no_second_order(world: World) -> None:
    sent(world, "")
    world.die(0)
    go_on(world, 600, 20)
    assert (made(world), state(world)) == (1, "confirmed")


def state(world: World) -> str:
    with world.ledger.reading() as connection:
        return str(connection.execute(select(orders.c.state)).scalar_one())
