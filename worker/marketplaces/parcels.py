"""Reads the parts of a parcel that all marketplaces have: number, carrier, times, items, steps; nothing of a person.

An adapter's `tracking.py` finds the rows and says what its marketplace calls each part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timezone
from typing import Any

from worker.marketplaces.goods import pieces
from worker.marketplaces.replies import Fraction, id_of, objects, text_of
from worker.marketplaces.vocabulary import LEFT_OUT, event_name
from worker.rules.life import Node, Parcel, Parcels

MOST_PARCELS, MOST_NODES, MOST_ITEMS = 100, 200, 200
"""More than this of one order is not read: no marketplace shows so much, a broken reply may."""
CARRIER_SIGNS = 60
_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Za-z][0-9A-Za-z ._/-]{2,58}[0-9A-Za-z]", re.ASCII)
_EPOCH = re.compile(r"([0-9]{9,15})(?:\.[0-9]{1,6})?", re.ASCII)
_NO_CARRIER = re.compile(r"@|[0-9]{6}")
"""A mail address or a telephone number where a carrier's name should stand."""
_MILLISECONDS_FROM = 10**11
_LATEST = 4102444800.0
"""The year 2100 in unix seconds: a later time is a mistake."""


def rows_with(data: object, *names: str) -> Iterator[Mapping[str, Any]]:
    """Yield every object that has one of these members, however it is wrapped; the shallowest first."""
    return (node for node in objects(data) if any(name in node for name in names))


def told(row: Mapping[str, Any], *names: str) -> str:
    """Return the first of these members that holds a text or a whole number, as text; else nothing."""
    return next(filter(None, (text_of(row.get(name)) for name in names)), "")


def numbers(row: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Return the parcel numbers a row has under the first of these names that has any; several may be joined."""
    for name in names:
        value = row.get(name)
        text = "" if isinstance(value, Fraction) else text_of(value)
        found = (part.strip() for part in re.split(r"[,;，；、|]", text))
        good = tuple(dict.fromkeys(part for part in found if _NUMBER.fullmatch(part)))
        if good:
            return good
    return ()


def carrier(row: Mapping[str, Any], *names: str) -> str | None:
    """Return the carrier as it is told; None where it is not."""
    name = " ".join(told(row, *names).split())[:CARRIER_SIGNS]
    return None if not name or _NO_CARRIER.search(name) else name


def items(rows: Iterable[object], ids: Sequence[str], counts: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return what is in a parcel; nothing where one row cannot be read: a part would look like the whole."""
    found: list[tuple[str, int]] = []
    for row in rows:
        if not isinstance(row, Mapping):
            return ()
        known = next(filter(None, (id_of(row.get(name)) for name in ids)), "")
        count = next((one for one in (pieces(row.get(name)) for name in counts) if one), None)
        if not known or count is None or len(found) == MOST_ITEMS:
            return ()
        found.append((known, count))
    return tuple(found)


def unix_time(value: object, zone: timezone = UTC) -> float | None:
    """Return a time in unix seconds: from milliseconds, seconds or an ISO text; one without a zone is of `zone`."""
    text = text_of(value)
    epoch = _EPOCH.fullmatch(text)
    try:
        if epoch:
            at = int(epoch[1]) / (1000 if int(epoch[1]) >= _MILLISECONDS_FROM else 1)
        else:
            written = datetime.fromisoformat(text.partition("[")[0])
            at = written.replace(tzinfo=written.tzinfo or zone).timestamp()
    except (ValueError, OverflowError):
        return None
    return at if 0 < at < _LATEST else None


def node(at: float | None, name: str) -> Node | None:
    """Return one step of a parcel's way; None where its time cannot be read. What could name a person is left out."""
    return None if at is None else Node(at, event_name(name) or LEFT_OUT)


def newest_last(nodes: Iterable[Node | None]) -> tuple[Node, ...]:
    """Return steps by their time, each once, the newest last; of many the newest."""
    known = dict.fromkeys(one for one in nodes if one is not None)
    return tuple(sorted(known, key=lambda one: one.at))[-MOST_NODES:]


def together(parcels: Iterable[Parcel]) -> Parcels:
    """Return parcels, each number once: what several rows say of one parcel is put together."""
    known: dict[str, Parcel] = {}
    for parcel in parcels:
        before = known.get(parcel.number)
        if before is not None:
            known[parcel.number] = _joined(before, parcel)
        elif len(known) < MOST_PARCELS:
            known[parcel.number] = parcel
    return Parcels(tuple(known.values()))


def _joined(one: Parcel, other: Parcel) -> Parcel:
    return replace(
        one,
        carrier=one.carrier or other.carrier,
        eta_at=one.eta_at or other.eta_at,
        items=one.items or other.items,
        nodes=newest_last([*one.nodes, *other.nodes]),
        internal=one.internal and other.internal,
        arrival=one.arrival or other.arrival,
    )
