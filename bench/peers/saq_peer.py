"""saq: asyncio, one job an order."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

import aiohttp
import redis.asyncio
from saq import Queue

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import job

queue = Queue.from_url(job.REDIS)
store = redis.asyncio.Redis.from_url(job.REDIS)


async def create(ctx: dict[str, Any], *, order: str) -> None:
    async with ctx["http"].post(job.URL, data=job.create_body(order), headers=job.HEADERS) as answer:
        reference = job.reference_of(await answer.read())
    await store.hset("results", order, reference)
    due = time.time() + job.DELAY_SECONDS
    await queue.enqueue("read", order=order, reference=reference, scheduled=due, timeout=120)


async def read(ctx: dict[str, Any], *, order: str, reference: str) -> None:
    async with ctx["http"].post(job.URL, data=job.read_body(reference), headers=job.HEADERS) as answer:
        result = job.result_of(await answer.read())
    await store.hset("results", order, result)


async def startup(ctx: dict[str, Any]) -> None:
    ctx["http"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=job.IN_FLIGHT))


settings = {
    "queue": queue,
    "functions": [create, read],
    "concurrency": job.IN_FLIGHT,
    "startup": startup,
    "timers": {"schedule": 1},
}


def submit(count: int, first: int = 0) -> None:
    async def run() -> None:
        own = Queue.from_url(job.REDIS)  # a queue belongs to one loop, and each call has its own
        await own.connect()
        for start in range(first, first + count, 200):
            numbers = range(start, min(first + count, start + 200))
            await asyncio.gather(*(own.enqueue("create", order=job.order_id(n), timeout=120) for n in numbers))
        await own.disconnect()

    asyncio.run(run())
