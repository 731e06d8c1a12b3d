"""The plan of a storm, made from its seed before anything starts: who submits what when, and which fault comes when."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.campaign.kinds import KINDS, Kind
from tests.faults.campaign.makers import Made, accounts, keyless, make
from tests.faults.campaign.options import ALONE_ORDERS, Options

SUBMITTED_WITHIN = 0.88
"""Part of the storm in which orders are handed in."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Orders handed in together, by one client or by several at once."""

    at: float
    orders: tuple[Made, ...]
    clients: int = 1
    by_message: bool = False


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault: when, for how long, and the dice for everything else about it."""

    number: int
    at: float
    kind: Kind
    seconds: float
    dice: random.Random = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a seed decides."""

    waves: tuple[Wave, ...]
    injections: tuple[Injection, ...]
    alone: tuple[tuple[Wave, Injection], ...]
    """After the storm: orders handed in, and the one fault that then comes."""

    @property
    def orders(self) -> list[Made]:
        """Return every order of the campaign."""
        return [order for wave in (*self.waves, *(wave for wave, _ in self.alone)) for order in wave.orders]


def make_plan(options: Options, ledger_faults: Sequence[str]) -> Plan:
    """Return the plan; the same options make the same plan."""
    dice = random.Random(f"{options.seed}-plan")
    kinds = {name: kind for name, kind in KINDS.items() if kind.group != "ledger" or name in ledger_faults}
    if options.only:
        kinds = {name: kinds[name] for name in options.only}
    elif options.faults < 100:  # too short for the long ones
        kinds = {name: kind for name, kind in kinds.items() if kind.smoke}
    if not keyless():
        kinds = {name: kind for name, kind in kinds.items() if not kind.keyless}
    alone = _alone(options, kinds) if options.measures_alone else ()
    storm = options.but(orders=options.orders - len(alone) * ALONE_ORDERS, faults=options.faults - len(alone))
    return Plan(_waves(storm, dice), tuple(_injections(storm, kinds, dice)), alone)


def _alone(options: Options, kinds: Mapping[str, Kind]) -> tuple[tuple[Wave, Injection], ...]:
    known, found = sorted(accounts()), []
    for index, kind in enumerate(kind for kind in kinds.values() if kind.alone):
        numbers = range(_FIRST_ALONE + index * ALONE_ORDERS, _FIRST_ALONE + (index + 1) * ALONE_ORDERS)
        orders = tuple(make(number, options.seed, known[number % len(known)]) for number in numbers)
        seconds = kind.seconds[1]
        dice = random.Random(f"{options.seed}-alone-{index}")
        found.append((Wave(0.0, orders), Injection(10_000 + index, 0.0, kind, seconds, dice)))
    return tuple(found)


_FIRST_ALONE = 900_000


def _waves(options: Options, dice: random.Random) -> tuple[Wave, ...]:
    size = 25 if options.orders <= 1000 else 50
    known = sorted(accounts())
    starts = range(0, options.orders, size)
    waves = []
    for index, start in enumerate(starts):
        numbers = range(start, min(start + size, options.orders))
        by_message = index % 20 == 7
        # Every third wave is one account's alone, so that an account has enough in flight to open its breaker.
        alone = dice.choice(known) if index % 3 == 1 else None
        orders = tuple(
            make(number, options.seed, alone or known[number % len(known)], by_message) for number in numbers
        )
        clients = dice.choice((2, 3)) if index % 4 == 2 else 1
        at = options.storm_seconds * SUBMITTED_WITHIN * index / len(starts)
        waves.append(Wave(at, orders, 1 if by_message else clients, by_message))
    return tuple(waves)


def _injections(options: Options, kinds: Mapping[str, Kind], dice: random.Random) -> list[Injection]:
    """Deal the kinds in their proportions, every kind at least once; no two faults hold one resource at a time."""
    deck = _deck(options.faults, kinds, dice)
    deck.sort(key=lambda kind: kind.seconds[0] < options.storm_seconds)  # what outlasts the storm comes first
    end = options.storm_seconds - 1.0
    free: dict[str, float] = {}
    found: list[Injection] = []
    for number in range(options.faults):
        at = 1.0 + (end - 1.0) * number / options.faults
        index = next((i for i, kind in enumerate(deck) if free.get(kind.resource, 0.0) <= at), None)
        if index is None:
            continue  # few kinds are dealt, and all of them are under way
        kind = deck.pop(index)
        seconds = round(dice.uniform(*kind.seconds), 2)
        free[kind.resource] = at + seconds + kind.rest
        found.append(Injection(number, at, kind, seconds, random.Random(f"{options.seed}-fault-{number}")))
    return sorted(found, key=lambda injection: injection.at)


def _deck(count: int, kinds: Mapping[str, Kind], dice: random.Random) -> list[Kind]:
    total = sum(kind.weight for kind in kinds.values())
    deck = list(kinds.values())
    for kind in kinds.values():
        deck += [kind] * max(0, round(count * kind.weight / total) - 1)
    while len(deck) < count:
        deck.append(dice.choice(list(kinds.values())))
    first, rest = deck[: len(kinds)], deck[len(kinds) :]
    dice.shuffle(rest)
    deck = first + rest[: count - len(first)]
    dice.shuffle(deck)
    return deck[:count]
