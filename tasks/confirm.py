"""The task that reads placed orders back."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts
from worker.rules.words import RESULT_CHARACTERS


@app.task(name="orders.confirm", resultrepr_maxsize=RESULT_CHARACTERS)
def confirm(ids: list[str]) -> str:
    """Read the due placed orders of `ids` back; return a line for each order."""
    return parts().confirm.run(ids)
