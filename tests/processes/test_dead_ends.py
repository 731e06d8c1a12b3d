"""No dead end: what a person finds out by hand is told to `fulfil`, by the commands that its own answers name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import Answer, Shop, job
from tests.running import free_port
from worker.ledger.pushes import Pushes
from worker.marketplaces.base import Push

REFUSED = ("SO-1", "SO-2")
LOST = "SO-3~timeout_after_commit"
ORPHAN = "8198352049851999"


def several(order_id: str, count: int, memo: str | None = None) -> dict[str, Any]:
    """Return an order of so many pieces: each story has a number of its own."""
    one = job(order_id, memo=memo)
    one["order"]["product_items"][0]["product_count"] = count
    return one


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop")) as made:
        made.start_redis()
        made.start_sandbox()
        made.submit(
            [*(several(one, 2, "sandbox:SKU_NOT_EXIST") for one in REFUSED), several(LOST, 3), several("SO-4", 4)]
        )
        made.start("place", "confirm", "beat")
        for order_id in REFUSED:
            made.wait_for(order_id, "refused")
        made.wait_for("SO-4", "placed", "confirmed")
        yield made


def replaced(shop: Shop, *jobs: dict[str, Any]) -> Answer:
    lines = "".join(json.dumps(one) + "\n" for one in jobs)
    return shop.cli("submit", "--replace", "-", "--json", stdin=lines.encode())


def made_once(shop: Shop, order_id: str) -> dict[str, Any]:
    (made,) = shop.sandbox_orders(order_id)
    return made


def test_a_refused_order_is_amended_as_its_own_answer_says_and_placed_under_its_own_id(shop: Shop) -> None:
    why = shop.cli("why", "SO-1")
    assert "fulfil amend SO-1 --set 'product_items[0].sku_attr=SKU'" in why.out
    answer = shop.cli("amend", "SO-1", "--set", "product_items[0].order_memo=")
    assert answer.code == 0, answer
    assert shop.wait_for("SO-1", "confirmed")["attempts"][-1]["outcome"] == "Accepted"
    assert len(made_once(shop, "SO-1")["creates"]) == 1, "a refused create makes nothing, so the key is as good as new"


def test_a_refused_order_is_replaced_by_a_file_and_what_exists_is_not(shop: Shop) -> None:
    answer = replaced(shop, several("SO-2", 7), several("SO-4", 9))
    told = answer.json()
    assert (answer.code, told["amended"], told["amended_orders"]) == (1, 1, ["SO-2"])
    (rejected,) = told["rejected"]
    assert "all others exist at the marketplace or may exist there" in rejected["reason"]
    shop.wait_for("SO-2", "confirmed")
    made_once(shop, "SO-2")
    assert replaced(shop, several("SO-2", 7)).json()["duplicates"] == 1


def test_only_the_id_under_which_the_order_is_shown_is_adopted(shop: Shop) -> None:
    shop.wait_for(LOST, "unmatched")
    elsewhere = made_once(shop, "SO-4")["references"][0]
    foreign = several("SO-99", 8)
    foreign["order"]["product_items"][0]["product_id"] = 1005009999999999
    shop.create_elsewhere(foreign)
    for reference, words, code in (
        ("SO-3", "AliExpress DS writes its order ids as 8 to 20 digits", 2),
        (elsewhere, "belongs to SO-4 already", 1),
        ("8190000000000001", "shows this account no order 8190000000000001", 1),
        (made_once(shop, "SO-99")["references"][0], "is another order at AliExpress DS", 1),
    ):
        answer = shop.cli("adopt", LOST, "--reference", reference)
        assert (answer.code, answer.out) == (code, ""), answer
        assert words in answer.err
    assert shop.show(LOST)["state"] == "unmatched"
    own = made_once(shop, LOST)["references"][0]
    nowhere = f"http://127.0.0.1:{free_port()}/sync"
    away = shop.cli("adopt", LOST, "--reference", own, accounts__main__base_url=nowhere)
    assert away.code in (1, 3), away
    assert "stays as it was" in away.err or "present settings" in away.err
    answer = shop.cli("adopt", LOST, "--reference", own)
    assert (answer.code, answer.err) == (0, ""), answer
    assert f"read under {own}: " in answer.out
    shop.wait_for(LOST, "confirmed")
    made_once(shop, LOST)


def test_an_orphan_is_closed_as_its_list_says_and_is_in_no_list_any_more(shop: Shop) -> None:
    kept = Pushes(shop.ledger)
    kept.take("main", Push(ORPHAN, "OrderCreated", time.time() - 9e6, True), time.time() - 60)
    shop.until("the message to be looked at", lambda: [one.reference for one in kept.orphans()] == [ORPHAN], 60)
    listed = shop.cli("orphans")
    assert listed.code == 1
    assert "fulfil close --orphan REFERENCE --note TEXT" in listed.out
    guessed = shop.cli("close", ORPHAN, "--note", "bought by hand")
    assert guessed.code == 2
    assert f"fulfil close --orphan {ORPHAN} --note TEXT" in guessed.err
    closed = shop.cli("close", "--orphan", ORPHAN, "--note", "bought by hand", "--json")
    assert (closed.code, closed.json()) == (0, {"closed": [ORPHAN], "missing": {}})
    assert shop.cli("orphans").code == 0
    assert "bought by hand" in shop.cli("audit").out


def test_close_says_what_is_wrong_with_a_call_it_cannot_do(shop: Shop) -> None:
    for arguments, words in (
        (("close", "--orphan", "--note", "x"), "--orphan needs ids of orphans"),
        (("close", "--orphan", "4711", "--state", "refused", "--note", "x"), "--orphan needs ids of orphans"),
        (("close", "--orphan", "4711", "--note", "x"), "no orphan 4711; fulfil orphans lists them"),
        (("close", "SO-1", "--note", " "), "--note is empty"),
    ):
        answer = shop.cli(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert words in answer.err
