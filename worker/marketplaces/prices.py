"""Compares what an order costs with what its preview said, and the currency it is shown in with the one asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from worker.rules.outcomes import Money

MOST_SHARE = Decimal("0.05")
"""An amount may be this much off its forecast: carriage is settled later, and 1688's service fee is not explained."""
MOST_UNITS = Decimal(1)
"""Or this many units of money, whichever is more."""


def priced_otherwise(who: str, forecast: Money | None, readings: Sequence[tuple[Money, ...]]) -> list[str]:
    """Say that all records together cost something else than the forecast; nothing where one shows no amount.

    `readings`: for each record what its amount can mean, one where that is sure. Told is only what fits none of them.
    """
    if forecast is None or not readings or not all(readings):
        return []
    if {money.currency for each in readings for money in each} != {forecast.currency}:
        return []
    sums = sorted({sum((each[place].amount for each in readings), Decimal(0)) for place in (0, -1)})
    if any(_is_near(amount, forecast.amount) for amount in sums):
        return []
    told = " or ".join(f"{amount:f} {forecast.currency}" for amount in sums)
    return [f"{who} shows {told} to pay, its preview said {forecast.amount:f} {forecast.currency}"]


def priced_above(who: str, limit: Decimal | None, readings: Sequence[tuple[Money, ...]]) -> list[str]:
    """Say that all records together cost more than the account lets one order cost; told only if every reading does."""
    if limit is None or not readings or not all(readings):
        return []
    sums = [sum((each[place].amount for each in readings), Decimal(0)) for place in (0, -1)]
    if min(sums) <= limit:
        return []
    return [
        f"{who} shows {min(sums):f} {readings[0][0].currency} to pay, the account's limit for an order is {limit:f}"
    ]


def _is_near(amount: Decimal, forecast: Decimal) -> bool:
    return abs(amount - forecast) <= max(MOST_UNITS, forecast * MOST_SHARE)


def other_currency(who: str, asked: str, shown: Collection[str]) -> list[str]:
    """Say that amounts are shown in another currency than was asked for; "" asks for none."""
    told = {word.upper() for word in shown if len(word) == 3 and word.isascii() and word.isalpha()}
    others = sorted(told - {asked.upper()}) if asked else []
    return [f"{who} shows amounts in {', '.join(others)}, {asked} was asked for"] if others else []
