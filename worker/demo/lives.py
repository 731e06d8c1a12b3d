"""What happens to three orders after they are confirmed: one is delivered, one is closed, one waits to be paid."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from worker.ledger.life_queries import LifeQueries
from worker.operations import Operations
from worker.rules.follow import Whole
from worker.rules.life_words import life_lines
from worker.terminal.screen import Screen

LIVES: Mapping[str, tuple[tuple[str, ...], Whole]] = {
    "SO-1001": (("pay", "ship", "arrive", "deliver"), Whole.DELIVERED),
    "SO-1002": (("pay", "seller_cancels"), Whole.CLOSED),
    "KA-2001": ((), Whole.UNPAID),
}
"""What the sandbox is told to let happen to each, and how it stands then."""
LIMIT_SECONDS = 20.0
LOOK_SECONDS = 0.5


def live_on(
    happen: Callable[[str, str], None], operations: Operations, queries: LifeQueries, check: Callable[[], None]
) -> dict[str, Whole]:
    """Let the lives of three confirmed orders go on, have them read, and return how each stands.

    `happen` lets an event happen to an order at the sandbox. `check` is called while it waits; it may raise to end it.
    """
    for order_id, (events, _) in LIVES.items():
        for event in events:
            happen(order_id, event)
    operations.refresh(list(LIVES))
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        check()
        stand = {order_id: queries.tracked(order_id).stands for order_id in LIVES}
        if time.monotonic() > end or stand == announced():
            return stand
        time.sleep(LOOK_SECONDS)


def announced() -> dict[str, Whole]:
    """Return how each of the orders stands at the end."""
    return {order_id: whole for order_id, (_, whole) in LIVES.items()}


def surprises(stand: Mapping[str, Whole]) -> list[str]:
    """Return a sentence for every order whose second life did not come to what was announced."""
    return [
        f"{order_id} was announced to be {whole}, it is {stand[order_id]}"
        for order_id, whole in announced().items()
        if stand[order_id] is not whole
    ]


def tell(screen: Screen, queries: LifeQueries, now: float) -> None:
    """Print how the three stand."""
    screen.print("", "After the confirm (fulfil track ORDER):")
    for order_id in LIVES:
        tracked = queries.tracked(order_id)
        screen.print(f"{order_id}: {tracked.stands}", *(f"  {line}" for line in life_lines(tracked, now)))
