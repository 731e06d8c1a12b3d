"""The sandbox's state machine for an order's life: which moves are possible when, what they leave, and the stories."""

from __future__ import annotations

import pytest

from worker.sandbox.lives import MOVES, Life, Move, Phase
from worker.sandbox.stories import DAY, STORIES, chosen, life

AT = 1_000_000.0


def lived(*moves: Move, pieces: tuple[int, ...] = (2, 1), first: Phase = Phase.UNPAID) -> Life:
    made = Life(first, AT, pieces, 3600.0)
    for seconds, move in enumerate(moves, 1):
        assert made.add(move, AT + seconds), move
    return made


def test_an_unpaid_order_lapses_at_its_deadline_and_not_before() -> None:
    unpaid = lived()
    assert unpaid.at(AT + 3599).phase is Phase.UNPAID
    standing = unpaid.at(AT + 3600)
    assert (standing.phase, standing.ended_at, standing.cancelled) == (Phase.CANCELLED, AT + 3600, frozenset({0, 1}))
    assert lived(Move.PAY).at(AT + 3600).phase is Phase.PAID
    assert Life(Phase.UNPAID, AT, (1,)).at(AT + 1e9).phase is Phase.UNPAID


def test_a_payment_too_late_is_not_possible() -> None:
    unpaid = lived()
    assert not unpaid.add(Move.PAY, AT + 3601)
    assert unpaid.at(AT + 3602).moves[-1].move is Move.LAPSE


def test_a_move_is_possible_from_its_phases_alone() -> None:
    """Every pair of the table and no other; what an ended order was is never undone."""
    for phase in Phase:
        for move in Move:
            possible = phase in MOVES[move][0]
            assert Life(phase, AT, (1, 1)).add(move, AT + 1) is possible, (phase, move)
    assert not any(phase in (Phase.DELIVERED, Phase.CANCELLED) for starts, _ in MOVES.values() for phase in starts)


def test_parts_are_shipped_one_after_the_other() -> None:
    standing = lived(Move.PAY, Move.SHIP_PART, Move.SHIP).at(AT + 10)
    assert [box.pieces for box in standing.boxes] == [((0, 2),), ((1, 1),)]
    assert lived(Move.PAY, Move.SHIP_PART).at(AT + 10).phase is Phase.PART_SHIPPED
    half = lived(Move.PAY, Move.SHIP_PART, Move.SHIP, pieces=(5,)).at(AT + 10)
    assert [box.pieces for box in half.boxes] == [((0, 2),), ((0, 3),)]
    single = lived(Move.PAY, Move.SHIP_PART, pieces=(1,)).at(AT + 10)
    assert (single.phase, len(single.boxes)) == (Phase.SHIPPED, 1)


def test_a_cancelled_line_is_not_shipped_and_the_last_one_is_never_cancelled_alone() -> None:
    made = lived(Move.PAY, Move.CANCEL_LINE)
    assert not made.add(Move.CANCEL_LINE, AT + 5)
    assert made.add(Move.SHIP, AT + 6)
    standing = made.at(AT + 6)
    assert (standing.phase, standing.cancelled) == (Phase.SHIPPED, frozenset({0}))
    assert standing.boxes[0].pieces == ((1, 1),)


def test_a_release_goes_back_to_where_the_goods_are() -> None:
    assert lived(Move.PAY, Move.HOLD, Move.RELEASE).at(AT + 9).phase is Phase.PAID
    assert lived(Move.PAY, Move.SHIP, Move.FREEZE, Move.RELEASE).at(AT + 9).phase is Phase.SHIPPED
    assert lived(Move.PAY, Move.SHIP_PART, Move.FREEZE, Move.RELEASE).at(AT + 9).phase is Phase.PART_SHIPPED


def test_an_arrival_ends_nothing_and_no_node_comes_after_it() -> None:
    made = lived(Move.PAY, Move.SHIP, Move.ARRIVE, Move.TRANSIT)
    box = made.at(AT + 9).boxes[0]
    assert (made.at(AT + 9).phase, box.arrived_at) == (Phase.SHIPPED, AT + 3)
    assert [node.move for node in box.nodes] == [Move.SHIP, Move.ARRIVE]


def test_news_are_told_once_and_only_what_took_place() -> None:
    made = life("SO-1~paid", Phase.UNPAID, AT, [1], 3600.0)
    assert [event.move for event in made.news(AT)] == [Move.PAY]
    assert made.news(AT) == []
    assert made.next_due == AT + 3600
    assert made.news(AT + 3600) == []  # the deadline came, but it was paid
    assert made.next_due is None


ENDS = {
    "unpaid": Phase.CANCELLED,
    "no_deadline": Phase.CANCELLED,
    "pay_fails": Phase.CANCELLED,
    "paid": Phase.PAID,
    "paying": Phase.PAID,
    "held": Phase.PAID,
    "held_long": Phase.HELD,
    "frozen": Phase.FROZEN,
    "seller_cancels": Phase.CANCELLED,
    "seller_cancels_unpaid": Phase.CANCELLED,
    "part_cancelled": Phase.DELIVERED,
    "part_shipped": Phase.PART_SHIPPED,
    "two_parcels": Phase.DELIVERED,
    "shipped": Phase.SHIPPED,
    "number_changes": Phase.DELIVERED,
    "late_eta": Phase.DELIVERED,
    "arrived": Phase.SHIPPED,
    "delivered": Phase.DELIVERED,
    "dispute": Phase.DISPUTED,
    "refunded": Phase.CANCELLED,
}


def test_every_story_ends_where_its_name_says() -> None:
    assert set(ENDS) == set(STORIES)
    for name, end in ENDS.items():
        for key in (f"SO-1~{name}", f"SO-1~{name}:5", f"SO-1~{name}~empty"):
            made = life(key, Phase.PAID, AT, [2, 1], 86_400.0)
            assert made.at(AT + 100 * DAY).phase is end, key
            planned = [move for _, move in STORIES[name].moves]
            took_place = [event.move for event in made.at(AT + 100 * DAY).moves]
            assert [move for move in took_place if move is not Move.LAPSE] == planned, key


def test_a_story_can_be_told_how_fast_it_goes() -> None:
    made = life("SO-1~delivered:5", Phase.UNPAID, AT, [1], 86_400.0)
    assert [(event.at - AT, event.move) for event in made.at(AT + 100).moves] == [
        (0, Move.PAY), (5, Move.SHIP), (10, Move.TRANSIT), (15, Move.ARRIVE), (20, Move.DELIVER),
    ]  # fmt: skip
    assert made.at(AT + 100).boxes[0].eta_at == AT + 25
    assert life("SO-1~unpaid:40", Phase.PAID, AT, [1], 86_400.0).at(AT + 40).phase is Phase.CANCELLED


@pytest.mark.parametrize(
    "key", ["SO-1", "SO-1~slow:500", "delivered", "SO-1~delivered:x", "SO-1~Delivered", "SO-1~", ""]
)
def test_an_order_without_a_story_stays_as_its_create_left_it(key: str) -> None:
    made = life(key, Phase.PAID, AT, [1], 86_400.0)
    assert made.at(AT + 100 * DAY).moves == ()
    assert not chosen(key, "paid")
