"""Orders that are alike but for their id, close together: found at intake and told, never turned away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from worker.ledger.dialects import in_list, listed
from worker.ledger.tables import orders
from worker.orders.jobs import Job

ALIKE = 3
"""From so many orders of one content on a person is told."""
WITHIN_SECONDS = 3600.0
_TOLD = 20
"""Contents a submission tells of at most."""
_NAMED = 5
"""Orders named of each."""

# Without a look at the time: this is answered by the index alone, and nearly always with nothing.
_MANY = (
    select(orders.c.fingerprint)
    .where(in_list(orders.c.fingerprint, listed("fingerprints")))
    .group_by(orders.c.fingerprint)
    .having(func.count() >= ALIKE)
)
_NUMBERED = (
    select(
        orders.c.fingerprint,
        orders.c.order_id,
        func.count().over(partition_by=orders.c.fingerprint).label("number"),
        func.row_number()
        .over(partition_by=orders.c.fingerprint, order_by=(orders.c.created_at, orders.c.order_id))
        .label("place"),
    )
    .where(in_list(orders.c.fingerprint, listed("fingerprints")), orders.c.created_at >= bindparam("since"))
    .subquery()
)
_CLOSE = (
    select(_NUMBERED)
    .where(_NUMBERED.c.number >= ALIKE, _NUMBERED.c.place <= _NAMED)
    .order_by(_NUMBERED.c.fingerprint, _NUMBERED.c.place)
)


@dataclass(slots=True)
class _Content:
    """One content: how many orders have it, and the first of them."""

    number: int
    order_ids: list[str] = field(default_factory=list)


class Repeats:
    """The contents that several orders share, of one submission and of the hour before each of its groups.

    Small whatever the submission: the ledger counts, and only contents that are told are remembered.
    """

    def __init__(self) -> None:
        self._told: dict[str, _Content] = {}
        self._more = 0

    def look(self, connection: Connection, new: Sequence[Job], now: float) -> None:
        """Count orders that were just written, in the transaction that wrote them."""
        fresh = Counter(job.fingerprint for job in new)
        for fingerprint in fresh.keys() & self._told.keys():
            self._told[fingerprint].number += fresh[fingerprint]
        asked = {job.fingerprint for job in new if not job.allow_repeat} - self._told.keys()
        many = list(connection.execute(_MANY, {"fingerprints": asked}).scalars()) if asked else []
        if many:
            self._add(connection.execute(_CLOSE, {"fingerprints": many, "since": now - WITHIN_SECONDS}), fresh)

    def notices(self) -> dict[str, int]:
        """Return a sentence for each content, and how many orders have it."""
        told = {_sentence(content): content.number for content in self._told.values()}
        if self._more:
            told["more orders have the same content as others; where that is meant: --allow-repeat"] = self._more
        return told

    def _add(self, rows: Iterable[Row[Any]], fresh: Mapping[str, int]) -> None:
        for row in rows:
            if row.place == 1 and len(self._told) < _TOLD:
                self._told[row.fingerprint] = _Content(row.number)
            if row.fingerprint in self._told:
                self._told[row.fingerprint].order_ids.append(row.order_id)
            elif row.place == 1:
                self._more += fresh[row.fingerprint]


def _sentence(content: _Content) -> str:
    named = ", ".join(content.order_ids)
    others = content.number - len(content.order_ids)
    named += f" and {others} more" if others else ""
    return f"{content.number} orders have the same content: {named}; where that is meant: --allow-repeat"
