"""Reaching: asks an account's marketplace for an order that cannot exist, to see whether it answers and accepts us."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from worker.accounts import Accounts
from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import Lost, NotRead, Reply, Request, Webhook
from worker.rules.outcomes import Declined, ReadOutcome, Unknown
from worker.sending.reads import Reads
from worker.sending.turns import Slots, Turns

T = TypeVar("T")
NO_ORDER = "1"
"""An id no marketplace gives to an order of ours; to read it changes nothing, whatever the answer."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The step that makes one read of an account, at its rate. What is answered is written nowhere."""

    accounts: Accounts
    turns: Turns
    reads: Reads

    def ask(self, account: str) -> ReadOutcome | None:
        """Return the outcome of the read; None where the account's calls of the next moments are all booked.

        Raises UnknownAccount, ConfigError, RedisAway.
        """
        marketplace = self.accounts.adapter(account)
        return self._one(marketplace, marketplace.confirm((NO_ORDER,)))

    def webhooks(self, account: str) -> tuple[Webhook, ...] | NotRead | None:
        """Return where an account's marketplace sends its messages; None as of `ask`, and raises as it does."""
        marketplace = self.accounts.adapter(account)
        return self._one(marketplace, marketplace.webhooks())

    def _one(
        self, marketplace: Marketplace, steps: Generator[Request, Reply | Lost, T]
    ) -> T | Declined | Unknown | None:
        times, _ = self.turns.book(marketplace, "read", 1)
        if not times:
            return None
        slots = Slots(marketplace, "read", {NO_ORDER: times[0]})
        (outcome,) = self.reads.of_account(slots, [(NO_ORDER, steps)])
        return outcome
