"""Records answers: what arrives together, of whatever message, is committed together by one thread of the process."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from worker.broker.bell import bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import LedgerAway
from worker.once import once
from worker.rules.outcomes import NotSent, PlaceOutcome, Unknown
from worker.rules.place import Pause, decide
from worker.rules.values import Claim, Moved, Sent
from worker.rules.words import where
from worker.sending.fallback import record_late
from worker.sending.turns import limits, marks, policy, reads_due, store

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.005
"""Answers that arrive within this time are committed together; it holds none of them back by more."""
MOST_AT_ONCE = 1000

held_at: dict[str, float] = {}
"""When an account was last told to wait (unix seconds): what was claimed before and is not sent yet stays with us."""


class Sheet:
    """What becomes of one message's claims; its task waits here until each answer is recorded."""

    def __init__(self, expected: int) -> None:
        self._open = expected
        self._moved: list[Moved] = []
        self._done = threading.Event()
        if not expected:
            self._done.set()

    def wait(self) -> list[Moved]:
        """Return how the orders stand, when all are recorded."""
        self._done.wait()
        return self._moved

    def note(self, moved: Moved | None) -> None:
        """Note one answer that was dealt with; only the recorder does. None: it moved nothing."""
        if moved is not None:
            self._moved.append(moved)
        self._open -= 1
        if self._open == 0:
            self._done.set()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one claim; unix seconds."""

    claim: Claim
    outcome: PlaceOutcome
    sent_at: float
    closed_at: float
    sheet: Sheet


class Recorder:
    """One thread that writes every answer of the process. A busy ledger makes larger groups, not a longer line."""

    def __init__(self) -> None:
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="recorder", daemon=True).start()

    def put(self, answer: Answer) -> None:
        """Hand an answer over; never blocks, never fails."""
        self._answers.put(answer)

    def _run(self) -> None:
        while True:
            group = [self._answers.get()]
            time.sleep(GATHER_SECONDS)
            group += self._waiting(MOST_AT_ONCE - 1)
            try:
                self._record(group)
            except Exception as error:  # whatever it is, the thread must live: its leases tell of what it missed
                log.error("%s while recording %d answers", where(error), len(group))

    def _waiting(self, most: int = MOST_AT_ONCE) -> list[Answer]:
        found: list[Answer] = []
        with suppress(queue.Empty):
            while len(found) < most:
                found.append(self._answers.get_nowait())
        return found

    def _record(self, group: list[Answer]) -> None:
        moved: list[Moved] = []
        try:
            sent = _decided(group)
            reached(CrashPoint.UNRECORDED)
            try:
                moved = store().record(sent)
            except Exception as error:
                moved = record_late(sent, error, lambda: self._later(group))
            for one in sent:
                marks().release(one.claim.order_id, one.claim.number)
            reached(CrashPoint.RECORDED)
            bell().confirm_at(reads_due(moved))
        finally:
            # By the claim: an order may be in the group twice, under an old epoch and a new one.
            stands = {one.order_id: one for one in moved}
            for answer in group:
                answer.sheet.note(stands.pop(answer.claim.order_id, None))
        _tell_breakers(group)

    def _later(self, group: list[Answer]) -> list[Sent]:
        """Take in what arrived while the group could not be written."""
        more = self._waiting()
        group += more
        return _decided(more)


def _decided(group: Iterable[Answer]) -> list[Sent]:
    sent = [
        Sent(one.claim, one.outcome, decide(one.outcome, one.claim, policy()), one.sent_at, one.closed_at)
        for one in group
    ]
    for one in sent:
        if one.decision.pause:
            held_at[one.claim.account] = time.time()
    return sent


def _tell_breakers(group: Iterable[Answer]) -> None:
    """Hold an account when its marketplace does not answer at all; its orders then cost no attempts."""
    outcomes: dict[str, list[PlaceOutcome]] = defaultdict(list)
    for one in group:
        outcomes[one.claim.account].append(one.outcome)
    for account, came in outcomes.items():
        lost = [outcome.cause for outcome in came if isinstance(outcome, Unknown | NotSent) and _failed(outcome)]
        seconds = limits().report(account, "place", len(came) - len(lost), len(lost))
        if seconds is not None:
            reason = f"its marketplace does not answer ({lost[-1]}); one order goes ahead when this ends"
            with suppress(LedgerAway):
                store().hold(account, Pause(seconds, "BREAKER_OPEN", reason, None))


def _failed(outcome: Unknown | NotSent) -> bool:
    return not outcome.is_answer if isinstance(outcome, Unknown) else outcome.counted


@once
def recorder() -> Recorder:
    """Return the process's recorder."""
    return Recorder()
