"""The task that reads supplier orders in their second life."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts
from worker.rules.words import RESULT_CHARACTERS


@app.task(name="orders.follow", resultrepr_maxsize=RESULT_CHARACTERS)
def follow(ids: list[str]) -> str:
    """Read the due supplier orders of the orders `ids`; return a line for each."""
    return parts().follow.run(ids)
