"""What the sandbox's Xportcn tells of an order's life: 1688's states, its logistics, and the gateway's callbacks.

Neither the logistics call nor its answer is public. Here it is `POST /api/alibaba/ka/order/logistics` with `orderId`,
and `…/logistics/trace`; both answer in 1688's own shapes, and the first has each parcel's steps in it besides.
A parcel goes to the warehouse that sends it on: SIGN means signed there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from worker.sandbox.fake import Message, SandboxOrder
from worker.sandbox.lives import Box, Event, Move, Phase, Standing

PAY_SECONDS = 43_200.0
CHINA = timezone(timedelta(hours=8))
NO_LOGISTICS = "该订单没有物流跟踪信息。"
STATUSES: dict[Phase, str] = {
    Phase.UNPAID: "waitbuyerpay",
    Phase.PAYING: "waitbuyerpay",
    Phase.HELD: "waitsellersend",
    Phase.FROZEN: "waitsellersend",
    Phase.PAID: "waitsellersend",
    # 1688 has no state for it: some lines are under way, the order still waits for the others.
    Phase.PART_SHIPPED: "waitsellersend",
    Phase.SHIPPED: "waitbuyerreceive",
    Phase.DISPUTED: "waitbuyerreceive",
    Phase.DELIVERED: "success",
    Phase.CANCELLED: "cancel",
}
PHASES: dict[str, Phase] = {
    "waitbuyerpay": Phase.UNPAID,
    "waitsellersend": Phase.PAID,
    "waitlogisticstakein": Phase.PAID,
    "waitbuyerreceive": Phase.SHIPPED,
    "waitbuyersign": Phase.SHIPPED,
    "signinsuccess": Phase.SHIPPED,
    "signinfailed": Phase.SHIPPED,
    "success": Phase.DELIVERED,
    "confirm_goods": Phase.DELIVERED,
    "cancel": Phase.CANCELLED,
    "terminated": Phase.CANCELLED,
}
"""Where an order begins whose create asked for a status; one that is not here begins paid."""
CLOSED: dict[Move, str] = {Move.LAPSE: "other", Move.SELLER_CANCELS: "sellerGoodsLack", Move.REFUND: "buyerCancel"}
STEPS: dict[Move, str] = {
    Move.SHIP: "您的快件已揽收",
    Move.SHIP_PART: "您的快件已揽收",
    Move.TRANSIT: "快件已到达转运中心",
    Move.NUMBER_CHANGES: "快件已转由其他承运商派送",
    Move.ARRIVE: "快件已签收",
}
PUSHED: dict[Move, tuple[str, str]] = {
    Move.PAY: ("ORDER_PAY_SUCCESS", "WAITING_FOR_SENT"),
    Move.SELLER_CANCELS: ("ORDER_CANCEL", "CANCEL"),
    Move.LAPSE: ("ORDER_CANCEL", "CANCEL"),
    Move.REFUND: ("ORDER_CANCEL", "CANCEL"),
    Move.DISPUTE: ("ORDER_BUYER_VIEW_ORDER_BUYER_REFUND", "WAITING_FOR_SENT"),
}
"""The `messageType` a move sends and the `orderStatus` in it; the others send none, only a read finds them."""


def status_of(order: SandboxOrder, standing: Standing) -> str:
    """Return an order's status: the one its create asked for until something happens to it, then 1688's own."""
    if not standing.moves:
        return str(order.request["status"])
    if standing.phase is Phase.CANCELLED:
        return "cancel" if standing.paid_at is None else "terminated"
    if standing.phase is Phase.SHIPPED and all(box.arrived_at is not None for box in standing.boxes):
        return "signinsuccess"
    return STATUSES[standing.phase]


def details(order: SandboxOrder, reference: str, at: float) -> dict[str, Any]:
    """Return what a read tells of the life, beside the goods; nothing of it was personal."""
    life = order.lives[reference]
    standing = life.at(at)
    closed = CLOSED.get(standing.last) if standing.last is not None and standing.phase is Phase.CANCELLED else None
    told: dict[str, Any] = {"payStatus": 1 if standing.paid_at is None else 2}
    if life.pay_timeout_seconds is not None and life.tells_deadline:
        told["payTimeout"] = int(life.pay_timeout_seconds)
    if standing.paid_at is not None:
        told["payTime"] = _stamp(standing.paid_at)
    if closed is not None:
        told["closeReason"] = closed
    if standing.boxes:
        told["nativeLogistics"] = {
            "logisticsItems": [
                {"logisticsBillNo": _number(reference, place, box), "logisticsCompanyName": _carrier(box)}
                for place, box in enumerate(standing.boxes)
            ]
        }
    return told


def logistics(reference: str, lines: Sequence[Mapping[str, Any]], standing: Standing) -> list[dict[str, Any]]:
    """Return an order's parcels as 1688's getLogisticsInfos has them, without sender and receiver: those are people."""
    return [
        {
            "logisticsId": _own_number(reference, place),
            "logisticsBillNo": _number(reference, place, box),
            "logisticsCompanyId": "8" if box.changes else "3",
            "logisticsCompanyName": _carrier(box),
            "logisticsCompanyNo": "YUNDA" if box.changes else "ZTO",
            "status": "SIGN" if box.arrived_at is not None else "TRANSPORT" if len(box.nodes) > 1 else "ACCEPT",
            "orderEntryIds": ",".join(str(int(reference) * 10 + line) for line, _ in box.pieces),
            "sendGoods": [
                {"goodName": f"Sandbox offer {lines[line]['offerId']}", "quantity": many, "unit": "件"}
                for line, many in box.pieces
            ],
            "logisticsSteps": _steps(box),
        }
        for place, box in enumerate(standing.boxes)
    ]


def traces(reference: str, standing: Standing) -> list[dict[str, Any]]:
    """Return an order's parcels as 1688's getLogisticsTraceInfo has them; the steps ascend."""
    return [
        {
            "logisticsId": _own_number(reference, place),
            "orderId": int(reference),
            "logisticsBillNo": _number(reference, place, box),
            "logisticsSteps": _steps(box),
        }
        for place, box in enumerate(standing.boxes)
    ]


def _steps(box: Box) -> list[dict[str, str]]:
    return [
        {"acceptTime": f"{datetime.fromtimestamp(event.at, CHINA):%Y-%m-%d %H:%M:%S}", "remark": STEPS[event.move]}
        for event in box.nodes
    ]


def _own_number(reference: str, place: int) -> str:
    return f"LP{int(reference) % 10**14:014d}{place}"


def _number(reference: str, place: int, box: Box) -> str:
    prefix = "4" if box.changes else "7"
    return f"{prefix}{len(box.changes)}{int(reference) * 10 % 10**11 + place:011d}"


def _carrier(box: Box) -> str:
    return "韵达快递" if box.changes else "中通快递"


def _stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%d%H%M%S}000+0000"


def callback(order: SandboxOrder, reference: str, event: Event | None, amount: int, stamp: float) -> Message | None:
    """Return the callback of a move, or of the create; None: the move has none. `amount`: fen; `stamp`: its date.

    It is signed by nothing: the secret is in the address it is sent to.
    """
    kind, status = PUSHED.get(event.move, ("", "")) if event else ("ORDER_CREATE", "WAITING_FOR_PAYMENT")
    if not kind:
        return None
    at = event.at if event else order.created_at
    standing = order.lives[reference].at(at)
    body: dict[str, Any] = {
        "orderId": reference,
        "orderNo": f"PO{int(reference) % 10**12:012d}",
        "orderStatus": status,
        "payStatus": 1 if standing.paid_at is None else 2,
        "totalAmount": amount,
        "tbCreateTime": f"{datetime.fromtimestamp(order.created_at, CHINA):%Y-%m-%d %H:%M:%S}",
    }
    if standing.paid_at is not None:
        body["payTime"] = f"{datetime.fromtimestamp(standing.paid_at, CHINA):%Y-%m-%d %H:%M:%S}"
    if standing.last in CLOSED and standing.phase is Phase.CANCELLED:
        body["closeReason"] = CLOSED[standing.last]
    told = {
        "messageType": kind,
        "messageBody": json.dumps(body),
        "messagePlatform": 1,
        "timestamp": str(int(stamp * 1000)),
    }
    headers = {"Content-Type": "application/json"}
    return Message(headers, json.dumps(told).encode(), within_seconds=1.0)
