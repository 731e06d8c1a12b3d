"""Whether anything is wrong: from what was seen of every part to a list of troubles, each with a command that mends it.

The command line, HTTP and a board say the same. Nothing is asked here: a `Snapshot` holds what was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from worker.rules.codes import Code
from worker.rules.snapshot import OWN_PAUSES, Snapshot, is_declined
from worker.rules.states import FINAL
from worker.rules.views import utc

SILENT_SECONDS = 60.0
"""A part that leaves a sign every few seconds and left none for so long does not work."""
ACT_STILL_SECONDS = 120.0
"""An act nobody worked on for so long stands still: the sweep gives it to a worker within some seconds."""
LEAST_FREE_BYTES = 256 * 1024**2
LITTLE_FREE_BYTES = 2 * 1024**3
LITTLE_FREE_SHARE = 0.05
"""A disk is nearly full below the least bytes, or where both less than this share and little is free."""


class Severity(StrEnum):
    """Who or what a trouble waits for."""

    PERSON = "person"
    """Somebody has to do something."""
    AWAY = "away"
    """A part, or a marketplace, is away: orders stand still until it is back."""


class TroubleKind(StrEnum):
    """What can be wrong."""

    REDIS_AWAY = "redis-away"
    """Redis does not answer, so that nothing is rung for."""
    LEDGER_MOVED = "ledger-moved"
    """The file of the ledger that the workers hold was moved away or replaced."""
    SWEEP_SILENT = "sweep-silent"
    """No sweep ran for long: what stands still is not rung for again."""
    NO_WORKER = "no-worker"
    """Orders wait in a queue from which no worker takes."""
    HOOKS_SILENT = "hooks-silent"
    """Push messages are due, and nobody receives them."""
    UNREACHABLE = "unreachable"
    """The last calls of an account did not arrive at its marketplace."""
    HELD = "held"
    """An account is paused."""
    DECLINED = "declined"
    """The marketplace does not accept an account: its token, its clock, or its set-up."""
    NO_ACCOUNT = "no-account"
    """Orders wait for an account that is not configured."""
    NEEDS_PERSON = "needs-person"
    """A person's next step is due for orders."""
    OVERDUE = "overdue"
    """Orders are due for long, and nothing says why they wait."""
    ORPHANS = "orphans"
    """Push messages told of orders of the marketplace that fit none of ours."""
    ACT_STILL = "act-still"
    """An act for many orders was begun, and nobody works on it."""
    TOKENS = "tokens"
    """An account's tokens end, or cannot be renewed."""
    DISK = "disk"
    """A disk is nearly full."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong: a true sentence, and the command that mends it or says more."""

    kind: TroubleKind
    severity: Severity
    sentence: str
    command: str

    def as_json(self) -> dict[str, Any]:
        """Return the form of `fulfil status --json`."""
        return asdict(self)


def troubles(seen: Snapshot) -> list[Trouble]:
    """Return everything that is wrong, what is away first."""
    found = [one for rule in _RULES for one in rule(seen)]
    return sorted(found, key=lambda one: one.severity is not Severity.AWAY)


def exit_code(found: Sequence[Trouble]) -> int:
    """Return 0 for all well, 1 where a person is needed, 3 where something is away."""
    severities = {one.severity for one in found}
    return 3 if Severity.AWAY in severities else 1 if Severity.PERSON in severities else 0


def verdict(seen: Snapshot, found: Sequence[Trouble]) -> str:
    """Return in one line whether anything is wrong."""
    of_batch = f"batch {seen.batch}: " if seen.batch else ""
    if not found:
        going = f"{_orders(seen.moving)} on the way" if seen.moving else "no order is on the way"
        return f"{of_batch}all well: {going}, nothing needs a person"
    away = [_SHORT[one.kind] for one in found if one.severity is Severity.AWAY]
    person = [_SHORT[one.kind] for one in found if one.severity is Severity.PERSON]
    told = []
    if away:
        told.append(f"something is away ({', '.join(dict.fromkeys(away))})")
    if person:
        told.append(f"a person is needed ({', '.join(dict.fromkeys(person))})")
    return f"{of_batch}{'; '.join(told)}"


_SHORT = {
    TroubleKind.REDIS_AWAY: "Redis",
    TroubleKind.LEDGER_MOVED: "the ledger's file",
    TroubleKind.SWEEP_SILENT: "the sweep",
    TroubleKind.NO_WORKER: "workers",
    TroubleKind.HOOKS_SILENT: "the push receiver",
    TroubleKind.UNREACHABLE: "a marketplace",
    TroubleKind.HELD: "a held account",
    TroubleKind.DECLINED: "an account the marketplace does not accept",
    TroubleKind.NO_ACCOUNT: "an account that is not configured",
    TroubleKind.NEEDS_PERSON: "orders",
    TroubleKind.OVERDUE: "overdue orders",
    TroubleKind.ORPHANS: "orphans",
    TroubleKind.ACT_STILL: "an act that stands still",
    TroubleKind.TOKENS: "an account's tokens",
    TroubleKind.DISK: "the disk",
}


def _redis(seen: Snapshot) -> Iterator[Trouble]:
    if seen.redis is not None:
        waits = f"; {_wait(seen.moving)}" if seen.moving else ""
        mend = "fulfil up" if seen.redis_is_ours else "fulfil doctor"
        yield Trouble(TroubleKind.REDIS_AWAY, Severity.AWAY, f"{seen.redis}{waits}", mend)


def _ledger(seen: Snapshot) -> Iterator[Trouble]:
    if holds_another_file(seen.ledger_moved_age, seen.sweep_age):
        said = (
            "the workers' ledger file was moved away or replaced, and they do no work; put it back,"
            " or end everything and start it again with the file that is here now"
        )
        yield Trouble(TroubleKind.LEDGER_MOVED, Severity.AWAY, said, "fulfil up")


def holds_another_file(moved_age: float | None, sweep_age: float | None) -> bool:
    """Tell whether workers found another ledger file than theirs, and no sweep went through since. Ages in seconds."""
    return moved_age is not None and moved_age < SILENT_SECONDS and (sweep_age is None or sweep_age > moved_age)


def _sweep(seen: Snapshot) -> Iterator[Trouble]:
    if seen.redis is not None:
        return  # nobody can tell
    if seen.sweep_age is None:
        waits = seen.waiting_since is not None and seen.now - seen.waiting_since > SILENT_SECONDS
        said = "no sweep ever ran though orders wait: beat, or the worker of the queue admin, does not run"
    else:
        waits = seen.sweep_age > SILENT_SECONDS
        said = f"no sweep ran since {utc(seen.now - seen.sweep_age)}: beat, or the worker of the queue admin, is away"
    if waits and (seen.batch is None or seen.moving):
        yield Trouble(TroubleKind.SWEEP_SILENT, Severity.AWAY, said, "fulfil up")


def _workers(seen: Snapshot) -> Iterator[Trouble]:
    for queue, number in sorted(seen.deaf.items()):
        said = f"no worker takes from the queue {queue}, in which {_wait(number)}"
        yield Trouble(TroubleKind.NO_WORKER, Severity.AWAY, said, "fulfil up")


def _hooks(seen: Snapshot) -> Iterator[Trouble]:
    if not seen.hooks_expected or seen.redis is not None:
        return
    if seen.hooks_age is None or seen.hooks_age > SILENT_SECONDS:
        last = "there is no sign that it ever ran" if seen.hooks_age is None else f"last seen {_ago(seen.hooks_age)}"
        said = f"the push receiver does not run ({last}), though messages are due for {', '.join(seen.hooks_expected)}"
        yield Trouble(TroubleKind.HOOKS_SILENT, Severity.AWAY, said, "fulfil hooks")


def _unreached(seen: Snapshot) -> Iterator[Trouble]:
    told = {held.pause.account for held in seen.held if held.pause.code == Code.BREAKER_OPEN}
    for one in seen.unreached:
        if one.account in told:
            continue
        said = (
            f"the marketplace of the account {one.account} was not reached, last at {utc(one.since)} ({one.cause});"
            f" {_wait(one.waiting)}"
        )
        yield Trouble(TroubleKind.UNREACHABLE, Severity.AWAY, said, "fulfil doctor")


def _held(seen: Snapshot) -> Iterator[Trouble]:
    for held in seen.held:
        pause, account = held.pause, held.pause.account
        if pause.code == Code.TOKEN_RENEWAL:
            continue  # it takes seconds; one that fails is told with the tokens
        ends_at = pause.until if pause.until is not None and pause.until > seen.now else None
        if is_declined(pause):
            again = f", tried again at {utc(ends_at)}" if ends_at else ""
            said = f"the account {account} is not accepted: {pause.reason}{again}; {_wait(held.waiting)}; {pause.fix}"
            yield Trouble(TroubleKind.DECLINED, Severity.PERSON, said, "fulfil doctor")
            continue
        until = f"until {utc(ends_at)}" if ends_at else "until a person resumes it"
        fix = f"; {pause.fix}" if pause.fix and pause.code not in OWN_PAUSES else ""
        said = f"the account {account} is paused {until}: {pause.reason}; {_wait(held.waiting)}{fix}"
        if ends_at and pause.code != Code.DAY_LIMIT:
            yield Trouble(TroubleKind.HELD, Severity.AWAY, f"{said}; it ends by itself", "fulfil doctor")
        else:
            ended = pause.code == Code.TOKEN_ENDED
            command = f"fulfil accounts login {account}" if ended else f"fulfil resume {account}"
            yield Trouble(TroubleKind.HELD, Severity.PERSON, said, command)


def _no_account(seen: Snapshot) -> Iterator[Trouble]:
    for account, number in sorted(seen.not_configured.items()):
        said = f"the account {account} is not configured here, and {_wait(number)}"
        yield Trouble(TroubleKind.NO_ACCOUNT, Severity.PERSON, said, f"fulfil list --account {account}")


def _orders_of_a_person(seen: Snapshot) -> Iterator[Trouble]:
    of_batch = f" --batch {seen.batch}" if seen.batch else ""
    if seen.needs_person:
        said = f"{seen.needs_person} need a person" if seen.needs_person > 1 else "1 order needs a person"
        said = said.replace("need a", "orders need a")
        yield Trouble(TroubleKind.NEEDS_PERSON, Severity.PERSON, said, f"fulfil failures{of_batch}")
    if seen.overdue:
        are = "1 order is" if seen.overdue == 1 else f"{seen.overdue} orders are"
        said = f"{are} overdue for no stated reason"
        yield Trouble(TroubleKind.OVERDUE, Severity.PERSON, said, f"fulfil list --attention{of_batch}")


def _orphans(seen: Snapshot) -> Iterator[Trouble]:
    if seen.orphans:
        one = seen.orphans == 1
        said = f"{seen.orphans} order{'' if one else 's'} of the marketplace fit{'s' if one else ''} none of yours"
        yield Trouble(TroubleKind.ORPHANS, Severity.PERSON, said, "fulfil orphans")


def _acts(seen: Snapshot) -> Iterator[Trouble]:
    for act in seen.acts:
        if seen.now - act.since > ACT_STILL_SECONDS:
            said = f"the act {act.act_id} stands still since {utc(act.since)} with {_orders(act.left)} to go"
            yield Trouble(TroubleKind.ACT_STILL, Severity.PERSON, said, f"fulfil act {act.act_id} --yes")


def _tokens(seen: Snapshot) -> Iterator[Trouble]:
    told = {held.pause.account for held in seen.held if held.pause.code == Code.TOKEN_ENDED}
    for one in seen.tokens:
        if one.account not in told:
            said = f"the account {one.account}: {one.reason}; a person grants anew"
            yield Trouble(TroubleKind.TOKENS, Severity.PERSON, said, f"fulfil accounts login {one.account}")


def _disk(seen: Snapshot) -> Iterator[Trouble]:
    for disk in seen.disks:
        little = disk.free < LITTLE_FREE_BYTES and disk.free < LITTLE_FREE_SHARE * disk.total
        if disk.free < LEAST_FREE_BYTES or little:
            said = f"the disk of {disk.folder} is nearly full: {_size(disk.free)} of {_size(disk.total)} are free"
            yield Trouble(TroubleKind.DISK, Severity.PERSON, said, f"du -sh {disk.folder}/*")


_RULES: tuple[Callable[[Snapshot], Iterator[Trouble]], ...] = (
    *(_redis, _ledger, _workers, _sweep, _unreached, _hooks, _held, _no_account),
    *(_orders_of_a_person, _orphans, _acts, _tokens, _disk),
)


def _orders(number: int) -> str:
    return "1 order" if number == 1 else f"{number} orders"


def _wait(number: int) -> str:
    return "no order waits" if not number else "1 order waits" if number == 1 else f"{number} orders wait"


def _ago(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{round(seconds)} s ago"
        if seconds < 120
        else f"{minutes} min ago"
        if minutes < 120
        else f"{minutes // 60} h ago"
    )


def _size(size: int) -> str:
    return f"{size / 1024**3:.1f} GB" if size >= 1024**3 else f"{size // 1024**2} MB"


def pace(seen: Snapshot, states: Mapping[str, int], before: tuple[Snapshot, Mapping[str, int]] | None) -> str:
    """Return in a line how fast orders come to an end, when the last will have, and how old the oldest is.

    `states`: how many orders stand in each state; `before`: an earlier look, from which the rate is told.
    """
    told = []
    if before is not None and seen.now > before[0].now:
        rate = (_ended(states) - _ended(before[1])) / (seen.now - before[0].now)
        told.append(f"{max(rate, 0.0):.1f} orders a second")
        if rate > 0 and seen.moving:
            told.append(f"the last ends at about {utc(round(seen.now + seen.moving / rate))}")
    if seen.oldest is not None:
        told.append(f"the oldest of {_orders(seen.moving)} on the way was submitted {_ago(seen.now - seen.oldest)}")
    return "; ".join(told) or "no order is on the way"


def _ended(states: Mapping[str, int]) -> int:
    return sum(number for state, number in states.items() if state in FINAL)
