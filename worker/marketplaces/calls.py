"""What one call to a marketplace is made of: a request out, a reply or none back, and the steps that lie between.

An adapter's calls are generators. Each yields the `Request` it wants sent, is sent a `Reply` or a `Lost`, and returns
an outcome. One place (`worker/sending/client.py`) does the sending, so a call that needs several requests (preview,
then create; several ids to read) is written straight down and tested without a network.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from worker.rules.life import Parcels
from worker.rules.outcomes import Absent, Declined, NotSent, OrderRecord, PlaceOutcome, ReadOutcome, Unknown


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Signed when it is built, so it is built for one attempt and never stored.

    `creates`: it may make an order, so that it is noted on disk before its first byte leaves.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What the marketplace answered, whatever it was. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """No usable reply. `may_have_arrived` is False only where no byte of the request can have left."""

    cause: str
    may_have_arrived: bool


NotRead = Absent | Declined | NotSent | Unknown
"""Why an order could not be read back."""

Steps = Generator[Request, Reply | Lost, Any]
PlaceSteps = Generator[Request, Reply | Lost, PlaceOutcome]
ReadSteps = Generator[Request, Reply | Lost, ReadOutcome]
RecordSteps = Generator[Request, Reply | Lost, OrderRecord | NotRead]
"""The reading of one order: its record, or why there is none."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription of the account at its marketplace: what is told, and where."""

    topic: str
    address: str


WebhookSteps = Generator[Request, Reply | Lost, tuple[Webhook, ...] | NotRead]
"""The reading of an account's subscriptions, or why they could not be read."""
ParcelSteps = Generator[Request, Reply | Lost, Parcels | NotRead]
"""The reading of one order's parcels: all of them, or why they could not be read."""
