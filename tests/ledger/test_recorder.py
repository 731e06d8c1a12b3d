"""The recorder: what arrives together is one commit, every task hears of its own, and nothing ends the thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.ledger_kit import ACCOUNT, LEASE, POLICY, submit
from worker.errors import LedgerAway
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.marks import Marks
from worker.ledger.queries import Queries
from worker.ledger.records import Records
from worker.ledger.spool import Spool
from worker.rules.decision import Pause
from worker.rules.outcomes import Accepted, Declined, NotSent, Unknown
from worker.rules.values import Claim, Moved, Sent
from worker.sending import recorder
from worker.sending.fallback import Fallback
from worker.sending.recorder import Answer, Completion, Recorder
from worker.sending.renewals import Renewals


class Desk:
    """A recorder on a real ledger, with Redis played; `broken`: what the next commits raise."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger = ledger
        self._records = Records(ledger)
        self.commits: list[int] = []
        self.rung: list[str] = []
        self.reports: list[tuple[str, int, int]] = []
        self.paused: list[str] = []
        self.opens_for: float | None = None
        self.broken: list[Exception] = []
        self.refused = threading.Event()
        played: Any = self
        fallback = Fallback(played, Spool(folder / "spool"), threading.Event(), lambda: None)
        marks, renewals = Marks(folder / "sending"), Renewals(played, played)
        self.recorder = Recorder(played, fallback, played, marks, played, played, POLICY, renewals)
        self.recorder.start()

    def record(self, sent: list[Sent]) -> list[Moved]:
        if self.broken:
            self.refused.set()
            raise self.broken.pop(0)
        self.commits.append(len(sent))
        return self._records.record(sent)

    def pause(self, account: str, pause: Pause) -> None:
        self.paused.append(f"{account}: {pause.code}")

    def follow(self, moved: Iterable[Moved]) -> None:
        self.rung += [one.order_id for one in moved]

    def report(self, account: str, lane: str, worked: int, failed: int) -> float | None:
        self.reports.append((account, worked, failed))
        return self.opens_for

    def claim(self, *names: str) -> list[Claim]:
        submit(self.ledger, *names)
        return Claims(self.ledger).claim(ACCOUNT, names, Terms(LEASE, None))

    def answer(self, claim: Claim, outcome: Any, completion: Completion) -> None:
        self.recorder.put(Answer(claim, outcome, time.time(), time.time(), completion))

    def rest(self) -> None:
        """Wait until everything that was answered is dealt with."""
        self.recorder.stop()


@pytest.fixture
def desk(ledger: Ledger, tmp_path: Path) -> Any:
    made = Desk(ledger, tmp_path)
    yield made
    made.rest()


def test_answers_of_several_messages_are_one_commit_and_each_message_hears_of_its_own(desk: Desk) -> None:
    one, two, three = desk.claim("SO-1", "SO-2", "SO-3")
    first, second = Completion(2), Completion(1)
    desk.answer(one, Accepted(("81900001",)), first)
    desk.answer(two, Accepted(("81900002",)), first)
    desk.answer(three, Accepted(("81900003",)), second)
    assert sorted(moved.order_id for moved in first.wait()) == ["SO-1", "SO-2"]
    assert [moved.order_id for moved in second.wait()] == ["SO-3"]
    assert desk.commits == [3]
    assert sorted(desk.rung) == ["SO-1", "SO-2", "SO-3"]
    assert Queries(desk.ledger).counts() == {"placed": 3}


def test_a_message_without_a_claim_waits_for_nothing(desk: Desk) -> None:
    assert Completion(0).wait() == []


def test_while_the_ledger_is_away_answers_wait_and_are_recorded_with_those_that_came_meanwhile(
    desk: Desk,
) -> None:
    one, two = desk.claim("SO-1", "SO-2")
    first, second = Completion(1), Completion(1)
    desk.broken = [LedgerAway("away")]
    desk.answer(one, Accepted(("81900001",)), first)
    assert desk.refused.wait(5)
    desk.answer(two, Accepted(("81900002",)), second)
    assert [moved.order_id for completion in (first, second) for moved in completion.wait()] == ["SO-1", "SO-2"]
    assert desk.commits == [2]


def test_whatever_goes_wrong_a_message_does_not_wait_for_ever_and_the_next_is_recorded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = desk.claim("SO-1", "SO-2")
    first, second = Completion(1), Completion(1)
    with monkeypatch.context() as broken:
        broken.setattr(recorder, "decide", lambda *_: 1 / 0)
        desk.answer(one, Accepted(("81900001",)), first)
        assert first.wait() == []
    desk.answer(two, Accepted(("81900002",)), second)
    assert [moved.order_id for moved in second.wait()] == ["SO-2"]
    assert Queries(desk.ledger).counts() == {"placing": 1, "placed": 1}, "the lease of the first tells of it"


def test_the_breaker_hears_of_each_account_and_pauses_the_one_it_opens_for(desk: Desk) -> None:
    names = [f"SO-{number}" for number in range(3)]
    completion = Completion(3)
    desk.opens_for = 5.0
    outcomes = (Unknown("no answer"), NotSent("refused"), NotSent("told to stop", counted=False))
    for claim, outcome in zip(desk.claim(*names), outcomes, strict=True):
        desk.answer(claim, outcome, completion)
    completion.wait()
    desk.rest()
    assert desk.reports == [(ACCOUNT, 1, 2)]
    assert desk.paused == [f"{ACCOUNT}: BREAKER_OPEN"]


def test_an_answer_nobody_documents_is_an_answer_to_the_breaker(desk: Desk) -> None:
    completion = Completion(3)
    outcomes = (Unknown("busy", "SYSTEM_ERROR"), Unknown("HTTP 503", "HTTP_503"), Unknown("HTTP 422: no", "HTTP_422"))
    for claim, outcome in zip(desk.claim("SO-1", "SO-2", "SO-3"), outcomes, strict=True):
        desk.answer(claim, outcome, completion)
    completion.wait()
    desk.rest()
    assert sum(worked for _, worked, _ in desk.reports) == 2
    assert sum(failed for _, _, failed in desk.reports) == 1


def test_an_account_that_is_told_to_wait_is_noted_at_once(desk: Desk) -> None:
    (claim,) = desk.claim("SO-1")
    completion = Completion(1)
    begun = time.time()
    desk.answer(claim, Declined("ApiCallLimit", "too often", 60.0, pauses_account=True), completion)
    completion.wait()
    assert desk.recorder.paused_at(ACCOUNT) >= begun
