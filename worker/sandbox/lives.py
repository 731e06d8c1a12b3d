"""The life of one fake order after its create: one pure state machine, which each fake tells in its vendor's words."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Phase(StrEnum):
    """Where an order stands."""

    UNPAID = "unpaid"
    """Created; cancelled when its deadline passes."""
    PAYING = "paying"
    """The payment is under way."""
    HELD = "held"
    """Paid; the marketplace checks it for risk."""
    FROZEN = "frozen"
    """The marketplace stopped it, and only a person gets it on."""
    PAID = "paid"
    """Paid; the seller has not shipped."""
    PART_SHIPPED = "part_shipped"
    """Some of its pieces are shipped."""
    SHIPPED = "shipped"
    """All of its pieces are shipped; a parcel may have arrived."""
    DISPUTED = "disputed"
    """The buyer opened a dispute."""
    DELIVERED = "delivered"
    """Ended by the receipt."""
    CANCELLED = "cancelled"
    """Ended without its goods."""


class Move(StrEnum):
    """What happens to an order; each is also an `event` of the life control."""

    PAYING = "paying"
    """The buyer pays; the money is under way."""
    PAY = "pay"
    """The money is there."""
    PAY_FAILS = "pay_fails"
    """The payment fails; the order stays unpaid, its deadline stays."""
    HOLD = "hold"
    """The risk check begins."""
    FREEZE = "freeze"
    """The marketplace stops the order."""
    RELEASE = "release"
    """The risk check, or the stop, is over."""
    SHIP_PART = "ship_part"
    """The seller ships a part: the first line, or half of the pieces of a single one."""
    SHIP = "ship"
    """The seller ships what is left, as one parcel."""
    TRANSIT = "transit"
    """Every parcel on its way gets one more node."""
    NUMBER_CHANGES = "number_changes"
    """The newest parcel is handed to another carrier and gets a new number."""
    ARRIVE = "arrive"
    """Every parcel is handed over; the order is not ended by it."""
    DELIVER = "deliver"
    """The receipt is confirmed: the order is ended."""
    SELLER_CANCELS = "seller_cancels"
    """The seller cancels the whole order, paid or not."""
    CANCEL_LINE = "cancel_line"
    """The seller cancels the first line that is not cancelled yet, of several."""
    LAPSE = "lapse"
    """The deadline passed unpaid: the marketplace cancels the order."""
    DISPUTE = "dispute"
    """The buyer opens a dispute."""
    REFUND = "refund"
    """The dispute ends with the money back."""


_U, _Y, _H, _F, _P, _T, _S, _D = (
    Phase.UNPAID, Phase.PAYING, Phase.HELD, Phase.FROZEN, Phase.PAID, Phase.PART_SHIPPED, Phase.SHIPPED, Phase.DISPUTED,
)  # fmt: skip
MOVES: dict[Move, tuple[frozenset[Phase], Phase | None]] = {
    Move.PAYING: (frozenset({_U}), _Y),
    Move.PAY: (frozenset({_U, _Y}), _P),
    Move.PAY_FAILS: (frozenset({_U, _Y}), _U),
    Move.HOLD: (frozenset({_P}), _H),
    Move.FREEZE: (frozenset({_P, _T, _S}), _F),
    Move.RELEASE: (frozenset({_H, _F}), _P),
    Move.SHIP_PART: (frozenset({_P}), _T),
    Move.SHIP: (frozenset({_P, _T}), _S),
    Move.TRANSIT: (frozenset({_T, _S}), None),
    Move.NUMBER_CHANGES: (frozenset({_T, _S, _D}), None),
    Move.ARRIVE: (frozenset({_S, _D}), None),
    Move.DELIVER: (frozenset({_S, _D}), Phase.DELIVERED),
    Move.SELLER_CANCELS: (frozenset({_U, _Y, _H, _F, _P}), Phase.CANCELLED),
    Move.CANCEL_LINE: (frozenset({_U, _Y, _H, _F, _P, _T}), None),
    Move.LAPSE: (frozenset({_U}), Phase.CANCELLED),
    Move.DISPUTE: (frozenset({_P, _T, _S}), _D),
    Move.REFUND: (frozenset({_D}), Phase.CANCELLED),
}
"""From which phases each move is possible, and where it leads; None: the phase stays."""


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One move at one time (unix seconds)."""

    at: float
    move: Move


@dataclass(frozen=True, slots=True)
class Box:
    """One parcel. `pieces`: each line's place in its order, with how many of it are inside."""

    shipped_at: float
    eta_at: float
    pieces: tuple[tuple[int, int], ...]
    changes: tuple[float, ...] = ()
    """When its number changed."""
    nodes: tuple[Event, ...] = ()
    """What happened to it, the oldest first."""
    arrived_at: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How an order stands at one time; times in unix seconds."""

    phase: Phase
    moves: tuple[Event, ...] = ()
    """The moves that took place, the oldest first."""
    paid_at: float | None = None
    ended_at: float | None = None
    boxes: tuple[Box, ...] = ()
    cancelled: frozenset[int] = frozenset()
    """Places of the lines that were cancelled."""

    @property
    def last(self) -> Move | None:
        """Return the newest move; None: nothing has happened since the create."""
        return self.moves[-1].move if self.moves else None


@dataclass(slots=True)
class Life:
    """An order from its create on: what was asked of it, and every move that is planned or came by a control.

    `pieces`: how many pieces each line has. `pay_timeout_seconds`: from the create; None: it is never cancelled unpaid.
    `eta_seconds`: from the shipping to the estimated arrival. `tells_deadline`: whether reads tell of the timeout.
    """

    first: Phase
    created_at: float
    pieces: tuple[int, ...]
    pay_timeout_seconds: float | None = None
    eta_seconds: float = 10 * 86400.0
    events: list[Event] = field(default_factory=list)
    tells_deadline: bool = True
    _told: Event | None = None

    def __post_init__(self) -> None:
        if self.first is Phase.UNPAID and self.pay_timeout_seconds is not None:
            self.events.append(Event(self.created_at + self.pay_timeout_seconds, Move.LAPSE))
        self.events.sort(key=_at)

    def at(self, now: float) -> Standing:
        """Return how it stands; a planned move that is not possible when its time comes does not take place."""
        unpaid = self.first in (Phase.UNPAID, Phase.PAYING, Phase.CANCELLED)
        standing = Standing(self.first, paid_at=None if unpaid else self.created_at)
        for event in self.events:
            if event.at > now:
                break
            standing = self._after(standing, event) or standing
        return standing

    def add(self, move: Move, now: float) -> bool:
        """Let a move take place now; False where it is not possible as the order stands."""
        event = Event(now, move)
        if self._after(self.at(now), event) is None:
            return False
        bisect.insort_right(self.events, event, key=_at)
        return True

    @property
    def next_due(self) -> float | None:
        """Return when the next move comes that was not told yet; None: none is planned."""
        return next((event.at for event in self.events[self._place() :]), None)

    def news(self, now: float) -> list[Event]:
        """Return the moves up to this time that took place and were not returned before."""
        start = self._place()
        reached = [event for event in self.events[start:] if event.at <= now]
        if reached:
            self._told = reached[-1]
        took_place = self.at(now).moves
        return [event for event in reached if any(event is one for one in took_place)]

    def _place(self) -> int:
        if self._told is None:
            return 0
        return next(place for place, event in enumerate(self.events) if event is self._told) + 1

    def _after(self, was: Standing, event: Event) -> Standing | None:
        possible, leads_to = MOVES[event.move]
        if was.phase not in possible or (event.move is Move.CANCEL_LINE and not self._open_lines(was)[1:]):
            return None
        now = replace(was, phase=leads_to or was.phase, moves=(*was.moves, event))
        match event.move:
            case Move.PAY:
                return replace(now, paid_at=event.at)
            case Move.RELEASE if was.boxes:
                return replace(now, phase=Phase.SHIPPED if not self._left(was) else Phase.PART_SHIPPED)
            case Move.SHIP_PART | Move.SHIP:
                return self._shipped(now, event)
            case Move.TRANSIT | Move.ARRIVE | Move.NUMBER_CHANGES:
                return replace(now, boxes=_moved(now.boxes, event))
            case Move.CANCEL_LINE:
                return replace(now, cancelled=now.cancelled | {self._open_lines(was)[0]})
            case Move.SELLER_CANCELS | Move.LAPSE | Move.REFUND:
                return replace(now, ended_at=event.at, cancelled=frozenset(range(len(self.pieces))))
            case Move.DELIVER:
                return replace(now, ended_at=event.at)
        return now

    def _shipped(self, was: Standing, event: Event) -> Standing:
        left = self._left(was)
        inside = _part(left) if event.move is Move.SHIP_PART else tuple(left)
        box = Box(event.at, event.at + self.eta_seconds, inside, nodes=(event,))
        phase = Phase.SHIPPED if sum(n for _, n in inside) == sum(n for _, n in left) else Phase.PART_SHIPPED
        return replace(was, phase=phase, boxes=(*was.boxes, box))

    def _open_lines(self, standing: Standing) -> list[int]:
        shipped = {line for box in standing.boxes for line, _ in box.pieces}
        return [line for line in range(len(self.pieces)) if line not in standing.cancelled | shipped]

    def _left(self, standing: Standing) -> list[tuple[int, int]]:
        gone = [0] * len(self.pieces)
        for box in standing.boxes:
            for line, many in box.pieces:
                gone[line] += many
        lines = ((line, many - gone[line]) for line, many in enumerate(self.pieces) if line not in standing.cancelled)
        return [(line, many) for line, many in lines if many > 0]


def _at(event: Event) -> float:
    return event.at


def _part(left: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return what a part shipment holds: the first line, or half of a single one; a single piece is all there is."""
    if len(left) > 1:
        return (left[0],)
    return tuple((line, max(many // 2, 1)) for line, many in left)


def _moved(boxes: Iterable[Box], event: Event) -> tuple[Box, ...]:
    moved = list(boxes)
    on_their_way = [place for place, box in enumerate(moved) if box.arrived_at is None]
    if event.move is Move.NUMBER_CHANGES:
        on_their_way = on_their_way[-1:]
    for place in on_their_way:
        box = replace(moved[place], nodes=(*moved[place].nodes, event))
        if event.move is Move.NUMBER_CHANGES:
            box = replace(box, changes=(*box.changes, event.at))
        elif event.move is Move.ARRIVE:
            box = replace(box, arrived_at=event.at)
        moved[place] = box
    return tuple(moved)
