"""Who did what by hand: manual acts on orders and accounts, and submissions, with host, door and note."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from worker.rules.plain import plain
from worker.rules.views import OfRow, utc

SUBMIT = "submit"
"""What a submission is called among the acts."""


class Door(StrEnum):
    """Where a command came from."""

    CLI = "cli"
    """The command line."""
    PYTHON = "python"
    """A program that calls this one."""
    MESSAGE = "message"
    """A Celery message of a program."""
    FLOWER = "flower"
    """A Celery message that names nobody: Flower's interface sends such, without its user."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who gave a command: name, host and door."""

    name: str
    host: str
    door: Door


def who_of(actor: str, here: str) -> Who:
    """Take the name of an actor apart, as events have it: `cli:anna`, `task:flower`, `task:flower@host`.

    `here`: the host of this process; it counts where the actor names no other.
    """
    door, _, name = actor.partition(":")
    if door == "task":
        name, _, host = name.partition("@")
        return Who(name or "unknown", host or here, Door.FLOWER if name == Door.FLOWER else Door.MESSAGE)
    if door == Door.CLI:
        return Who(name or "unknown", here, Door.CLI)
    return Who((name if door == Door.PYTHON else actor) or "unknown", here, Door.PYTHON)


@dataclass(frozen=True, slots=True)
class AuditView(OfRow):
    """One manual act."""

    at: float
    what: str
    actor: str
    """The person's or program's name, as far as the door tells it."""
    host: str
    """Where the command was given; for a message, the host that sent it, as far as the message tells it."""
    door: str
    account: str | None
    order_id: str | None
    batch_id: str | None
    act_id: str | None
    note: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil audit --json`."""
        return asdict(self) | {"at": utc(self.at)}


def audit_line(entry: AuditView) -> str:
    """Return one manual act in a line: when, what, to what, who, where, from where, and the note."""
    act = f"the orders of {entry.act_id}" if entry.act_id else None
    target = next(filter(None, (entry.order_id, act, entry.batch_id, entry.account)), "")
    of = f" of {entry.account}" if entry.order_id and entry.account else ""
    note = f": {entry.note}" if entry.note else ""
    told = f"{utc(entry.at)} {entry.what} {target}{of} by {entry.actor} on {entry.host} ({entry.door}){note}"
    return plain(told)
