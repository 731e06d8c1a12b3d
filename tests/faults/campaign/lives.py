"""What orders of the campaign live through after they are confirmed, and the marketplace's own record of it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.sandbox.fake import SandboxOrder
    from worker.sandbox.lives import Box

SHARE = 0.25
"""Of the orders: how many live on; the others stay as their create left them."""
DEADLINE_SECONDS = 60
"""From a create to its payment deadline; a fifth of it is longer than an announcement may take."""
LIVES = (
    *(f"unpaid:{DEADLINE_SECONDS}",) * 4, f"pay_fails:{DEADLINE_SECONDS}", f"no_deadline:{DEADLINE_SECONDS}",
    "delivered:12", "delivered:5", "number_changes:20", "number_changes:8", "two_parcels:12", "seller_cancels:25",
    "seller_cancels_unpaid:25", "held:20", "paying:20", "dispute:15", "refunded:12", "shipped:20",
)  # fmt: skip
"""Each with the seconds between its moves; some end before the order is confirmed, most go on after it."""


def life_of(number: int, seed: int) -> str:
    """Return the suffix of the life an order lives, or nothing."""
    dice = random.Random(f"{seed}-life-{number}")
    return f"~{dice.choice(LIVES)}" if dice.random() < SHARE else ""


def lives_on(order_id: str) -> bool:
    """Tell whether an order of the campaign lives on after its create."""
    return any(part in LIVES for part in order_id.split("~")[1:])


def record(order: SandboxOrder) -> dict[str, Any]:
    """Return the lives of an order's ids as the oracle's record tells them; times in unix seconds.

    `phases`: each with when it began. `numbers`: every number each parcel had, the newest last.
    """
    told = {}
    for reference, life in order.lives.items():
        last = max((event.at for event in life.events), default=order.created_at)
        moments = sorted({order.created_at, *(event.at for event in life.events)})
        tells = life.pay_timeout_seconds is not None and life.tells_deadline
        told[reference] = {
            "paid_at": life.at(last).paid_at,
            "deadline_at": order.created_at + (life.pay_timeout_seconds or 0) if tells else None,
            "phases": [(at, life.at(at).phase.value) for at in moments],
            "numbers": [_numbers(order, reference, place, box) for place, box in enumerate(life.at(last).boxes)],
        }
    return told


def _numbers(order: SandboxOrder, reference: str, place: int, box: Box) -> list[tuple[float, str]]:
    """Return a parcel's numbers, each with since when it was shown."""
    since = (box.shipped_at, *box.changes)
    return [
        (at, _number(order, reference, place, replace(box, changes=box.changes[:count])))
        for count, at in enumerate(since)
    ]


def _number(order: SandboxOrder, reference: str, place: int, box: Box) -> str:
    from worker.sandbox import aliexpress_tracking, shoplazza_life, xportcn_life

    match order.marketplace:
        case "aliexpress":
            return aliexpress_tracking.mail_number(reference, place, len(box.changes))
        case "xportcn":
            return xportcn_life._number(reference, place, box)
    return str(shoplazza_life._fulfilment(order, place, box)["tracking_number"])
