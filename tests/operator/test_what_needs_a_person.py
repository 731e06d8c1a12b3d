"""Situations in which orders, or an account, need a person: each ends by commands that `status` and `why` name."""

from __future__ import annotations

import csv
import io
import json
import shlex
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from tests.fundamentals import test_14_fewer_goods as lesson
from tests.harness import Shop, job
from tests.operator.stranger import Stranger
from worker.ledger.pushes import Pushes
from worker.ledger.tables import attempts, orders
from worker.marketplaces.base import Push

REFUSED = "sandbox:SKU_NOT_EXIST"
DAY = 86_400
ORPHAN = "8198352049851999"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop in which everything runs; each situation ends well, so that the next one begins well."""
    with Shop(tmp_path_factory.mktemp("shop")) as made:
        made.start_redis()
        made.start_sandbox()
        lesson.begin(made)
        made.start("place", "confirm", "beat")
        made.start_program("hooks", [sys.executable, "-m", "worker.cli", "hooks", "--port", "0"])
        made.make_ledger()
        yield made


def submitted(shop: Shop, *jobs: dict[str, Any]) -> str:
    return str(shop.submit(jobs)["batch"])


def refused(shop: Shop, *order_ids: str) -> None:
    submitted(shop, *(job(order_id, memo=REFUSED) for order_id in order_ids))
    for order_id in order_ids:
        shop.wait_for(order_id, "refused")


def lost(shop: Shop, order_id: str) -> str:
    """Lose the answer of a create; return the order's id, which stands unmatched."""
    submitted(shop, job(order_id))
    shop.wait_for(order_id, "unmatched", seconds=120)
    return order_id


def long_ago(shop: Shop, order_id: str) -> None:
    """Let an order's first send lie two days back, its fate unknown: after a power cut over a week-end."""
    sent = time.time() - 2 * DAY
    with shop.ledger.writing() as connection:
        mine = orders.c.order_id == order_id
        values = {"first_sent_at": sent, "in_doubt": True, "due_at": time.time(), "state": "unknown", "code": None}
        connection.execute(update(orders).where(mine).values(values))
        connection.execute(update(attempts).where(attempts.c.order_id == order_id).values(sent_at=sent, closed_at=sent))


def test_07_an_order_was_refused_for_what_it_says(shop: Shop, stranger: Stranger) -> None:
    refused(shop, "SO-07")
    assert stranger.looks("status").code == 1
    assert stranger.follows("fulfil failures").code == 1
    stranger.looks("why", "SO-07")
    command = "fulfil amend SO-07 --set 'product_items[0].sku_attr=SKU'"
    assert command in stranger.said
    assert stranger.looks("amend", "SO-07", "--set", "product_items[0].order_memo=").code == 0
    shop.wait_for("SO-07", "confirmed")
    stranger.waits_until_well()


def test_08_thirty_orders_were_refused_for_the_same_reason(shop: Shop, stranger: Stranger) -> None:
    refused(shop, *(f"SO-08-{n}" for n in range(30)))
    stranger.looks("status")
    told = stranger.follows("fulfil failures")
    rows = [line.split() for line in told.out.splitlines() if line.split()[:1] == ["30"]]
    assert [row[1:3] for row in rows] == [["main", "SKU_NOT_EXIST"]], "one trouble is told once"
    begun = time.monotonic()
    forecast = stranger.follows("fulfil retry --code CODE --account ACCOUNT", CODE="SKU_NOT_EXIST", ACCOUNT="main")
    assert "30" in forecast.out
    done = stranger.follows(stranger.printed(r"fulfil act [\w-]+ --yes"))
    assert done.code == 0
    assert time.monotonic() - begun < 60
    for order_id in ("SO-08-0", "SO-08-29"):
        shop.wait_for(order_id, "refused")
    assert stranger.looks("close", "--state", "refused", "--note", "the supplier has none", "--yes").code == 0
    stranger.waits_until_well()


def test_09_the_answer_of_a_create_was_lost(shop: Shop, stranger: Stranger) -> None:
    order_id = lost(shop, "SO-09~timeout_after_commit")
    assert stranger.looks("status").code == 1
    stranger.follows("fulfil failures")
    stranger.looks("why", order_id)
    (made,) = shop.sandbox_orders(order_id)
    command = f"fulfil adopt {shlex.quote(order_id)} --reference ID"
    assert stranger.follows(command, ID=made["references"][0]).code == 0
    shop.wait_for(order_id, "confirmed")
    stranger.waits_until_well()


def test_10_a_wrong_id_was_typed(shop: Shop, stranger: Stranger) -> None:
    order_id = lost(shop, "SO-10~timeout_after_commit")
    submitted(shop, job("SO-10-2"))
    owned = shop.wait_for("SO-10-2", "placed", "confirmed")["references"][0]
    stranger.looks("why", order_id)
    command = f"fulfil adopt {shlex.quote(order_id)} --reference ID"
    wrong = stranger.follows(command, ID=owned)
    assert (wrong.code, "belongs to SO-10-2" in wrong.err) == (1, True)
    (made,) = shop.sandbox_orders(order_id)
    assert stranger.follows(command, ID=made["references"][0]).code == 0
    shop.wait_for(order_id, "confirmed")


def test_11_an_order_was_sent_too_long_ago_and_is_not_there(shop: Shop, stranger: Stranger) -> None:
    submitted(shop, job("SO-11", memo=REFUSED))
    shop.wait_for("SO-11", "refused")
    long_ago(shop, "SO-11")
    shop.until("it to be parked", lambda: shop.show("SO-11")["code"] == "WINDOW_CLOSED", 60)
    assert stranger.looks("status").code == 1
    stranger.looks("why", "SO-11")
    assert "1 × product 1005004638293060" in stranger.said
    assert "Quillfeather" not in stranger.said
    assert stranger.follows("fulfil close SO-11 --note TEXT", TEXT="nobody wants it any more").code == 0
    stranger.waits_until_well()


def test_12_the_marketplace_has_an_order_that_nobody_knows(shop: Shop, stranger: Stranger) -> None:
    kept = Pushes(shop.ledger)
    kept.take("main", Push(ORPHAN, "OrderCreated", time.time() - 9e6, True), time.time() - 60)
    shop.until("the message to be looked at", lambda: [one.reference for one in kept.orphans()] == [ORPHAN], 60)
    assert stranger.looks("status").code == 1
    stranger.follows("fulfil orphans")
    command = "fulfil close --orphan REFERENCE --note TEXT"
    assert stranger.follows(command, REFERENCE=ORPHAN, TEXT="bought by hand").code == 0
    stranger.waits_until_well()


def test_13_two_lines_of_a_sheet_were_not_taken(shop: Shop, stranger: Stranger) -> None:
    header = next(csv.reader(io.StringIO(shop.cli("template", "aliexpress").out)))
    good = {name: str(value) for name, value in job("")["order"]["logistics_address"].items()}
    good |= {"account": "main", "product_id": "1005004638293060", "product_count": "1", "sku_attr": "14:365458#Brown"}
    rows = [
        {"order_id": "SO-13-1"},
        {"order_id": "SO-13-2", "country": "Atlantis"},
        {"order_id": "SO-13-3", "product_count": "x"},
    ]
    path = shop.folder / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, header, restval="")
        writer.writeheader()
        writer.writerows(good | row for row in rows)
    assert stranger.looks("submit", "orders.csv").code == 1
    command = stranger.printed(r"fulfil export --rejected --batch B-[\w-]+ --from FILE --output mend.csv")
    assert stranger.follows(command, FILE="orders.csv").code == 0
    mended = (shop.folder / "mend.csv").read_text().replace("Atlantis", "US").replace(",x,", ",2,")
    assert mended.count("SO-") == 2
    (shop.folder / "mended.csv").write_text(mended)
    assert stranger.looks("submit", "mended.csv").code == 0
    for number in (1, 2, 3):
        shop.wait_for(f"SO-13-{number}", "confirmed")


def test_14_an_order_was_submitted_again_with_other_content(shop: Shop, stranger: Stranger) -> None:
    refused(shop, "SO-14")
    (shop.folder / "again.jsonl").write_text(json.dumps(job("SO-14")) + "\n")
    assert stranger.looks("submit", "again.jsonl").code == 1
    assert "submit --replace" in stranger.said
    assert stranger.looks("submit", "--replace", "again.jsonl").code == 0
    shop.wait_for("SO-14", "confirmed")
    stranger.waits_until_well()


def test_15_a_person_paused_an_account_and_went_home(shop: Shop, stranger: Stranger) -> None:
    assert shop.cli("pause", "main", "--note", "counting stock").code == 0
    submitted(shop, job("SO-15"))
    assert stranger.looks("status").code == 1
    assert "counting stock" in stranger.said
    assert stranger.follows("fulfil resume main").code == 0
    assert "counting stock" in stranger.looks("audit").out
    shop.wait_for("SO-15", "confirmed")
    stranger.waits_until_well()


def test_16_the_token_of_an_account_ended(shop: Shop, stranger: Stranger) -> None:
    shop.fault("token_expired", operation="any")
    submitted(shop, job("SO-16"))
    shop.until("it to be told", lambda: "does not accept" in shop.cli("status").out, 60)
    assert stranger.looks("status").code == 1
    told = stranger.follows("fulfil doctor")
    assert (told.code, "access token" in told.out) == (2, True), told
    shop.fault("token_expired", operation="any", probability=0)
    stranger.looks("status")
    if "fulfil resume main" in stranger.said:
        stranger.follows("fulfil resume main")
    shop.wait_for("SO-16", "confirmed", seconds=150)
    stranger.waits_until_well()


def test_17_an_order_was_confirmed_with_fewer_goods_than_ordered(shop: Shop, stranger: Stranger) -> None:
    lesson.go_on(shop)
    assert stranger.looks("status").code == 1
    stranger.follows("fulfil failures")
    assert stranger.looks("why", lesson.ORDER).code == 0
    assert f"none of offer {lesson.FAILED['offerId']}" in stranger.said
    command = f"fulfil close {lesson.ORDER} --note TEXT"
    assert stranger.follows(command, TEXT="the rest is ordered elsewhere").code == 0
    stranger.waits_until_well()
