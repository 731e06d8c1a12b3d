"""Asks for an order's parcels (aliexpress.ds.order.tracking.get) and reads every form seen (aliexpress.md, 10).

No parcel yet is no error. What a step says beside its name is never kept: it tells who signed, and where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from worker.marketplaces.aliexpress.codes import clean_code
from worker.marketplaces.aliexpress.envelope import Answer, Fault
from worker.marketplaces.aliexpress.read import opened, turned_away
from worker.marketplaces.calls import Lost, NotRead, Reply
from worker.marketplaces.codes import Clean
from worker.marketplaces.parcels import carrier, items, newest_last, node, numbers, rows_with, together, told, unix_time
from worker.marketplaces.replies import text_of
from worker.marketplaces.vocabulary import first_clause
from worker.rules.life import Arrival, Node, Parcel, Parcels
from worker.rules.outcomes import OrderRecord, Unknown

NUMBERS = ("mail_no", "tracking_number", "logistics_no")
CARRIERS = ("carrier_name", "logistics_company", "logistics_service")
NOTHING_YET = "1001"
"""`code` of "TRACKING DATA NOT FOUND": nothing yet, and also a wrong id; only order-get tells them apart."""
DELIVERED = frozenset(
    {
        *("delivered", "delivered successfully", "successfully delivered", "delivery successful", "delivery completed"),
        *("package delivered", "parcel delivered", "shipment delivered", "order delivered", "item delivered"),
        *("package has been delivered", "your package has been delivered", "the package has been delivered"),
        *("delivered to recipient", "delivered to addressee", "delivered to consignee", "delivered to customer"),
        *("signed", "package signed", "sign success", "已签收", "签收", "妥投"),
    }
)
"""Names of a step that say that the receiver has the parcel; no list of the vendor's exists, so others say nothing."""
_INTERNAL = re.compile(r"(AP|LP)[0-9]")
"""AliExpress' own numbers, which no carrier knows."""


def params(reference: str) -> dict[str, str]:
    """Return the two business parameters: flat form fields, not a JSON object."""
    return {"ae_order_id": reference, "language": "en_US"}


def read_tracking(came: Reply | Lost, record: OrderRecord, clean: Clean) -> Parcels | NotRead:
    """Return an order's parcels: those of the reply, or while it has none those the order itself shows."""
    answer = opened(came)
    if not isinstance(answer, Answer | Fault):
        return answer
    shown = together(_parcels(answer.document))
    if shown.parcels:
        return shown
    said = _result(answer.document)
    if _is_found(said) or text_of(said.get("code")) == NOTHING_YET:
        return together(_parcels(record.details.get("logistics_info_list")))
    if isinstance(answer, Fault) and "ret" not in said:
        return turned_away(answer, clean)
    text, code = clean(text_of(said.get("msg"))), clean_code(text_of(said.get("code")), clean)
    return Unknown(text or "the reply shows neither parcels nor that there are none", code or None)


def _result(document: Any) -> Mapping[str, Any]:
    """Return the object that says whether parcels were found, whatever it stands in."""
    return next(rows_with(document, "ret"), document if isinstance(document, dict) else {})


def _is_found(said: Mapping[str, Any]) -> bool:
    found = said.get("ret")
    return found is True or text_of(found).lower() == "true"


def _parcels(document: Any) -> Iterator[Parcel]:
    for row in rows_with(document, *NUMBERS):
        known = numbers(row, *NUMBERS)
        steps = list(rows_with(row.get("detail_node_list"), "time_stamp"))
        # The newest comes first; of two steps at one time the later one has to stay the later one.
        nodes = newest_last(
            node(unix_time(step.get("time_stamp")), told(step, "tracking_name")) for step in steps[::-1]
        )
        inside = items(rows_with(row.get("package_item_list"), "item_id", "quantity"), ("item_id",), ("quantity",))
        for number in known:
            yield Parcel(
                number=number,
                carrier=carrier(row, *CARRIERS),
                eta_at=unix_time(row.get("eta_time_stamps")),
                items=inside if len(known) == 1 else (),
                nodes=nodes,
                internal=_INTERNAL.match(number) is not None,
                arrival=_arrival(steps, nodes),
            )


def _arrival(steps: list[Mapping[str, Any]], nodes: tuple[Node, ...]) -> Arrival | None:
    """Return where the newest step says that the parcel was handed over, if it says so."""
    newest = [step for step in steps if nodes and unix_time(step.get("time_stamp")) == nodes[-1].at]
    words = (told(step, name) for step in newest for name in ("tracking_name", "tracking_detail_desc"))
    return Arrival.RECEIVER if any(first_clause(word) in DELIVERED for word in words) else None
