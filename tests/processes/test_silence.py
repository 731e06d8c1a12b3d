"""A connection to Redis that is dropped without a word is noticed, by Flower as by the workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.events import EventReceiver

from config.queues import keepalive_options
from tests.harness import Shop, job
from tests.processes.redis_server import redis_server
from tests.processes.relay import Relay
from worker.broker import transport

HEALTH_SECONDS = 1
FLOWER_SECONDS = 150
"""Some health checks of 25 s have to go unanswered first."""


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    with redis_server(tmp_path / "redis") as port:
        made = Relay(port)
        yield made
        made.close()


def test_who_only_listens_to_events_hears_again_after_a_silence(relay: Relay) -> None:
    """As Flower listens: without Celery's event loop, which alone had a timer for this."""
    transport.use()
    listening = Celery(broker=f"redis://127.0.0.1:{relay.port}/0", set_as_current=False)
    listening.conf.broker_transport_options = {
        "health_check_interval": HEALTH_SECONDS,
        "socket_keepalive": True,
        "socket_keepalive_options": keepalive_options(),
    }
    heard: list[dict[str, Any]] = []

    def listen() -> None:
        with listening.connection() as connection:
            receiver = EventReceiver(connection, handlers={"*": heard.append}, app=listening)
            receiver.capture(limit=None, timeout=None, wakeup=False)

    threading.Thread(target=listen, daemon=True).start()
    assert tells_until(relay, heard), "it hears"
    assert relay.go_silent()
    heard.clear()
    assert tells_until(relay, heard, seconds=20 * HEALTH_SECONDS), "it hears again"


def tells_until(relay: Relay, heard: list[dict[str, Any]], seconds: float = 10) -> bool:
    """Send events straight to the server until one is heard."""
    telling = Celery(broker=f"redis://127.0.0.1:{relay._target}/0", set_as_current=False)
    end = time.monotonic() + seconds
    with telling.connection() as connection, telling.events.Dispatcher(connection, hostname="w@test") as dispatcher:
        while not heard and time.monotonic() < end:
            dispatcher.send("worker-heartbeat", freq=2)
            time.sleep(0.2)
    return bool(heard)


def test_flowers_numbers_move_again_after_a_silence(relay: Relay, tmp_path: Path) -> None:
    with Shop(tmp_path / "shop", redis_url=f"redis://127.0.0.1:{relay._target}/0") as shop:
        shop.start_sandbox()
        shop.start("place", "confirm")
        direct = shop.environment["FULFIL_REDIS_URL"]
        shop.environment["FULFIL_REDIS_URL"] = f"redis://127.0.0.1:{relay.port}/0"
        shop.start("flower")
        shop.environment["FULFIL_REDIS_URL"] = direct
        shop.until("Flower to answer", shop.flower_answers, 60)

        def knows(order_id: str) -> bool:
            with shop.flower() as flower:
                return any(order_id in str(task["result"]) for task in flower.get("/api/tasks").json().values())

        shop.submit([job("SO-BEFORE")])
        shop.until("Flower to show the first order", lambda: knows("SO-BEFORE"), 60)
        assert relay.go_silent() > 0
        number = 0
        end = time.monotonic() + FLOWER_SECONDS
        while not knows(f"SO-AFTER-{number}"):
            assert time.monotonic() < end, "Flower stood still for good"
            number += 1
            shop.submit([job(f"SO-AFTER-{number}", memo=str(number))])
            time.sleep(5)
