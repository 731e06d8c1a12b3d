"""What the demo came to: the end of its screen, and the same facts as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from worker.demo import lives
from worker.demo.home import FOLDER
from worker.demo.story import REFUSED, REJECTED, Witness, surprises
from worker.rules.follow import Whole
from worker.rules.rejected import reasons
from worker.rules.troubles import RejectionView
from worker.rules.views import OrderView, ResultView
from worker.terminal.screen import Screen
from worker.terminal.tables import orders_table, reasons_table


@dataclass(slots=True)
class Facts:
    """What the demo came to."""

    batches: dict[str, str]
    """By the name of the file."""
    orders: list[OrderView]
    results: dict[str, list[ResultView]]
    """What was read back, by order."""
    rejected: list[RejectionView]
    adopted: dict[str, str]
    """The ids that the person found."""
    record: Witness
    flower: dict[str, str]
    processes: dict[str, int]
    left_running: list[str]
    lives: dict[str, Whole]
    """How three of the orders stand after their confirm."""
    seconds: float
    surprises: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.surprises = surprises(self.orders, self.rejected) + lives.surprises(self.lives)
        self.surprises += [f"{name} ({self.processes[name]}) still runs" for name in self.left_running]

    @property
    def good(self) -> bool:
        """Tell whether everything ended as announced and the sandbox's record agrees."""
        return self.record.agrees and not self.surprises


def print_end(screen: Screen, facts: Facts, kept: bool) -> None:
    """Print the tables, whether all came as announced, and where to go on."""
    screen.print(
        "",
        orders_table(facts.orders, facts.results),
        "",
        reasons_table(reasons(facts.rejected)),
        "",
        *_verdict(facts),
    )
    screen.print(*stopped(facts.left_running))
    screen.print("Read next: README.md. Your own orders: fulfil up, then: fulfil submit FILE --wait")
    if kept:
        screen.print(f"{FOLDER} is kept; for instance: FULFIL_HOME={FOLDER} fulfil why {next(iter(REFUSED))}")


def excerpt(facts: Facts) -> Screen:
    """Return a screen, shown to nobody, for a picture that fits on a page: an order of each end, and how all ended."""
    shown: dict[tuple[str, str, bool], OrderView] = {}
    for order in facts.orders:
        shown.setdefault((order.marketplace, order.state, "~" in order.order_id), order)
    screen, more = Screen(quiet=True), len(facts.orders) - len(shown)
    screen.print(orders_table(shown.values(), facts.results), f"… and {more} more orders", "", *_verdict(facts))
    screen.print(*stopped(facts.left_running))
    return screen


def _verdict(facts: Facts) -> list[RenderableType]:
    ends = Counter(order.state for order in facts.orders)
    told = ", ".join(f"{number} {state}" for state, number in sorted(ends.items()))
    verdict = Text("NOT as announced", "red") if facts.surprises else Text("As announced", "green")
    return [
        Text.assemble(verdict, f": {told}, {len(facts.rejected)} rejected at the door, in {facts.seconds:.0f} s."),
        *facts.surprises,
        Text(facts.record.sentence(), "" if facts.record.agrees else "red"),
    ]


def stopped(left_running: list[str]) -> list[str]:
    """Return a line that says so where nothing that was started runs any more."""
    return [] if left_running else ["Everything that was started is stopped again."]


def document(facts: Facts) -> dict[str, Any]:
    """Return the facts as `fulfil demo --json` prints them."""
    known = {field.name: getattr(facts, field.name) for field in fields(facts)}
    del known["results"]
    return {
        "good": facts.good,
        **known,
        "orders": [
            order.as_json() | {"results": [result.as_json() for result in facts.results.get(order.order_id, [])]}
            for order in facts.orders
        ],
        "rejected": [rejection.as_json() for rejection in facts.rejected],
        "record": asdict(facts.record) | {"agrees": facts.record.agrees},
        "announced": {"refused": REFUSED, "rejected": REJECTED, "confirmed": "all others"},
    }
