"""What the sandbox's AliExpress tells of parcels: order tracking get, in the documented form and in each drifted one.

A fault whose name begins with tracking_, or a suffix of the order_id (`SO-7~delivered~tracking_older`), chooses another
form for reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.sandbox.faults import TRACKING
from worker.sandbox.lives import Box, Event, Move, Standing

NOTHING = {"ret": False, "code": "1001", "msg": "TRACKING DATA NOT FOUND"}
CARRIERS = ("AliExpress Selection Standard", "Seller Shipping ES Local")
"""Before and after a change of the number."""
NODES: dict[Move, tuple[str, str, str]] = {
    Move.SHIP: ("Shipping update", "CREATED", "Package information received"),
    Move.SHIP_PART: ("Shipping update", "CREATED", "Package information received"),
    Move.TRANSIT: ("In transit", "IN_TRANSIT", "Departed from the sorting centre"),
    Move.NUMBER_CHANGES: ("Collected by carrier", "HANDED_OVER", "Handed over to the local carrier"),
    Move.ARRIVE: ("Delivered", "DELIVERED", "Package delivered"),
}
"""What each move puts on a parcel's way: the name as words, the name as a code, the description."""


def mail_number(reference: str, place: int, changes: int) -> str:
    """Return the number of an order's parcel, which follows from the order, its place and how often it changed."""
    letters = "RS" if changes == 0 else f"E{chr(ord('A') + (changes - 1) % 26)}"
    return f"{letters}{int(reference) * 10 % 10**8:08d}{place % 10}CN"


def form_of(key: str, fault: str | None) -> str | None:
    """Return the form an order is told in: what it chose itself, else what is set from outside."""
    return next((part for part in key.split("~")[1:] if part in TRACKING), fault)


def tracking(
    reference: str, lines: Sequence[Mapping[str, Any]], standing: Standing, form: str | None = None
) -> dict[str, Any]:
    """Return the result of tracking get. `lines`: those of the order, each with `product_id` and `sku_id`."""
    if not standing.boxes:
        empty = {"ret": True, "data": {"tracking_detail_line_list": {"tracking_detail": []}}}
        return empty if form == "tracking_empty" else dict(NOTHING)
    if form == "tracking_older":
        return _older(reference, standing)
    details = [_detail(reference, place, box, lines, form) for place, box in enumerate(standing.boxes)]
    if form == "tracking_doubled":
        details = [detail for detail in details for _ in range(2)]
    data = {"tracking_detail_line_list": _wrapped("tracking_detail", details, form)}
    return {"ret": "true" if form == "tracking_codes" else True, "data": data}


def _older(reference: str, standing: Standing) -> dict[str, Any]:
    rows = [
        {"tracking_number": mail_number(reference, place, len(box.changes)), "logistics_company": _carrier(box)}
        for place, box in enumerate(standing.boxes)
    ]
    return {"ret": True, "logistics_order_list": rows, "order_status": standing.phase.upper()}


def _detail(
    reference: str, place: int, box: Box, lines: Sequence[Mapping[str, Any]], form: str | None
) -> dict[str, Any]:
    number, carrier = mail_number(reference, place, len(box.changes)), _carrier(box)
    named = ("logistics_no", "logistics_service") if form == "tracking_logistics_no" else ("mail_no", "carrier_name")
    items = [
        {
            "item_id": lines[line]["product_id"],
            "sku_id": lines[line]["sku_id"],
            "sku_desc": "Color:Brown",
            "item_title": f"Sandbox product {lines[line]['product_id']}",
            "quantity": many,
        }
        for line, many in box.pieces
    ]
    eta: Any = int(box.eta_at * 1000)
    return {
        **dict(zip(named, (number, carrier), strict=True)),
        "eta_time_stamps": str(eta) if form == "tracking_codes" else eta,
        "package_item_list": _wrapped("package_item", items, form),
        # The newest first.
        "detail_node_list": _wrapped("detail_node", [_node(event, form) for event in reversed(box.nodes)], form),
    }


def _node(event: Event, form: str | None) -> dict[str, Any]:
    words, code, description = NODES[event.move]
    at = int(event.at * 1000)
    if form == "tracking_codes":
        return {"time_stamp": str(at), "tracking_name": code, "tracking_detail_desc": description}
    return {"time_stamp": at, "tracking_name": words, "tracking_detail_desc": description}


def _carrier(box: Box) -> str:
    return CARRIERS[1 if box.changes else 0]


def _wrapped(name: str, rows: list[dict[str, Any]], form: str | None) -> Any:
    if form == "tracking_flat":
        return rows
    return {name: rows[0] if form == "tracking_bare" and len(rows) == 1 else rows}
