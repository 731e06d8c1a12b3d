"""What has to happen to orders after their confirm in every campaign, counted from the ledger and the oracle."""

from __future__ import annotations

from collections import Counter

from tests.faults.campaign.life_facts import LifeFacts

LIFE_PATHS = (
    "a payment deadline was told ahead",
    "a payment deadline passed while its account was paused",
    "the marketplace closed an order unpaid",
    "the marketplace closed an order that was paid",
    "an order was delivered",
    "a dispute was told",
    "a parcel's number changed",
)


def life_paths(life: LifeFacts) -> Counter[str]:
    """Count what happened after the confirm."""
    found: Counter[str] = Counter()
    since, until = life.paused
    for history in life.events.values():
        for event in history:
            code = (event.note or "").partition(":")[0] if event.event == "alarm" else ""
            found["a payment deadline was told ahead"] += code == "UNPAID_SOON"
            passed = code == "UNPAID_LAPSED" and since <= event.at <= until
            found["a payment deadline passed while its account was paused"] += passed
            found["the marketplace closed an order unpaid"] += code == "CLOSED_UNPAID"
            found["the marketplace closed an order that was paid"] += code == "CLOSED_AFTER_PAYMENT"
            found["a dispute was told"] += code == "DISPUTED"
            found["an order was delivered"] += event.event == "delivered"
            found["a parcel's number changed"] += event.event == "parcel_replaced"
    return found
