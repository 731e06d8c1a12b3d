"""Our own failures, each a sentence a person can act on.

FulfilError
├── ConfigError          a setting is missing or wrong
│   ├── NoLedger         there is no ledger where the settings say it is
│   └── UnknownAccount   a job or a command names an account that is not configured
├── InputError           what was submitted cannot be read at all (file, encoding, argument)
│   └── UnusableId       what was given as an id cannot be one
├── UnknownOrder         a command names an order the ledger does not have
├── NotAllowed           the order's state, or the safe window, forbids what was asked
├── LedgerRefused        the ledger's database refused a statement
└── Unavailable          something we need is away
    ├── RedisAway
    ├── LedgerAway
    │   └── LedgerMoved  the ledger's file was moved away or replaced under a running program
    └── MarketplaceAway
"""

from __future__ import annotations

import traceback
from pathlib import Path


class FulfilError(Exception):
    """A failure with one clear sentence; the CLI prints it and exits with `exit_code`."""

    exit_code = 2


class ConfigError(FulfilError):
    """A setting is missing or wrong."""


class UnknownAccount(ConfigError):
    """An account that is not configured."""


class NoLedger(ConfigError):
    """There is no ledger where the settings say it is; a command that only reads makes none."""


class InputError(FulfilError):
    """What was submitted cannot be read at all."""


class UnusableId(InputError):
    """What was given as an id (`field`: order_id or reference) cannot be one, for a reason that does not repeat it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.reason = reason


class UnknownOrder(FulfilError):
    """The ledger has no such order."""


class NotAllowed(FulfilError):
    """The order's state, or its safe window, forbids what was asked."""

    exit_code = 1


class LedgerRefused(FulfilError):
    """The ledger's database answers and refuses a statement: a defect of ours, a trigger, another schema.

    It tells the type, the code and the place, never a value: the database's own text may hold a whole order.
    """

    exit_code = 1


class Unavailable(FulfilError):
    """Something we need is away."""

    exit_code = 3


class RedisAway(Unavailable):
    """Redis does not answer."""


class LedgerAway(Unavailable):
    """The ledger's database does not answer, or cannot be written now."""


class LedgerMoved(LedgerAway):
    """The ledger's file was moved away or replaced while a program had it open: nothing more is read or written."""


class MarketplaceAway(Unavailable):
    """A marketplace that a person's command has to ask does not answer, or takes no call now."""


def where(error: BaseException) -> str:
    """Return an error's type and place; never its text, which may hold an order's content."""
    steps = traceback.extract_tb(error.__traceback__)
    return (
        f"{type(error).__name__} at {Path(steps[-1].filename).name}:{steps[-1].lineno}" if steps else repr(type(error))
    )
