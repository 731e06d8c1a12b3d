"""huey: threads, one task an order."""

from __future__ import annotations

import os
import sys

import httpx
import redis
from huey import RedisHuey

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import job

huey = RedisHuey("bench", url=job.REDIS, results=False)
http = httpx.Client(limits=httpx.Limits(max_connections=job.IN_FLIGHT), timeout=120)
store = redis.Redis.from_url(job.REDIS, max_connections=1000)


@huey.task()
def create(key: str) -> None:
    answer = http.post(job.URL, content=job.create_body(key), headers=job.HEADERS)
    reference = job.reference_of(answer.content)
    store.hset("results", key, reference)
    read.schedule((key, reference), delay=job.DELAY_SECONDS)


@huey.task()
def read(key: str, reference: str) -> None:
    answer = http.post(job.URL, content=job.read_body(reference), headers=job.HEADERS)
    store.hset("results", key, job.result_of(answer.content))


def submit(count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        create(job.order_id(number))
