"""Named places in the code where a fault campaign may kill the process; without a campaign they do nothing.

`FULFIL_TEST_CRASH` is JSON, a probability for each name; `FULFIL_TEST_CRASH_LOG` a file that gets a line a hit.
"""

from __future__ import annotations

import json
import os
import random
import signal
from enum import StrEnum
from functools import cache


class CrashPoint(StrEnum):
    """Where a death is most dangerous."""

    SUBMITTED = "submitted"
    """Taken into the ledger, not yet rung for."""
    CLAIMED = "claimed"
    """Claim and attempt are committed, nothing is sent."""
    SENDING = "sending"
    """A moment before the first byte."""
    ANSWERED = "answered"
    """The marketplace has executed it, its answer is not read."""
    UNRECORDED = "unrecorded"
    """The answer is read, not recorded."""
    RECORDED = "recorded"
    """The answer is recorded, the message not acknowledged."""
    SWEEPING = "sweeping"
    """Leases are taken back, nothing is rung for."""
    RECONCILING = "reconciling"
    """Unknown orders are held, not settled."""
    RETRYING = "retrying"
    """A person's retry is committed, not rung for."""


@cache
def _chances() -> dict[str, float]:
    chances: dict[str, float] = json.loads(os.environ.get("FULFIL_TEST_CRASH", "{}"))
    return chances


def reached(point: CrashPoint) -> None:
    """Die here by SIGKILL, if the campaign's dice say so."""
    if (chances := _chances()) and random.random() < chances.get(point, 0.0):
        log = os.open(os.environ["FULFIL_TEST_CRASH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(log, f"{point}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
