"""Asks marketplaces before orders are placed: at rates of its own, far below theirs, so that nothing else is later."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from config.settings import Settings
from worker.accounts import Accounts
from worker.errors import RedisAway, where
from worker.marketplaces.asks import Answer, Ask, Topic
from worker.marketplaces.base import Marketplace, Rate
from worker.rules.outcomes import Decline, Declined, NotSent, Unknown
from worker.sending.limits import PACE, Booking, Gate, Lane, Limits
from worker.sending.loop import Loop
from worker.sending.turns import FOLLOW_SHARE

log = logging.getLogger(__name__)

TRIES = 3
"""How often a question is asked whose answer says nothing."""
MOST_FAILURES = 20
"""Questions in a row without an answer after which a marketplace counts as away."""
MAX_WAIT_SECONDS = 1.5
"""Slots are booked so far ahead; the rest of the quota stays free for other processes that ask."""
AHEAD_SECONDS = 0.5
PAUSE_SECONDS = 1.0
"""Wait before a question is asked again; the second time twice as long."""
IN_FLIGHT = 50


@dataclass(slots=True)
class _Run:
    """One account's questions under way. `away`: why no more are asked."""

    marketplace: Marketplace
    until: float
    answers: dict[str, Answer] = field(default_factory=dict)
    failures: int = 0
    away: str = ""
    redis: RedisAway | None = None

    def note(self, answer: Answer) -> None:
        if isinstance(answer, Declined) and answer.kind is not Decline.RATE:
            self.away = f"{self.marketplace.title} does not accept the account: {answer.reason}"
        self.failures = self.failures + 1 if _says_nothing(answer) else 0
        if self.failures >= MOST_FAILURES:
            self.away = self.away or f"{self.marketplace.title} does not answer: {_cause(answer)}"


class Asking:
    """Runs questions on the loop. All processes of one Redis share the rates."""

    def __init__(self, settings: Settings, accounts: Accounts, limits: Limits, loop: Loop) -> None:
        self._settings = settings
        self._accounts = accounts
        self._limits = limits
        self._loop = loop
        self._rates = {
            Topic.PRODUCT: Rate(settings.preflight_products_per_second),
            Topic.FREIGHT: Rate(settings.preflight_freights_per_second),
            Topic.ADDRESS: Rate(settings.preflight_addresses_per_second),
        }
        self._lanes: dict[Topic, Lane] = {
            Topic.PRODUCT: "product",
            Topic.FREIGHT: "freight",
            Topic.ADDRESS: "address",
        }
        self._gates = {topic: Gate(rate) for topic, rate in self._rates.items()}
        self._room = asyncio.Semaphore(min(IN_FLIGHT, settings.in_flight_reads))

    def ask(self, account: str, asks: Sequence[Ask], until: float) -> tuple[dict[str, Answer], str]:
        """Ask an account's marketplace; return the answers by their keys, and why it counts as away ("": it does not).

        `until` (unix seconds): nothing is asked later. Raises RedisAway: without rates nothing is asked.
        """
        run = _Run(self._accounts.adapter(account), until)
        by_topic: dict[Topic, list[Ask]] = defaultdict(list)
        for one in asks:
            by_topic[one.topic].append(one)

        async def every() -> None:
            await asyncio.gather(*(self._topic(run, topic, of_it) for topic, of_it in by_topic.items()))

        self._loop.run(every())
        if run.redis is not None:
            raise run.redis
        left = NotSent(run.away or "its time ran out before it was asked")
        return {one.key: run.answers.get(one.key, left) for one in asks}, run.away

    async def _topic(self, run: _Run, topic: Topic, asks: Sequence[Ask]) -> None:
        waiting, asked = deque(asks), []
        while waiting and not run.away and run.redis is None and time.time() < run.until:
            try:
                count = min(len(waiting), self._a_second(topic))
                booked = await asyncio.to_thread(self._book, run.marketplace, topic, count)
            except RedisAway as error:
                run.redis = error
                break
            now = time.monotonic()
            asked += [asyncio.create_task(self._ask(run, waiting.popleft(), now + wait)) for wait in booked.waits]
            if waiting:
                # A turn that is far away is that of a crowd, which may thin out: it is asked for again soon.
                await asyncio.sleep(min(MAX_WAIT_SECONDS, max(0.05, booked.next_wait - AHEAD_SECONDS)))
        await asyncio.gather(*asked)

    def _a_second(self, topic: Topic) -> int:
        """Return how many slots are booked together: more would only put off what others book."""
        return max(1, int(self._rates[topic].per_second * PACE)) if topic in self._rates else 1

    async def _ask(self, run: _Run, ask: Ask, at: float) -> None:
        for attempt in range(TRIES):
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            if run.away or time.time() >= run.until:
                return
            answer = await self._call(run, ask)
            if not _says_nothing(answer):
                break
            run.note(answer)
            if attempt + 1 < TRIES:
                at = time.monotonic() + await self._again(run.marketplace, ask.topic, PAUSE_SECONDS * 2**attempt)
        run.note(answer)
        run.answers[ask.key] = answer

    async def _call(self, run: _Run, ask: Ask) -> Answer:
        gate = self._gates.get(ask.topic)
        async with self._room:
            while gate is not None and (wait := gate.wait(1)) > 0:
                await asyncio.sleep(wait)
            try:
                return await self._loop.client.drive(ask.begin(), deadline=run.until)
            except Exception as error:
                log.error("%s while asking %s for a %s", where(error), run.marketplace.name, ask.topic)
                return Unknown(f"an internal error ({type(error).__name__})")

    async def _again(self, marketplace: Marketplace, topic: Topic, pause: float) -> float:
        """Return in how many seconds a question may be asked again: after a pause, at a slot of its own."""
        await asyncio.sleep(pause)
        try:
            booked = await asyncio.to_thread(self._book, marketplace, topic, 1)
        except RedisAway:
            return pause
        return booked.waits[0] if booked.waits else booked.next_wait

    def _book(self, marketplace: Marketplace, topic: Topic, count: int) -> Booking:
        if topic is Topic.PREVIEW:  # it counts with the account's creates, so it gets what they leave
            rate = self._accounts.rate(marketplace.account)
            return self._limits.book_idle(marketplace.account, rate, FOLLOW_SHARE, count, 1, MAX_WAIT_SECONDS)
        return self._limits.book(marketplace.name, self._lanes[topic], self._rates[topic], count, 1, MAX_WAIT_SECONDS)


def _says_nothing(answer: Answer) -> bool:
    return isinstance(answer, Declined | NotSent | Unknown)


def _cause(answer: Answer) -> str:
    return getattr(answer, "cause", "") or getattr(answer, "reason", "")
