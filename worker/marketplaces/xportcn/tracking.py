"""Reads an order's parcels: from Xportcn's logistics call, whose page is not public, and from the order's own details.

Xportcn hands 1688's objects through; every form of those is read (docs/vendors/xportcn.md, 4). Whoever signs for a
parcel does so at the warehouse that consolidates. Sender, receiver and remarks are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

from worker.marketplaces.calls import Lost, NotRead, Reply
from worker.marketplaces.codes import Clean
from worker.marketplaces.parcels import carrier, items, newest_last, node, numbers, rows_with, together, told, unix_time
from worker.marketplaces.replies import id_of, read_object, text_of, values
from worker.marketplaces.vocabulary import first_clause
from worker.marketplaces.xportcn.envelope import Answer
from worker.marketplaces.xportcn.read import read_answer
from worker.rules.life import Arrival, Parcel, Parcels
from worker.rules.outcomes import OrderRecord

NUMBERS = ("logisticsBillNo", "mailNo", "trackingNumber", "trackingNo", "waybillNo", "expressNo")
CARRIERS = ("logisticsCompanyName", "logisticsCompany", "carrierName", "expressCompany", "logisticsCompanyNo")
OWN_NUMBER = "logisticsId"
"""1688's number of the parcel, which no carrier knows; counts until there is a carrier's."""
_INTERNAL = re.compile(r"(LP|BX|AP)[0-9]")
"""What 1688's own numbers look like, also where a carrier's should stand."""
NOTHING_YET = "没有物流"
"""In "该订单没有物流跟踪信息。": the order has no logistics, as before every shipping."""
CALLED_OFF = frozenset({"cancel"})
"""`status` of logistics that will not move."""
SIGNED = frozenset({"sign", "signed", "signinsuccess", "已签收", "签收", "妥投"})
"""Words of a parcel, or of its newest step, that say that it was signed for; others say nothing."""
CHINA = timezone(timedelta(hours=8))
"""1688 writes times without a zone."""


def read_tracking(came: Reply | Lost, record: OrderRecord, success: Sequence[str], clean: Clean) -> Parcels | NotRead:
    """Return an order's parcels: those of the reply, together with those its details show."""
    if isinstance(came, Reply) and came.status < 500 and _has_none(came.body):
        return in_details(record)
    answer = read_answer(came, success, clean, "logistics_path")
    if not isinstance(answer, Answer):
        return answer
    return together([*_parcels(answer.data, record.reference), *in_details(record).parcels])


def in_details(record: OrderRecord) -> Parcels:
    """Return the parcels an order's details show by themselves (`nativeLogistics`)."""
    return together(_parcels(record.details, record.reference))


def _has_none(body: bytes) -> bool:
    document = read_object(body)
    names = ("msg", "message", "errorMessage", "errorMsg", "error_message")
    return any(NOTHING_YET in text_of(value) for value in values(document, *names))


def _parcels(data: Any, reference: str) -> Iterator[Parcel]:
    rows = [row for row in rows_with(data, *NUMBERS, OWN_NUMBER) if _is_of(row, reference)]
    bills = {told(row, OWN_NUMBER): bill for row in rows for bill in numbers(row, *NUMBERS)}
    for row in rows:
        if told(row, "status").lower() in CALLED_OFF:
            continue
        own = numbers(row, OWN_NUMBER)
        bill = bills.get(told(row, OWN_NUMBER)) if own else None
        known = numbers(row, *NUMBERS) or ((bill,) if bill else ())
        parcel = _parcel(row)
        for number in known or own:
            internal = not known or _INTERNAL.match(number) is not None
            yield replace(parcel, number=number, internal=internal, items=parcel.items if len(known) < 2 else ())


def _is_of(row: Mapping[str, Any], reference: str) -> bool:
    """Tell whether a row can be of this order: one that names another order is not."""
    named = id_of(row.get("orderId"))
    return not named or named == reference


def _parcel(row: Mapping[str, Any]) -> Parcel:
    steps = list(rows_with(row.get("logisticsSteps"), "acceptTime"))
    times = [unix_time(step.get("acceptTime"), CHINA) for step in steps]
    nodes = newest_last(node(at, told(step, "remark")) for at, step in zip(times, steps, strict=True))
    newest = [told(step, "remark") for at, step in zip(times, steps, strict=True) if nodes and at == nodes[-1].at]
    signed = any(first_clause(word) in SIGNED for word in (told(row, "status"), *newest))
    return Parcel(
        number="",
        carrier=carrier(row, *CARRIERS),
        items=_items(row),
        nodes=nodes,
        arrival=Arrival.WAREHOUSE if signed else None,
    )


def _items(row: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Pair the ids of the lines with the quantities sent, which 1688 keeps in two lists; nothing unless they match."""
    ids = row.get("orderEntryIds")
    lines = ids.split(",") if isinstance(ids, str) else ids if isinstance(ids, list) else [ids]
    goods = row.get("sendGoods")
    sent = [good for good in (goods if isinstance(goods, list) else [goods]) if isinstance(good, dict)]
    if len(lines) != len(sent):
        return ()
    pairs = ({"id": text_of(line), "quantity": good.get("quantity")} for line, good in zip(lines, sent, strict=True))
    return items(pairs, ("id",), ("quantity",))
