"""The task by which a worker proves that messages reach it; messages of every version name it `orders.canary`."""

from __future__ import annotations

from worker.app import app
from worker.parts import parts


@app.task(name="orders.canary", send_events=False)
def watchdog(queue: str | None = None) -> None:
    """Come back through the broker: through the worker's own queue, or through one that workers share."""
    if queue is None:
        parts().watchdog.heard()
    else:
        parts().watchdog.came_through(str(queue))
