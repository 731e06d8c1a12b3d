"""Ends orphans: a person says that an order of the marketplace is none of ours, and it asks for nobody again."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from worker.errors import UnknownOrder
from worker.ledger.dialects import in_list
from worker.ledger.engine import Ledger
from worker.ledger.moves import told
from worker.ledger.tables import act_orders, acts, pushes
from worker.rules.values import PushState

KIND = "close orphan"
"""How the list of acts names it."""


def close_orphans(
    ledger: Ledger, references: Sequence[str], actor: str, host: str, note: str
) -> tuple[str, list[str], dict[str, str]]:
    """Close orphans for good; later messages about them are only counted. `note`: why they are none of ours.

    Returns the act that keeps who did it and why, the ids that were closed, and what is said of the others. Raises
    UnknownOrder where none of the ids is an orphan's.
    """
    asked = list(dict.fromkeys(references))
    this = (in_list(pushes.c.reference, asked), pushes.c.state == PushState.ORPHAN)
    with ledger.writing() as connection:
        locked = select(pushes.c.reference).where(*this).order_by(pushes.c.account, pushes.c.reference)
        found = list(dict.fromkeys(connection.execute(locked.with_for_update()).scalars()))
        missing = {one: f"no orphan {one}; fulfil orphans lists them" for one in asked if one not in found}
        if not found:
            raise UnknownOrder("; ".join(missing.values()))
        said = told(f"closed by {actor}: {note}")
        connection.execute(update(pushes).where(*this).values(state=PushState.CLOSED, note=said, due_at=None))
        return _kept(connection, found, actor, host, note), found, missing


def _kept(connection: Connection, references: Sequence[str], actor: str, host: str, note: str) -> str:
    """Write down who closed what, beside the acts on orders, and return its id."""
    now = time.time()
    act_id = time.strftime("A-%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(3)
    times = dict.fromkeys(("created_at", "begun_at", "worked_at", "ended_at"), now)
    row = {"act_id": act_id, "kind": KIND, "actor": actor, "host": host, "note": note, "total": len(references)}
    connection.execute(insert(acts), row | times | {"selection": json.dumps({"ids": len(references)})})
    done = {"act_id": act_id, "state": PushState.ORPHAN, "epoch": 0, "outcome": "done"}
    rows = [done | {"number": number, "order_id": reference} for number, reference in enumerate(references, 1)]
    connection.execute(insert(act_orders), rows)
    return act_id
