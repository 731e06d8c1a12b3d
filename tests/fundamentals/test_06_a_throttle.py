"""Lesson 6. A throttle: "this ban will last N seconds" holds the whole account that long and uses no attempt up."""

from __future__ import annotations

from datetime import datetime

from tests.fundamentals.other_fake import BAN_SECONDS
from tests.harness import Shop, job

THROTTLED = "SO-601~throttle"
NEXT = "SO-602"


def begin(shop: Shop) -> None:
    """The account sends an order every two seconds, so the second one would go out during the ban."""
    shop.submit([job(THROTTLED, "throttled"), job(NEXT, "throttled")])


def banned_until(shop: Shop) -> float:
    order = shop.wait_for(THROTTLED, "placed", "confirmed")
    first = order["attempts"][0]
    assert (first["outcome"], first["code"]) == ("Declined", "ApiCallLimit")
    return datetime.fromisoformat(first["sent_at"]).timestamp() + BAN_SECONDS


def test_a_throttled_order_is_sent_again_after_the_ban_and_no_sooner(shop: Shop) -> None:
    order = shop.wait_for(THROTTLED, "placed", "confirmed")
    assert [attempt["outcome"] for attempt in order["attempts"]] == ["Declined", "Accepted"]
    (made,) = shop.sandbox_orders(THROTTLED)
    assert made["creates"][0] >= banned_until(shop)


def test_the_other_orders_of_its_account_wait_too(shop: Shop) -> None:
    order = shop.wait_for(NEXT, "placed", "confirmed")
    assert [attempt["outcome"] for attempt in order["attempts"]] == ["Accepted"]
    (made,) = shop.sandbox_orders(NEXT)
    assert made["creates"][0] >= banned_until(shop)


def test_other_accounts_go_on_meanwhile(shop: Shop) -> None:
    shop.wait_for("SO-601~throttle", "placed", "confirmed")
    pauses = shop.cli("status", "--json").json()["paused"]
    assert set(pauses) <= {"throttled"}


def test_a_throttle_uses_no_attempt_up(shop: Shop) -> None:
    order = shop.wait_for(THROTTLED, "placed", "confirmed")
    throttled = next(event for event in order["events"] if event["from"] == "placing")
    assert (throttled["event"], throttled["to"]) == ("snooze", "queued")
    assert shop.spent(THROTTLED) == 1
