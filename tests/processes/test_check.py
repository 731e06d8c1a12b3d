"""`fulfil check` against the sandbox, and what intake does by it: compared with what creates answer afterwards."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import Shop, job
from tests.personal import personal
from worker.sandbox import catalogue

PLACE = {"province": "California", "city": "Los Angeles"}


def order(order_id: str, product_id: int, attr: str, count: int = 1, **more: Any) -> dict[str, Any]:
    made = job(order_id, **PLACE)
    item = {"product_id": product_id, "product_count": count, "sku_attr": attr}
    made["order"]["product_items"] = [item | {"logistics_service_name": "CAINIAO_STANDARD"}]
    return made | more


def doomed() -> list[dict[str, Any]]:
    """Return orders of every kind that create refuses."""
    found = []
    for kind in catalogue.DOOMS:
        for last in range(3):
            product_id = catalogue.DOOMED.start + (kind - 1) * 1000 + last
            if catalogue.refusal(product_id, 6, catalogue.BROWN, "CAINIAO_STANDARD", "US"):
                found.append(order(f"BAD-{kind}-{last}", product_id, catalogue.BROWN, 6))
    return found


GOOD = [order(f"GOOD-{n}", n, catalogue.skus(n)[0].attr, 1 + n % 3) for n in catalogue.GOOD[:30]]


def written(folder: Path, jobs: list[dict[str, Any]], name: str = "orders.jsonl") -> str:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, jobs)))
    return str(path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(
        tmp_path_factory.mktemp("check"), preflight_keep_seconds=60, retry_base_seconds=0.2, retry_cap_seconds=1
    ) as made:
        made.start_redis()
        made.start_sandbox()
        yield made


def test_a_check_names_beforehand_what_creates_refuse_and_what_orders_cost(shop: Shop) -> None:
    bad = doomed()
    path = written(shop.folder, [*bad, *GOOD])
    mend = shop.folder / "mend.csv"
    told = shop.cli("check", path, "--json", "--csv", str(mend))
    assert told.code == 1, told
    assert not (shop.home / "ledger.sqlite3").exists(), "a check makes no ledger"
    lines = {one["order_id"]: one for one in told.json()["lines"]}
    assert not personal({"output": told.out, "csv": mend.read_text()})
    with mend.open() as rows:
        assert {row["order_id"] for row in csv.DictReader(rows)} == {one["order_id"] for one in bad}
    shop.start("place", "confirm", "beat")
    shop.submit([*bad, *GOOD])
    ends = {
        one["order_id"]: shop.wait_for(one["order_id"], "refused", "confirmed", seconds=110) for one in [*bad, *GOOD]
    }
    refused = {order_id: found["code"] for order_id, found in ends.items() if found["state"] == "refused"}
    named = [order_id for order_id, code in refused.items() if _code(lines[order_id]) == code]
    assert len(refused) >= len(bad) * 0.9
    assert len(named) >= len(refused) * 0.95, {one: (refused[one], lines[one]) for one in refused if one not in named}
    assert [one["order_id"] for one in GOOD if lines[one["order_id"]]["verdict"] != "good"] == []
    _costs_are_those_of_the_read_back(ends, lines)


def _code(line: dict[str, Any]) -> str | None:
    return next((one["code"] for one in line["findings"]), None)


def _costs_are_those_of_the_read_back(ends: dict[str, Any], lines: dict[str, Any]) -> None:
    for order_id, found in ends.items():
        if found["state"] == "confirmed":
            paid = sum(Decimal(result["amount"]) for result in found["result"])
            assert abs(Decimal(lines[order_id]["forecast"]) - paid) <= paid / 100, order_id


def test_what_was_read_is_kept_for_a_while_and_holds_nothing_of_a_person(shop: Shop) -> None:
    path = written(shop.folder, GOOD, "again.jsonl")
    shop.cli("check", path)
    before = calls(shop)
    assert shop.cli("check", path).code == 0
    assert calls(shop) == before
    with shop.redis() as client:
        names: list[Any] = list(client.scan_iter("fulfil:preflight:*"))
        values: list[Any] = client.mget(names)
        assert all(client.pttl(name) > 0 for name in names)
    kept = {name.decode(): value.decode() for name, value in zip(names, values, strict=True)}
    assert len(kept) > len(GOOD)
    assert not personal({"keys": "\n".join(kept), "values": "\n".join(kept.values())})


def calls(shop: Shop) -> dict[str, int]:
    found = httpx.get(f"{shop.sandbox_url}/_sandbox/calls").json()["aliexpress"]
    return {name: one["calls"] for name, one in found.items() if "ds.product" in name or "freight" in name}


def test_intake_refuses_warns_or_looks_at_nothing(shop: Shop) -> None:
    bad = order("REFUSED-1", catalogue.DOOMED.start, catalogue.BROWN)
    good = order("TAKEN-1", catalogue.GOOD[1], catalogue.BROWN)
    told = shop.submit([bad, good], preflight="refuse")
    assert (told["accepted"], told["rejected_number"]) == (1, 1)
    assert told["rejected"][0]["reason"].startswith("PRODUCT_OFFLINE: ")
    warned = shop.submit([bad | {"order_id": "WARNED-1"}], preflight="warn")
    assert (warned["accepted"], [one[:15] for one in warned["notices"]]) == (1, ["PRODUCT_OFFLINE"])
    dear = order("DEAR-1", catalogue.GOOD[1], catalogue.BROWN, 3, max_amount=1.5)
    assert shop.submit([dear], preflight="refuse")["rejected"][0]["field"] == "max_amount"
    assert next(iter(shop.submit([dear])["notices"])).startswith("max_amount was compared with no price")


def test_an_order_that_is_known_is_a_duplicate_whatever_became_of_its_product(shop: Shop) -> None:
    bad = order("KNOWN-1", catalogue.DOOMED.start, catalogue.BROWN)
    assert shop.submit([bad])["accepted"] == 1
    again = shop.submit([bad], preflight="refuse")
    assert (again["duplicates"], again["rejected_number"]) == (1, 0)


def test_a_marketplace_that_is_away_costs_a_check_its_answer_and_intake_nothing(tmp_path: Path) -> None:
    with Shop(tmp_path) as shop:
        shop.start_redis()
        path = written(tmp_path, GOOD)
        told = shop.cli("check", path)
        assert told.code == 3, told
        assert "does not answer" in told.err
        taken = shop.submit(GOOD, preflight="refuse")
        assert (taken["accepted"], taken["rejected_number"]) == (len(GOOD), 0)
        assert any("could not be read" in notice for notice in taken["notices"])
