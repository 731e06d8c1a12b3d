"""What the sandbox can be told: its faults, the suffixes by which an order chooses one, and the paths of its control.

`fulfil sandbox --help` and docs/sandbox.md are written from here.
"""

from __future__ import annotations

from collections.abc import Iterator

from worker.sandbox.fakes import FAKES
from worker.sandbox.faults import MEANINGS

SUFFIX = "SO-7~timeout_after_commit"
"""An order_id whose first create meets that fault; a later create of it shows the recovery."""
SUFFIX_WITH_TIME = "SO-8~slow:500"
"""The same, with the fault's time in milliseconds."""

CONTROLS: dict[str, str] = {
    "GET /_sandbox/health": "whether it listens",
    "GET /_sandbox/orders": "every order the marketplaces made, with each create and each read: the independent record",
    "GET /_sandbox/late": "what was taken in and is still to be made (`late_commit`)",
    "GET /_sandbox/faults": "the faults that are set",
    "POST /_sandbox/faults": "set a fault: `fault`, and if you like `marketplace`, `operation` (`create`, `get`,"
    " `any`), `probability` (0 takes it away), `latency_ms`, `seed`",
    "GET /_sandbox/pushes": "where push messages go, and how many were taken",
    "POST /_sandbox/pushes": "send push messages: `url` (`{account}` stands for the order's), `probability`, `repeat`,"
    " `delay_seconds`",
    "GET /_sandbox/clock": "the sandbox's time (`now`, unix seconds) and how far ahead it is (`forward_seconds`)",
    "POST /_sandbox/clock": "move the clock forward by `forward_seconds`; what is due by then happens at once",
    "GET /_sandbox/orders/ID/life": "how the orders of an id stand, the marketplace's or ours",
    "POST /_sandbox/orders/ID/life": "let an `event` happen to them now",
    "GET /_sandbox/lives": "every life an order can choose by a suffix, with what it plays",
    "GET /_sandbox/tokens": "what was granted and refreshed for each account, and when its tokens end",
    "POST /_sandbox/tokens": "how tokens live (worker/sandbox/tokens.py)",
    "POST /_sandbox/tokens/code": "a code as the grant page would give it, for `marketplace`, `account`, `buyer`",
    "GET /_sandbox/calls": "how often each call came, and the most of each within a second",
    "POST /_sandbox/reset": "forget every order and every fault",
}
"""Method and path of each control, and what it does."""


def sections() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each list under its title: what can be asked for, and what happens then."""
    yield "Faults", {str(fault): meaning for fault, meaning in MEANINGS.items()}
    yield "Controls", CONTROLS
    for name, fake in FAKES.items():
        yield f"Orders for {name}", dict(fake.triggers)
