"""The oracle: the sandbox in a process of its own, with a record of its own, and what the rig asks of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

KEY_SECONDS = "CAMPAIGN_KEY_SECONDS"
"""Environment: how long the marketplace remembers a key; unset: as long as the real one."""


class Oracle:
    """The rig's view of the sandbox that listens at `url`."""

    def __init__(self, url: str, record: Path) -> None:
        self.url = url
        self._record = record
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def fault(self, name: str, probability: float, **more: Any) -> None:
        """Switch a fault on; a probability of 0 switches it off."""
        self._http.post("/_sandbox/faults", json={"fault": name, "probability": probability, **more}).raise_for_status()

    def orders(self) -> list[dict[str, Any]]:
        """Return the record: everything that was made, with every create and get."""
        found: list[dict[str, Any]] = self._http.get("/_sandbox/orders").raise_for_status().json()
        return found

    def push(self, urls: Mapping[str, str], **how: Any) -> None:
        """Have the moves of orders told by messages to these addresses, one for each marketplace."""
        self._http.post("/_sandbox/pushes", json={"urls": dict(urls), **how}).raise_for_status()

    def move(self, reference: str, event: str) -> bool:
        """Let something happen to an order now; tell whether it was possible."""
        answer = self._http.post(f"/_sandbox/orders/{reference}/life", json={"event": event})
        return answer.is_success

    def committed(self) -> list[dict[str, Any]]:
        """Return the append-only record: one entry a commit."""
        return [json.loads(line) for line in self._record.read_bytes().splitlines()]

    def late(self) -> list[dict[str, Any]]:
        """Return what marketplaces have taken in and still will make."""
        found: list[dict[str, Any]] = self._http.get("/_sandbox/late").raise_for_status().json()["late"]
        return found

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def main() -> int:
    """Run the sandbox, its record widened by each order's content, pieces, lives, and how long it stays hidden.

    Messages tell moves only: an unknown order is to settle without them, as it must where none come.
    """
    from tests.faults.campaign.lives import record
    from tests.faults.campaign.makers import MARKETS
    from worker.sandbox import aliexpress as aliexpress
    from worker.sandbox import server as sandbox
    from worker.sandbox.fake import Fake, SandboxOrder
    from worker.sandbox.lives import Event
    from worker.sandbox.pushes import Pusher

    plain = SandboxOrder.public

    def public(order: SandboxOrder) -> dict[str, Any]:
        market = MARKETS[order.marketplace]
        told = {"content": market.content_of(order.request), "pieces": market.pieces_of(order.request)}
        return plain(order) | told | {"hidden_seconds": order.hidden_seconds, "lives": record(order)}

    offer = Pusher.offer

    def moves_only(
        self: Pusher, fake: Fake, order: SandboxOrder, reference: str = "", event: Event | None = None
    ) -> None:
        if event is not None:
            offer(self, fake, order, reference, event)

    Pusher.offer = moves_only  # type: ignore[method-assign]
    SandboxOrder.public = public  # type: ignore[assignment, method-assign]
    if KEY_SECONDS in os.environ:
        aliexpress.KEY_SECONDS = float(os.environ[KEY_SECONDS])  # type: ignore[assignment]
    return sandbox.main()


if __name__ == "__main__":
    sys.exit(main())
