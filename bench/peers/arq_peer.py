"""arq: asyncio, one job an order."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import aiohttp
from arq import create_pool
from arq.connections import RedisSettings

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import job


async def create(ctx: dict[str, Any], key: str) -> None:
    async with ctx["http"].post(job.URL, data=job.create_body(key), headers=job.HEADERS) as answer:
        reference = job.reference_of(await answer.read())
    await ctx["redis"].hset("results", key, reference)
    await ctx["redis"].enqueue_job("read", key, reference, _defer_by=job.DELAY_SECONDS)


async def read(ctx: dict[str, Any], key: str, reference: str) -> None:
    async with ctx["http"].post(job.URL, data=job.read_body(reference), headers=job.HEADERS) as answer:
        result = job.result_of(await answer.read())
    await ctx["redis"].hset("results", key, result)


async def startup(ctx: dict[str, Any]) -> None:
    ctx["http"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=job.IN_FLIGHT))


class WorkerSettings:
    functions = (create, read)
    on_startup = startup
    redis_settings = RedisSettings.from_dsn(job.REDIS)
    max_jobs = job.IN_FLIGHT
    keep_result = 0
    poll_delay = 0.1


def submit(count: int, first: int = 0) -> None:
    async def run() -> None:
        pool = await create_pool(RedisSettings.from_dsn(job.REDIS))
        for start in range(first, first + count, 200):
            numbers = range(start, min(first + count, start + 200))
            await asyncio.gather(*(pool.enqueue_job("create", job.order_id(number)) for number in numbers))

    asyncio.run(run())
