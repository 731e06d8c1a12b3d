"""Plain Celery as most would write it: one task an order, threads, httpx, acks late."""

from __future__ import annotations

import os
import sys

import httpx
import redis
from celery import Celery

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from bench import job

app = Celery("plain_celery", broker=job.REDIS)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    broker_transport_options={"max_connections": 1000},
)
http = httpx.Client(limits=httpx.Limits(max_connections=job.IN_FLIGHT), timeout=120)
store = redis.Redis.from_url(job.REDIS, max_connections=1000)


@app.task(name="create")
def create(key: str) -> None:
    answer = http.post(job.URL, content=job.create_body(key), headers=job.HEADERS)
    reference = job.reference_of(answer.content)
    store.hset("results", key, reference)
    read.apply_async((key, reference), countdown=job.DELAY_SECONDS)


@app.task(name="read")
def read(key: str, reference: str) -> None:
    answer = http.post(job.URL, content=job.read_body(reference), headers=job.HEADERS)
    store.hset("results", key, job.result_of(answer.content))


def submit(count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        create.delay(job.order_id(number))
