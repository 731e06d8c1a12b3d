"""The states an AliExpress order and its parcel can be in, in words and as stages; unknown ones stay as they come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from worker.marketplaces.vocabulary import event_name
from worker.rules.life import PAID, Life, Stage


class OrderStatus(StrEnum):
    """`order_status` of aliexpress.trade.ds.order.get; the last three are not on the vendor page (facts).

    `stage`: what it says of the order's second life. FINISH says by itself only that the order is over.
    """

    meaning: str
    stage: Stage

    def __new__(cls, word: str, meaning: str, stage: Stage) -> OrderStatus:
        """Make a status of its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        member.stage = stage
        return member

    PLACE_ORDER_SUCCESS = "PLACE_ORDER_SUCCESS", "created and not yet paid", Stage.AWAITING_PAYMENT
    PAYMENT_PROCESSING = "PAYMENT_PROCESSING", "the payment is being processed", Stage.PAYING
    WAIT_SELLER_EXAMINE_MONEY = "WAIT_SELLER_EXAMINE_MONEY", "the seller has to confirm the amount", Stage.PAYING
    RISK_CONTROL = "RISK_CONTROL", "paid; under AliExpress' risk check, up to 24 hours", Stage.HELD
    RISK_CONTROL_HOLD = "RISK_CONTROL_HOLD", "held by AliExpress' risk check", Stage.HELD
    WAIT_SELLER_SEND_GOODS = "WAIT_SELLER_SEND_GOODS", "waits for the seller to ship", Stage.AWAITING_SHIPMENT
    SELLER_PART_SEND_GOODS = "SELLER_PART_SEND_GOODS", "a part is shipped", Stage.PARTLY_SHIPPED
    WAIT_BUYER_ACCEPT_GOODS = "WAIT_BUYER_ACCEPT_GOODS", "shipped; waits for the buyer to receive it", Stage.SHIPPED
    FINISH = "FINISH", "completed: receipt confirmed, or the order closed", Stage.DELIVERED
    IN_CANCEL = "IN_CANCEL", "being cancelled or cancelled", Stage.CLOSED
    WAIT_GROUP = "WAIT_GROUP", "waits for a group purchase to form", Stage.HELD
    WAIT_COMPLETE_ADDRESS = "WAIT_COMPLETE_ADDRESS", "waits for the address to be completed", Stage.HELD
    FUND_PROCESSING = "FUND_PROCESSING", "the funds are being processed", Stage.PAYING
    IN_ISSUE = "IN_ISSUE", "in a dispute", Stage.DISPUTED
    IN_FROZEN = "IN_FROZEN", "frozen by AliExpress", Stage.HELD


class LogisticsStatus(StrEnum):
    """`logistics_status` of aliexpress.trade.ds.order.get (vendor page)."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> LogisticsStatus:
        """Make a status of its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

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


RISK_CHECKED = frozenset({OrderStatus.RISK_CONTROL, OrderStatus.RISK_CONTROL_HOLD})
"""AliExpress checks orders that are paid (aliexpress.md, 9)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an order-get shows beside the status. `lines`: child orders that can be read; `end_reasons`: theirs."""

    logistics_status: str = ""
    paid_at: str = ""
    pay_timeout: str = ""
    lines: int = 0
    end_reasons: Collection[str] = ()


def life(status: str, shown: Shown) -> Life:
    """Return what an order-get says of the order's second life (aliexpress.md, 9)."""
    known = OrderStatus[status] if status in OrderStatus.__members__ else None
    stage = known.stage if known else None
    if known is OrderStatus.FINISH:
        stage = _finished(shown)
    return Life(
        stage=stage,
        paid=True if any(map(str.isdigit, shown.paid_at)) else _paid(known, stage),
        pay_timeout_seconds=_seconds(shown.pay_timeout),
        end_reason=event_name(", ".join(sorted(shown.end_reasons))) or None,
    )


def _finished(shown: Shown) -> Stage | None:
    """Return which end FINISH is. Its lines tell; without them it is only known to be over, not how."""
    if shown.end_reasons:
        return Stage.CLOSED
    is_received = shown.logistics_status == LogisticsStatus.BUYER_ACCEPT_GOODS
    return Stage.DELIVERED if shown.lines or is_received else None


def _paid(known: OrderStatus | None, stage: Stage | None) -> bool | None:
    if known is OrderStatus.PLACE_ORDER_SUCCESS:
        return False
    return True if known in RISK_CHECKED or stage in PAID else None


def _seconds(told: str) -> int | None:
    """Return `pay_timeout_second`; a 0 and what is no number tell of no deadline."""
    return int(told) or None if told.isascii() and told.isdigit() and len(told) <= 9 else None
