"""The states a 1688 order can be in, in words; unknown ones are kept as they come."""

from __future__ import annotations

MEANINGS: dict[str, str] = {
    # 1688's own pages (docs/vendors/xportcn.md, 2); "any other string possible".
    "waitbuyerpay": "waits for the buyer to pay",
    "waitsellersend": "paid; waits for the seller to ship",
    "waitlogisticstakein": "waits for the carrier to take it in",
    "waitbuyerreceive": "shipped; waits for the buyer to receive it",
    "waitbuyersign": "delivered; waits for the buyer's signature",
    "signinsuccess": "the buyer has signed for it",
    "confirm_goods": "the buyer has confirmed the goods",
    "success": "completed",
    "cancel": "cancelled",
    "terminated": "ended before it was completed",
    # Xportcn's messages (docs/vendors/xportcn.md, 1); the table they come from is not stored.
    "waiting_for_payment": "waits for the buyer to pay",
    "waiting_for_sent": "paid; waits for the seller to ship",
}
"""Meaning by status in lower case. The numbers of Xportcn's Taobao page are another table and not meant here."""

ENDED = frozenset({"cancel", "cancelled", "canceled", "terminated"})
"""States in which nothing will come; a person should know. An unpaid order is normal: paying is a step of its own."""

_NEXT = "look the order up on 1688; submit a new one if the goods are still wanted"


def meaning(status: str) -> str:
    """Return what a status means in words; an unknown one is its own meaning."""
    return MEANINGS.get(status.lower(), status)


def alert(reference: str, status: str, reason: str) -> str | None:
    """Name what a person should know of an order in this state; `reason` is the reply's closeReason or nothing."""
    if status.lower() not in ENDED:
        return None
    why = f", reason {reason}" if reason else ""
    return f"{reference} is {status} ({meaning(status)}{why}): {_NEXT}"[:300]
