"""The checkers of the second life: each compares what the ledger tells of an order with what its marketplace has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.faults.campaign.facts import CLOCK_SECONDS, Facts
from tests.faults.campaign.life_facts import Key, LifeFacts, Played

TOLD_WITHIN_SECONDS = 10.0
"""Of the time in which Redis and the ledger are there: the sweep runs every second, a frozen worker holds it up."""
DAY = 86400.0
LOST_ANSWERS_SECONDS = 65.0
"""A deadline counts from an answer that came within a minute; where that was lost, from the first send."""
FIRST_SENDS_SECONDS = 600.0
"""The first send may have come to nothing, so that the order was made later; clocks are wrong by whole hours."""
SHARE_SECONDS = 10.0
MOST_READS = 90
"""Within those seconds: a fifth of the account's 30 a second, and as many again as a Redis that was emptied forgets."""
AFTER_CONFIRM_SECONDS = 0.5

_AWAITING, _CLOSED = "awaiting_payment", "closed"
_PLAIN = {
    "unpaid": _AWAITING, "paying": "paying", "held": "held", "frozen": "held", "paid": "awaiting_shipment",
    "part_shipped": "partly_shipped", "shipped": "shipped", "disputed": "disputed", "delivered": "delivered",
    "cancelled": _CLOSED,
}  # fmt: skip
STAGES: dict[str, dict[str, str]] = {
    "aliexpress": _PLAIN,
    # 1688 has no word for a payment under way, a held order, a part shipment and a dispute.
    "xportcn": _PLAIN | {
        "paying": _AWAITING, "held": "awaiting_shipment", "frozen": "awaiting_shipment",
        "part_shipped": "awaiting_shipment", "disputed": "shipped",
    },
    # A payment that is authorised is not captured.
    "shoplazza": _PLAIN | {"held": "paying", "frozen": "paying"},
}  # fmt: skip
"""By marketplace: the stage that the words of each phase mean."""
_PAID_PHASES = frozenset({"paid", "part_shipped", "shipped", "delivered"})
_BEGINNINGS = (_AWAITING, "unclear")
"""How a life begins is no move."""
_STAGE_EVENTS = frozenset({*_PLAIN.values(), "unpaid_again"} - {_AWAITING})
_NO_STAGE = frozenset({"paid", "deadline", "alarm", "alarm_ended"})


def deadlines(facts: Facts) -> Iterator[str]:
    """A payment deadline that came near, or passed, and nobody was told in time."""
    life = facts.life
    for key, row in life.rows.items():
        played, history = life.of(key), life.events.get(key, ())
        learned = next((event.at for event in history if event.event == "deadline"), None)
        if row.deadline_at is None or played is None or learned is None:
            continue
        late = None if played.deadline_at is None else row.deadline_at - played.deadline_at
        if late is None or not -FIRST_SENDS_SECONDS < late <= LOST_ANSWERS_SECONDS:
            if not facts.wrong_clocks:
                yield f"{key[0]} {key[1]}: its deadline is told as {row.deadline_at}, it is {played.deadline_at}"
            continue
        yield from _ahead(life, key, row, learned)
        yield from _at_its_end(life, key, row, learned)


def _ahead(life: LifeFacts, key: Key, row: Any, learned: float) -> Iterator[str]:
    length = row.deadline_at - row.accepted_at
    due = max(row.deadline_at - (length / 5 if length <= DAY else max(length / 5, DAY)), learned)
    until = min(row.deadline_at, life.at, _left(life, key, learned))
    told = _alarm(life, key, "UNPAID_SOON")
    if life.up(due, until) >= TOLD_WITHIN_SECONDS and (told is None or told > until + CLOCK_SECONDS):
        yield f"{key[0]} {key[1]}: its deadline {row.deadline_at:.1f} was not told ahead, due {due:.1f} (told {told})"


def _at_its_end(life: LifeFacts, key: Key, row: Any, learned: float) -> Iterator[str]:
    due = max(row.deadline_at, learned)
    until = min(life.at, _left(life, key, learned))
    told = _alarm(life, key, "UNPAID_LAPSED", "CLOSED_UNPAID", "CLOSED_AFTER_PAYMENT", since=learned)
    if life.up(due, until) < TOLD_WITHIN_SECONDS:
        return
    if told is None or life.up(due, told) > TOLD_WITHIN_SECONDS:
        yield f"{key[0]} {key[1]}: its deadline {row.deadline_at:.1f} passed unannounced (told {told})"


def _left(life: LifeFacts, key: Key, since: float) -> float:
    """Return when an order was first seen to be no longer unpaid, after it was known to be."""
    moved = (event.at for event in life.events[key] if event.at >= since and event.to_stage != _AWAITING)
    return next(moved, float("inf"))


def _alarm(life: LifeFacts, key: Key, *codes: str, since: float = 0.0) -> float | None:
    """Return when a person was first told one of these."""
    return next(
        (
            event.at
            for event in life.events.get(key, ())
            if event.event == "alarm" and event.at >= since and (event.note or "").partition(":")[0] in codes
        ),
        None,
    )


def without_word(facts: Facts) -> Iterator[str]:
    """Paid, shipped, delivered, closed: told before the marketplace said so, or though it never did."""
    life = facts.life
    for key, history in life.events.items():
        played = life.of(key) if key in life.rows else None
        if played is None:
            yield f"{key[0]} {key[1]} is followed, and the marketplace has no such order"
            continue
        names, reached = STAGES[life.rows[key].marketplace], 0
        for event in history:
            if event.event == "paid" and (played.paid_at is None or played.paid_at > event.at + CLOCK_SECONDS):
                yield f"{key[0]} {key[1]} is told to be paid at {event.at:.2f}, it was at {played.paid_at}"
            elif event.event in _STAGE_EVENTS:
                found = _reached(played, names, event, reached)
                reached = reached if found is None else found
                if found is None:
                    yield f"{key[0]} {key[1]} is told to be {event.to_stage} at {event.at:.2f}, which it was not then"
    for key, row in life.rows.items():
        played = life.of(key)
        if played is not None and row.paid and (played.paid_at is None or played.paid_at > life.at):
            yield f"{key[0]} {key[1]} stands as paid, and was not"


def _reached(played: Played, names: dict[str, str], event: Any, since: int) -> int | None:
    """Return which phase a move tells, none before the one that was told last: an older reading is no news."""
    return next(
        (
            place
            for place, (begun, phase) in enumerate(played.phases)
            if place >= since and names[phase] == event.to_stage and begun <= event.at + CLOCK_SECONDS
        ),
        None,
    )


def parcels(facts: Facts) -> Iterator[str]:
    """A parcel's number, or its change, that nobody was told, or that is not the marketplace's."""
    life = facts.life
    for key, row in life.rows.items():
        played = life.of(key)
        if played is None:
            continue
        known = [one for one in life.parcels.get(key, ()) if not one.internal]
        told = {e.number: e for e in life.events.get(key, ()) if e.event in ("parcel_added", "parcel_replaced")}
        had = {number for numbers in played.numbers for _, number in numbers}
        for one in known:
            if one.number not in had:
                yield f"{key[0]} {key[1]} shows parcel {one.number}, which the marketplace never had"
            if one.number not in told:
                yield f"{key[0]} {key[1]} shows parcel {one.number}, and no event tells it"
            took = told.get(one.replaced_by) if one.replaced_by else None
            if one.replaced_by and (took is None or took.event != "parcel_replaced" or took.replaces != one.number):
                yield f"{key[0]} {key[1]}: {one.replaced_by} took the place of {one.number}, and no event tells it"
        standing = {one.number for one in known if one.replaced_by is None}
        now = played.current(life.at)
        # What ended without its goods is not asked for parcels any more.
        if life.refreshed and row.stage != _CLOSED and standing != now:
            yield f"{key[0]} {key[1]} has the parcels {sorted(standing)}, the marketplace shows {sorted(now)}"


def stages(facts: Facts) -> Iterator[str]:
    """A stage without the event that led to it, or one that is not the marketplace's when everything is read anew."""
    life = facts.life
    for order_id, row in facts.orders.items():
        if row.state == "confirmed":
            for reference in facts.results.get(order_id, ()):
                if (order_id, reference) not in life.rows:
                    yield f"{order_id} is confirmed, and its {reference} is not followed"
    for key, row in life.rows.items():
        moves = [event for event in life.events.get(key, ()) if event.event not in _NO_STAGE and not event.number]
        yield from _chain(key, row, moves)
        played = life.of(key)
        if played is None or not life.refreshed:
            continue
        phase = played.phase(life.at)
        if row.stage != STAGES[row.marketplace][phase]:
            yield f"{key[0]} {key[1]} is {row.stage} ({row.status}), at the marketplace it is {phase}"
        if phase in _PAID_PHASES and not row.paid:
            yield f"{key[0]} {key[1]} is paid at the marketplace, the ledger says {row.paid}"


def _chain(key: Key, row: Any, moves: Sequence[Any]) -> Iterator[str]:
    before: str | None = None
    for event in moves:
        if event.from_stage != before and not (before is None and event.from_stage in _BEGINNINGS):
            yield f"{key[0]} {key[1]}: {event.event} leaves {event.from_stage}, where it did not stand: {before}"
        before = event.to_stage
    if row.stage != before and not (before is None and row.stage in _BEGINNINGS):
        yield f"{key[0]} {key[1]} is {row.stage}, its last event says {before}"
    if row.paid and not row.paid_at:
        yield f"{key[0]} {key[1]} is paid, and no time says since when"


def share(facts: Facts) -> Iterator[str]:
    """More reads of confirmed orders within some seconds than their share of the account's rate."""
    reads: dict[str, list[float]] = defaultdict(list)
    for order in facts.oracle:
        done = next((e.at for e in facts.events.get(order["key"], ()) if e.to_state == "confirmed"), None)
        if done is not None:
            reads[order["account"]] += [at for at in order["gets"] if at > done + AFTER_CONFIRM_SECONDS]
    for account, times in reads.items():
        times.sort()
        for last in range(MOST_READS, len(times)):
            if times[last] - times[last - MOST_READS] < SHARE_SECONDS:
                yield f"{account}: {MOST_READS + 1} reads of confirmed orders from {times[last - MOST_READS]:.2f} on"
                break


LIFE_CHECKERS: dict[str, Callable[[Facts], Iterator[str]]] = {
    "deadlines unannounced": deadlines,
    "paid or delivered without a word": without_word,
    "parcels not told": parcels,
    "stages and their events": stages,
    "followed beyond its share": share,
}
