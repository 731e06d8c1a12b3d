"""The three statuses of a Shoplazza order, in words and as stages; unknown ones stay as they come (shoplazza.md, 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from worker.marketplaces.vocabulary import event_name
from worker.rules.life import Life, Stage


class Row(NamedTuple):
    """One status: its meaning, what it says of the order's second life, and whether it is paid; None: not told."""

    meaning: str
    stage: Stage
    paid: bool | None = None


_STATUS = {
    "opened": Row("created, payment pending", Stage.AWAITING_PAYMENT),
    "placed": Row("in progress", Stage.AWAITING_SHIPMENT),
    "finished": Row("finished", Stage.DELIVERED),
    "cancelled": Row("cancelled", Stage.CLOSED),
}
_FINANCIAL = {
    "waiting": Row("not paid yet", Stage.AWAITING_PAYMENT, False),
    "paying": Row("the payment is being processed", Stage.PAYING),
    "authorized": Row("authorised, not captured", Stage.PAYING),
    "partially_paid": Row("paid in part", Stage.AWAITING_PAYMENT, False),
    "paid": Row("paid", Stage.AWAITING_SHIPMENT, True),
    "cancelled": Row("the payment was cancelled", Stage.AWAITING_PAYMENT, False),
    "failed": Row("the payment failed", Stage.AWAITING_PAYMENT, False),
    "refunding": Row("being refunded", Stage.DISPUTED, True),
    "refund_failed": Row("the refund failed", Stage.DISPUTED, True),
    "refunded": Row("refunded", Stage.CLOSED, True),
    "partially_refunded": Row("refunded in part", Stage.AWAITING_SHIPMENT, True),
}
_FULFILLMENT = {
    "initialled": Row("nothing begun, the order is not placed yet", Stage.AWAITING_SHIPMENT),
    "waiting": Row("waits to be shipped", Stage.AWAITING_SHIPMENT),
    "partially_shipped": Row("shipped in part", Stage.PARTLY_SHIPPED),
    "shipped": Row("shipped", Stage.SHIPPED),
    "partially_finished": Row("received in part", Stage.PARTLY_SHIPPED),
    "finished": Row("received", Stage.DELIVERED),
    "cancelled": Row("the shipment was cancelled", Stage.CLOSED),
    "returning": Row("on its way back", Stage.DISPUTED),
    "partially_returned": Row("returned in part", Stage.DISPUTED),
    "returned": Row("returned", Stage.CLOSED),
}

STATUS = {word: row.meaning for word, row in _STATUS.items()}
"""`status` of an order."""
FINANCIAL_STATUS = {word: row.meaning for word, row in _FINANCIAL.items()}
"""`financial_status` of an order. Unpaid is normal: paying is a step of its own."""
FULFILLMENT_STATUS = {word: row.meaning for word, row in _FULFILLMENT.items()}
"""`fulfillment_status` of an order."""

_AGAIN = "look the order up in the shop's admin; submit a new one if the goods are still wanted"
_MONEY = "look the order up in the shop's admin and settle its payment there"

ALERTING = {
    "status": {"cancelled": _AGAIN},
    "financial_status": {
        "cancelled": _MONEY,
        "failed": _MONEY,
        "refunding": _AGAIN,
        "refund_failed": _MONEY,
        "refunded": _AGAIN,
        "partially_refunded": _MONEY,
    },
    "fulfillment_status": {"cancelled": _AGAIN, "returning": _AGAIN, "partially_returned": _AGAIN, "returned": _AGAIN},
}
"""States a person should know of, with the next step."""

_MEANINGS = {"status": STATUS, "financial_status": FINANCIAL_STATUS, "fulfillment_status": FULFILLMENT_STATUS}


MEANINGS: dict[str, str] = {f"{name} {word}": text for name, words in _MEANINGS.items() for word, text in words.items()}
"""The three tables as one, for the support matrix."""


def meaning(name: str, word: str) -> str:
    """Return what a status word means; an unknown one is its own meaning."""
    return _MEANINGS[name].get(word, word)


def alert(reference: str, words: Mapping[str, object], deleted: bool, cancelled: bool) -> str | None:
    """Name what a person should know although the order exists: it was deleted, cancelled, refunded or not paid.

    `words`: its statuses by their names, as they came.
    """
    if deleted:
        return f"{reference} was deleted in the shop: submit a new one if the goods are still wanted"
    for name, word in words.items():
        fix = ALERTING[name].get(word) if isinstance(word, str) else None
        if fix:
            return f"{reference} has {name} {word} ({meaning(name, str(word))}): {fix}"
    return f"{reference} was cancelled: {_AGAIN}" if cancelled else None


@dataclass(frozen=True, slots=True)
class Shown:
    """What an order shows of its second life; a status it does not show is "".

    `ended`: it was deleted or cancelled. `lost_line`: one of its lines was cancelled or returned.
    """

    status: str = ""
    financial: str = ""
    fulfilment: str = ""
    ended: bool = False
    lost_line: bool = False
    reason: str = ""


def life(shown: Shown) -> Life:
    """Return what an order's three statuses together say of its second life (shoplazza.md, 4)."""
    financial = _FINANCIAL.get(shown.financial)
    return Life(_stage(shown), financial and financial.paid, None, event_name(shown.reason) or None)


def _stage(shown: Shown) -> Stage | None:
    """Return the stage: what ends an order or needs a person counts before what was shipped, that before the payment.

    A word that is documented nowhere leaves the whole open: nobody knows what it changes.
    """
    if shown.ended or shown.status == "cancelled":
        return Stage.CLOSED
    words = ((shown.status, _STATUS), (shown.financial, _FINANCIAL), (shown.fulfilment, _FULFILLMENT))
    if any(word and word not in table for word, table in words):
        return None
    stages = [table[word].stage for word, table in words if word]
    urgent = next((stage for stage in (Stage.DISPUTED, Stage.CLOSED) if stage in stages), None)
    return urgent or _shipping(shown) or _payment(shown)


def _shipping(shown: Shown) -> Stage | None:
    """Return how far the goods are; None before anything is shipped."""
    if shown.fulfilment:
        stage = _FULFILLMENT[shown.fulfilment].stage
    else:
        stage = Stage.DELIVERED if shown.status == "finished" else Stage.AWAITING_SHIPMENT
    if stage is Stage.DELIVERED and shown.lost_line:
        return Stage.CLOSED
    return None if stage is Stage.AWAITING_SHIPMENT else stage


def _payment(shown: Shown) -> Stage | None:
    """Return how far the payment is. "placed" alone does not say: goods may be paid on delivery."""
    if shown.financial:
        return _FINANCIAL[shown.financial].stage
    return Stage.AWAITING_PAYMENT if shown.status == "opened" else None
