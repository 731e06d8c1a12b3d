"""The states a 1688 order can be in, in words and as stages; unknown ones are kept as they come."""

from __future__ import annotations

from dataclasses import dataclass

from worker.marketplaces.vocabulary import event_name
from worker.rules.life import PAID, Life, Stage

_STATUSES: dict[str, tuple[str, Stage]] = {
    # 1688's own pages (docs/vendors/xportcn.md, 2); "any other string possible". The goods go to the warehouse that
    # consolidates them: whoever signs there is not the customer (docs/vendors/xportcn.md, 4).
    "waitbuyerpay": ("waits for the buyer to pay", Stage.AWAITING_PAYMENT),
    "waitsellersend": ("paid; waits for the seller to ship", Stage.AWAITING_SHIPMENT),
    "waitlogisticstakein": ("waits for the carrier to take it in", Stage.AWAITING_SHIPMENT),
    "waitbuyerreceive": ("shipped; waits for the buyer to receive it", Stage.SHIPPED),
    "waitbuyersign": ("delivered; waits for the buyer's signature", Stage.SHIPPED),
    "signinsuccess": ("the buyer has signed for it", Stage.SHIPPED),
    "signinfailed": ("nobody signed for it", Stage.SHIPPED),
    "confirm_goods": ("the buyer has confirmed the goods", Stage.SHIPPED),
    "success": ("completed", Stage.DELIVERED),
    "cancel": ("cancelled", Stage.CLOSED),
    "terminated": ("ended before it was completed", Stage.CLOSED),
    # Xportcn's messages (docs/vendors/xportcn.md, 1); the table they come from is not stored.
    "waiting_for_payment": ("waits for the buyer to pay", Stage.AWAITING_PAYMENT),
    "waiting_for_sent": ("paid; waits for the seller to ship", Stage.AWAITING_SHIPMENT),
}
"""Meaning and stage by status in lower case. Xportcn's Taobao page has another table, of numbers, not meant here."""
MEANINGS: dict[str, str] = {status: meant for status, (meant, _) in _STATUSES.items()}
"""The meanings alone, for the support matrix."""

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


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reply shows beside the status. `paid`: its payStatus; `ended`: one of its lines was cancelled."""

    paid: bool | None = None
    pay_timeout: str = ""
    close_reason: str = ""
    ended: str = ""


def life(status: str, shown: Shown) -> Life:
    """Return what a reply says of the order's second life (docs/vendors/xportcn.md, 4)."""
    _, stage = _STATUSES.get(status.lower(), ("", None))
    if stage is Stage.DELIVERED and shown.ended:
        stage = Stage.CLOSED
    paid = shown.paid
    if paid is None and stage is not None:
        paid = False if stage is Stage.AWAITING_PAYMENT else True if stage in PAID else None
    text = shown.pay_timeout
    return Life(
        stage=stage,
        paid=paid,
        pay_timeout_seconds=int(text) or None if text.isascii() and text.isdigit() and len(text) <= 9 else None,
        end_reason=event_name(shown.close_reason or shown.ended) or None,
    )
