"""One marketplace as the contract tests see it: its class, its sandbox fake and its samples; and how to drive it."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import Lost, Reply, Request
from worker.rules.outcomes import Accepted, Declined, Found, NotSent, OrderRecord, Refused, Unknown
from worker.sandbox.fake import Call, Fake, SandboxOrder
from worker.sandbox.fakes import FAKES
from worker.sending.client import Client

KEY = "SO-1"
NOW = 1_700_000_000.0
SAMPLES = [Path(__file__).resolve().parent.parent / "marketplaces"]
"""Folders that have a folder for each marketplace with its samples."""
MOST_REQUESTS = 100


@dataclasses.dataclass(frozen=True)
class Subject:
    """The marketplace a contract test is about."""

    name: str
    marketplace: type[Marketplace]
    fake_class: type[Fake]
    samples: ModuleType

    def adapter(
        self, keys: Mapping[str, str] | None = None, url: str | None = None, at: float = NOW, **options: Any
    ) -> Marketplace:
        """Return an adapter with the samples' keys on a clock that stands still."""
        credentials = self.marketplace.credentials_model.model_validate(dict(keys or self.samples.KEYS))
        return self.marketplace("main", credentials, url, clock=lambda: at, **options)

    def with_fake(self, at: float = NOW) -> tuple[Marketplace, Fake]:
        """Return an adapter with the sandbox's keys, and a fake that shows orders at once."""
        return self.adapter(self.fake_class.built_in, self.url("http://sandbox"), at), self.fake_class({}, 0.0)

    def url(self, sandbox: str) -> str:
        """Return an account's BASE_URL at a sandbox."""
        return f"{sandbox}{self.fake_class.paths[0]}"

    @property
    def order(self) -> dict[str, Any]:
        """The sample order as the ledger keeps it."""
        model = self.marketplace.order_model.model_validate(self.samples.ORDER)
        kept: dict[str, Any] = json.loads(model.model_dump_json(exclude_none=True))
        return kept

    @property
    def secrets(self) -> list[str]:
        """The secret values of the samples' keys."""
        values = (value for _, value in self.adapter().credentials)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]

    def replies(self) -> list[Reply]:
        """Return every sample reply that came."""
        tables = (self.samples.PLACE, self.samples.READ, self.samples.LOOK_UP)
        every = (came for table in tables for replies, _ in table.values() for came in replies)
        return [came for came in every if isinstance(came, Reply)]


def subject_of(name: str) -> Subject:
    """Return a marketplace of the registry as a subject; its samples are found by its name."""
    folder = next((parent / name for parent in SAMPLES if (parent / name / f"{name}_samples.py").exists()), None)
    assert folder, f"write tests/marketplaces/{name}/{name}_samples.py"
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return Subject(name, REGISTRY[name], FAKES[name], importlib.import_module(f"{name}_samples"))


def drive(steps: Any, answer: Callable[[int, Request], Reply | Lost]) -> tuple[list[Request], Any]:
    """Run a call to its end, answering each request by its number; return the requests and the outcome."""
    request, asked = next(steps), []
    while True:
        asked.append(request)
        assert len(asked) <= MOST_REQUESTS, "it asks without end"
        try:
            request = steps.send(answer(len(asked) - 1, request))
        except StopIteration as stop:
            return asked, stop.value


def run(steps: Any, replies: tuple[Reply | Lost, ...]) -> tuple[list[Request], Any]:
    """Run a call against prepared replies, all of which it has to ask for."""
    asked, outcome = drive(steps, lambda number, _: replies[number])
    assert len(asked) == len(replies), "the call ended before every reply was used"
    return asked, outcome


def create(subject: Subject, came: Reply | Lost, order: dict[str, Any] | None = None) -> Any:
    """Return the outcome of a placing whose create is answered with this."""
    replies = (*subject.samples.BEFORE_CREATE, came)
    return drive(subject.adapter().place(order or subject.order, KEY), lambda number, _: replies[number])[1]


def at_fake(fake: Fake, at: float) -> Callable[[int, Request], Reply]:
    """Return a way to answer requests by a fake, in this process, at a time."""
    return lambda _, request: ask(fake, request, at)


def ask(fake: Fake, request: Request, at: float) -> Reply:
    """Return a fake's answer to a request."""
    answer = fake.handle(call_of(request, at))
    return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)


def call_of(request: Request, at: float) -> Call:
    """Return a request as a fake sees it."""
    url = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, url.path, dict(parse_qsl(url.query)), headers, request.content, at)


def made(fake: Fake, key: str = KEY) -> list[SandboxOrder]:
    """Return what a fake made for a key."""
    return [order for order in fake.orders if order.key == key]


async def _over_http(calls: list[Callable[[], Any]]) -> list[Any]:
    client = Client(connections=4, connect_seconds=5, answer_seconds=20)
    try:
        return [await client.drive(call(), float("inf")) for call in calls]
    finally:
        await client.aclose()


def over_http(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls one after the other over real HTTP; return their outcomes."""
    return asyncio.run(_over_http(list(calls)))


def texts(value: Any) -> Iterator[str]:
    """Yield every text in a value, outcomes and numbers included."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts(name)
            yield from texts(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from texts(inner)
    elif value is not None:
        yield str(value)


def check(subject: Subject, outcome: Any) -> None:
    """Hold an outcome against what every outcome has to be."""
    for text in texts(outcome):
        assert "\0" not in text, "no database takes it"
        text.encode()
    match outcome:
        case Accepted(references, code):
            assert references or code in subject.samples.ACCEPTED_WITHOUT_ID, f"accepted without an id: {outcome}"
            assert all(isinstance(one, str) and one.strip() == one != "" for one in references), references
        case Refused(code, reason, fix):
            assert code.strip()
            assert reason.strip()
            assert fix.strip()
            assert len(reason) <= 300
        case Declined(code, reason, wait):
            assert code.strip()
            assert reason.strip()
            assert wait is None or 0 <= wait <= 7 * 86400
        case NotSent(cause) | Unknown(cause):
            assert cause.strip()
        case Found(records):
            assert records
            for record in records:
                _check_record(record)
        case _:
            assert outcome.cause.strip()


def _check_record(record: OrderRecord) -> None:
    assert isinstance(record.reference, str)
    assert record.reference.strip()
    assert isinstance(record.status, str)
    assert record.status.strip()
    json.dumps(record.details)
    for money in filter(None, (record.amount, record.paid_amount)):
        assert money.amount.is_finite()
        assert money.currency
