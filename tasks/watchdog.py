"""The task by which a worker hears itself; messages of every version name it `orders.canary`."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts


@app.task(name="orders.canary", send_events=False)
def watchdog() -> None:
    """Come back through the broker."""
    parts().watchdog.heard()
