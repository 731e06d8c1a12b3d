"""Parcels read anew: what is new, what took another's place, what moved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.rules.life import Arrival, Node, Parcel
from worker.rules.parcels import Known, ParcelEvent, compare

NOW = 1_790_000_000.0
numbers = st.sampled_from(["A", "B", "C", "D"])
goods = st.lists(st.tuples(st.sampled_from(["1", "2"]), st.integers(1, 3)), max_size=2).map(tuple)
seen_parcels = st.lists(st.builds(Parcel, number=numbers, items=goods), max_size=4, unique_by=lambda one: one.number)


def known(*parcels: Parcel) -> list[Known]:
    return [Known(parcel, NOW, NOW) for parcel in parcels]


def test_a_new_number_is_told_once() -> None:
    first = compare([], [Parcel("A")], NOW)
    assert [(note.event, note.number) for note in first.notes] == [(ParcelEvent.ADDED, "A")]
    assert compare(first.known, [Parcel("A")], NOW + 1).notes == ()


def test_a_number_in_the_place_of_another_says_which() -> None:
    after = compare(known(Parcel("A")), [Parcel("B")], NOW)
    assert [(n.event, n.number, n.replaces) for n in after.notes] == [(ParcelEvent.REPLACED, "B", "A")]
    assert {one.parcel.number: one.replaced_by for one in after.known} == {"A": "B", "B": None}


def test_the_goods_say_which_of_two_numbers_was_replaced() -> None:
    before = known(Parcel("A", items=(("1", 1),)), Parcel("B", items=(("2", 2),)))
    after = compare(before, [Parcel("C", items=(("2", 2),)), Parcel("D", items=(("1", 1),))], NOW)
    assert {(n.number, n.replaces) for n in after.notes} == {("C", "B"), ("D", "A")}


def test_the_marketplaces_own_number_gives_way_to_the_carriers() -> None:
    after = compare(known(Parcel("LP1", internal=True)), [Parcel("A"), Parcel("B")], NOW)
    assert {one.parcel.number: one.replaced_by for one in after.known} == {"LP1": "A", "A": None, "B": None}


def test_a_number_that_is_not_shown_any_more_stands_until_another_takes_its_place() -> None:
    after = compare(known(Parcel("A")), [], NOW)
    assert (after.notes, [one.stands for one in after.known]) == ((), [True])


def test_a_movement_and_a_delivery_are_told_and_the_warehouse_is_none() -> None:
    before = known(Parcel("A", nodes=(Node(NOW, "collected"),)))
    moved = compare(before, [Parcel("A", nodes=(Node(NOW, "collected"), Node(NOW + 9, "on its way")))], NOW + 9)
    assert [note.event for note in moved.notes] == [ParcelEvent.MOVED]
    assert moved.known[0].moved_at == NOW + 9
    for arrival, event in ((Arrival.RECEIVER, ParcelEvent.DELIVERED), (Arrival.WAREHOUSE, ParcelEvent.AT_WAREHOUSE)):
        arrived = compare(moved.known, [Parcel("A", nodes=moved.known[0].parcel.nodes, arrival=arrival)], NOW + 20)
        assert [note.event for note in arrived.notes] == [event]


def test_what_a_later_reply_leaves_out_is_not_taken_back() -> None:
    before = known(Parcel("A", carrier="Cainiao", eta_at=NOW, items=(("1", 1),), arrival=Arrival.RECEIVER))
    after = compare(before, [Parcel("A")], NOW)
    assert (after.notes, after.known[0].parcel) == ((), before[0].parcel)


@given(st.lists(seen_parcels, max_size=5))
def test_every_number_that_was_ever_shown_is_known_and_every_change_is_told(readings: list[list[Parcel]]) -> None:
    standing: tuple[Known, ...] = ()
    ever: set[str] = set()
    told: list[str] = []
    for step, seen in enumerate(readings):
        after = compare(standing, seen, NOW + step)
        ever |= {parcel.number for parcel in seen}
        assert {one.parcel.number for one in after.known} == ever
        shown = {parcel.number for parcel in seen}
        assert all(one.stands for one in after.known if one.parcel.number in shown)
        told += [n.number for n in after.notes if n.event in (ParcelEvent.ADDED, ParcelEvent.REPLACED)]
        assert compare(after.known, seen, NOW + step).notes == ()
        standing = after.known
    assert sorted(told) == sorted(ever)
