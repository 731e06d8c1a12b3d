"""Compares the goods a marketplace shows with those that were ordered: pure, and silent about what is not shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from worker.marketplaces.replies import text_of

MOST_PIECES = 10**9


@dataclass(frozen=True, slots=True)
class Line:
    """Some pieces of one product, ordered or shown.

    `product` "" and `quantity` None: not shown, or in a form nobody knows. `variant` "": none, or not shown.
    `ended`: the marketplace's word for a line that will not come.
    """

    product: str
    variant: str = ""
    quantity: int | None = None
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """How differences are told: who shows the goods, what its ids are ids of, and which ids are of one product."""

    who: str
    product: str
    variant: str
    same: Callable[[str], str] = str

    def of(self, line: Line, with_variant: bool) -> str:
        """Return a line's ids in words."""
        variant = f" ({self.variant} {line.variant})" if with_variant and line.variant else ""
        return f"{self.product} {line.product}{variant}"


Key = tuple[str, str]


def pieces(value: object) -> int | None:
    """Return a quantity, also as 1688 writes one ("24.0"); None for what is no whole number of pieces."""
    try:
        number = Decimal(text_of(value))
    except InvalidOperation:
        return None
    whole = number.is_finite() and 0 <= number <= MOST_PIECES and number == number.to_integral_value()
    return int(number) if whole else None


def readable(lines: Sequence[Line]) -> bool:
    """Tell whether there are lines, each with its product and its quantity."""
    return bool(lines) and all(line.product and line.quantity is not None for line in lines)


def differences(ordered: Sequence[Line], shown: Sequence[Sequence[Line]], names: Names) -> list[str]:
    """Say in a sentence each how the goods of all of an order's records differ from what was ordered.

    `shown` has the lines of each record. A record without any shows no goods, which proves nothing: what may stand
    there is never missing. Products are compared by their variants where both sides know all of them.
    """
    lines = [line for record in shown for line in record]
    if not ordered or not lines:
        return []
    complete = all(shown)
    return [
        *_ended(lines, names),
        *(_in_all(ordered, lines, names) if complete else ()),
        *_by_product(ordered, lines, names, complete and all(line.product for line in lines)),
    ]


def _ended(lines: Sequence[Line], names: Names) -> list[str]:
    """Name the lines that will not come while others will; where none will, the order's own status tells it."""
    ended = [line for line in lines if line.ended]
    if len(ended) == len(lines):
        return []
    return [f"{names.who} shows {names.of(line, True)} as {line.ended}" for line in ended]


def _in_all(ordered: Sequence[Line], lines: Sequence[Line], names: Names) -> list[str]:
    """Compare the pieces in all where a line does not say of which product it is."""
    counts = [line.quantity for line in lines]
    if all(line.product for line in lines) or None in counts:
        return []
    there, wanted = sum(filter(None, counts)), sum(line.quantity or 0 for line in ordered)
    return [] if there == wanted else [f"{names.who} shows {there} pieces in all, {wanted} were ordered"]


def _by_product(ordered: Sequence[Line], lines: Sequence[Line], names: Names, complete: bool) -> list[str]:
    named = [line for line in lines if line.product]
    apart = _told_apart(ordered, named, names)
    wanted, there = _sums(ordered, names, apart), _sums(named, names, apart)
    uncounted = {_key(line, names, apart) for line in named if line.quantity is None}
    first: dict[Key, Line] = {}
    for line in (*ordered, *named):
        first.setdefault(_key(line, names, apart), line)
    found = []
    for key, line in first.items():
        word, has, wants = names.of(line, key[0] in apart), there[key], wanted[key]
        if key not in wanted:
            many = "some" if key in uncounted else has
            found += [f"{names.who} shows {many} of {word}, which was not ordered"] if many else []
        elif key not in uncounted and (has > wants or (has < wants and complete)):
            found.append(f"{names.who} shows {has or 'none'} of {word}, {wants} were ordered")
    return found


def _told_apart(ordered: Sequence[Line], lines: Sequence[Line], names: Names) -> Collection[str]:
    """Return the products whose variants are known of every line on both sides."""
    every = [*ordered, *lines]
    vague = {names.same(line.product) for line in every if not line.variant}
    return {names.same(line.product) for line in every} - vague


def _key(line: Line, names: Names, apart: Collection[str]) -> Key:
    product = names.same(line.product)
    return product, line.variant if product in apart else ""


def _sums(lines: Sequence[Line], names: Names, apart: Collection[str]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for line in lines:
        found[_key(line, names, apart)] += line.quantity or 0
    return found
