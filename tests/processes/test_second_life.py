"""The second life with everything real: workers, Redis, ledger, and a sandbox whose clock is moved forward."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.harness import Shop, job

DAY = 86_400
LIVES = ("SO-1~delivered", "SO-2~unpaid", "SO-3~seller_cancels", "SO-4~number_changes", "SO-5~dispute", "SO-6")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("life")) as made:
        made.start_redis()
        made.start_sandbox()
        made.start("place", "confirm", "beat")
        made.submit([job(order_id) for order_id in LIVES])
        for order_id in LIVES:
            made.wait_for(order_id, "confirmed", seconds=90)
        yield made


def forward(shop: Shop, seconds: float) -> None:
    httpx.post(f"{shop.sandbox_url}/_sandbox/clock", json={"forward_seconds": seconds}).raise_for_status()


def tracked(shop: Shop, order_id: str) -> dict[str, Any]:
    return dict(shop.cli("track", order_id, "--json").json())


def read_until(shop: Shop, order_id: str, word: str) -> dict[str, Any]:
    """Have an order read now, and wait until it stands so."""

    def stands() -> dict[str, Any] | None:
        found = tracked(shop, order_id)
        return found if found["stands"] == word else None

    assert shop.cli("refresh", order_id).code == 0
    return shop.until(f"{order_id} to be {word}", stands, 30)


def happened(found: dict[str, Any]) -> list[str]:
    return [event["event"] for event in found["events"]]


def test_each_order_is_followed_to_its_end_by_the_marketplaces_word(shop: Shop) -> None:
    assert tracked(shop, "SO-6")["stands"] == "awaiting payment"
    assert shop.cli("unpaid", "--json").code == 0
    forward(shop, 2 * DAY)
    assert read_until(shop, "SO-1~delivered", "shipped")["supplier_orders"][0]["parcels"][0]["number"]
    forward(shop, 4 * DAY)
    changed = read_until(shop, "SO-4~number_changes", "shipped")
    assert changed["supplier_orders"][0]["parcels"]
    forward(shop, 20 * DAY)
    closed = read_until(shop, "SO-3~seller_cancels", "closed")
    assert "paid" in happened(closed)
    lapsed = read_until(shop, "SO-2~unpaid", "closed")
    assert "paid" not in happened(lapsed)
    delivered = read_until(shop, "SO-1~delivered", "delivered")
    assert {"shipped", "delivered", "parcel_delivered"} <= set(happened(delivered))
    assert delivered["supplier_orders"][0]["next_read"] is None
    assert tracked(shop, "SO-5~dispute")["supplier_orders"][0]["read_at"]


def test_what_a_person_should_know_is_attention_with_a_code_of_its_own(shop: Shop) -> None:
    codes = {}
    for order_id in ("SO-2~unpaid", "SO-3~seller_cancels"):
        shown = shop.until("the person to be told", lambda o=order_id: _told(shop, o), 20)  # type: ignore[misc]
        codes[order_id] = shown["code"]
    assert codes == {"SO-2~unpaid": "CLOSED_UNPAID", "SO-3~seller_cancels": "CLOSED_AFTER_PAYMENT"}
    assert shop.cli("list", "--attention").code == 0


def _told(shop: Shop, order_id: str) -> dict[str, Any] | None:
    shown = shop.show(order_id)
    return shown if str(shown["code"]).startswith("CLOSED_") else None


def test_track_says_in_words_how_it_stands_and_when_that_was_read(shop: Shop) -> None:
    said = shop.cli("track", "SO-1~delivered").out
    assert "SO-1~delivered: delivered" in said
    assert "ago)" in said or "just now)" in said
    assert "parcel" in said


def test_nothing_that_says_who_or_where_is_kept_of_a_parcel(shop: Shop) -> None:
    said = shop.cli("track", "SO-1~delivered", "--json").out
    assert "Quillfeather" not in said
    assert "Larkspur" not in said
