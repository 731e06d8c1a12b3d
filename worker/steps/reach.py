"""Reaching: asks an account's marketplace for an order that cannot exist, to see whether it answers and accepts us."""

from __future__ import annotations

from dataclasses import dataclass

from worker.accounts import Accounts
from worker.marketplaces.calls import NotRead, Webhook
from worker.rules.outcomes import ReadOutcome
from worker.sending.reads import Reads
from worker.sending.turns import Slots, Turns

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
        times, _ = self.turns.book(marketplace, "read", 1)
        if not times:
            return None
        slots = Slots(marketplace, "read", {NO_ORDER: times[0]})
        outcome: ReadOutcome
        (outcome,) = self.reads.of_account(slots, [(NO_ORDER, marketplace.confirm((NO_ORDER,)))])
        return outcome

    def webhooks(self, account: str) -> tuple[Webhook, ...] | NotRead | None:
        """Return where an account's marketplace sends its messages; None as of `ask`, and raises as it does."""
        marketplace = self.accounts.adapter(account)
        times, _ = self.turns.book(marketplace, "read", 1)
        if not times:
            return None
        slots = Slots(marketplace, "read", {NO_ORDER: times[0]})
        (found,) = self.reads.of_account(slots, [(NO_ORDER, marketplace.webhooks())])
        return found
