"""The recorder: what arrives together is one commit, every task hears of its own, and nothing ends the thread."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ledger_kit import ACCOUNT, LEASE, POLICY, submit

from worker.errors import LedgerAway
from worker.ledger.claims import Terms
from worker.ledger.engine import Ledger
from worker.ledger.queries import counts
from worker.ledger.records import Store
from worker.rules.outcomes import Accepted, Declined, NotSent, Unknown
from worker.rules.values import Claim


class Desk:
    """The recorder on a real ledger, with Redis played; `broken`: what the next commits raise."""

    def __init__(self, ledger: Ledger, record: Any) -> None:
        self.ledger, self.record = ledger, record
        self.commits: list[int] = []
        self.rung: list[str] = []
        self.reports: list[tuple[str, int, int]] = []
        self.held: list[str] = []
        self.opens_for: float | None = None
        self.broken: list[Exception] = []

    def store(self) -> Any:
        desk, plain = self, Store(self.ledger)

        class Watched:
            def record(self, sent: Any) -> Any:
                if desk.broken:
                    raise desk.broken.pop(0)
                desk.commits.append(len(sent))
                return plain.record(sent)

            def hold(self, account: str, pause: Any) -> None:
                desk.held.append(f"{account}: {pause.code}")

        return Watched()

    def confirm_at(self, due: Any) -> None:
        self.rung += [order_id for _, order_id in due]

    def report(self, account: str, kind: str, worked: int, failed: int) -> float | None:
        self.reports.append((account, worked, failed))
        return self.opens_for

    def claim(self, *names: str) -> list[Claim]:
        submit(self.ledger, *names)
        return Store(self.ledger).claim(ACCOUNT, names, Terms(LEASE, None))

    def answer(self, claim: Claim, outcome: Any, sheet: Any) -> Any:
        return self.record.Answer(claim, outcome, time.time(), time.time(), sheet)


@pytest.fixture
def desk(ledger: Ledger, fresh_settings: pytest.MonkeyPatch) -> Desk:
    from worker.sending import fallback as late
    from worker.sending import recorder as record

    made = Desk(ledger, record)
    for name in ("bell", "limits"):
        fresh_settings.setattr(record, name, lambda: made)
    for module in (record, late):
        fresh_settings.setattr(module, "store", made.store)
    fresh_settings.setattr(record, "policy", lambda: POLICY)
    fresh_settings.setattr(record, "held_at", {})
    return made


def test_answers_of_several_messages_are_one_commit_and_each_message_hears_of_its_own(desk: Desk) -> None:
    one, two, three = desk.claim("SO-1", "SO-2", "SO-3")
    recorder, first, second = desk.record.Recorder(), desk.record.Sheet(2), desk.record.Sheet(1)
    recorder.put(desk.answer(one, Accepted(("81900001",)), first))
    recorder.put(desk.answer(two, Accepted(("81900002",)), first))
    recorder.put(desk.answer(three, Accepted(("81900003",)), second))
    assert sorted(moved.order_id for moved in first.wait()) == ["SO-1", "SO-2"]
    assert [moved.order_id for moved in second.wait()] == ["SO-3"]
    assert desk.commits == [3]
    assert sorted(desk.rung) == ["SO-1", "SO-2", "SO-3"]
    assert counts(desk.ledger) == {"placed": 3}


def test_a_message_without_a_claim_waits_for_nothing(desk: Desk) -> None:
    assert desk.record.Sheet(0).wait() == []


def test_while_the_ledger_is_away_answers_wait_and_are_recorded_with_those_that_came_meanwhile(
    desk: Desk, fresh_settings: pytest.MonkeyPatch
) -> None:
    from worker.sending import fallback as late

    fresh_settings.setattr(late, "FIRST_WAIT_SECONDS", 0.2)
    one, two = desk.claim("SO-1", "SO-2")
    recorder, first, second = desk.record.Recorder(), desk.record.Sheet(1), desk.record.Sheet(1)
    desk.broken = [LedgerAway("away")]
    recorder.put(desk.answer(one, Accepted(("81900001",)), first))
    time.sleep(0.05)
    recorder.put(desk.answer(two, Accepted(("81900002",)), second))
    assert [moved.order_id for sheet in (first, second) for moved in sheet.wait()] == ["SO-1", "SO-2"]
    assert desk.commits == [2]


def test_whatever_goes_wrong_a_message_does_not_wait_for_ever_and_the_next_is_recorded(
    desk: Desk, fresh_settings: pytest.MonkeyPatch
) -> None:
    one, two = desk.claim("SO-1", "SO-2")
    recorder, first, second = desk.record.Recorder(), desk.record.Sheet(1), desk.record.Sheet(1)
    with fresh_settings.context() as broken:
        broken.setattr(desk.record, "decide", lambda *_: 1 / 0)
        recorder.put(desk.answer(one, Accepted(("81900001",)), first))
        assert first.wait() == []
    recorder.put(desk.answer(two, Accepted(("81900002",)), second))
    assert [moved.order_id for moved in second.wait()] == ["SO-2"]
    assert counts(desk.ledger) == {"placing": 1, "placed": 1}, "the lease of the first tells of it"


def test_the_breaker_hears_of_each_account_and_holds_the_one_it_opens_for(desk: Desk) -> None:
    names = [f"SO-{number}" for number in range(3)]
    recorder, sheet = desk.record.Recorder(), desk.record.Sheet(3)
    desk.opens_for = 5.0
    outcomes = (Unknown("no answer"), NotSent("refused"), NotSent("told to stop", counted=False))
    for claim, outcome in zip(desk.claim(*names), outcomes, strict=True):
        recorder.put(desk.answer(claim, outcome, sheet))
    sheet.wait()
    time.sleep(0.05)
    assert desk.reports == [(ACCOUNT, 1, 2)]
    assert desk.held == [f"{ACCOUNT}: BREAKER_OPEN"]


def test_an_answer_nobody_documents_is_an_answer_to_the_breaker(desk: Desk) -> None:
    recorder, sheet = desk.record.Recorder(), desk.record.Sheet(3)
    outcomes = (Unknown("busy", "SYSTEM_ERROR"), Unknown("HTTP 503", "HTTP_503"), Unknown("HTTP 422: no", "HTTP_422"))
    for claim, outcome in zip(desk.claim("SO-1", "SO-2", "SO-3"), outcomes, strict=True):
        recorder.put(desk.answer(claim, outcome, sheet))
    sheet.wait()
    time.sleep(0.05)
    assert sum(worked for _, worked, _ in desk.reports) == 2
    assert sum(failed for _, _, failed in desk.reports) == 1


def test_an_account_that_is_told_to_wait_is_noted_at_once(desk: Desk) -> None:
    (claim,) = desk.claim("SO-1")
    recorder, sheet = desk.record.Recorder(), desk.record.Sheet(1)
    begun = time.time()
    recorder.put(desk.answer(claim, Declined("ApiCallLimit", "too often", 60.0, pauses_account=True), sheet))
    sheet.wait()
    assert desk.record.held_at[ACCOUNT] >= begun
