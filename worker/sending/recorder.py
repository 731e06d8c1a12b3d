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

from worker.background import Background
from worker.broker.bell import Bell
from worker.crashpoints import CrashPoint, reached
from worker.errors import LedgerAway, where
from worker.ledger.marks import Marks
from worker.ledger.pauses import Pauses
from worker.ledger.records import Records
from worker.rules.codes import Code
from worker.rules.decision import Pause, Policy
from worker.rules.outcomes import NotSent, PlaceOutcome, Unknown
from worker.rules.place import decide
from worker.rules.values import Claim, Moved, Sent
from worker.sending.fallback import Fallback
from worker.sending.limits import Limits
from worker.sending.renewals import Renewals

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.005
"""Answers that arrive within this time are committed together; none of them waits longer for that."""
MOST_AT_ONCE = 1000


class Completion:
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
    """The outcome of one claim; unix seconds. `token_version`: the stored pair of tokens it was sent with."""

    claim: Claim
    outcome: PlaceOutcome
    sent_at: float
    closed_at: float
    completion: Completion
    token_version: int | None = None


class Recorder(Background):
    """One thread that writes every answer of the process. A busy ledger makes larger groups, not a longer line."""

    def __init__(
        self,
        records: Records,
        fallback: Fallback,
        pauses: Pauses,
        marks: Marks,
        bell: Bell,
        limits: Limits,
        policy: Policy,
        renewals: Renewals,
    ) -> None:
        super().__init__("recorder")
        self._records = records
        self._fallback = fallback
        self._pauses = pauses
        self._marks = marks
        self._bell = bell
        self._limits = limits
        self._policy = policy
        self._renewals = renewals
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._paused_at: dict[str, float] = {}

    def put(self, answer: Answer) -> None:
        """Hand an answer over; never blocks, never fails."""
        self._answers.put(answer)

    def paused_at(self, account: str) -> float:
        """Return when an account was last told to wait (unix seconds); what was claimed before and waits stays."""
        return self._paused_at.get(account, 0.0)

    def _round(self) -> None:
        first = self._next()
        if first is None:
            return
        time.sleep(GATHER_SECONDS)
        group = [first, *self._waiting(MOST_AT_ONCE - 1)]
        try:
            self._record(group)
        except Exception as error:  # whatever it is, the thread must live: the leases tell of what it missed
            log.error("%s while recording %d answers", where(error), len(group))

    def _next(self) -> Answer | None:
        """Return the next answer; None when there is something else to do first."""
        left = self._fallback.seconds_left()
        try:
            if left != 0.0:
                return self._answers.get(timeout=left)
        except queue.Empty:
            pass
        try:
            taken, moved = self._fallback.offer_again()
            self._release(taken)
            self._bell.follow(moved)
        except Exception as error:  # whatever it is, the thread must live
            log.error("%s while offering answers again", where(error))
        return None

    def _wake(self) -> None:
        self._answers.put(None)

    def _waiting(self, most: int = MOST_AT_ONCE) -> list[Answer]:
        found: list[Answer] = []
        with suppress(queue.Empty):
            while len(found) < most:
                answer = self._answers.get_nowait()
                if answer is not None:
                    found.append(answer)
        return found

    def _record(self, group: list[Answer]) -> None:
        moved: list[Moved] = []
        try:
            sent = self._decided(group)
            reached(CrashPoint.UNRECORDED)
            try:
                moved = self._records.record(sent)
            except Exception as error:
                moved = self._fallback.record(sent, error, lambda: self._arrived(group))
            self._release(sent)
            reached(CrashPoint.RECORDED)
            self._bell.follow(moved)
        finally:
            # By the claim: an order may be in the group twice, under an old epoch and a new one.
            stands = {one.order_id: one for one in moved}
            for answer in group:
                answer.completion.note(stands.pop(answer.claim.order_id, None))
        self._tell_breakers(group)

    def _release(self, recorded: Iterable[Sent]) -> None:
        """Give the room of these sends' marks back; a send the ledger does not know of keeps its mark."""
        owed = self._fallback.owed
        for one in recorded:
            if (one.claim.order_id, one.claim.number) not in owed:
                self._marks.release(one.claim.order_id, one.claim.number)

    def _arrived(self, group: list[Answer]) -> list[Sent]:
        """Take in what arrived while the group could not be written."""
        more = self._waiting()
        group += more
        return self._decided(more)

    def _decided(self, group: Iterable[Answer]) -> list[Sent]:
        sent = []
        for one in group:
            outcome = self._renewals.answer(one.claim.account, one.token_version, one.outcome)
            decision = decide(outcome, one.claim, self._policy)
            sent.append(Sent(one.claim, outcome, decision, one.sent_at, one.closed_at))
        for done in sent:
            if done.decision.pause:
                self._paused_at[done.claim.account] = time.time()
        return sent

    def _tell_breakers(self, group: Iterable[Answer]) -> None:
        """Pause an account when its marketplace does not answer at all; its orders then cost no attempts."""
        outcomes: dict[str, list[PlaceOutcome]] = defaultdict(list)
        for one in group:
            outcomes[one.claim.account].append(one.outcome)
        for account, came in outcomes.items():
            lost = [outcome.cause for outcome in came if isinstance(outcome, Unknown | NotSent) and _failed(outcome)]
            seconds = self._limits.report(account, "place", len(came) - len(lost), len(lost))
            if seconds is not None:
                reason = f"its marketplace does not answer ({lost[-1]}); one order goes ahead when this ends"
                with suppress(LedgerAway):
                    self._pauses.pause(account, Pause(seconds, Code.BREAKER_OPEN, reason, None))


def _failed(outcome: Unknown | NotSent) -> bool:
    return not outcome.is_answer if isinstance(outcome, Unknown) else outcome.counted
