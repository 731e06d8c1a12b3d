"""What can be asked of a marketplace before an order is placed: one question, and where its answer is kept.

A question is a call like any other (`calls.py`), but nobody waits for it and nothing depends on it: its answers are
shared by all orders of a file, and kept for a while.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worker.marketplaces.calls import Lost, NotRead, Reply, Request
from worker.rules.foreseen import Divisions, Freight, Product
from worker.rules.outcomes import Money, Refused


class Topic(StrEnum):
    """What a question is about; each has a rate of its own, for all accounts of the marketplace together."""

    PRODUCT = "product"
    """One product to one country: SKUs, stock, prices."""
    FREIGHT = "freight"
    """How some pieces of one SKU are delivered to one country, and what it costs."""
    ADDRESS = "address"
    """The names of a country's provinces and cities."""
    PREVIEW = "preview"
    """The marketplace's own preview of one order; never kept, for the order is in it."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A preview found nothing wrong; what the order would cost, where it says so."""

    forecast: Money | None = None


Told = Product | Freight | Divisions | Priced | Refused
Answer = Told | NotRead
AskSteps = Generator[Request, Reply | Lost, Answer]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `key` says what is asked, and holds nothing of a person: answers are kept under it.

    `begin` makes the call anew for each attempt. `kept`: which class a kept answer is read as; None: it is not kept.
    """

    topic: Topic
    key: str
    begin: Callable[[], AskSteps]
    kept: Any = None
