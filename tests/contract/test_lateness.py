"""What every sandbox face does with an order that is made late, or that its reads, lists and look-ups show late."""

from __future__ import annotations

from typing import Any

import pytest
from contract_kit import KEY, NOW, Subject, ask, at_face, call_of, drive, made

from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Lost, Marketplace
from worker.marketplaces.face import Face, SandboxOrder
from worker.outcomes import Absent, Accepted, Found, Unknown

SUBJECTS = list(REGISTRY)
LATE = NOW + 130


def taken_in(subject: Subject, adapter: Marketplace, face: Face) -> tuple[list[SandboxOrder], Any]:
    """Place an order whose create is taken in and not answered; return what is to be made, and the outcome."""
    held: list[SandboxOrder] = []

    def answer(_: int, request: Any) -> Any:
        call = call_of(request, NOW)
        if face.key_of(call) is None:
            return ask(face, request, NOW)
        held.extend(face.take_in(call))
        return Lost("no complete answer in time", may_have_arrived=True)

    return held, drive(adapter.place(subject.order, KEY), answer)[1]


def read(adapter: Marketplace, face: Face, order: SandboxOrder, at: float) -> Any:
    return drive(adapter.confirm(order.references), at_face(face, at))[1]


def looked_up(subject: Subject, adapter: Marketplace, face: Face, at: float) -> Any:
    return drive(adapter.look_up(subject.order, KEY, NOW), at_face(face, at))[1]


def test_a_late_commit_makes_its_order_when_its_time_comes_and_not_before(subject: Subject) -> None:
    adapter, face = subject.with_face()
    (order,), outcome = taken_in(subject, adapter, face)
    assert isinstance(outcome, Unknown)
    assert face.orders == []
    assert not isinstance(read(adapter, face, order, NOW + 60), Found)
    if adapter.can_look_up:
        assert isinstance(looked_up(subject, adapter, face, NOW + 60), Absent)
    face.commit_late(order, LATE)
    assert (made(face), order.created_at, order.creates) == ([order], LATE, [NOW])
    assert isinstance(read(adapter, face, order, LATE + 5), Found)
    if adapter.can_look_up:
        found = looked_up(subject, adapter, face, LATE + 5)
        assert [record.reference for record in found.records] == order.references


def test_a_late_commit_after_another_create_of_its_key_comes_to_what_the_key_is_worth(subject: Subject) -> None:
    adapter, face = subject.with_face()
    (order,), _ = taken_in(subject, adapter, face)
    again, _ = subject.with_face(NOW + 90)
    placed = drive(again.place(subject.order, KEY), at_face(face, NOW + 90))[1]
    assert isinstance(placed, Accepted)
    face.commit_late(order, LATE)
    if subject.marketplace.resend_window:
        (first,) = made(face)
        assert (first.references, sorted(first.creates)) == ([*placed.references], [NOW, NOW + 90])
    else:
        assert [one.created_at for one in made(face)] == [NOW + 90, LATE], "two supplier orders for one of ours"


def test_what_was_turned_away_when_it_came_is_not_made_later(subject: Subject) -> None:
    _, face = subject.with_face()
    held, _ = taken_in(subject, subject.adapter(url=subject.url("http://sandbox")), face)  # the samples' keys
    assert held == []


@pytest.mark.parametrize("lags", ["the order", "the call"])
def test_a_list_that_lags_shows_an_order_only_so_much_later(subject: Subject, lags: str) -> None:
    adapter, face = subject.with_face()
    drive(adapter.place(subject.order, KEY), at_face(face, NOW))
    (order,) = made(face)
    if lags == "the order":
        order.hidden_seconds = 90
    else:
        face.lag_seconds = 90
    assert not isinstance(read(adapter, face, order, NOW + 89), Found)
    assert isinstance(read(adapter, face, order, NOW + 91), Found)
    if adapter.can_look_up:
        assert isinstance(looked_up(subject, adapter, face, NOW + 89), Absent)
        assert isinstance(looked_up(subject, adapter, face, NOW + 91), Found)
