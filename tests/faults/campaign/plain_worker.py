"""The baseline: a Celery worker as most people would write it. Its orders and its results live in Redis.

acks_late, autoretry with backoff and jitter, a chain with a countdown, timeouts on every call, REPEATED as success.
PLAIN_KEY=keyed sends the order's own id as the marketplace's idempotency key, PLAIN_KEY=keyless sends none of its own.
"""

from __future__ import annotations

import os
import uuid
from typing import Any

import httpx
import redis
from celery import Celery, chain

from tests.faults.campaign.makers import MARKETS, accounts
from worker.marketplaces import REGISTRY
from worker.marketplaces.calls import Reply
from worker.rules.outcomes import Accepted, Found, Refused

URL = os.environ["PLAIN_REDIS"]
KEYED = os.environ.get("PLAIN_KEY") == "keyed"
RESULTS = "results"

app = Celery("plain", broker=URL, backend=URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_concurrency=16,
    worker_pool="threads",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # An hour by default; so much shorter here, so that what it does get back comes back within the run.
    broker_transport_options={"visibility_timeout": 30},
    # Without these a client waits 20 s for each order while Redis is away.
    task_publish_retry=False,
    redis_retry_on_timeout=True,
)
RETRY: dict[str, Any] = {"retry_backoff": 1, "retry_backoff_max": 10, "retry_jitter": True, "max_retries": 5}


class TryAgainError(Exception):
    """The marketplace did not say yes or no."""


@app.task(autoretry_for=(httpx.HTTPError, TryAgainError), acks_late=True, **RETRY)
def place(job: dict[str, Any]) -> dict[str, Any]:
    """Create the order."""
    seller = _seller(job["account"])
    key = job["order_id"] if KEYED else uuid.uuid4().hex
    outcome = _drive(seller.place(job["order"], key))
    if isinstance(outcome, Refused):
        _remember(job["order_id"], f"refused {outcome.code}")
        return {}
    if not isinstance(outcome, Accepted):
        raise TryAgainError(type(outcome).__name__)
    return {"order_id": job["order_id"], "account": job["account"], "references": list(outcome.references)}


@app.task(autoretry_for=(httpx.HTTPError, TryAgainError), acks_late=True, **RETRY)
def confirm(placed: dict[str, Any]) -> None:
    """Read the order back and keep the result."""
    if not placed:
        return
    if not placed["references"]:
        _remember(placed["order_id"], "repeated")  # a success, though nobody knows its id
        return
    outcome = _drive(_seller(placed["account"]).confirm(placed["references"]))
    if not isinstance(outcome, Found):
        raise TryAgainError(type(outcome).__name__)
    _remember(placed["order_id"], f"confirmed {' '.join(placed['references'])}")


def enqueue(job: dict[str, Any]) -> None:
    """Hand an order in."""
    chain(place.s(job), confirm.s().set(countdown=12)).apply_async()


def _seller(account: str) -> Any:
    kind, market = REGISTRY[accounts()[account]], MARKETS[accounts()[account]]
    url = os.environ["PLAIN_SANDBOX"] + market.path
    return kind(account, kind.credentials_model.model_validate(market.keys(account)), url)


def _drive(steps: Any) -> Any:
    try:
        request = next(steps)
        while True:
            came = httpx.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.content,
                timeout=2,
                trust_env=False,
            )
            headers = {name.lower(): value for name, value in came.headers.items()}
            request = steps.send(Reply(came.status_code, headers, came.content))
    except StopIteration as stop:
        return stop.value


def _remember(order_id: str, result: str) -> None:
    redis.Redis.from_url(URL).hset(RESULTS, order_id, result)
