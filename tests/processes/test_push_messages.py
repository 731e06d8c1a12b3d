"""Push messages end to end: real workers, the sandbox that sends them, `fulfil hooks` that receives them.

AliExpress says REPEATED_ORDER_ERROR without an id for an order whose reply was lost. Its push message tells the id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tests.harness import Answer, Shop, job, keys, until
from worker.ledger.tables import pushes, results

LOST = "SO-1~timeout_after_commit"
TWINS = ("SO-2~timeout_after_commit", "SO-3~timeout_after_commit")
SPLIT = "SO-4~timeout_after_commit"
PLAIN = "SO-5"
ELSEWHERE = "SO-99"


def of(order_id: str, count: int, **changes: Any) -> dict[str, Any]:
    """Return a job of so many bottles: each story has a number of its own, so that no order is like another's."""
    one = job(order_id)
    one["order"]["product_items"][0] |= {"product_count": count} | changes
    return one


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop"), log_level="DEBUG") as made:
        made.start_redis()
        made.start_sandbox()
        made.start_program("hooks", [sys.executable, "-m", "worker.cli", "hooks", "--port", "0", "--json"])
        url = until("the receiver to listen", lambda: _listening(made), 30)
        made.environment["HOOKS_URL"] = url
        plan = {"url": f"{url}/push/{{account}}", "repeat": 2}
        httpx.post(f"{made.sandbox_url}/_sandbox/pushes", json=plan, trust_env=False).raise_for_status()
        split = of(SPLIT, 4)
        split["order"]["product_items"].append({"product_id": 3256801234567890, "product_count": 4})
        jobs = [of(LOST, 1), *(of(twin, 2) for twin in TWINS), split, of(PLAIN, 5)]
        made.submit(jobs)
        made.create_elsewhere(of(ELSEWHERE, 6))
        made.start("place", "confirm", "beat")
        yield made


def _listening(shop: Shop) -> str | None:
    try:
        told: dict[str, str] = json.loads(shop.log("hooks"))
    except ValueError:
        return None
    return told["url"]


def post(shop: Shop, reference: str, status: str, secret: str | None = None, at: float | None = None) -> int:
    """Send a message as AliExpress would; with another `secret`: as a forger would."""
    told = {"data": {"buyerId": 1, "orderId": int(reference), "orderStatus": status}, "message_type": 53}
    raw = json.dumps(told | {"timestamp": int(at or time.time())}).encode()
    known = keys("main")
    signed = hmac.new((secret or known["app_secret"]).encode(), known["app_key"].encode() + raw, hashlib.sha256)
    url = f"{shop.environment['HOOKS_URL']}/push/main"
    answer = httpx.post(url, content=raw, headers={"Authorization": signed.hexdigest()}, trust_env=False)
    return answer.status_code


def kept(shop: Shop, reference: str) -> Any:
    with shop.ledger.reading() as connection:
        return connection.execute(select(pushes).where(pushes.c.reference == reference)).first()


def references(shop: Shop, order_id: str) -> list[str]:
    (made,) = shop.sandbox_orders(order_id)
    return list(made["references"])


def orphans(shop: Shop) -> tuple[Answer, dict[str, str]]:
    answer = shop.cli("orphans", "--json")
    return answer, {row["reference"]: row["note"] for row in answer.json()}


def test_an_order_whose_reply_was_lost_is_adopted_by_its_message_and_confirmed(shop: Shop) -> None:
    order = shop.wait_for(LOST, "confirmed")
    (reference,) = references(shop, LOST)
    assert order["references"] == [reference]
    assert [event["to"] for event in order["events"]][-2:] == ["placed", "confirmed"]
    (adoption,) = [event for event in order["events"] if event["actor"] == "push"]
    assert adoption["from"] in ("unmatched", "unknown")
    assert adoption["note"] == "its id came from a push message"
    (made,) = shop.sandbox_orders(LOST)
    assert len(made["creates"]) <= 2
    assert min(made["gets"]) - made["created_at"] >= 9.9, "read sooner than 10 s after its making"


def test_a_doubled_message_is_one_row(shop: Shop) -> None:
    shop.wait_for(LOST, "confirmed")
    row = kept(shop, references(shop, LOST)[0])
    assert (row.count, row.state, row.order_id, row.status) == (2, "adopted", LOST, "OrderCreated")


def test_of_twins_nobody_can_tell_so_a_person_does(shop: Shop) -> None:
    wanted = [references(shop, twin)[0] for twin in _made(shop, TWINS)]
    shop.until("the twins' messages to be orphans", lambda: set(wanted) <= orphans(shop)[1].keys(), 60)
    answer, notes = orphans(shop)
    assert answer.code == 1
    assert notes[wanted[0]].startswith("2 orders have these goods and fit the time: SO-2~")
    assert "SO-3~" in notes[wanted[0]]
    assert [shop.show(twin)["state"] for twin in TWINS] == ["unmatched", "unmatched"]
    assert "push message" in shop.cli("why", TWINS[0]).out
    assert wanted[0] in shop.cli("orphans").out
    for twin, reference in zip(TWINS, wanted, strict=True):
        assert shop.cli("adopt", twin, "--reference", reference).code == 0
    assert not set(wanted) & orphans(shop)[1].keys()
    assert kept(shop, wanted[0]).state == "adopted"
    for twin in TWINS:
        shop.wait_for(twin, "confirmed")


def _made(shop: Shop, order_ids: tuple[str, ...]) -> tuple[str, ...]:
    shop.until("the orders to be made", lambda: all(shop.sandbox_orders(one) for one in order_ids))
    return order_ids


def test_the_parts_of_a_split_order_are_for_a_person(shop: Shop) -> None:
    parts = references(shop, _made(shop, (SPLIT,))[0])
    assert len(parts) == 2
    shop.until("both parts to be orphans", lambda: set(parts) <= orphans(shop)[1].keys(), 60)
    assert shop.show(SPLIT)["state"] == "unmatched"


def test_an_order_of_somebody_else_is_an_orphan(shop: Shop) -> None:
    (reference,) = references(shop, ELSEWHERE)
    shop.until("it to be an orphan", lambda: reference in orphans(shop)[1], 60)
    assert orphans(shop)[1][reference] == "no order that waits for an id has these goods and fits the time"


def test_a_forged_message_is_turned_away_and_nothing_is_kept(shop: Shop) -> None:
    assert post(shop, "8190000000000001", "OrderCreated", secret="a guess") == 401
    assert kept(shop, "8190000000000001") is None


def test_news_of_a_confirmed_order_are_read_anew_and_move_nothing(shop: Shop) -> None:
    order = shop.wait_for(PLAIN, "confirmed")
    (reference,) = order["references"]
    assert kept(shop, reference).state == "known"

    def read_at() -> float:
        with shop.ledger.reading() as connection:
            return float(connection.execute(select(results.c.read_at).where(results.c.order_id == PLAIN)).scalar_one())

    before = read_at()
    assert post(shop, reference, "OrderShipped") == 200
    shop.until("the record to be read anew", lambda: read_at() > before)
    shop.until("the message to be settled", lambda: kept(shop, reference).state == "known")
    assert post(shop, reference, "PaymentAuthorized", at=time.time() - 3600) == 200
    row = kept(shop, reference)
    assert (row.status, row.state, row.count) == ("OrderShipped", "known", 4)
    assert shop.show(PLAIN)["events"] == order["events"]


def test_nothing_of_a_message_is_in_a_log(shop: Shop) -> None:
    shop.wait_for(LOST, "confirmed")
    for name in ("hooks", "confirm"):
        assert "buyerId" not in shop.log(name)
        assert "2671514005" not in shop.log(name)
    assert "not signed" in shop.log("hooks") or post(shop, "1", "x", secret="a guess") == 401
