"""Named places in the code where a fault campaign may kill or stop the process; without a campaign they do nothing.

`FULFIL_TEST_CRASH` is JSON, a probability for each name; `FULFIL_TEST_CRASH_LOG` a file that gets a line a hit.
`FULFIL_TEST_FREEZE` is a folder: a file in it with a point's name stops the first process that reaches the point over
something that ends as the file says.
"""

from __future__ import annotations

import json
import os
import random
import signal
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path


class CrashPoint(StrEnum):
    """Where a death is most dangerous."""

    SUBMITTED = "submitted"
    """Taken into the ledger, not yet rung for."""
    CLAIMED = "claimed"
    """Claim and attempt are committed, nothing is sent."""
    SENDING = "sending"
    """After the last look at the clock, before the first byte."""
    ANSWERED = "answered"
    """The marketplace has executed it, its answer is not read."""
    UNRECORDED = "unrecorded"
    """The answer is read, not recorded."""
    RECORDED = "recorded"
    """The answer is recorded, the message not acknowledged."""
    SWEEPING = "sweeping"
    """Leases are taken back, nothing is rung for."""
    RECONCILING = "reconciling"
    """Unknown orders are claimed, not settled."""
    RENEWED = "renewed"
    """The marketplace gave a new pair of tokens, which is not stored."""
    RETRYING = "retrying"
    """A person's retry is committed, not rung for."""


@dataclass(slots=True)
class Plan:
    """What a campaign wants of this process."""

    chances: dict[str, float]
    """How probable a death is at each point."""
    freezer: str | None
    """The folder with the orders to stand still."""


@cache
def plan() -> Plan:
    """Return what the environment said when it was first asked."""
    return Plan(json.loads(os.environ.get("FULFIL_TEST_CRASH", "{}")), os.environ.get("FULFIL_TEST_FREEZE"))


def reached(point: CrashPoint, over: object = "") -> None:
    """Die here by SIGKILL, or stand still until somebody sends SIGCONT, if the campaign says so."""
    wanted = plan()
    if wanted.freezer is not None:
        _stop(Path(wanted.freezer) / point, over)
    if wanted.chances and random.random() < wanted.chances.get(point, 0.0):
        log = os.open(os.environ["FULFIL_TEST_CRASH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(log, f"{point}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def _stop(order: Path, over: object) -> None:
    """Stop this process if it is the first that the order to stop is for; the order's name then tells which it was."""
    try:
        if not str(over).endswith(order.read_text()):
            return
        order.rename(order.with_name(f"{order.name}.{os.getpid()}"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGSTOP)
