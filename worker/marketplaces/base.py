"""The contract every marketplace adapter keeps: pure, told what came back, never touching a socket itself."""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from pydantic import SecretStr

from worker.marketplaces.asks import Answer, Ask
from worker.marketplaces.calls import ParcelSteps, PlaceSteps, ReadSteps, RecordSteps, WebhookSteps
from worker.marketplaces.codes import KnownCode
from worker.marketplaces.doubts import Words
from worker.marketplaces.forms import ANY, Form
from worker.marketplaces.goods import Line
from worker.marketplaces.grants import TokenCalls
from worker.marketplaces.models import Credentials, OrderModel
from worker.marketplaces.prices import priced_above, priced_otherwise
from worker.marketplaces.scrubbing import leaves, without
from worker.rules.binding import Binding
from worker.rules.foreseen import UNCHECKED, Verdict
from worker.rules.life import Parcels
from worker.rules.outcomes import Absent, Differs, Found, Money, OrderRecord


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls an account may make: `per_second` on average, `burst` at once.

    `shared`: reads and creates draw on one bucket; otherwise the vendor counts each method by itself.
    """

    per_second: float
    burst: int = 1
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Push:
    """What a marketplace's push message says of one of its orders: a hint, to be read back before it counts.

    `at`: when it happened, in unix seconds. `created`: the order was made just then, so `at` is the time it was made.
    """

    reference: str
    status: str
    at: float | None
    created: bool = False


class Marketplace(ABC):
    """One marketplace, for one account. Class attributes say what it can do; the contract tests hold them true."""

    name: ClassVar[str]
    """The word in settings, jobs and the ledger."""
    title: ClassVar[str]
    """The name people use."""
    base_url: ClassVar[str]
    """The real address; an account may point elsewhere."""
    order_model: ClassVar[type[OrderModel]]
    quantities: ClassVar[tuple[str, str] | None]
    """Where an order says how many: its list of line items, and the number in each; None: it has no line items."""
    credentials_model: ClassVar[type[Credentials]]
    default_rate: ClassVar[Rate]
    resend_window: ClassVar[timedelta | None]
    """How long after the first send the same key may be sent again without risk; None: never blindly."""
    calls_to_place: ClassVar[int] = 1
    """Requests one placing makes, so that the limiter books as many."""
    calls_for_parcels: ClassVar[int] = 0
    """Requests one reading of an order's parcels makes at most, beyond the reading of the order itself."""
    pay_page: ClassVar[str] = "the order's page at the marketplace"
    """Where a person pays an order, in words; nothing here ever pays."""
    foresees: ClassVar[str | None] = None
    """What a preflight can check of its orders, in words; None: nothing but their form."""
    look_up_by: ClassVar[str | None] = None
    """What `look_up` finds an order by, in words; None: it cannot."""
    codes: ClassVar[Sequence[KnownCode]]
    """Every answer the adapter knows by its code or its words."""
    statuses: ClassVar[Mapping[str, str]]
    """Every status an order can be read back with, and what it means."""
    order_page: ClassVar[str] = "the order's page at the marketplace"
    """Where a person sees one order, in words."""
    reference_form: ClassVar[Form] = ANY
    """How the marketplace writes its own order ids."""
    personal_fields: ClassVar[tuple[str, ...]]
    """Top-level fields of the order that hold personal data; their values never leave in a text."""
    country_at: ClassVar[tuple[str, ...]] = ()
    """The way to the country an order goes to; empty: its body does not say."""
    store_names: ClassVar[tuple[str, ...]] = ()
    """Members of what is read back that name the shop the goods are bought from, the best first."""
    tracking_names: ClassVar[tuple[str, ...]] = ()
    """Members of what is read back that hold a parcel's number."""
    takes_pushes: ClassVar[bool] = False
    """Whether the marketplace sends push messages that this adapter reads; the next four methods serve them."""

    token_calls: ClassVar[type[TokenCalls] | None] = None
    """The calls that get and renew an account's tokens; None: its token is fixed."""

    takes_hints: ClassVar[bool] = False
    """Whether its push messages only say that an order we know is worth reading; what it tells of others is not ours.

    Where they take a secret of the account's to check, it may be missing: `hears` says so.
    """

    lists_webhooks: ClassVar[bool] = False
    """Whether `webhooks` can say where the marketplace sends its messages."""
    secret_in_address: ClassVar[bool] = False
    """Whether its messages are sent to an address that ends in the account's secret, since none is signed."""

    def __init__(
        self,
        account: str,
        credentials: Credentials,
        base_url: str | None = None,
        clock: Callable[[], float] = time.time,
        max_order_amount: Decimal | None = None,
    ) -> None:
        """`max_order_amount`: what the account lets one order cost, in the order's own currency."""
        self.account = account
        self.max_order_amount = max_order_amount
        self.credentials = credentials
        self.url = (base_url or self.base_url).rstrip("/")
        self.clock = clock
        self.token_version: int | None = None
        """Which stored pair of tokens it sends with; None: the settings' own."""

    @property
    def can_look_up(self) -> bool:
        """Tell whether `look_up` can find an order by our own key; may depend on the account's settings."""
        return False

    @classmethod
    def items(cls, order: Mapping[str, Any]) -> list[Line]:
        """Return what an order is for: product, variant and pieces of each of its lines."""
        return []

    @classmethod
    def country(cls, order: Mapping[str, Any]) -> str:
        """Return the country an order goes to, as its body has it; "" where it does not say."""
        place: Any = order if cls.country_at else None
        for step in cls.country_at:
            place = place.get(step) if isinstance(place, Mapping) else None
        return place if isinstance(place, str) else ""

    def sent_with(self) -> dict[str, str]:
        """Return what an order is sent with, in parts that hold no secret: `address`, and `app` or `shop`, `buyer`, …

        An order that may exist goes on only under the same parts: under another buyer its key protects nothing.
        By default every change of a credential counts as another buyer.
        """
        return {"address": self.url, "buyer": fingerprint(*(str(value) for value in self._plain_credentials()))}

    @cached_property
    def binding(self) -> Binding:
        """What this very adapter sends with: where its account gets other tokens, it gets another adapter."""
        return Binding(self.account, {"marketplace": self.name, **self.sent_with()})

    def _plain_credentials(self) -> Iterator[object]:
        for _, value in self.credentials:
            yield value.get_secret_value() if isinstance(value, SecretStr) else value

    @abstractmethod
    def place(self, order: Mapping[str, Any], key: str) -> PlaceSteps:
        """Create the order. `order` is JSON-ready, as `order_model` dumped it; `key` is the order_id."""

    @abstractmethod
    def read(self, reference: str) -> RecordSteps:
        """Read one order back by its id: its record, or why there is none."""

    def confirm(self, references: Sequence[str]) -> ReadSteps:
        """Read every reference back: `Found` with a record each; the first that cannot be read settles the answer."""
        records: list[OrderRecord] = []
        for reference in references:
            read = yield from self.read(reference)
            if not isinstance(read, OrderRecord):
                return read
            records.append(read)
        return Found(tuple(records)) if records else Absent("there is no order id to read")

    def parcels(self, record: OrderRecord) -> ParcelSteps:
        """Return the parcels of an order that was just read; none yet is no error.

        Nothing that says who receives a parcel, or where, is kept.
        """
        return Parcels()
        yield  # pragma: no cover  (makes this a generator like its overrides)

    def asks(self, order: Mapping[str, Any], answers: Mapping[str, Answer]) -> Iterable[Ask]:
        """Return what can be asked about an order before it is placed, given the answers so far; by default nothing.

        What is asked creates nothing, pays nothing and reserves nothing. A question whose answer is among `answers`
        may be returned again.
        """
        return ()

    def foresee(self, order: Mapping[str, Any], answers: Mapping[str, Answer], most: Decimal | None = None) -> Verdict:
        """Return how an order would fare, by the answers. `most`: what its job lets it cost, in its own currency."""
        return UNCHECKED

    def look_up(self, order: Mapping[str, Any], key: str, first_sent_at: float) -> ReadSteps:
        """Find an order by our own key. Only called where `can_look_up`; `first_sent_at` in unix seconds."""
        raise NotImplementedError(f"{self.title} cannot look an order up")
        yield  # pragma: no cover  (makes this a generator like its overrides)

    def webhooks(self) -> WebhookSteps:
        """Return where the marketplace sends messages for this account. Only called where `lists_webhooks`."""
        return ()
        yield  # pragma: no cover  (makes this a generator like its overrides)

    @property
    def hears(self) -> bool:
        """Tell whether this account can take push messages."""
        return self.takes_pushes or self.takes_hints

    def is_genuine(self, headers: Mapping[str, str], body: bytes, secret: str = "") -> bool:
        """Tell whether a push message was made with the account's secret.

        `headers` have lower-case names; `secret`: the last part of the address the message was sent to.
        """
        return False

    def read_push(self, headers: Mapping[str, str], body: bytes) -> Push | None:
        """Return what a push message says; None for one that is not about an order, or that nobody understands."""
        return None

    def describes(self, order: Mapping[str, Any], record: OrderRecord) -> bool:
        """Tell whether a record that was read back holds exactly this order's goods, each in its quantity.

        True only for all of them: where the marketplace split an order over several of its own, each record holds a
        part and describes nothing, and a person puts the parts together.
        """
        return False

    def contradicts(self, order: Mapping[str, Any], key: str, record: OrderRecord) -> bool:
        """Tell whether a record that was read back shows what cannot be this order, `key` being its order_id.

        An order under other goods, or under another key of ours, is never confirmed, so only what leaves no doubt
        counts, and a record that shows neither contradicts nothing. The parts of an order that was split over several
        are each a part: wrong is a product that is not in the order, or more of it than was ordered.
        """
        return False

    def differences(self, order: Mapping[str, Any], key: str, records: Sequence[OrderRecord]) -> list[str]:
        """Say how what was read back differs from what was ordered, in a plain sentence each: ids, quantities, amounts.

        `records` are all of the order's, for the parts of one that was split are told together: a missing line, fewer
        or more pieces than ordered, goods not ordered, a part that failed, another currency than asked for. What a
        reply does not show proves nothing.
        """
        return []

    def shows_goods(self, records: Sequence[OrderRecord]) -> bool:
        """Tell whether every record shows goods, so that `differences` would name whatever is missing."""
        return False

    def readings(self, record: OrderRecord) -> tuple[Money, ...]:
        """Return what the amount of a record can mean; one where its unit is sure, none where it shows no amount."""
        return (record.amount,) if record.amount is not None else ()

    def differs(
        self,
        order: Mapping[str, Any],
        key: str,
        records: Sequence[OrderRecord],
        forecast: Money | None = None,
        told: str | None = None,
    ) -> Differs | None:
        """Return how all of an order's records differ from what was ordered, forecast, and allowed to cost.

        `told`: what is known of it since its create. It stands until goods are read back that say otherwise.
        """
        found = self.differences(order, key, records)
        readings = [self.readings(record) for record in records]
        found += priced_otherwise(self.title, forecast, readings)
        found += priced_above(self.title, self.max_order_amount, readings)
        if told and not self.shows_goods(records):
            found = [told, *(sentence for sentence in found if sentence not in told)]
        return self.differing(found) if found else None

    def differing(self, sentences: Sequence[str]) -> Differs:
        """Return differences with a person's next step."""
        fix = (
            f"compare {self.order_page} with what was ordered (fulfil show ORDER has what was read back);"
            " order what is missing under a new order_id, and cancel or return there what was not wanted"
        )
        return Differs(tuple(sentences), fix)

    def made_between(self, record: OrderRecord) -> tuple[float, float] | None:
        """Return between which unix times the record says its order was made; None where it does not say."""
        return None

    @classmethod
    def notices(cls, order: OrderModel) -> list[str]:
        """Say which accepted fields will not be sent, and why; one sentence each."""
        return []

    @classmethod
    def scrub(cls, text: str, order: Mapping[str, Any]) -> str:
        """Take the order's personal data out of a vendor's text, so that it may be stored and shown."""
        values: set[str] = set()
        for name in cls.personal_fields:
            values.update(leaves(order.get(name)))
        return without(text, values)[:300]

    def clean(self, text: str, order: Mapping[str, Any]) -> str:
        """Scrub a text, and take the account's own secrets out of it, should the vendor repeat one."""
        return self.scrub(without(text, self._secrets) if text else text, order)

    def words(self, order: Mapping[str, Any], key: str) -> Words:
        """Return how the words of an answer to this order's create are read."""
        return Words(lambda text: self.clean(text, order), lambda: {key, *leaves(order)})

    @cached_property
    def _secrets(self) -> frozenset[str]:
        values = (value for _, value in self.credentials)
        return frozenset(value.get_secret_value() for value in values if isinstance(value, SecretStr))


def fingerprint(*secrets: str) -> str:
    """Return a short text that tells secrets apart and does not tell them."""
    return hashlib.sha256("\0".join(secrets).encode()).hexdigest()[:16]
