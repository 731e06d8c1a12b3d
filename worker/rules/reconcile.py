"""How an unknown order is settled: found, proven never to have left, sent again under a safe key, or left to a person.

Where no key protects, an order that is not found may still be on its way: the marketplace may commit it late, its list
may lag, a frozen worker may send it after its last look-up, and a wrong clock looks at the wrong hours. So absence
proves nothing. The order waits for a person, while looking goes on, ever more slowly.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from worker.rules.codes import CODES, FIND_AND_ADOPT, Code
from worker.rules.confirm import read_again_seconds
from worker.rules.decision import CONFIRM_FLOOR_SECONDS, Decision, Policy, Standing, backoff, declined
from worker.rules.outcomes import Absent, Declined, Found, NotSent, ReadOutcome, Unknown
from worker.rules.place import window_closed
from worker.rules.states import Event

ABSENCES_BEFORE_ATTENTION = 3
ABSENT_SECONDS = 60.0
"""A person is told when an order was not found this often over this long; most late answers have come by then."""
LOOK_UPS_BEFORE_ATTENTION = 6
"""Look-ups in a row that failed before a person is told; looking goes on."""
LONGEST_LOOK_UP_SECONDS = 3600.0
"""Longest wait between two look-ups of an order that was not found."""
LOOK_UPS_END_SECONDS = 7 * 86400.0
"""An order that was not found for this long is not looked up any more by itself."""
OPTED_IN_LOOK_UP_SECONDS = 600.0
"""The same wait where the account makes an order anew after absence: the whole time must be looked at."""
CLOCKS_AGREE_SECONDS = 60.0
"""How far the marketplace's `Date` and our clock may be apart for an absence to count towards making anew."""


@dataclass(frozen=True, slots=True)
class Ability:
    """What a marketplace lets us do about an unknown order, and what the account asked for; durations in seconds.

    `recreate_after_seconds`: the account makes an order anew that was absent for so long; None: never by itself.
    """

    can_look_up: bool
    resend_window_seconds: float | None
    recreate_after_seconds: float | None = None


class Doubtful(Standing, Protocol):
    """What settling an unknown order looks at."""

    @property
    def references(self) -> tuple[str, ...]:
        """Ids known of it."""

    @property
    def first_sent_at(self) -> float:
        """Unix seconds of its first send."""

    @property
    def absences(self) -> int:
        """Look-ups in a row that did not find it."""

    @property
    def absent_since(self) -> float | None:
        """Unix seconds of the first of those."""

    @property
    def absence_told_at(self) -> float | None:
        """When a person said that it does not exist at the marketplace."""

    @property
    def senders_gone(self) -> bool:
        """Whether every process that sent it surely sends nothing more of it."""


def decide_unknown(order: Doubtful, ability: Ability, seen: ReadOutcome | None, policy: Policy, now: float) -> Decision:
    """Return how an unknown order goes on. `seen`: what a look-up told, where there is one; `now`: unix seconds."""
    if order.references or isinstance(seen, Found):
        return _found(seen)
    if ability.can_look_up and seen is not None:
        return _looked_up(order, ability, seen, policy, now)
    window = ability.resend_window_seconds
    if window is None:
        return Decision(
            Event.PARK,
            attention=True,
            code=Code.CANNOT_TELL,
            reason=CODES[Code.CANNOT_TELL].meaning,
            fix=CODES[Code.CANNOT_TELL].fix,
        )
    if now >= order.first_sent_at + window:
        return window_closed()
    return Decision(Event.RETRY, 0.0, reason="sent again with the same key, which the marketplace accepts once")


def _found(seen: ReadOutcome | None) -> Decision:
    several = isinstance(seen, Found) and len(seen.records) > 1
    return Decision(
        Event.ACCEPT,
        CONFIRM_FLOOR_SECONDS,
        attention=several,
        code=Code.SEVERAL_FOUND if several else None,
        reason="several orders carry this order's key" if several else "it was found at the marketplace",
    )


def _looked_up(
    order: Doubtful, ability: Ability, seen: Absent | Declined | NotSent | Unknown, policy: Policy, now: float
) -> Decision:
    if isinstance(seen, Declined):
        return declined(seen, order, policy)
    if isinstance(seen, NotSent | Unknown):
        return Decision(
            Event.SNOOZE,
            backoff(order.snoozes + 1, policy),
            attention=order.snoozes >= LOOK_UPS_BEFORE_ATTENTION,
            code=Code.LOOK_UP_FAILED,
            reason=seen.cause,
            fix=CODES[Code.LOOK_UP_FAILED].fix,
        )
    if order.absence_told_at is not None:
        reason = "looked up once more and not found; made anew because a person said that it does not exist"
        return Decision(Event.RETRY, 0.0, reason=reason)
    if may_be_made_anew(order, ability, seen, now):
        reason = f"{_absences(order, now)}; made anew because the account's RECREATE_AFTER_SECONDS says so"
        return Decision(Event.RETRY, 0.0, reason=reason)
    return _absent(order, ability, seen, now)


def counts_as_absence(seen: ReadOutcome | None, ability: Ability) -> bool:
    """Tell whether a look-up adds to the absences in a row. One under clocks that disagree begins them anew."""
    if not isinstance(seen, Absent):
        return False
    return ability.recreate_after_seconds is None or _clocks_agree(seen)


def may_be_made_anew(order: Doubtful, ability: Ability, seen: Absent, now: float) -> bool:
    """Tell whether the account asked for making orders anew after absence, and all it asked for is there.

    Looked up over the whole time without a gap, under clocks that agree, and nobody can still send it.
    """
    asked, since = ability.recreate_after_seconds, order.absent_since
    if asked is None or since is None or not order.senders_gone or not _clocks_agree(seen):
        return False
    return now - since >= asked and order.absences + 1 >= asked / (2 * OPTED_IN_LOOK_UP_SECONDS)


def _clocks_agree(seen: Absent) -> bool:
    offset = seen.clock_offset_seconds
    return offset is not None and abs(offset) <= CLOCKS_AGREE_SECONDS


def _absent(order: Doubtful, ability: Ability, seen: Absent, now: float) -> Decision:
    since = order.absent_since or now
    passed = now - since
    if order.absences + 1 < ABSENCES_BEFORE_ATTENTION or passed < ABSENT_SECONDS:
        return Decision(Event.SNOOZE, ABSENT_SECONDS / 2, code=Code.NOT_FOUND_YET, reason=seen.cause)
    longest = LONGEST_LOOK_UP_SECONDS if ability.recreate_after_seconds is None else OPTED_IN_LOOK_UP_SECONDS
    ended = passed >= LOOK_UPS_END_SECONDS
    return Decision(
        Event.PARK if ended else Event.SNOOZE,
        None if ended else min(longest, max(ABSENT_SECONDS, passed / 2)),
        attention=True,
        code=Code.NOT_FOUND,
        reason=f"{_absences(order, now)}: it may still be on its way, so it is not sent again",
        fix=CODES[Code.NOT_FOUND].fix,
    )


def _absences(order: Doubtful, now: float) -> str:
    first, last = (time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)) for at in (order.absent_since or now, now))
    return f"looked up {order.absences + 1} times from {first} to {last} UTC and not found"


def foreign_look_up(reference: str, owner: str, order: Standing) -> Decision:
    """Return what follows when a look-up found nothing but an id that belongs to another order of ours."""
    return Decision(
        Event.SNOOZE,
        read_again_seconds(order),
        attention=True,
        code=Code.FOREIGN_ID,
        reason=f"the look-up found the id {reference}, which belongs to {owner}",
        fix=f"{FIND_AND_ADOPT}; looking goes on by itself",
    )
