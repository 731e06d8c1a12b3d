"""Ends orphans: a person says that an order of the marketplace is none of ours, and it asks for nobody again."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import select, update

from worker.errors import UnknownOrder
from worker.ledger.audit import note_act
from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.moves import told
from worker.ledger.tables import pushes
from worker.rules.values import PushState

CLOSING = "close orphan"
"""What it is called among the acts of people."""


def close_orphans(ledger: Ledger, references: Sequence[str], actor: str, note: str) -> tuple[list[str], dict[str, str]]:
    """Close orphans for good; later messages about them are only counted. `note`: why they are none of ours.

    Returns the ids that were closed, and what is said of the others. Raises UnknownOrder where none of the ids is an
    orphan's.
    """
    asked = list(dict.fromkeys(references))
    this = (in_list(pushes.c.reference, asked), pushes.c.state == PushState.ORPHAN)
    with ledger.writing() as connection:
        locked = select(pushes.c.account, pushes.c.reference).where(*this)
        rows = connection.execute(
            locked.order_by(pushes.c.account, pushes.c.reference).with_for_update()  # one order of locking for all
        ).all()
        found = {row.reference for row in rows}
        missing = {one: f"no orphan {one}; fulfil orphans lists them" for one in asked if one not in found}
        if not found:
            raise UnknownOrder("; ".join(missing.values()))
        said = told(f"closed by {actor}: {note}")
        connection.execute(update(pushes).where(*this).values(state=PushState.CLOSED, note=said, due_at=None))
        for row in rows:
            note_act(connection, CLOSING, actor, time.time(), account=row.account, note=f"{row.reference}: {note}")
    return [one for one in asked if one in found], missing
