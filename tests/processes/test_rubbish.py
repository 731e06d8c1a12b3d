"""Whatever somebody pushes on a queue, the workers stay up and the next order goes its way."""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, FOLLOW_QUEUE
from tests.harness import Shop, job

QUEUES = ("place.main", CONFIRM_QUEUE, FOLLOW_QUEUE, ADMIN_QUEUE)
SOUND_BODY: list[Any] = [[["SO-1"]], {}, {}]
BOMB_BYTES = 400 << 20


def message(content: bytes, task: Any = "orders.place", **changed: Any) -> dict[str, Any]:
    properties = {
        "delivery_info": {"exchange": "", "routing_key": "place.main"},
        "delivery_tag": "a-tag",
        "body_encoding": "base64",
    }
    return {
        "body": base64.b64encode(content).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": task, "id": "an-id"},
        "properties": properties,
    } | changed


def with_properties(**changed: Any) -> dict[str, Any]:
    made = message(json.dumps(SOUND_BODY).encode())
    return made | {"properties": made["properties"] | changed}


def without_tag() -> dict[str, Any]:
    made = message(json.dumps(SOUND_BODY).encode())
    del made["properties"]["delivery_tag"]
    return made


def compressed(name: str, body: bytes) -> dict[str, Any]:
    return message(body, headers={"task": "orders.place", "id": "an-id", "compression": name})


def bomb() -> bytes:
    deflate = zlib.compressobj()
    zeros = bytes(1 << 20)
    return b"".join([deflate.compress(zeros) for _ in range(BOMB_BYTES >> 20)] + [deflate.flush()])


def rubbish() -> list[bytes]:
    """Return what no client of ours pushes; by the comments' kinds."""
    sound = json.dumps(SOUND_BODY).encode()
    documents: list[Any] = [
        *(None, 5, "x", [], {}, [1, 2]),
        {"properties": 5},
        {"properties": {}},
        {"body": "x", "properties": {"delivery_tag": "1"}},
        # of the right form, with one part of another kind
        message(sound, headers=None),
        message(sound, headers=[1]),
        message(sound, headers={"task": ["orders.place"], "id": "an-id"}),
        message(sound, headers={"id": "an-id"}),
        message(sound, body="%%% no base64"),
        message(sound, body=5),
        without_tag(),
        with_properties(delivery_tag={"a": 1}),
        with_properties(delivery_tag=[1]),
        with_properties(delivery_info=5),
        with_properties(delivery_info={}),
        with_properties(body_encoding="rot13"),
        message(sound, task="orders.nobody_knows"),
        # a body no task can take
        message(b"{half"),
        message(b"\xff\xfe"),
        message(b"[" * 100_000),
        message(json.dumps([[], {}, {}]).encode()),
        message(json.dumps([[1, 2, 3], {}, {}]).encode()),
        message(json.dumps([[5], {}, {}]).encode()),
        message(json.dumps([[[{"a": 1}, None]], {}, {}]).encode()),
        message(json.dumps([[], {"ids": 5, "more": 1}, {}]).encode()),
        message(sound, headers={"task": "orders.place", "id": "an-id", "eta": "tomorrow", "expires": []}),
        message(sound, headers={"task": "orders.place", "id": "an-id", "timelimit": 5, "retries": "x"}),
        # compressed
        compressed("application/x-gzip", b"no gzip"),
        compressed("application/x-bz2", sound),
        compressed("application/x-lzma", sound),
        compressed("nothing known", sound),
        compressed("application/x-gzip", bomb()),
    ]
    texts = [b"x", b"", b"\xff\xfe\x00", b'{"body": "half', b"[" * 100_000, b"NaN"]
    return [*texts, *(json.dumps(document).encode() for document in documents)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop")) as made:
        made.start_redis()
        made.start_sandbox()
        made.start("place", "confirm")
        made.until("both workers to listen", lambda: listening(made) >= 2, 60)
        yield made


def listening(shop: Shop) -> int:
    """Return how many workers have subscribed to what is broadcast to them."""
    with shop.redis() as client:
        return len(client.client_list(_type="pubsub"))


def resident_mib(pid: int) -> int:
    """Return the largest memory a process ever had."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) >> 10


def test_rubbish_in_any_queue_ends_no_worker(shop: Shop) -> None:
    with shop.redis() as client:
        for queue in QUEUES:
            for one in rubbish():
                client.lpush(queue, one)
        shop.until("the queues to be empty", lambda: not any(client.llen(queue) for queue in QUEUES), 60)
        assert client.hlen("unacked") == 0 or shop.until("all to be acknowledged", lambda: not client.hlen("unacked"))
    assert all(process.poll() is None for process in shop.processes.values()), shop.log("place")
    for name in ("place", "confirm"):
        assert "dropped" in shop.log(name)
        if sys.platform == "linux":
            assert resident_mib(shop.processes[name].pid) < 400, "a bomb of 400 MiB was held"
    shop.submit([job("SO-AFTER")])
    shop.wait_for("SO-AFTER", "placed", "confirmed")


def test_rubbish_broadcast_or_kept_as_unacknowledged_holds_nothing_up(shop: Shop) -> None:
    with shop.redis() as client:
        for channel in ("/0.celery.pidbox", "/0.celeryev/worker.heartbeat", "/0.celeryev/task.received"):
            for one in rubbish():
                client.publish(channel, one)
        client.hset("unacked", "not-json", "x")
        client.zadd("unacked_index", {"not-json": 0})
        kept = message(json.dumps([[["SO-KEPT"]], {}, {}]).encode())
        client.hset("unacked", "kept", json.dumps([kept, "", "place.main"]))
        client.zadd("unacked_index", {"kept": 1})
        shop.until("what was kept to be put back", lambda: not client.hexists("unacked", "kept"), 30)
        assert not client.hexists("unacked", "not-json")
    assert all(process.poll() is None for process in shop.processes.values())
    shop.submit([job("SO-AFTER-2")])
    shop.wait_for("SO-AFTER-2", "placed", "confirmed")
