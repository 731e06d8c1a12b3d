"""The states an AliExpress order and its parcel can be in, in words; unknown ones are kept as they come."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class _Status(StrEnum):
    """A status word with its meaning."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> _Status:
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member


class OrderStatus(_Status):
    """`order_status` of aliexpress.trade.ds.order.get; the last three are not on the vendor page (facts)."""

    PLACE_ORDER_SUCCESS = "PLACE_ORDER_SUCCESS", "created and not yet paid"
    PAYMENT_PROCESSING = "PAYMENT_PROCESSING", "the payment is being processed"
    WAIT_SELLER_EXAMINE_MONEY = "WAIT_SELLER_EXAMINE_MONEY", "the seller has to confirm the amount"
    RISK_CONTROL = "RISK_CONTROL", "paid; under AliExpress' risk check, up to 24 hours"
    RISK_CONTROL_HOLD = "RISK_CONTROL_HOLD", "held by AliExpress' risk check"
    WAIT_SELLER_SEND_GOODS = "WAIT_SELLER_SEND_GOODS", "waits for the seller to ship"
    SELLER_PART_SEND_GOODS = "SELLER_PART_SEND_GOODS", "a part is shipped"
    WAIT_BUYER_ACCEPT_GOODS = "WAIT_BUYER_ACCEPT_GOODS", "shipped; waits for the buyer to receive it"
    FINISH = "FINISH", "completed: receipt confirmed, or the order closed"
    IN_CANCEL = "IN_CANCEL", "being cancelled or cancelled"
    WAIT_GROUP = "WAIT_GROUP", "waits for a group purchase to form"
    WAIT_COMPLETE_ADDRESS = "WAIT_COMPLETE_ADDRESS", "waits for the address to be completed"
    FUND_PROCESSING = "FUND_PROCESSING", "the funds are being processed"
    IN_ISSUE = "IN_ISSUE", "in a dispute"
    IN_FROZEN = "IN_FROZEN", "frozen by AliExpress"


class LogisticsStatus(_Status):
    """`logistics_status` of aliexpress.trade.ds.order.get (vendor page)."""

    DEFAULT = "DEFAULT", "nothing known yet"
    WAIT_SELLER_SEND_GOODS = "WAIT_SELLER_SEND_GOODS", "waits for the seller to ship"
    SELLER_SEND_PART_GOODS = "SELLER_SEND_PART_GOODS", "a part is shipped"
    SELLER_SEND_GOODS = "SELLER_SEND_GOODS", "shipped"
    BUYER_ACCEPT_GOODS = "BUYER_ACCEPT_GOODS", "the buyer has it"
    NO_LOGISTICS = "NO_LOGISTICS", "no parcel yet"


MEANINGS: dict[str, str] = {
    **{f"order_status {word}": word.meaning for word in OrderStatus},
    **{f"logistics_status {word}": word.meaning for word in LogisticsStatus},
}
"""Both tables as one, for the support matrix."""

ALERTING: dict[str, str] = {
    OrderStatus.IN_CANCEL: "look the order up on AliExpress; submit a new one if the goods are still wanted",
    OrderStatus.IN_ISSUE: "answer the dispute on AliExpress",
    OrderStatus.IN_FROZEN: "ask AliExpress' customer service why",
    OrderStatus.WAIT_COMPLETE_ADDRESS: "complete the address on AliExpress",
}
"""States a person should know of, with the next step. An unpaid order is normal: paying is a step of its own."""


def meaning(status: str) -> str:
    """Return what an `order_status` means in words; an unknown one is its own meaning."""
    return OrderStatus[status].meaning if status in OrderStatus.__members__ else status


def alert(reference: str, status: str, end_reasons: Collection[str]) -> str | None:
    """Name what a person should know. A closed order shows as FINISH or IN_CANCEL with a child's end_reason."""
    fix = ALERTING.get(status)
    if fix:
        return f"{reference} is {status} ({meaning(status)}): {fix}"
    reasons = ", ".join(sorted(end_reasons))
    return f"{reference} is {status}, ended: {reasons}: {ALERTING[OrderStatus.IN_CANCEL]}"[:300] if reasons else None
