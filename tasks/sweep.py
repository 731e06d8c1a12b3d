"""The task that beat sends every few seconds."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts


@app.task(name="orders.sweep", ignore_result=True)
def sweep() -> str:
    """Take back leases that ran out and ring for every order that is due; return how many."""
    return parts().sweep.run()
