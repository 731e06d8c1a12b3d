"""What was seen of every part at one time: the facts from which `rules.health` tells what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from worker.rules.codes import Code
from worker.rules.tokens import TokenTrouble
from worker.rules.troubles import PauseView

OWN_PAUSES = frozenset({Code.PAUSED, Code.DAY_LIMIT, Code.BREAKER_OPEN})
"""Pauses that are our own, or a person's: their fix is the command alone."""


@dataclass(frozen=True, slots=True)
class Held:
    """An account whose pause stands, or is over while orders still wait for its reason. `waiting`: its orders."""

    pause: PauseView
    waiting: int


@dataclass(frozen=True, slots=True)
class Unreached:
    """An account whose last sends or reads did not arrive. `since`: unix seconds of the last; `waiting`: orders."""

    account: str
    waiting: int
    since: float
    cause: str


@dataclass(frozen=True, slots=True)
class Still:
    """An act that was begun and is not done. `since`: when somebody last worked on it."""

    act_id: str
    left: int
    since: float


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system of a folder; bytes."""

    folder: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen at one time, of all orders or of one batch. Ages are in seconds; None: there never was a sign.

    `moving`: orders that go on by themselves. `waiting_since`: when the first of those that are due became due.
    `redis`: None where it answers, else what is said of it.
    """

    now: float
    batch: str | None = None
    moving: int = 0
    waiting_since: float | None = None
    oldest: float | None = None
    """When the first of those that move was submitted."""
    redis: str | None = None
    redis_is_ours: bool = False
    """It is the embedded server, which `fulfil up` starts."""
    ledger_moved_age: float | None = None
    sweep_age: float | None = None
    deaf: dict[str, int] = field(default_factory=dict)
    """Queues nobody takes from, with the orders that wait in each."""
    hooks_expected: tuple[str, ...] = ()
    """Accounts whose push messages are waited for."""
    hooks_age: float | None = None
    unreached: tuple[Unreached, ...] = ()
    held: tuple[Held, ...] = ()
    not_configured: dict[str, int] = field(default_factory=dict)
    """Accounts nobody configured, with their waiting orders."""
    needs_person: int = 0
    overdue: int = 0
    orphans: int = 0
    acts: tuple[Still, ...] = ()
    tokens: tuple[TokenTrouble, ...] = ()
    disks: tuple[Disk, ...] = ()


def is_declined(pause: PauseView) -> bool:
    """Tell whether a pause is there because the marketplace did not accept the account: token, clock, or set-up.

    Such a pause is for a time and names what a person corrects; one for too many calls names nothing.
    """
    return pause.until is not None and pause.fix is not None and pause.code not in OWN_PAUSES
