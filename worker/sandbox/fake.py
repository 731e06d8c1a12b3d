"""The sandbox's side of a marketplace: what a fake is given, what it answers, and the record it keeps.

A fake plays the marketplace. It shares no code with the adapter it tests: it checks signatures and
parameters with its own few lines, and its record is the independent witness of what was created.
Faults, holding connections and the control paths are the server's business (`worker/sandbox/server.py`).
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from worker.sandbox.calls import CallCount
from worker.sandbox.lives import Event, Life
from worker.sandbox.tokens import Keys as Keys
from worker.sandbox.tokens import TokenDesk

BUILT_IN_ACCOUNT = "sandbox"
"""The account every fake knows without being told, with the keys in `Fake.built_in`."""


@dataclass(frozen=True)
class Call:
    """One HTTP request as a fake sees it. Ask for headers in lower case; `at` is the sandbox's unix time.

    `moved`: how many seconds of it the sandbox's clock was moved forward; a client's own clock may know nothing of it.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float
    moved: float = 0.0

    def drift(self, sent_at: float) -> float:
        """Return how far off (seconds) a client's time is, whether or not its clock was moved with the sandbox's."""
        return min(abs(self.at - sent_at), abs(self.at - self.moved - sent_at))

    @cached_property
    def form(self) -> dict[str, str]:
        """The query and the form body as one, parsed once however often it is asked for."""
        values = dict(self.query)
        values.update(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return values


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fake answers; the server sends it as it is."""

    body: bytes
    status: int = 200
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One push message as the marketplace posts it."""

    headers: Mapping[str, str]
    body: bytes
    within_seconds: float = 5.0
    """How long the marketplace waits for the answer."""
    any_2xx: bool = False
    """Whether every status below 300 takes it; else 200 alone."""


@dataclass(slots=True)
class SandboxOrder:
    """What one create made, with every create and every get it saw (unix seconds).

    A key that made orders twice has two of these. `creates` holds when the create that made it came, and every
    later one that was answered as a repeat; `gets` every read, also one that came too early to be shown anything.
    """

    marketplace: str
    account: str
    key: str
    references: list[str]
    created_at: float
    creates: list[float]
    gets: list[float] = field(default_factory=list)
    request: dict[str, Any] = field(default_factory=dict)
    """What reads need to answer, without personal data; never part of the public record."""
    hidden_seconds: float = 0.0
    """How much longer than other orders this one stays hidden from reads, lists and look-ups."""
    lives: dict[str, Life] = field(default_factory=dict)
    """The life of each of its ids, from its commit on; none where a marketplace has none."""

    def public(self) -> dict[str, Any]:
        """Return the record `GET /_sandbox/orders` shows."""
        # Not asdict(): it copies deeply, which costs seconds at 100,000 orders.
        return {
            "marketplace": self.marketplace,
            "account": self.account,
            "key": self.key,
            "references": self.references,
            "created_at": self.created_at,
            "creates": self.creates,
            "gets": self.gets,
        }


class Fake(ABC):
    """One marketplace's sandbox fake."""

    name: ClassVar[str]
    """The marketplace's registry name."""
    paths: ClassVar[tuple[str, ...]]
    """Paths this fake answers, each with everything below it."""
    built_in: ClassVar[Mapping[str, str]]
    """The keys of the account `sandbox`, accepted besides the configured ones."""
    triggers: ClassVar[Mapping[str, str]] = {}
    """What one order can choose for itself: what stands in it, and what happens; nothing of it is the real one's."""

    def __init__(self, credentials: Keys | None = None, sync_seconds: float = 3.0) -> None:
        """`sync_seconds`: how long after its create an order stays hidden from reads."""
        # Configured accounts come last, so that one that uses the built-in keys is recorded by its own name.
        self.credentials: dict[str, Mapping[str, str]] = {BUILT_IN_ACCOUNT: self.built_in}
        self.credentials.update(credentials or {})
        self.sync_seconds = sync_seconds
        self.lag_seconds = 0.0
        """How much longer than `sync_seconds` orders stay hidden from the call that is being answered."""
        self.repeat_with_ids = False
        self.tracking_form: str | None = None
        """The drifted form in which the call that is being answered tells of parcels; None: the documented one."""
        self.calls = CallCount()
        self.stamp: Callable[[float], float] = lambda at: at
        """Dates a message about a time of the sandbox's (unix seconds)."""
        self.tokens: TokenDesk | None = None
        """Its tokens; None: this marketplace has keys without an end."""
        self.orders: list[SandboxOrder] = []
        self.on_commit: Callable[[SandboxOrder], None] | None = None
        self._sequence = itertools.count(1)
        self._held: list[SandboxOrder] | None = None

    @abstractmethod
    def key_of(self, call: Call) -> str | None:
        """Return the order_id a create carries ("" when it carries none); None for everything else.

        The server asks this to tell a create from a read and to let one order choose its own fault. It must
        not raise, whatever the call holds.
        """

    @abstractmethod
    def handle(self, call: Call) -> Answer:
        """Answer one call as the marketplace would, and execute it: a right create is in the record after."""

    @abstractmethod
    def fault_answer(self, fault: str, call: Call) -> Answer:
        """Return the marketplace's own wording of `throttle` and `token_expired`."""

    def messages(self, order: SandboxOrder) -> Iterable[Message]:
        """Return the push messages the marketplace sends by itself when an order was made."""
        return ()

    def moved(self, order: SandboxOrder, reference: str, event: Event) -> Iterable[Message]:
        """Return the push messages the marketplace sends when one of an order's ids has made a move."""
        return ()

    def is_token_call(self, call: Call) -> bool:
        """Tell whether a call asks for a grant or a token, which the faults of `token` meet. Must not raise."""
        return False

    def life_of(self, order: SandboxOrder, reference: str) -> Life | None:
        """Return the life that begins for one of an order's ids; None where nothing happens to it."""
        return None

    def commit(self, order: SandboxOrder) -> None:
        """Put an order into the record. Every order a fake creates goes through here."""
        for reference in order.references:
            life = self.life_of(order, reference)
            if life is not None:
                order.lives[reference] = life
        if self._held is not None:
            self._held.append(order)  # its life begins anew when it is made
            return
        self.orders.append(order)
        self.enter(order)
        if self.on_commit is not None:
            self.on_commit(order)

    def enter(self, order: SandboxOrder) -> None:  # noqa: B027  (a fake without indexes needs none)
        """Put an order that has just come into being into the fake's own indexes."""

    def first_under(self, account: str, key: str, at: float) -> SandboxOrder | None:
        """Return the order that makes another create under this key a repeat; None where every create makes one."""
        return None

    def shows(self, order: SandboxOrder, at: float) -> bool:
        """Tell whether reads, lists and look-ups show an order at that time."""
        return at >= order.created_at + self.sync_seconds + max(self.lag_seconds, order.hidden_seconds)

    def take_in(self, call: Call) -> list[SandboxOrder]:
        """Check a call as ever, but make nothing yet; return what `commit_late` is to make of it."""
        held: list[SandboxOrder] = []
        self._held = held
        try:
            self.handle(call)
        finally:
            self._held = None
        return held

    def commit_late(self, order: SandboxOrder, at: float) -> None:
        """Make an order that was taken in before; where its key has made one meanwhile, it is a repeat of that."""
        first = self.first_under(order.account, order.key, at)
        if first is not None:
            first.creates += order.creates
            return
        order.created_at = at
        self.commit(order)

    def reset(self) -> None:
        """Forget every order, call and granted token. A fake with indexes of its own clears them too."""
        self.orders.clear()
        self.calls.clear()
        if self.tokens is not None:
            self.tokens.reset()
