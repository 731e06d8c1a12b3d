"""Lesson 12. A buyer's name, address and phone are in the ledger and on the wire, and nowhere else.

The one exception is a message of `orders.submit`, which carries whole orders while it waits in Redis.
"""

from __future__ import annotations

import json
from typing import Any

from celery import Celery
from celery.utils.nodenames import gethostname

from tests.harness import Shop, job
from tests.personal import personal
from tests.redis_texts import redis_texts

QUEUED = "SO-1201"
BY_MESSAGE = "SO-1202"
REFUSED = "SO-1203"
BY_LATER_MESSAGE = "SO-1204"


def begin(shop: Shop) -> dict[str, str]:
    """Look into Redis while the orders of every lesson so far wait in it; then send whole orders through it."""
    shop.submit([job(QUEUED), job(REFUSED, memo="sandbox:B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL")])
    with shop.redis() as redis:
        waiting = redis_texts(redis)
    stranger = Celery("somebody-else", broker=shop.redis_url, set_as_current=False)
    stranger.send_task("orders.submit", args=[[job(BY_MESSAGE)]], queue="admin")
    stranger.send_task("orders.submit", args=[[job(BY_LATER_MESSAGE)]], queue="admin", countdown=15)
    stranger.send_task("orders.misspelt", args=[[job("SO-1205")]], queue="admin")
    stranger.send_task("orders.submit", args=["no list", job("SO-1206")], queue="admin")
    stranger.close()
    return waiting


def go_on(shop: Shop) -> str:
    """Return what Flower shows of a worker while a message of whole orders waits in it."""
    worker = f"confirm@{gethostname()}"
    with shop.flower() as flower:

        def waiting() -> str | None:
            shown = flower.get("/api/workers", params={"refresh": 1, "workername": worker})
            found = shown.is_success and shown.json().get(worker, {}).get("scheduled")
            return shown.text + flower.get(f"/worker/{worker}").text if found else None

        return shop.until("a worker to hold orders.submit", waiting)


def settled(shop: Shop) -> None:
    shop.wait_for(REFUSED, "refused")
    for order_id in (QUEUED, BY_MESSAGE, BY_LATER_MESSAGE):
        shop.wait_for(order_id, "confirmed")


def test_redis_holds_ids_only_while_orders_wait(begun: dict[str, str]) -> None:
    assert QUEUED in begun["place.main"]
    assert personal({key: text for key, text in begun.items() if key != "admin"}) == {}


def test_redis_holds_nothing_of_them_afterwards(shop: Shop) -> None:
    settled(shop)
    with shop.redis() as redis:
        shop.until("orders.submit to be acknowledged", lambda: personal(redis_texts(redis)) == {})


def test_flower_shows_nothing_of_them_while_they_wait_in_a_worker(gone_on: str) -> None:
    assert "orders.submit" in gone_on
    assert personal({"/api/workers": gone_on}) == {}


def test_flower_shows_nothing_of_them(shop: Shop) -> None:
    settled(shop)
    with shop.flower() as flower:

        def submitted() -> dict[str, Any] | None:
            found = flower.get("/api/tasks", params={"taskname": "orders.submit"}).json()
            return found if any(task["state"] == "SUCCESS" for task in found.values()) else None

        tasks = shop.until("orders.submit to be in Flower", submitted)
        assert {(task["args"], task["kwargs"]) for task in tasks.values()} == {("(jobs)", "(jobs)")}
        known = flower.get("/api/tasks").json()
        paths = [
            "/",
            "/tasks",
            "/broker",
            "/metrics",
            "/api/workers?refresh=1",
            "/api/queues/length",
            "/api/task/types",
        ]
        paths += [f"{form}/{task}" for task in known for form in ("/task", "/api/task/info")]
        shown = {path: flower.get(path) for path in paths}
    assert {path: answer.status_code for path, answer in shown.items() if answer.status_code != 200} == {}
    assert personal({"/api/tasks": json.dumps(known)} | {path: answer.text for path, answer in shown.items()}) == {}


def test_no_log_holds_anything_of_them_at_the_most_talkative_level(shop: Shop) -> None:
    settled(shop)
    logs = {path.name: path.read_text(errors="replace") for path in shop.folder.rglob("*.log")}
    assert {"place.log", "confirm.log", "beat.log", "flower.log", "sandbox.log", "redis.log"} <= logs.keys()
    assert personal(logs) == {}
    assert "orders.misspelt" in logs["confirm.log"]


def test_the_commands_show_nothing_of_them(shop: Shop) -> None:
    settled(shop)
    said = {name: shop.cli(*command.split()) for name, command in _COMMANDS.items()}
    assert personal({name: answer.out + answer.err for name, answer in said.items()}) == {}


_COMMANDS = {
    "show": f"show {REFUSED} --json",
    "why": f"why {REFUSED}",
    "list": "list",
    "export": "export",
    "export --json": "export --json",
}
