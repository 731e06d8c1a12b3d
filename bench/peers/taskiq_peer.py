"""taskiq: asyncio, one message an order; its delayed calls need its scheduler process."""

from __future__ import annotations

import asyncio
import datetime
import os
import sys

import aiohttp
import redis.asyncio
from taskiq import TaskiqScheduler
from taskiq.events import TaskiqEvents
from taskiq_redis import ListQueueBroker, ListRedisScheduleSource

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import job

broker = ListQueueBroker(job.REDIS, max_connection_pool_size=1000)
source = ListRedisScheduleSource(job.REDIS)
scheduler = TaskiqScheduler(broker, [source])
store = redis.asyncio.Redis.from_url(job.REDIS)
http: aiohttp.ClientSession


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def startup(_: object) -> None:
    global http
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=job.IN_FLIGHT))
    await source.startup()


@broker.task(task_name="create")
async def create(key: str) -> None:
    async with http.post(job.URL, data=job.create_body(key), headers=job.HEADERS) as answer:
        reference = job.reference_of(await answer.read())
    await store.hset("results", key, reference)
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=job.DELAY_SECONDS)
    await read.schedule_by_time(source, due, key, reference)


@broker.task(task_name="read")
async def read(key: str, reference: str) -> None:
    async with http.post(job.URL, data=job.read_body(reference), headers=job.HEADERS) as answer:
        result = job.result_of(await answer.read())
    await store.hset("results", key, result)


def submit(count: int, first: int = 0) -> None:
    async def run() -> None:
        await broker.startup()
        for start in range(first, first + count, 200):
            numbers = range(start, min(first + count, start + 200))
            await asyncio.gather(*(create.kiq(job.order_id(number)) for number in numbers))
        await broker.shutdown()

    asyncio.run(run())
