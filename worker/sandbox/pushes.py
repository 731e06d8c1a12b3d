"""Sends the sandbox's push messages: a little after each commit or move, from a queue, until they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Iterable
from typing import Annotated

import aiohttp
from pydantic import BaseModel, ConfigDict, Field

from worker.sandbox.fake import Fake, Message, SandboxOrder
from worker.sandbox.lives import Event

MOST_WAITING = 10_000
AT_ONCE = 16
TRIES = 3
AGAIN_SECONDS = 1.0
Address = Annotated[str, Field(pattern=r"^https?://")]


class PushPlan(BaseModel):
    """Where messages go and how, as `POST /_sandbox/pushes` sets it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="`{account}` and `{marketplace}` stand for the order's; without the latter AliExpress' alone",
    )
    urls: dict[str, Address] = Field(
        {}, description="a marketplace's own, before `url`; `{secret}` stands for the account's `push_secret`"
    )
    probability: float = Field(1, ge=0, le=1, description="of what an order's commit or move tells; the rest is lost")
    repeat: int = Field(1, ge=1, le=100, description="how often each message is sent, taken or not")
    delay_seconds: float = Field(0.5, ge=0, le=3600, description="between the commit or move and the first message")
    spread_seconds: float = Field(
        0, ge=0, le=3600, description="each waits up to so much longer, by chance: they come out of order"
    )

    def address(self, fake: Fake, account: str) -> str | None:
        """Return where an account's messages go; None: nowhere."""
        marketplace = fake.name
        own = self.urls.get(marketplace)
        if own is None and self.url is not None and (marketplace == "aliexpress" or "{marketplace}" in self.url):
            own = self.url.replace("{marketplace}", marketplace)
        if own is None:
            return None
        secret = str(fake.credentials.get(account, {}).get("push_secret") or "")
        return own.replace("{account}", account).replace("{secret}", secret)


Waiting = tuple[float, int, Fake, SandboxOrder, str, Event | None]
"""Due when, a number that keeps the order of those due at once, whose, which order, id and move; None: its commit."""


class Pusher:
    """Offers cost next to nothing while there is no URL. All but `offer` is for the sandbox's own loop."""

    def __init__(self) -> None:
        self.plan = PushPlan()
        self.taken = 0
        """Messages answered with 200."""
        self.failed = 0
        """Messages given up after every try."""
        self.dropped = 0
        """Commits and moves whose messages found no room in the queue."""
        self._numbers = itertools.count()
        self._waiting: asyncio.PriorityQueue[Waiting] = asyncio.PriorityQueue(MOST_WAITING)
        self._senders: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    def set(self, plan: PushPlan) -> None:
        """Change where messages go; those that wait go there too."""
        self.plan = plan
        if (plan.url or plan.urls) and not self._senders:
            self._senders = [asyncio.create_task(self._send_on()) for _ in range(AT_ONCE)]

    def offer(self, fake: Fake, order: SandboxOrder, reference: str = "", event: Event | None = None) -> None:
        """Send in a moment what an order's commit tells, or a move of one of its ids."""
        plan = self.plan
        if plan.address(fake, order.account) is None:
            return
        if plan.probability < 1 and random.random() >= plan.probability:
            return
        due = asyncio.get_running_loop().time() + plan.delay_seconds + random.random() * plan.spread_seconds
        try:
            self._waiting.put_nowait((due, next(self._numbers), fake, order, reference, event))
        except asyncio.QueueFull:
            self.dropped += 1

    def clear(self) -> None:
        """Forget what waits."""
        while not self._waiting.empty():
            self._waiting.get_nowait()

    def public(self) -> dict[str, object]:
        """Return what `GET /_sandbox/pushes` shows."""
        counted = {"taken": self.taken, "failed": self.failed, "dropped": self.dropped}
        return {**self.plan.model_dump(), **counted, "waiting": self._waiting.qsize()}

    async def close(self) -> None:
        """Stop sending."""
        for sender in self._senders:
            sender.cancel()
        for sender in self._senders:
            with contextlib.suppress(asyncio.CancelledError):
                await sender
        if self._session is not None:
            await self._session.close()

    async def _send_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, _, fake, order, reference, event = await self._waiting.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            told: Iterable[Message] = fake.messages(order) if event is None else fake.moved(order, reference, event)
            for message in told:
                for _ in range(self.plan.repeat):
                    address = self.plan.address(fake, order.account)
                    if address is not None:
                        await self._deliver(address, message)

    async def _deliver(self, url: str, message: Message) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        timeout = aiohttp.ClientTimeout(message.within_seconds)
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(AGAIN_SECONDS)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
                sent = self._session.post(url, data=message.body, headers=dict(message.headers), timeout=timeout)
                async with sent as answer:
                    if answer.status == 200 or (message.any_2xx and answer.status < 300):
                        self.taken += 1
                        return
        self.failed += 1
