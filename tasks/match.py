"""The task that settles push messages."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts
from worker.rules.words import RESULT_CHARACTERS


@app.task(name="orders.match", resultrepr_maxsize=RESULT_CHARACTERS)
def match() -> str:
    """Look at every push message that is due; return a line for each."""
    return parts().match.run()
