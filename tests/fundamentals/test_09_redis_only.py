"""Lesson 9. A producer that reaches Redis only sends `orders.submit` in ordinary Celery JSON, without our code."""

from __future__ import annotations

import uuid

from celery import Celery
from kombu import Connection, Producer

from tests.harness import Shop, job

BY_CELERY = "SO-901"
BY_KOMBU = "SO-902"


def begin(shop: Shop) -> None:
    stranger = Celery("somebody-else", broker=shop.redis_url, set_as_current=False)
    stranger.send_task("orders.submit", kwargs={"jobs": [job(BY_CELERY)]}, queue="admin")
    stranger.close()
    # What Celery puts on the wire is documented, so any language can do it.
    with Connection(shop.redis_url) as connection:
        Producer(connection).publish(
            [[[job(BY_KOMBU), {"order_id": "SO-903"}]], {}, {}],
            routing_key="admin",
            serializer="json",
            headers={"id": str(uuid.uuid4()), "task": "orders.submit", "lang": "any"},
        )


def test_an_order_sent_by_a_plain_celery_client_is_confirmed(shop: Shop) -> None:
    shop.wait_for(BY_CELERY, "confirmed")
    assert len(shop.sandbox_orders(BY_CELERY)) == 1


def test_an_order_sent_as_a_bare_message_is_confirmed(shop: Shop) -> None:
    shop.wait_for(BY_KOMBU, "confirmed")
    assert len(shop.sandbox_orders(BY_KOMBU)) == 1


def test_a_bad_job_among_them_is_rejected_and_does_not_stop_the_others(shop: Shop) -> None:
    batch = shop.wait_for(BY_KOMBU, "placed", "confirmed")["batch"]
    (row,) = shop.cli("status", batch, "--json").json()["batches"]
    assert (row["source"], row["accepted"], row["rejected"]) == ("redis", 1, 1)
