"""The task that settles unknown orders."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts
from worker.rules.words import RESULT_CHARACTERS


@app.task(name="orders.reconcile", resultrepr_maxsize=RESULT_CHARACTERS)
def reconcile(ids: list[str]) -> str:
    """Settle the due unknown orders of `ids`; return a line for each."""
    return parts().reconcile.run(ids)
