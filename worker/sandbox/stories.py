"""The lives an order can choose by a suffix of its order_id: `SO-7~delivered` plays by the sandbox's clock.

`SO-7~delivered:5` plays the same with 5 seconds between its moves: that is then its payment deadline too, and four of
them are the time to its estimated arrival. With a fault the fault comes last: `SO-7~delivered~empty`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worker.sandbox.lives import Event, Life, Move, Phase

HOUR = 3600.0
DAY = 24 * HOUR
ETA_SECONDS = 10 * DAY
ETA_STEPS = 4


@dataclass(frozen=True, slots=True)
class Story:
    """One life, which begins unpaid whatever its create asked. `moves`: each with its seconds after the create."""

    says: str
    moves: tuple[tuple[float, Move], ...] = ()
    eta_seconds: float = ETA_SECONDS
    tells_deadline: bool = True


_PAY = (0.0, Move.PAY)
_SHIP = (DAY, Move.SHIP)
STORIES: dict[str, Story] = {
    "unpaid": Story("nobody pays; cancelled when its deadline passes"),
    "no_deadline": Story("nobody pays; reads do not tell the deadline it is cancelled at", tells_deadline=False),
    "paid": Story("paid at once; the seller never ships", moves=(_PAY,)),
    "paying": Story(
        "the payment is under way for an hour, then paid; not shipped", moves=((0, Move.PAYING), (HOUR, Move.PAY))
    ),
    "pay_fails": Story("the payment fails at once; cancelled when its deadline passes", moves=((0, Move.PAY_FAILS),)),
    "held": Story(
        "paid, checked for risk for 24 h, then waiting for shipment", moves=(_PAY, (0, Move.HOLD), (DAY, Move.RELEASE))
    ),
    "held_long": Story("paid, checked for risk without end", moves=(_PAY, (0, Move.HOLD))),
    "frozen": Story("paid, stopped after an hour, without end", moves=(_PAY, (HOUR, Move.FREEZE))),
    "seller_cancels": Story("paid, cancelled by the seller after a day", moves=(_PAY, (DAY, Move.SELLER_CANCELS))),
    "seller_cancels_unpaid": Story(
        "cancelled by the seller after an hour, unpaid", moves=((HOUR, Move.SELLER_CANCELS),)
    ),
    "part_cancelled": Story(
        "paid; its first line cancelled after 12 h, the others shipped after a day, received after 10",
        moves=(_PAY, (DAY / 2, Move.CANCEL_LINE), _SHIP, (9 * DAY, Move.ARRIVE), (10 * DAY, Move.DELIVER)),
    ),
    "part_shipped": Story("paid; a part shipped after a day, the rest never", moves=(_PAY, (DAY, Move.SHIP_PART))),
    "two_parcels": Story(
        "paid; a part shipped after a day, the rest after two, both there after 9, received after 10",
        moves=(_PAY, (DAY, Move.SHIP_PART), (2 * DAY, Move.SHIP), (9 * DAY, Move.ARRIVE), (10 * DAY, Move.DELIVER)),
    ),
    "shipped": Story("paid, shipped after a day; nothing moves after that", moves=(_PAY, _SHIP)),
    "number_changes": Story(
        "paid, shipped after a day, another number after 5, there after 9, received after 10",
        moves=(_PAY, _SHIP, (5 * DAY, Move.NUMBER_CHANGES), (9 * DAY, Move.ARRIVE), (10 * DAY, Move.DELIVER)),
    ),
    "late_eta": Story(
        "paid, shipped after a day, expected after 3, one more node after 12, there after 20, received after 21",
        moves=(_PAY, _SHIP, (12 * DAY, Move.TRANSIT), (20 * DAY, Move.ARRIVE), (21 * DAY, Move.DELIVER)),
        eta_seconds=2 * DAY,
    ),
    "arrived": Story("paid, shipped after a day, there after 9; the receipt is never confirmed",
        moves=(_PAY, _SHIP, (9 * DAY, Move.ARRIVE))),
    "delivered": Story(
        "paid, shipped after a day, on its way after 3, there after 9, received after 10",
        moves=(_PAY, _SHIP, (3 * DAY, Move.TRANSIT), (9 * DAY, Move.ARRIVE), (10 * DAY, Move.DELIVER)),
    ),
    "dispute": Story(
        "paid, shipped after a day, disputed after 12, without end", moves=(_PAY, _SHIP, (12 * DAY, Move.DISPUTE))
    ),
    "refunded": Story(
        "paid, shipped after a day, disputed after 12, the money back after 15",
        moves=(_PAY, _SHIP, (12 * DAY, Move.DISPUTE), (15 * DAY, Move.REFUND)),
    ),
}  # fmt: skip
"""Every life by its suffix. An order without one stays as its create left it, until a control moves it."""


def chosen(key: str, name: str) -> bool:
    """Tell whether an order_id chooses this life."""
    return any(part.partition(":")[0] == name for part in key.split("~")[1:])


def _chosen(key: str) -> tuple[Story, float | None] | None:
    """Return the life an order_id chooses, and the seconds between its moves where it tells them."""
    for part in key.split("~")[1:]:
        name, _, seconds = part.partition(":")
        if name in STORIES and (not seconds or (seconds.isascii() and seconds.isdecimal() and len(seconds) < 9)):
            return STORIES[name], float(seconds) if seconds else None
    return None


def life(key: str, first: Phase, at: float, pieces: Sequence[int], timeout: float | None) -> Life:
    """Begin the life of an order made at `at` (unix seconds), as its suffix chooses, or in `first` and no further.

    `timeout`: seconds from the create to the payment deadline; None: this marketplace has none.
    """
    found = _chosen(key)
    if found is None:
        return Life(first, at, tuple(pieces), timeout, ETA_SECONDS)
    story, step = found
    if step is None:
        plan, eta = list(story.moves), story.eta_seconds
    else:
        plan, eta = _by_steps(story, step), ETA_STEPS * step
        timeout = None if timeout is None else step
    events = [Event(at + after, move) for after, move in plan]
    return Life(Phase.UNPAID, at, tuple(pieces), timeout, eta, events, story.tells_deadline)


def _by_steps(story: Story, step: float) -> list[tuple[float, Move]]:
    """Put one step between moves that are not at the same time."""
    times = sorted({0.0, *(after for after, _ in story.moves)})
    return [(times.index(after) * step, move) for after, move in story.moves]
