"""Looks at orders before they are placed: asks their marketplaces, and says of each how it would fare.

Nothing is sent that makes, pays or reserves anything, and nothing is written into the ledger.
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.accounts import Accounts
from worker.broker.answers import Answers
from worker.errors import ConfigError, FulfilError, where
from worker.marketplaces.asks import Answer, Ask
from worker.marketplaces.base import Marketplace
from worker.orders.jobs import Job, Rejection
from worker.rules.foreseen import Finding, Verdict
from worker.rules.outcomes import NotSent
from worker.sending.asking import Asking

log = logging.getLogger(__name__)

LONGEST_SECONDS = 3600.0
"""After this long no group of orders is asked about any more."""
INTAKE_SECONDS = 60.0
"""The same at intake, where somebody waits: a group is of a thousand orders at most."""
UNHELD = "max_amount was compared with no price: only a preflight holds it (FULFIL_PREFLIGHT=refuse)"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How one order would fare, and when the oldest of what says so was read (unix seconds); None: nothing was."""

    job: Job
    verdict: Verdict
    read_at: float | None


@dataclass(slots=True)
class _Known:
    """What is known at one account's marketplace: answers by their keys, and when each was read."""

    marketplace: Marketplace
    place: str
    answers: dict[str, Answer] = field(default_factory=dict)
    read_at: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Passed:
    """What intake is to do with some jobs: take these, reject those, and tell these sentences of so many orders."""

    jobs: list[Job]
    rejected: list[Rejection] = field(default_factory=list)
    notices: Counter[str] = field(default_factory=Counter)


class Preflights:
    """Looks at orders, group by group; what was asked for one counts for the next.

    `away` says of an account's marketplace why it was asked no more.
    """

    def __init__(self, accounts: Accounts, asking: Callable[[], Asking], kept: Answers) -> None:
        self._accounts = accounts
        self._asking = asking
        self._kept = kept
        self._known: dict[str, _Known] = {}
        self.away: dict[str, str] = {}

    def look(self, jobs: Sequence[Job], within_seconds: float = LONGEST_SECONDS) -> list[Foreseen]:
        """Return how each order would fare. What cannot be read leaves a warning, never a failure.

        Raises RedisAway, without which nothing may be asked, and ConfigError for an account that is not complete.
        """
        until = time.time() + within_seconds
        by_account: dict[str, list[Mapping[str, Any]]] = {}
        orders = [json.loads(job.body) for job in jobs]
        for job, order in zip(jobs, orders, strict=True):
            by_account.setdefault(job.account, []).append(order)
        for account, of_account in by_account.items():
            self._ask_for(account, of_account, until)
        return [self._foreseen(job, order) for job, order in zip(jobs, orders, strict=True)]

    def passed(self, jobs: Sequence[Job], refuses: bool) -> Passed:
        """Return what intake is to do with jobs it does not have yet. `refuses`: doomed ones are not taken.

        Raises nothing: an order that cannot be looked at is taken, and a notice says so.
        """
        try:
            seen = self.look(jobs, INTAKE_SECONDS)
        except FulfilError as error:
            return Passed(list(jobs), notices=Counter({f"taken without a preflight: {error}": len(jobs)}))
        except Exception as error:
            log.error("%s during a preflight", where(error))
            told = f"taken without a preflight: an internal error ({type(error).__name__})"
            return Passed(list(jobs), notices=Counter({told: len(jobs)}))
        found = Passed([])
        for one in seen:
            if refuses and one.verdict.dooms:
                found.rejected.append(_rejection(one.job, one.verdict.dooms[0]))
                continue
            found.jobs.append(one.job)
            found.notices.update({f"{finding.code}: {finding.reason}" for finding in one.verdict.findings})
        return found

    def _ask_for(self, account: str, orders: Sequence[Mapping[str, Any]], until: float) -> None:
        known = self._of(account)
        while asks := _open(known, orders):
            self._recall(known, asks)
            asks = [ask for ask in asks if ask.key not in known.answers]
            if asks and account in self.away:
                known.answers |= {ask.key: NotSent(self.away[account]) for ask in asks}
            elif asks:
                self._ask(account, known, asks, until)

    def _recall(self, known: _Known, asks: Sequence[Ask]) -> None:
        for key, (answer, at) in self._kept.known(known.place, asks).items():
            known.answers[key], known.read_at[key] = answer, at

    def _ask(self, account: str, known: _Known, asks: Sequence[Ask], until: float) -> None:
        answers, away = self._asking().ask(account, asks, until)
        now = time.time()
        known.answers |= answers
        known.read_at |= dict.fromkeys(answers, now)
        if away:
            self.away[account] = away
        self._kept.keep(known.place, asks, answers)

    def _foreseen(self, job: Job, order: Mapping[str, Any]) -> Foreseen:
        known = self._of(job.account)
        verdict = known.marketplace.foresee(order, known.answers, job.max_amount)
        keys = [ask.key for ask in known.marketplace.asks(order, known.answers)]
        return Foreseen(job, verdict, min((known.read_at[key] for key in keys if key in known.read_at), default=None))

    def _of(self, account: str) -> _Known:
        found = self._known.get(account)
        if found is None:
            place = self._accounts.taken_for(account)
            if place is None:
                raise ConfigError(f"the account {account} is not complete; see: fulfil doctor")
            found = self._known.setdefault(account, _Known(self._accounts.adapter(account), place))
        return found


def _rejection(job: Job, doom: Finding) -> Rejection:
    return Rejection(job.line, job.order_id, doom.field, f"{doom.code}: {doom.reason}; {doom.fix}")


def _open(known: _Known, orders: Iterable[Mapping[str, Any]]) -> list[Ask]:
    """Return what can be asked about orders and is not answered yet, each question once."""
    asks = (ask for order in orders for ask in known.marketplace.asks(order, known.answers))
    return list({ask.key: ask for ask in asks if ask.key not in known.answers}.values())
