"""The task that beat sends every few seconds; it sends no events, or it would fill Flower's list alone."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts


@app.task(name="orders.sweep", ignore_result=True, send_events=False)
def sweep() -> str:
    """Take back leases that ran out and ring for every order that is due; return how many."""
    return parts().sweep.run()
