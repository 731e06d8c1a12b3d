"""What following confirmed orders costs, and how soon news of a marketplace are in the ledger: for `make promises`."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import TextClause, create_engine, insert, text

from bench.job import ORDER
from bench.rig import Rig
from bench.shop import Reached, shop, submit
from config.settings import Account
from tests.running import free_port, listening, until, within
from worker.ledger.engine import Ledger
from worker.ledger.life_tables import supplier_orders
from worker.ledger.life_writer import LifeWriter, Look
from worker.ledger.lives import Lives
from worker.ledger.results import result_row
from worker.ledger.tables import orders, results
from worker.rules.follow import HOUR
from worker.rules.life import Life, Stage
from worker.rules.outcomes import OrderRecord
from worker.sandbox.server import Running, background, fakes_for

FOLLOWED = 100_000
AT_ONCE = 10
"""Orders of one message: a sweep rings for no more than an account of 10 calls a second may read until the next."""
READS = 2000
EVERY_SECONDS = 6 * HOUR
"""How often most orders are read; shipped ones half as often."""
SWEEP_SECONDS = 5.0
ACCOUNT = "news"
NEWS = 100
NEWS_A_SECOND = 4
CALLS_A_SECOND = 50


def pushed_news() -> Iterator[Reached]:
    """News of a marketplace are in the ledger soon, where it sends messages."""
    with _following() as (rig, sandbox):
        submit(rig, {ACCOUNT: range(NEWS)})
        ledger = create_engine(rig.environment()["FULFIL_DATABASE_URL"])
        query = text("SELECT order_id, at FROM life_events WHERE event = 'paid'")

        def rows(asked: TextClause) -> list[Any]:
            with ledger.connect() as connection:
                return list(connection.execute(asked))

        until("all to be confirmed", lambda: len(rows(_CONFIRMED)) == NEWS, 90)
        paid_at = {}
        for number in range(NEWS):
            name = f"{ACCOUNT}-{number}"
            paid_at[name] = time.time()
            _post(f"{sandbox.url}/_sandbox/orders/{name}/life", {"event": "pay"})
            time.sleep(1 / NEWS_A_SECOND)
        within(30, lambda: len(rows(query)) >= NEWS)
        late = sorted(row.at - paid_at[row.order_id] for row in rows(query))
        ledger.dispose()
    yield Reached("news with a push, of the orders", f"{len(late)} of {NEWS}", "all", len(late) == NEWS)
    p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
    figure = f"p50 {p50:.2f} s, p99 {p99:.2f} s"
    yield Reached("from a marketplace's event to the ledger, with a push", figure, "p99 < 5 s", p99 < 5)


_CONFIRMED = text("SELECT order_id FROM supplier_orders")


@contextlib.contextmanager
def _following() -> Iterator[tuple[Rig, Running]]:
    """Run ours with an account at a sandbox whose messages come to our receiver."""
    port = free_port()
    keys = {"app_key": "news-key", "app_secret": "news-secret", "access_token": "news-token"}
    account = {"marketplace": "aliexpress", **keys}
    fakes = fakes_for({ACCOUNT: Account.model_validate(account)})
    push = f"http://127.0.0.1:{port}/push/{{account}}"
    with background(fakes, push_url=push) as sandbox:
        known = account | {"base_url": f"{sandbox.url}/sync", "rate_per_second": CALLS_A_SECOND}
        settings: dict[str, Any] = {f"accounts__{ACCOUNT}__{name}": value for name, value in known.items()}
        with shop(hooks_port=port, **settings) as rig:
            rig.also([sys.executable, "-m", "worker.cli", "hooks"])
            until("the receiver to listen", lambda: listening(port), 20)
            yield rig, sandbox


def _post(url: str, body: Mapping[str, object]) -> None:
    asked = urllib.request.Request(url, json.dumps(body).encode(), method="POST")  # noqa: S310
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        answer.read()


def followed() -> Iterator[Reached]:
    """What the ledger does for followed orders costs little of a core, by arithmetic from single steps."""
    yield from (Reached(*row) for row in _ledger_share())


def _ledger_share() -> Iterator[tuple[str, str, str, bool]]:
    """Measure what the ledger does for 100,000 followed orders on SQLite, as a share of a core, by arithmetic."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{folder}/ledger.sqlite3")
        ledger.migrate()
        _fill(ledger, FOLLOWED)
        lives, writer = Lives(ledger), LifeWriter(ledger, {})
        looking = _seconds(lambda: lives.due(time.time(), {"main": 500}), 50)
        telling = _seconds(lambda: writer.tell(), 50)
        ids = [order_id for found in lives.due(time.time(), {"main": READS}).values() for order_id in found]
        begun = time.process_time()
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            looks = [_look(one.order.order_id, one.order.reference) for one in lives.claim(some, 60)]
            lives.confirmed(some)
            writer.keep(looks)
        reading = (time.process_time() - begun) / len(ids)
        ledger.engine.dispose()
    share = FOLLOWED / EVERY_SECONDS * reading + (looking + telling) / SWEEP_SECONDS
    sweep = f"due {looking * 1000:.1f} ms, tell {telling * 1000:.1f} ms a sweep"
    told = f"claim and keep {reading * 1000:.2f} ms an order; {sweep}"
    yield f"ledger, {FOLLOWED:,} followed orders", told, "", True
    yield f"ledger, {FOLLOWED:,} followed orders, % of a core", f"{share * 100:.2f}", "≤ 5", share <= 0.05
    many = FOLLOWED * 10 / EVERY_SECONDS
    yield "reads a second for 1,000,000 followed orders", f"{many:.0f}", "", True


def _seconds(do: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        do()
    return (time.process_time() - begun) / times


def _fill(ledger: Ledger, count: int) -> None:
    now = time.time()
    body = json.dumps(ORDER)
    with ledger.writing() as connection:
        for start in range(0, count, 5000):
            numbers = range(start, start + 5000)
            connection.execute(insert(orders), [_order(number, body, now) for number in numbers])
            connection.execute(insert(results), [result_row(_id(n), _record(str(n)), now) for n in numbers])
            connection.execute(insert(supplier_orders), [_followed(number, now) for number in numbers])


def _id(number: int) -> str:
    return f"SO-{number:06d}"


def _order(number: int, body: str, now: float) -> dict[str, Any]:
    none = dict.fromkeys(("epoch", "attempts", "spent", "snoozes", "crashes", "absences"), 1)
    return {
        **none, "order_id": _id(number), "account": "main", "marketplace": "aliexpress", "batch_id": "B",
        "line": number, "body": body, "fingerprint": f"{number:016x}", "state": "confirmed",
        "in_doubt": False, "attention": False, "accepted_at": now, "created_at": now, "updated_at": now,
    }  # fmt: skip


def _followed(number: int, now: float) -> dict[str, Any]:
    """Return a paid order that waits for its parcel; a few are due now, as the others are in the hours to come."""
    due_at = now - 1 if number < READS else now + number / FOLLOWED * EVERY_SECONDS
    return {
        "order_id": _id(number), "reference": str(number), "account": "main", "marketplace": "aliexpress",
        "stage": Stage.AWAITING_SHIPMENT, "status": "WAIT_SELLER_SEND_GOODS", "stage_since": now, "accepted_at": now,
        "paid": True, "paid_at": now, "read_at": now, "misses": 0, "alarms": [], "due_at": due_at,
        "tell_at": now + 7 * 24 * HOUR,
    }  # fmt: skip


def _record(reference: str) -> OrderRecord:
    details = {
        "order_status": "WAIT_SELLER_SEND_GOODS",
        "child_order_list": [{"product_id": 1, "product_count": 1}] * 2,
    }
    life = Life(Stage.AWAITING_SHIPMENT, paid=True)
    return OrderRecord(reference, "WAIT_SELLER_SEND_GOODS", details=details, life=life)


def _look(order_id: str, reference: str) -> Look:
    return Look(order_id, reference, _record(reference))
