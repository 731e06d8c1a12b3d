"""Faults that come through the doors: messages doubled, forged and broken, operators who all do the same at once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from tests.faults.campaign.makers import accounts
from tests.faults.campaign.stage import Stage
from worker.crashpoints import CrashPoint

FORGED: tuple[Any, ...] = (
    [["NO-SUCH-ORDER", "C0-000000"]],
    [["'; DROP TABLE orders; --", "", "x" * 5000, "ü\u0000"]],
    [[None, 1, 2.5, True, {"order_id": "C1-000001"}, ["C1-000001"]]],
    ["not a list"],
    [{"ids": ["C1-000001"]}],
    [None],
    [],
    [["C1-000001"], "too", "many", "arguments"],
)


def message_doubled(stage: Stage, seconds: float, dice: Random) -> None:
    """The same ids several times over, to the right task and to the wrong ones, in the right queue and in others."""
    ids = some_ids(stage, dice, 12)
    for task, queue in (
        ("orders.place", f"place.{dice.choice(sorted(accounts()))}"),
        ("orders.confirm", "confirm"),
        ("orders.reconcile", "confirm"),
        ("orders.place", "confirm"),
        ("orders.follow", "follow"),
    ):
        stage.desk.ask("ring", task=task, args=[ids], queue=queue, times=dice.randint(2, 4))
    stage.note("duplicate message", 1 if ids else 0)


def message_forged(stage: Stage, seconds: float, dice: Random) -> None:
    """Ids that do not exist and arguments that are no ids."""
    task = dice.choice(("orders.place", "orders.confirm", "orders.reconcile", "admin.retry", "admin.cancel"))
    queue = dice.choice(("confirm", "admin", f"place.{dice.choice(sorted(accounts()))}"))
    stage.desk.ask("ring", task=task, args=dice.choice(FORGED), queue=queue, times=2)


def message_garbage(stage: Stage, seconds: float, dice: Random) -> None:
    """Bytes in a queue that no Celery program ever wrote."""
    queue = dice.choice(("confirm", "admin", f"place.{dice.choice(sorted(accounts()))}"))
    with stage.broker.client() as client:
        client.lpush(queue, dice.choice(_garbage(queue)))


def _garbage(queue: str) -> list[bytes]:
    properties = {
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": "forged",
    }

    def envelope(body: bytes, headers: dict[str, Any], **more: Any) -> bytes:
        message = {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": properties,
        }
        return json.dumps(message | more).encode()

    headers = {"task": "orders.place", "id": "forged-id", "lang": "py", "argsrepr": "()", "kwargsrepr": "{}"}
    return [
        b"\xff\xfe not JSON at all \x00",
        b"{}",
        b"[]",
        b'"a text"',
        envelope(b"not json", headers),
        envelope(b"gASVAAAAAAAAAA==", headers, **{"content-type": "application/x-python-serialize"}),
        envelope(b"[[[]], {}, {}]", {}),
        envelope(b'[[["C1-000001"]], {}, {}]', headers | {"task": "os.system"}),
        envelope(b"{}", headers),
        envelope(b"[5, {}, {}]", headers),
        envelope(b"[[], 5, {}]", headers),
        envelope(b"[[], {}, 5]", headers),
        envelope(b"[[[]], {}, {}]", headers | {"eta": "tomorrow", "expires": "never"}),
        envelope(b"[[[]], {}, {}]", headers | {"id": None, "retries": "many", "timelimit": 5}),
        envelope(b"[[[]], {}, {}]", {"task": "orders.place"}),
        envelope(b"[[[]], {}, {}]", headers, properties={}),
    ]


def operator_retry(stage: Stage, seconds: float, dice: Random) -> None:
    """Two operators and one message retry the same orders at once; one of them may die on the way."""
    ids = some_ids(stage, dice, 4, "state IN ('refused', 'dead', 'unknown', 'placed', 'queued')")
    if not ids:
        return
    crash = stage.crashes.of_client(CrashPoint.RETRYING)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda c: stage.desk.ask("retry", ids=ids, crash=c), (crash, {})))
    stage.desk.ask("ring", task="admin.retry", args=ids, queue="admin", times=2)


def operator_cancel(stage: Stage, seconds: float, dice: Random) -> None:
    """Two operators cancel what can be cancelled and what cannot, while others retry it."""
    ids = some_ids(stage, dice, 2, "state IN ('queued', 'refused', 'dead')") + some_ids(stage, dice, 2)
    if not ids:
        return
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda do: stage.desk.ask(do, ids=ids), ("cancel", "retry", "cancel")))


def some_ids(stage: Stage, dice: Random, count: int, condition: str = "1 = 1") -> list[str]:
    """Return ids of orders that moved last and meet a condition of SQL; none where there are none for a while."""
    query = f"SELECT order_id FROM orders WHERE {condition} ORDER BY updated_at DESC LIMIT 200"
    for _ in range(20):
        known = [row.order_id for row in stage.ledger.rows(query)]
        if known:
            return dice.sample(known, min(count, len(known)))
        stage.wait(0.25)  # nobody is there yet, or the ledger is away
    return []


PEOPLE: dict[str, Callable[[Stage, float, Random], None]] = {
    run.__name__: run for run in (message_doubled, message_forged, message_garbage, operator_retry, operator_cancel)
}
