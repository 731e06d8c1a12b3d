"""Whose an id is: what an answer tells of another order is not learned, and what a read-back disproved is marked.

An id belongs to the first order of its marketplace that learned it, until a read-back under it shows another order.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, text, update

from worker.ledger.dialects import in_list, listed
from worker.ledger.tables import order_references, orders, pushes
from worker.rules.codes import Code
from worker.rules.confirm import foreign_order
from worker.rules.outcomes import Accepted, Found, Unknown
from worker.rules.reconcile import foreign_look_up
from worker.rules.states import State
from worker.rules.values import PushState, Sent, Settled

log = logging.getLogger(__name__)

DISPROVED = "disproved"
"""The `source` of an id whose read-back showed another order: it is nobody's until somebody else learns it."""

ADOPTED = "adopted"
"""The `source` of an id that a person or a push message told."""

Told = tuple[str, str]
"""An id that was told, and the order of ours it belongs to."""

# Made once: to build it costs more than to run it, and it runs for every group of answers.
_HELD = (
    select(order_references.c.order_id, order_references.c.reference, order_references.c.source, orders.c.marketplace)
    .join(orders, orders.c.order_id == order_references.c.order_id)
    .where(
        or_(
            in_list(order_references.c.order_id, listed("ids")),
            in_list(order_references.c.reference, listed("told")),
        )
    )
    .order_by(order_references.c.learned_at, order_references.c.reference)
)

_REFERENCES = (
    select(order_references.c.order_id, order_references.c.reference)
    .where(in_list(order_references.c.order_id, listed("ids")))
    .order_by(order_references.c.learned_at, order_references.c.reference)
)


def references(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return every id known of these orders, in the order they were learned."""
    found: dict[str, tuple[str, ...]] = {}
    if not ids:
        return found
    for order_id, reference in connection.execute(_REFERENCES, {"ids": ids}):
        found[order_id] = (*found.get(order_id, ()), reference)
    return found


def hold_references(connection: Connection, told: Collection[str]) -> None:
    """Let only one transaction at a time decide whose these ids are; SQLite has only one writer anyway."""
    if told and connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"told": list(told)})


# Sorted, or two transactions with the same ids wait for each other for ever.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(id) FROM"
    " (SELECT DISTINCT hashtext(told) AS id FROM unnest(CAST(:told AS text[])) AS told ORDER BY id) AS ids"
)


@dataclass(slots=True)
class Owners:
    """Which order each id belongs to. `known`: every id known of the orders that were asked for."""

    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _owners: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def other(self, marketplace: str, reference: str, order_id: str) -> str | None:
        """Return the other order of a marketplace that an id belongs to; None where there is none."""
        return next((owner for owner in self._owners.get((marketplace, reference), ()) if owner != order_id), None)

    def add(self, marketplace: str, reference: str, order_id: str) -> None:
        """Note that an id belongs to an order."""
        self._owners.setdefault((marketplace, reference), []).append(order_id)


def owners(connection: Connection, ids: Collection[str], told: Collection[str]) -> Owners:
    """Return which orders these ids belong to and what is known of these orders, in one query.

    Until the transaction ends nobody else decides whose the told ones are.
    """
    found = Owners()
    if not ids:
        return found
    hold_references(connection, told)
    asked = set(ids)
    for row in connection.execute(_HELD, {"ids": ids, "told": told}):
        if row.order_id in asked:
            found.known[row.order_id] = (*found.known.get(row.order_id, ()), row.reference)
        if row.source != DISPROVED:
            found.add(row.marketplace, row.reference, row.order_id)
    return found


def told_by(one: Sent) -> tuple[str, ...]:
    """Return the ids an answer told."""
    return one.outcome.references if isinstance(one.outcome, Accepted | Unknown) else ()


def part(
    owned: Owners, rows: Mapping[str, Row[Any]], sent: Sequence[Sent], now: float
) -> tuple[list[dict[str, Any]], list[Told | None]]:
    """Part what the answers told: the rows to learn, and for each answer the first id that is another order's.

    Of two orders that are told one id in one group, the first keeps it.
    """
    learned: list[dict[str, Any]] = []
    foreign: list[Told | None] = []
    for one in sent:
        order_id, wrong = one.claim.order_id, None
        marketplace = rows[order_id].marketplace
        # Sorted, as they are read back from the table: all of an answer are learned at one time.
        for reference in sorted(told_by(one)):
            known = owned.known.get(order_id, ())
            if reference in known:
                continue
            owner = owned.other(marketplace, reference, order_id)
            if owner is not None:
                wrong = wrong or (reference, owner)
                _alarm(order_id, reference, owner)
                continue
            owned.add(marketplace, reference, order_id)
            owned.known[order_id] = (*known, reference)
            learned.append({"order_id": order_id, "reference": reference, "source": "reply", "learned_at": now})
        foreign.append(wrong)
    return learned, foreign


def _alarm(order_id: str, reference: str, owner: str) -> None:
    log.error("%s was told the id %s, which belongs to %s: it is not taken", order_id, reference, owner)


def without_foreign(connection: Connection, rows: Mapping[str, Row[Any]], settled: Sequence[Settled]) -> list[Settled]:
    """Return what was settled, without the records of other orders; what then has none left is not settled.

    Asks the database for what is new only: ids a look-up found, and those a read-back had disproved before.
    """
    new = {one.order.order_id: _to_be_checked(rows[one.order.order_id], one) for one in settled}
    told = {reference for references in new.values() for reference in references}
    if not told:
        return list(settled)
    owned = owners(connection, list(new), told)
    found = []
    for one in settled:
        order_id, marketplace = one.order.order_id, rows[one.order.order_id].marketplace
        wrong = {}
        for reference in new[order_id]:
            owner = owned.other(marketplace, reference, order_id)
            if owner is None:
                owned.add(marketplace, reference, order_id)
            else:
                wrong[reference] = owner
                _alarm(order_id, reference, owner)
        found.append(_left(one, wrong) if wrong else one)
    return found


def _to_be_checked(row: Row[Any], one: Settled) -> tuple[str, ...]:
    if not isinstance(one.outcome, Found):
        return ()
    told = (record.reference for record in one.outcome.records)
    return tuple(told if row.code == Code.FOREIGN_ORDER else (r for r in told if r not in one.order.references))


def _left(one: Settled, wrong: Mapping[str, str]) -> Settled:
    """Return what is left of a look-up or a read-back when other orders' records are taken out."""
    assert isinstance(one.outcome, Found)  # noqa: S101
    own = tuple(record for record in one.outcome.records if record.reference not in wrong)
    reference, owner = next(iter(wrong.items()))
    if one.order.state is State.PLACED:
        cause = f"the id {reference} belongs to {owner}"
        return replace(one, outcome=Unknown(cause, Code.FOREIGN_ORDER), decision=foreign_order(cause, one.order))
    if own:
        return replace(one, outcome=Found(own))
    decision = foreign_look_up(reference, owner, one.order)
    return replace(one, outcome=Unknown(decision.reason or "", decision.code), decision=decision)


def disprove(connection: Connection, rows: Mapping[str, Row[Any]], settled: Iterable[Settled]) -> None:
    """Mark the ids under which a read-back showed another order."""
    for one in settled:
        if isinstance(one.outcome, Unknown) and one.outcome.code == Code.FOREIGN_ORDER and one.outcome.references:
            if rows[one.order.order_id].code != Code.FOREIGN_ORDER:
                told = ", ".join(one.outcome.references)
                log.error("%s was read back under %s and is another order there", one.order.order_id, told)
            connection.execute(
                update(order_references)
                .where(
                    order_references.c.order_id == one.order.order_id,
                    in_list(order_references.c.reference, one.outcome.references),
                )
                .values(source=DISPROVED)
            )


def is_adopted(connection: Connection, order_id: str) -> bool:
    """Tell whether an order has an id from a person or a push message; of a placed order it was never read back."""
    told = (order_references.c.order_id == order_id, order_references.c.source == ADOPTED)
    return connection.execute(select(order_references.c.reference).where(*told)).first() is not None


def take_back(connection: Connection, account: str, order_id: str, now: float) -> tuple[str, ...]:
    """Forget the ids of an order that a read-back disproved, and those it was told and that were never read back.

    The push messages about them are looked at again. Returns the ids.
    """
    wrong = (order_references.c.order_id == order_id, order_references.c.source.in_((DISPROVED, ADOPTED)))
    gone = tuple(connection.execute(select(order_references.c.reference).where(*wrong)).scalars())
    if gone:
        connection.execute(delete(order_references).where(*wrong))
        connection.execute(
            update(pushes)
            .where(
                pushes.c.account == account,
                in_list(pushes.c.reference, gone),
                pushes.c.order_id == order_id,
                pushes.c.state.in_((PushState.KNOWN, PushState.ADOPTED)),
            )
            .values(state=PushState.NEW, order_id=None, due_at=now, tries=0)
        )
    return gone
