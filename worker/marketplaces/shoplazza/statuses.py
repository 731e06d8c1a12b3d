"""The three statuses of a Shoplazza order, in words; unknown ones are kept as they come (shoplazza.md, 1)."""

from __future__ import annotations

from collections.abc import Mapping

STATUS = {
    "opened": "created, payment pending",
    "placed": "in progress",
    "finished": "finished",
    "cancelled": "cancelled",
}
"""`status` of an order."""

FINANCIAL_STATUS = {
    "waiting": "not paid yet",
    "paying": "the payment is being processed",
    "authorized": "authorised, not captured",
    "partially_paid": "paid in part",
    "paid": "paid",
    "cancelled": "the payment was cancelled",
    "failed": "the payment failed",
    "refunding": "being refunded",
    "refund_failed": "the refund failed",
    "refunded": "refunded",
    "partially_refunded": "refunded in part",
}
"""`financial_status` of an order. Unpaid is normal: paying is a step of its own."""

FULFILLMENT_STATUS = {
    "initialled": "nothing begun, the order is not placed yet",
    "waiting": "waits to be shipped",
    "partially_shipped": "shipped in part",
    "shipped": "shipped",
    "partially_finished": "received in part",
    "finished": "received",
    "cancelled": "the shipment was cancelled",
    "returning": "on its way back",
    "partially_returned": "returned in part",
    "returned": "returned",
}
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
