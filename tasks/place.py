"""The task that places orders."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts
from worker.rules.words import RESULT_CHARACTERS


@app.task(name="orders.place", resultrepr_maxsize=RESULT_CHARACTERS)
def place(ids: list[str]) -> str:
    """Place the due orders of `ids`; return a line for each. A doubled, late or forged message places nothing."""
    return parts().place.run(ids)
