"""The task `orders.place` on a real ledger, loop and client, against a server that counts: what may leave, and when.

Each guard is named with the mutation under which its test fails: a guard nobody misses is soon gone.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
import time_machine
from sqlalchemy import update

from config.settings import Settings
from tests.client_kit import OK, Server, post
from tests.ledger.ledger_kit import ACCOUNT, LEASE, POLICY, RESENDABLE, WINDOW, place_one, reconcile, row, submit, tries
from worker.ledger.claims import Claims
from worker.ledger.due import Due
from worker.ledger.engine import Ledger
from worker.ledger.marks import Marks
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.ledger.tables import orders
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Accepted, NotSent, PlaceOutcome, Unknown
from worker.rules.place import decide
from worker.rules.values import Sent
from worker.sending.loop import Loop
from worker.sending.turns import Slots
from worker.steps.place import Place

ID = "8198352049851315"


class Shop:
    """A marketplace of one request; `resend_window` as the test says, `breaks`: a defect of ours."""

    account = ACCOUNT
    calls_to_place = 1
    token_version = None
    binding = None

    def __init__(self, url: str, window_seconds: float | None) -> None:
        self.url, self.breaks = url, False
        self.resend_window = None if window_seconds is None else timedelta(seconds=window_seconds)

    def place(self, order: Any, key: str) -> Any:
        came = yield post(self.url)
        if self.breaks:
            raise KeyError("a name of ours")
        if isinstance(came, Lost):
            return Unknown(came.cause) if came.may_have_arrived else NotSent(came.cause)
        return Accepted((ID,))


class Desk:
    """The step with Redis and the recorder played. `has_turn`: whether an order's turn ever comes."""

    def __init__(self, ledger: Ledger, loop: Loop, server: Server, folder: Path) -> None:
        self.ledger, self.server = ledger, server
        self._loop, self._spool, self._marks = loop, Spool(folder / "spool"), Marks(folder / "sending")
        self.draining = Flag()
        self.lease_seconds, self.answer_seconds = LEASE, 1.0
        self.window_seconds: float | None = WINDOW
        self.has_turn = True
        self.paused: float = 0.0
        self.breaks = False
        self.before_its_turn: Callable[[], object] = lambda: None
        self.outcomes: list[PlaceOutcome] = []

    def step(self) -> Place:
        played: Any = self
        return Place(
            settings=played,
            accounts=played,
            turns=played,
            claims=Claims(self.ledger),
            due=Due(self.ledger),
            marks=self._marks,
            spool=self._spool,
            loop=self._loop,
            recorder=played,
            bell=played,
            suspects=played,
            draining=self.draining,
        )

    def place(self) -> PlaceOutcome | None:
        """Run the step over SO-1; return what came of its send, None where it was not claimed."""
        self.step().run(["SO-1"])
        return self.outcomes[-1] if self.outcomes else None

    def admit(self, ids: Sequence[str], *_: Any) -> Iterator[Slots]:
        shop: Any = Shop(self.server.url, self.window_seconds)
        shop.breaks = self.breaks
        yield Slots(shop, "place", dict.fromkeys(ids, 0.0))

    def keep(self, slots: Slots, ids: Iterable[str]) -> Slots:
        return replace(slots, times=dict.fromkeys(ids, 0.0))

    @asynccontextmanager
    async def turn(self, slots: Slots, order_id: str) -> AsyncIterator[bool]:
        self.before_its_turn()
        yield self.has_turn

    def put(self, answer: Any) -> None:
        """Record an answer at once, as the recorder does in its own time."""
        self.outcomes.append(answer.outcome)
        decision = decide(answer.outcome, answer.claim, POLICY)
        sent = Sent(answer.claim, answer.outcome, decision, answer.sent_at, answer.closed_at)
        moved = Records(self.ledger).record([sent])
        answer.completion.note(moved[0] if moved else None)

    def paused_at(self, account: str) -> float:
        return self.paused

    def ceilings(self, account: str) -> None:
        """There are none."""


@pytest.fixture
def desk(ledger: Ledger, serve: Callable[..., Server], tmp_path: Path) -> Iterator[Desk]:
    loop = Loop(Settings(_env_file=None, request_timeout_seconds=2))
    yield Desk(ledger, loop, serve(lambda connection, _: connection.sendall(OK)), tmp_path)
    loop.stop()


def sent_before(ledger: Ledger, seconds_ago: float) -> None:
    """Let SO-1 have been sent so long ago, its answer lost, and be allowed to go again under its key."""
    submit(ledger, "SO-1")
    at = time.time() - seconds_ago
    with ledger.writing() as connection:
        connection.execute(update(orders).values(due_at=at))
    place_one(ledger, Unknown("no answer"), at=at)
    reconcile(ledger, at + 60, RESENDABLE)
    assert row(ledger).state == "queued"


def test_an_order_goes_out_once_and_is_recorded(ledger: Ledger, desk: Desk) -> None:
    submit(ledger, "SO-1")
    assert desk.place() == Accepted((ID,))
    assert (desk.server.posts, row(ledger).state) == (1, "placed")
    assert desk.place() == Accepted((ID,))
    assert desk.server.posts == 1, "the message again claims nothing"


def test_what_was_claimed_inside_the_window_does_not_leave_after_it(
    ledger: Ledger, desk: Desk, clock: time_machine.Traveller
) -> None:
    """Mutations: `may_send_until` without `min(..., first_sent_at + window)`; `_call` without the window."""
    sent_before(ledger, WINDOW - 0.4)
    desk.before_its_turn = lambda: clock.shift(0.7)
    assert isinstance(desk.place(), NotSent)
    assert desk.server.posts == 0
    assert tries(ledger) == [(1, "Unknown"), (2, "NotSent")], "it was claimed in time"


def test_what_was_claimed_inside_the_window_and_has_its_turn_in_time_leaves(ledger: Ledger, desk: Desk) -> None:
    sent_before(ledger, WINDOW - 30)
    assert desk.place() == Accepted((ID,))
    assert desk.server.posts == 1


def test_what_is_past_its_window_is_not_even_claimed(ledger: Ledger, desk: Desk) -> None:
    """Mutation: `_place` claims without the window."""
    sent_before(ledger, WINDOW + 1)
    assert desk.place() is None
    assert (desk.server.posts, row(ledger).code) == (0, "WINDOW_CLOSED")


def test_where_there_is_no_window_none_ends(ledger: Ledger, desk: Desk) -> None:
    desk.window_seconds = None
    sent_before(ledger, WINDOW * 3)
    assert desk.place() == Accepted((ID,))


def test_nothing_leaves_whose_answer_could_come_after_the_lease(
    ledger: Ledger, desk: Desk, clock: time_machine.Traveller
) -> None:
    """Mutations: `may_send_until` without `- answer_seconds`; `_call` without the answer's time, or without any."""
    submit(ledger, "SO-1")
    desk.lease_seconds, desk.answer_seconds = 2.0, 1.6
    desk.before_its_turn = lambda: clock.shift(0.8)
    assert isinstance(desk.place(), NotSent)
    assert desk.server.posts == 0
    assert row(ledger).first_sent_at is None


def test_what_leaves_early_in_its_lease_leaves(ledger: Ledger, desk: Desk, clock: time_machine.Traveller) -> None:
    submit(ledger, "SO-1")
    desk.lease_seconds, desk.answer_seconds = 60.0, 1.0
    desk.before_its_turn = lambda: clock.shift(0.1)
    assert desk.place() == Accepted((ID,))


def test_a_worker_that_was_told_to_stop_claims_nothing(ledger: Ledger, desk: Desk) -> None:
    """Mutation: `_place` without its look at `draining`."""
    submit(ledger, "SO-1")
    desk.draining.set()
    assert desk.place() is None
    assert (desk.server.posts, tries(ledger), row(ledger).rung_at) == (0, [], None)


def test_a_worker_that_is_told_to_stop_meanwhile_sends_nothing_more(ledger: Ledger, desk: Desk) -> None:
    """Mutation: `_reason_to_stay` without its look at `draining`."""
    submit(ledger, "SO-1")
    desk.before_its_turn = desk.draining.set
    assert desk.place() == NotSent("the worker was told to stop", counted=False)
    assert (desk.server.posts, row(ledger).state, row(ledger).spent) == (0, "queued", 0)


def test_an_order_without_a_turn_is_not_sent(ledger: Ledger, desk: Desk) -> None:
    """Mutation: `_reason_to_stay` without its look at `has_slot`."""
    submit(ledger, "SO-1")
    desk.has_turn = False
    assert desk.place() == NotSent("its turn went by", counted=False)
    assert desk.server.posts == 0


@pytest.mark.parametrize(("paused_seconds_ago", "posts"), [(-0.001, 0), (0.0, 0), (60.0, 1)])
def test_what_was_claimed_before_its_account_was_told_to_wait_is_not_sent(
    ledger: Ledger, desk: Desk, paused_seconds_ago: float, posts: int
) -> None:
    """Mutations: `_reason_to_stay` without its look at `paused_at`; with `<` for `<=`."""
    submit(ledger, "SO-1")

    def pause() -> None:
        claimed_at = row(ledger).lease_until - LEASE
        desk.paused = claimed_at - paused_seconds_ago

    desk.before_its_turn = pause
    desk.place()
    assert desk.server.posts == posts


def test_a_defect_of_ours_leaves_the_order_in_doubt(ledger: Ledger, desk: Desk) -> None:
    """Mutation: NotSent for Unknown: the request was out, and the order would be sent again."""
    submit(ledger, "SO-1")
    desk.breaks = True
    outcome = desk.place()
    assert outcome == Unknown("an internal error (KeyError)")
    assert (desk.server.posts, row(ledger).state, row(ledger).in_doubt) == (1, "unknown", True)
