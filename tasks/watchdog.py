"""The task by which a worker proves that messages reach it; messages of every version name it `orders.canary`."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts


@app.task(name="orders.canary", send_events=False)
def watchdog() -> None:
    """Tell the watchdog that its message has come back through the broker."""
    parts().watchdog.heard()
