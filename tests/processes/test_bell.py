"""The bell, on a real Redis: chunks of ids and nothing else, and what happens when Redis is not there.

The Celery application reads its settings when it is imported, so each ringing happens in a process of its own.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from config.queues import COUNTDOWN_LIMIT_SECONDS, VISIBILITY_TIMEOUT_SECONDS

Ring = Callable[..., Any]

PRELUDE = """
import json, sys, time, threading, logging
from config.settings import settings
from worker.app import app
from worker.broker import bell as module
from worker.broker.bell import Bell
from worker.errors import RedisAway
from worker.parts import parts

def bell():
    return parts().bell

def refused(do):
    begun = time.monotonic()
    try:
        do()
    except RedisAway as error:
        return [str(error), time.monotonic() - begun]
    return ["rang", time.monotonic() - begun]

def tell(value):
    print(json.dumps(value))
"""
KEYS = {"MARKETPLACE": "aliexpress", "APP_KEY": "1", "APP_SECRET": "geheim", "ACCESS_TOKEN": "geheim-token"}


@pytest.fixture
def ring(tmp_path: Path, real_redis_url: str) -> Ring:
    """Run code that rings, with accounts main (20/s) and slow (0.5/s), and return what it told."""

    def run(code: str, **environment: str) -> Any:
        settings = {
            "FULFIL_HOME": str(tmp_path),
            "FULFIL_REDIS_URL": real_redis_url,
            "FULFIL_CHUNK": "100",
            **{f"FULFIL_ACCOUNTS__{name}__{key}": value for name in ("MAIN", "SLOW") for key, value in KEYS.items()},
            "FULFIL_ACCOUNTS__MAIN__RATE_PER_SECOND": "20",
            "FULFIL_ACCOUNTS__SLOW__RATE_PER_SECOND": "0.5",
            **environment,
        }
        done = subprocess.run(
            [sys.executable, "-c", PRELUDE + code],
            cwd=tmp_path,
            env={**os.environ, **settings, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]), done.stderr

    return run


def messages(client: redis.Redis, queue: str) -> list[dict[str, Any]]:
    """Return a queue's messages, the oldest first, as Celery reads them."""
    return [json.loads(raw) for raw in client.lrange(queue, 0, -1)[::-1]]


def ids(message: dict[str, Any]) -> list[str]:
    args, kwargs, _ = json.loads(base64.b64decode(message["body"]))
    assert len(args) == 1
    assert kwargs == {}
    return list(args[0])


def test_orders_are_rung_for_in_messages_an_account_can_send_in_a_second(ring: Ring, real_redis: redis.Redis) -> None:
    sizes, _ = ring(
        """
bell().place("main", [f"SO-{n}" for n in range(50)])
bell().place("slow", ["SL-1", "SL-2"], countdown=30)
tell([ask(name) for ask in (bell().message_size, bell().worth_ringing) for name in ("main", "slow")])
"""
    )
    assert sizes == [20, 1, 200, 5]
    main = messages(real_redis, "place.main")
    assert [ids(m) for m in main] == [[f"SO-{n}" for n in range(start, min(start + 20, 50))] for start in (0, 20, 40)]
    assert {m["headers"]["task"] for m in main} == {"orders.place"}
    assert {m["headers"]["eta"] for m in main} == {None}
    slow = messages(real_redis, "place.slow")
    assert [ids(m) for m in slow] == [["SL-1"], ["SL-2"]]
    assert all(m["headers"]["eta"] for m in slow)


def test_a_message_carries_ids_and_nothing_else(ring: Ring, real_redis: redis.Redis) -> None:
    ring("bell().place('main', ['SO-1', 'SO-2']); bell().confirm(['SO-3']); bell().reconcile(['SO-4']); tell(1)")
    kept = {key: real_redis.lrange(key, 0, -1) for key in real_redis.keys("*") if real_redis.type(key) == b"list"}
    assert sorted(kept) == [b"confirm", b"place.main"]
    assert [ids(m) for m in messages(real_redis, "confirm")] == [["SO-3"], ["SO-4"]]
    assert [m["headers"]["task"] for m in messages(real_redis, "confirm")] == ["orders.confirm", "orders.reconcile"]
    for message in messages(real_redis, "place.main"):
        assert json.loads(base64.b64decode(message["body"]))[0] == [["SO-1", "SO-2"]]
        assert "geheim" not in json.dumps(message)


def test_confirms_that_come_due_together_share_a_message(ring: Ring, real_redis: redis.Redis) -> None:
    ring(
        """
own, now = Bell(app, parts().accounts, settings().model_copy(update={"chunk": 10})), time.time()
for n in range(25):
    own.confirm_at([(now + 12 + n / 1000, f"SO-{n:02}")])
own.confirm_at([(now + 14, "SO-later")])
own.confirm_at([(now + 3600, "SO-far")])
own.confirm_at([])
own.stop()
tell(1)
"""
    )
    groups = [ids(m) for m in messages(real_redis, "confirm")]
    assert sum(groups, []) == [*(f"SO-{n:02}" for n in range(25)), "SO-later"]  # noqa: RUF017
    assert all(len(group) <= 10 for group in groups)
    assert len(groups) <= 6
    assert groups[-1] == ["SO-later"]
    assert all(m["headers"]["eta"] for m in messages(real_redis, "confirm")), (
        "and what is far off is left to the ledger"
    )


def test_many_threads_ring_at_once_and_no_ring_is_lost(ring: Ring, real_redis: redis.Redis) -> None:
    ring(
        """
def many(thread):
    for n in range(20):
        bell().place("main", [f"SO-{thread}-{n}"])
        bell().confirm_at([(time.time() + 11, f"CO-{thread}-{n}")])
threads = [threading.Thread(target=many, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
bell().stop()
tell(1)
"""
    )
    for queue, prefix in (("place.main", "SO"), ("confirm", "CO")):
        rung = [one for message in messages(real_redis, queue) for one in ids(message)]
        assert sorted(rung) == sorted(f"{prefix}-{thread}-{n}" for thread in range(8) for n in range(20))


def test_redis_away_is_said_at_once_and_confirms_never_fail(ring: Ring, closed_port: int) -> None:
    (places, confirms, began, alive), log = ring(
        """
places = [refused(lambda: bell().place("main", ["SO-1"])) for _ in range(2)]
confirms = refused(lambda: bell().confirm(["SO-1"]))
began = time.monotonic()
bell().confirm_at([(time.time() + 10, "SO-1")])
began = time.monotonic() - began
bell().wait_for_round(1)
alive = bell().runs
bell().stop()
tell([places, confirms, began, alive])
""",
        FULFIL_REDIS_URL=f"redis://127.0.0.1:{closed_port}/0",
    )
    for told, took in [*places, confirms]:
        assert told.startswith("Redis does not answer")
        assert took < 5
    assert began < 0.5, "nothing that waits for Redis stands between an answer and its record"
    assert alive
    assert "1 confirmations are left to the sweep" in log


def test_a_full_redis_is_away_too_and_the_bell_lives_on(
    ring: Ring, real_redis: redis.Redis, real_redis_url: str
) -> None:
    """A batch that fails raises neither an OperationalError nor an OSError; unseen, it ended the gathering for good."""
    try:
        (told, alive), _ = ring(
            """
import redis
client = redis.Redis.from_url(settings().redis_url)
bell().place("main", ["SO-0"])
client.config_set("maxmemory", "1")
told = [refused(lambda: bell().place("main", ["SO-1"])), refused(lambda: bell().confirm(["SO-1"]))]
bell().confirm_at([(time.time() + 10, "SO-1")])
bell().wait_for_round(1)
alive = bell().runs
client.config_set("maxmemory", "0")
bell().confirm_at([(time.time() + 10, "SO-2")])
bell().stop()
tell([told, alive])
"""
        )
    finally:
        real_redis.config_set("maxmemory", "0")
    assert all(text.startswith("Redis does not answer") for text, _ in told)
    assert alive
    assert [ids(m) for m in messages(real_redis, "confirm")] == [["SO-2"]]


def test_nothing_is_published_for_nothing(ring: Ring, real_redis: redis.Redis) -> None:
    ring("bell().place('main', []); bell().confirm([]); bell().stop(); tell(1)")
    assert real_redis.llen("place.main") == real_redis.llen("confirm") == 0


def test_no_countdown_reaches_the_time_after_which_messages_are_given_out_again() -> None:
    assert COUNTDOWN_LIMIT_SECONDS * 2 < VISIBILITY_TIMEOUT_SECONDS


def test_groups_are_gathered_by_time_and_delay_nobody_by_more_than_the_gathering(ring: Ring) -> None:
    (groups, small, gather), _ = ring(
        """
due = [(n * module.GATHER_SECONDS / 4, f"SO-{n}") for n in range(12)]
tell([list(module._by_time(due, 100)), list(module._by_time(due, 2)), module.GATHER_SECONDS])
"""
    )
    assert [order_id for group in groups for _, order_id in group] == [f"SO-{n}" for n in range(12)]
    assert all(group[-1][0] - group[0][0] <= gather + 1e-9 for group in groups)
    assert len(groups) == 3
    assert {len(group) for group in small} == {2}
