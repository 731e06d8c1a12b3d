"""What every sandbox fake does with an order that is made late, or that its reads, lists and look-ups show late."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.contract_kit import KEY, NOW, Subject, ask, at_fake, call_of, drive, made
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import Lost
from worker.rules.outcomes import Absent, Accepted, Found, Unknown
from worker.sandbox.fake import Fake, SandboxOrder

SUBJECTS = list(REGISTRY)
LATE = NOW + 130


def taken_in(subject: Subject, adapter: Marketplace, fake: Fake) -> tuple[list[SandboxOrder], Any]:
    """Place an order whose create is taken in and not answered; return what is to be made, and the outcome."""
    held: list[SandboxOrder] = []

    def answer(_: int, request: Any) -> Any:
        call = call_of(request, NOW)
        if fake.key_of(call) is None:
            return ask(fake, request, NOW)
        held.extend(fake.take_in(call))
        return Lost("no complete answer in time", may_have_arrived=True)

    return held, drive(adapter.place(subject.order, KEY), answer)[1]


def read(adapter: Marketplace, fake: Fake, order: SandboxOrder, at: float) -> Any:
    return drive(adapter.confirm(order.references), at_fake(fake, at))[1]


def looked_up(subject: Subject, adapter: Marketplace, fake: Fake, at: float) -> Any:
    return drive(adapter.look_up(subject.order, KEY, NOW), at_fake(fake, at))[1]


def test_a_late_commit_makes_its_order_when_its_time_comes_and_not_before(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    (order,), outcome = taken_in(subject, adapter, fake)
    assert isinstance(outcome, Unknown)
    assert fake.orders == []
    assert not isinstance(read(adapter, fake, order, NOW + 60), Found)
    if adapter.can_look_up:
        assert isinstance(looked_up(subject, adapter, fake, NOW + 60), Absent)
    fake.commit_late(order, LATE)
    assert (made(fake), order.created_at, order.creates) == ([order], LATE, [NOW])
    assert isinstance(read(adapter, fake, order, LATE + 5), Found)
    if adapter.can_look_up:
        found = looked_up(subject, adapter, fake, LATE + 5)
        assert [record.reference for record in found.records] == order.references


def test_a_late_commit_after_another_create_of_its_key_comes_to_what_the_key_is_worth(subject: Subject) -> None:
    adapter, fake = subject.with_fake()
    (order,), _ = taken_in(subject, adapter, fake)
    again, _ = subject.with_fake(NOW + 90)
    placed = drive(again.place(subject.order, KEY), at_fake(fake, NOW + 90))[1]
    assert isinstance(placed, Accepted)
    fake.commit_late(order, LATE)
    if subject.marketplace.resend_window:
        (first,) = made(fake)
        assert (first.references, sorted(first.creates)) == ([*placed.references], [NOW, NOW + 90])
    else:
        assert [one.created_at for one in made(fake)] == [NOW + 90, LATE], "two supplier orders for one of ours"


def test_what_was_turned_away_when_it_came_is_not_made_later(subject: Subject) -> None:
    _, fake = subject.with_fake()
    held, _ = taken_in(subject, subject.adapter(url=subject.url("http://sandbox")), fake)  # the samples' keys
    assert held == []


@pytest.mark.parametrize("lags", ["the order", "the call"])
def test_a_list_that_lags_shows_an_order_only_so_much_later(subject: Subject, lags: str) -> None:
    adapter, fake = subject.with_fake()
    drive(adapter.place(subject.order, KEY), at_fake(fake, NOW))
    (order,) = made(fake)
    if lags == "the order":
        order.hidden_seconds = 90
    else:
        fake.lag_seconds = 90
    assert not isinstance(read(adapter, fake, order, NOW + 89), Found)
    assert isinstance(read(adapter, fake, order, NOW + 91), Found)
    if adapter.can_look_up:
        assert isinstance(looked_up(subject, adapter, fake, NOW + 89), Absent)
        assert isinstance(looked_up(subject, adapter, fake, NOW + 91), Found)
