"""What the sandbox can be told: its faults, the suffixes by which an order chooses one, and the paths of its control.

`fulfil sandbox --help` and docs/sandbox.md are written from here.
"""

from __future__ import annotations

from collections.abc import Iterator

from worker.sandbox import controls
from worker.sandbox.catalogue import DOOMED, DOOMS, GOOD
from worker.sandbox.fakes import FAKES
from worker.sandbox.faults import MEANINGS
from worker.sandbox.stories import STORIES

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
    " `token`, `any`), `probability` (0 takes it away), `latency_ms`, `seed`",
    "GET /_sandbox/pushes": "where push messages go, and how many were taken",
    "POST /_sandbox/pushes": "send push messages: `url` (`{account}` and `{marketplace}` stand for the order's),"
    " `urls` by marketplace (`{secret}` stands for the account's `push_secret`), `probability`, `repeat`,"
    " `delay_seconds`, `spread_seconds`",
    "POST /_sandbox/reset": "forget every order, every fault and every token; the clock is the machine's again",
} | controls.CONTROLS
"""Method and path of each control, and what it does."""


def sections() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each list under its title: what can be asked for, and what happens then."""
    yield "Faults", {str(fault): meaning for fault, meaning in MEANINGS.items()}
    yield "Controls", CONTROLS
    for name, fake in FAKES.items():
        yield f"Orders for {name}", dict(fake.triggers)
    yield "Lives by a suffix", {f"`SO-7~{name}`": story.says for name, story in STORIES.items()}
    goods = {f"`{GOOD[0]}` to `{GOOD[-1]}`": "good products of the catalogue"}
    for number, doom in DOOMS.items():
        first = DOOMED.start + (number - 1) * 1000
        goods[f"`{first}` to `{first + 999}`"] = f"{doom.says}: create refuses with {doom.create_code}"
    yield "Products of AliExpress", goods
