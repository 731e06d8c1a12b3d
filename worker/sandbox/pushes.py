"""Sends the sandbox's push messages: a little after each commit, from a bounded queue, until they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import random

import aiohttp
from pydantic import BaseModel, ConfigDict, Field

from worker.sandbox.fake import Fake, Message, SandboxOrder

MOST_WAITING = 10_000
AT_ONCE = 16
TRIES = 3
AGAIN_SECONDS = 1.0
ANSWER_SECONDS = 5.0


class PushPlan(BaseModel):
    """Where messages go and how, as `POST /_sandbox/pushes` sets it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(None, pattern=r"^https?://", description="`{account}` stands for the order's; unset: none")
    probability: float = Field(1, ge=0, le=1, description="of each order's messages; the others are never sent")
    repeat: int = Field(1, ge=1, le=100, description="how often each message is sent, taken or not")
    delay_seconds: float = Field(0.5, ge=0, le=3600, description="between the commit and the first message")


class Pusher:
    """Offers cost next to nothing while there is no URL. All but `offer` is for the sandbox's own loop."""

    def __init__(self) -> None:
        self.plan = PushPlan()
        self.taken = 0
        """Messages answered with 200."""
        self.failed = 0
        """Messages given up after every try."""
        self.dropped = 0
        """Orders whose messages found no room in the queue."""
        self._waiting: asyncio.Queue[tuple[float, Fake, SandboxOrder]] = asyncio.Queue(MOST_WAITING)
        self._senders: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    def set(self, plan: PushPlan) -> None:
        """Change where messages go; those that wait go there too."""
        self.plan = plan
        if plan.url and not self._senders:
            self._senders = [asyncio.create_task(self._send_on()) for _ in range(AT_ONCE)]

    def offer(self, fake: Fake, order: SandboxOrder) -> None:
        """Send an order's messages in a moment."""
        plan = self.plan
        if plan.url is None or (plan.probability < 1 and random.random() >= plan.probability):
            return
        try:
            self._waiting.put_nowait((asyncio.get_running_loop().time() + plan.delay_seconds, fake, order))
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
            due, fake, order = await self._waiting.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            for message in fake.messages(order):
                for _ in range(self.plan.repeat):
                    if self.plan.url is not None:
                        await self._deliver(self.plan.url.replace("{account}", order.account), message)

    async def _deliver(self, url: str, message: Message) -> None:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(ANSWER_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(AGAIN_SECONDS)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
                async with self._session.post(url, data=message.body, headers=dict(message.headers)) as answer:
                    if answer.status == 200:
                        self.taken += 1
                        return
        self.failed += 1
