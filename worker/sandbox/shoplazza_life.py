"""What the sandbox's Shoplazza tells of an order's life: its three statuses, its fulfilments, and its webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from worker.sandbox.fake import Message, SandboxOrder
from worker.sandbox.lives import Box, Event, Move, Phase, Standing

CLIENT_ID, CLIENT_SECRET = "sandbox-client-id", "sandbox-client-secret"
"""Of the app behind every account that names no `client_id` and `client_secret` of its own."""
CARRIERS = (
    ("4PX", "190094", "https://track.4px.com/#/result/0/"),
    ("Royal Mail", "11031", "https://www.royalmail.com/"),
)
"""Before and after a change of the number: name, code, address of the tracking page."""
PHASES: dict[str, Phase] = {
    "opened": Phase.UNPAID,
    "placed": Phase.PAID,
    "finished": Phase.DELIVERED,
    "cancelled": Phase.CANCELLED,
    "refunded": Phase.CANCELLED,
    "deleted": Phase.UNPAID,
}
"""Where the order of each state a note can ask for begins."""
STATUSES: dict[Phase, tuple[str, str, str]] = {
    Phase.UNPAID: ("opened", "waiting", "initialled"),
    Phase.PAYING: ("opened", "paying", "initialled"),
    Phase.HELD: ("placed", "authorized", "waiting"),
    Phase.FROZEN: ("placed", "authorized", "waiting"),
    Phase.PAID: ("placed", "paid", "waiting"),
    Phase.PART_SHIPPED: ("placed", "paid", "partially_shipped"),
    Phase.SHIPPED: ("placed", "paid", "shipped"),
    Phase.DISPUTED: ("placed", "refunding", "returning"),
    Phase.DELIVERED: ("finished", "paid", "finished"),
    Phase.CANCELLED: ("cancelled", "cancelled", "cancelled"),
}
"""`status`, `financial_status` and `fulfillment_status`."""
TOPICS: dict[Move, str] = {
    Move.PAY: "orders/paid",
    Move.SHIP_PART: "orders/fulfilled",
    Move.SHIP: "orders/fulfilled",
    Move.SELLER_CANCELS: "orders/cancelled",
    Move.LAPSE: "orders/cancelled",
    Move.REFUND: "orders/cancelled",
}
"""The topic of a move's webhook; every other move is an update, in either of its two spellings."""


def statuses(standing: Standing) -> tuple[str, str, str]:
    """Return the three statuses of an order something happened to."""
    if standing.phase is Phase.CANCELLED and standing.paid_at is not None:
        return "cancelled", "refunded", "cancelled"
    if standing.last is Move.PAY_FAILS:
        return "opened", "failed", "initialled"
    if standing.phase is Phase.PAID and standing.cancelled:
        return "placed", "partially_refunded", "waiting"
    return STATUSES[standing.phase]


def line_id(order: SandboxOrder, place: int) -> str:
    """Return the id of an order's line, from its place."""
    return hashlib.sha256(f"{order.references[0]}/{place}".encode()).hexdigest()[:16]


def fulfilments(order: SandboxOrder, standing: Standing) -> list[dict[str, Any]]:
    """Return an order's fulfilments, the oldest first; what their `status` may be is published nowhere."""
    return [_fulfilment(order, place, box) for place, box in enumerate(standing.boxes)]


def _fulfilment(order: SandboxOrder, place: int, box: Box) -> dict[str, Any]:
    reference = order.references[0]
    company, code, page = CARRIERS[1 if box.changes else 0]
    digits = int(hashlib.sha256(f"{reference}/{place}/{len(box.changes)}".encode()).hexdigest(), 16) % 10**9
    number = f"{'GB' if box.changes else 'LZ'}{digits:09d}CN"
    tracking = {
        "tracking_number": number,
        "tracking_company": company,
        "tracking_company_code": code,
        "tracking_url": f"{page}{number}",
    }
    return {
        "id": f"{line_id(order, place)}-f",
        "order_id": reference,
        "status": "finished" if box.arrived_at is not None else "shipped",
        "created_at": stamp(box.shipped_at),
        "updated_at": stamp(box.nodes[-1].at),
        **tracking,
        "phone_number": "",
        "line_items": [
            {"id": line_id(order, line), "ship_quantity": many, "quantity": many} for line, many in box.pieces
        ],
        "tracking_items": [tracking],
    }


def stamp(at: float) -> str:
    """Return a time (unix seconds) as the API tells it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def topic_of(event: Event) -> str:
    """Return the topic of a move's webhook."""
    spelling = "orders/updated" if int(event.at) % 2 else "orders/update"
    return TOPICS.get(event.move, spelling)


def webhook(topic: str, shown: Mapping[str, Any], keys: Mapping[str, str], version: str, part: str) -> Message:
    """Return one webhook about an order as `shown`. `part` tells it from every other of the same order."""
    body = json.dumps({"order": shown}, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    secret = str(keys.get("client_secret") or CLIENT_SECRET).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Shoplazza-Topic": topic,
        "X-Shoplazza-Hmac-Sha256": base64.b64encode(hmac.digest(secret, body, hashlib.sha256)).decode(),
        "X-Shoplazza-Shop-Domain": f"{keys.get('shop') or 'sandbox'}.myshoplaza.com",
        "X-Shoplazza-Api-Version": version,
        "X-Shoplazza-Deduplication-ID": hashlib.sha256(f"{shown['id']}/{topic}/{part}".encode()).hexdigest()[:32],
    }
    return Message(headers, body, any_2xx=True)
