"""The campaign's checkers of the second life: what each must find, and what it must forgive; no process is started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.campaign.facts import Facts
from tests.faults.campaign.life_checks import MOST_READS, deadlines, parcels, share, stages, without_word
from tests.faults.campaign.life_facts import LifeFacts, Played
from tests.faults.campaign.life_paths import LIFE_PATHS, life_paths
from tests.faults.campaign.lives import LIVES, life_of, lives_on, record
from tests.faults.campaign.options import Options
from worker.sandbox.fake import SandboxOrder
from worker.sandbox.lives import Event, Life, Move, Phase

AT = 1_700_000_000.0
KEY = ("SO-1", "8001")
DEADLINE = AT + 60
SOON = AT + 48


def event(name: str, at: float, stage: str, **more: Any) -> Any:
    told = {"from_stage": stage, "number": None, "replaces": None, "note": None}
    return SimpleNamespace(**{**told, "event": name, "at": at, "to_stage": stage, **more})


def alarm(code: str, at: float) -> Any:
    return event("alarm", at, "awaiting_payment", note=f"{code}: 8001 is not paid")


def moved(before: str, after: str, at: float, name: str | None = None) -> Any:
    return event(name or after, at, after, from_stage=before)


def life(
    events: list[Any], played: Played, *, marketplace: str = "aliexpress", known: tuple[Any, ...] = (), **row: Any
) -> Facts:
    """Return what is known of one supplier order at `AT` + 1000, when everything was refreshed."""
    stands = {"stage": "awaiting_payment", "status": "word", "paid": False, "paid_at": None, "deadline_at": None}
    rows = {KEY: SimpleNamespace(**{**stands, "marketplace": marketplace, "accepted_at": AT, **row})}
    told = LifeFacts(rows, {KEY: events}, {KEY: known}, {(marketplace, KEY[1]): played}, AT + 1000, refreshed=True)
    return _facts(life=told)


def _facts(**given: Any) -> Facts:
    empty: dict[str, Any] = {
        "options": Options(), "made": {}, "acknowledged": set(), "batches_told": {}, "orders": {}, "events": {},
        "attempts": {}, "references": {}, "results": {}, "batches": {}, "oracle": [], "committed": [],
    }  # fmt: skip
    return Facts(**empty | given)


def unpaid(*events: Any, **more: Any) -> Facts:
    """Return an order that nobody pays, whose deadline was learned 12 s after its create."""
    learned = event("deadline", AT + 12, "awaiting_payment")
    played = Played([(AT, "unpaid"), (DEADLINE, "cancelled")], deadline_at=DEADLINE)
    facts = life([learned, *events], played, deadline_at=DEADLINE)
    for name, value in more.items():
        setattr(facts.life, name, value)
    return facts


BOTH = (alarm("UNPAID_SOON", SOON + 1), alarm("UNPAID_LAPSED", DEADLINE + 1))


def test_a_deadline_that_is_told_ahead_and_at_its_end_is_right() -> None:
    assert list(deadlines(unpaid(*BOTH))) == []
    closed = moved("awaiting_payment", "closed", DEADLINE + 2)
    told = event("alarm", DEADLINE + 2, "closed", note="CLOSED_UNPAID: 8001 was closed")
    assert list(deadlines(unpaid(BOTH[0], closed, told))) == [], "its end is told in place of its deadline's"


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ((), ["not told ahead", "passed unannounced"]),
        (BOTH[1:], ["not told ahead"]),
        (BOTH[:1], ["passed unannounced"]),
        ((alarm("UNPAID_SOON", DEADLINE + 1), BOTH[1]), ["not told ahead"]),
        ((BOTH[0], alarm("UNPAID_LAPSED", DEADLINE + 30)), ["passed unannounced"]),
        ((alarm("HELD_LONG", SOON), BOTH[1]), ["not told ahead"]),
    ],
    ids=["never", "at its end only", "ahead only", "ahead came late", "its end came late", "something else"],
)
def test_a_deadline_that_comes_near_or_passes_untold_is_found(events: Any, words: list[str]) -> None:
    found = list(deadlines(unpaid(*events)))
    assert [any(word in one for one in found) for word in words] == [True] * len(words)
    assert len(found) == len(words)


def test_nobody_is_owed_an_announcement_who_knew_too_late_or_paid_before() -> None:
    paid = moved("awaiting_payment", "awaiting_shipment", SOON + 2)
    assert list(deadlines(unpaid(paid))) == []
    assert list(deadlines(unpaid(up=lambda begin, end: 0.0))) == [], "the ledger was away all the time"
    assert list(deadlines(unpaid(at=SOON + 2))) == [], "the campaign ended before"
    late = unpaid(BOTH[1])
    late.life.events[KEY][0].at = DEADLINE - 5
    assert list(deadlines(late)) == [], "learned 5 s before its end"


@pytest.mark.parametrize("wrong_by", [70, 3600, -3600])
def test_a_deadline_that_is_not_the_marketplaces_is_found_unless_a_clock_was_wrong(wrong_by: float) -> None:
    facts = unpaid(*BOTH)
    facts.life.rows[KEY].deadline_at += wrong_by
    assert "is told as" in next(deadlines(facts))
    facts.wrong_clocks = [(AT, AT + 1)]
    assert list(deadlines(facts)) == []


DELIVERED = Played(
    [(AT, "paid"), (AT + 20, "shipped"), (AT + 40, "delivered")], paid_at=AT, numbers=[[(AT + 20, "A"), (AT + 30, "B")]]
)


def delivered(*more: Any, drop: int | None = None, **row: Any) -> Facts:
    """Return an order that was followed to its door."""
    events = [
        event("paid", AT + 12, "awaiting_shipment", from_stage="unclear"),
        moved("unclear", "awaiting_shipment", AT + 12),
        moved("awaiting_shipment", "shipped", AT + 22),
        event("parcel_added", AT + 22, "shipped", number="A"),
        moved("shipped", "delivered", AT + 42),
        event("parcel_replaced", AT + 42, "delivered", number="B", replaces="A"),
    ]
    if drop is not None:
        events.pop(drop)
    known = (
        SimpleNamespace(number="A", internal=False, replaced_by="B"),
        SimpleNamespace(number="B", internal=False, replaced_by=None),
    )
    stands = {"stage": "delivered", "paid": True, "paid_at": AT + 12, "known": known}
    return life([*events, *more], DELIVERED, **{**stands, **row})


def test_an_order_that_was_followed_to_its_door_breaks_nothing() -> None:
    for checker in (deadlines, without_word, parcels, stages):
        assert list(checker(delivered())) == []


@pytest.mark.parametrize(
    ("drop", "words"),
    [(1, "did not stand"), (2, "did not stand"), (4, "its last event says shipped")],
    ids=["the first", "in the middle", "the last"],
)
def test_a_move_without_an_event_is_found(drop: int, words: str) -> None:
    (told,) = stages(delivered(drop=drop))
    assert words in told


def test_a_stage_that_is_not_the_marketplaces_in_the_end_is_found() -> None:
    behind = delivered(moved("delivered", "shipped", AT + 50), stage="shipped")
    assert "at the marketplace it is delivered" in next(stages(behind))
    behind.life.refreshed = False
    assert list(stages(behind)) == []
    (told,) = stages(delivered(paid=False))
    assert told.endswith("the ledger says False")


def test_a_confirmed_order_that_is_not_followed_is_found() -> None:
    facts = delivered()
    facts.orders, facts.results = {"SO-1": SimpleNamespace(state="confirmed")}, {"SO-1": {"8001", "8002"}}
    (told,) = stages(facts)
    assert "8002 is not followed" in told


def test_a_word_the_marketplace_has_not_said_by_then_is_found() -> None:
    hasty = [moved("unclear", "shipped", AT + 19), moved("shipped", "delivered", AT + 41)]
    (told,) = without_word(life(hasty, DELIVERED))
    assert "shipped" in told
    back = [moved("unclear", "shipped", AT + 22), moved("shipped", "awaiting_shipment", AT + 23)]
    assert "awaiting_shipment" in next(without_word(life(back, DELIVERED))), "an older reading undid a newer one"
    never = Played([(AT, "unpaid"), (AT + 30, "cancelled")])
    words = list(without_word(life([event("paid", AT + 12, "paid")], never, paid=True)))
    assert len(words) == 2, "the event, and the row"
    alone = life([], DELIVERED)
    alone.life.events = {("SO-2", "9"): [event("paid", AT, "paid")]}
    assert "has no such order" in next(without_word(alone))


def test_each_marketplaces_own_words_count() -> None:
    disputed = Played([(AT, "paid"), (AT + 20, "disputed")], paid_at=AT)
    seen = [moved("unclear", "awaiting_shipment", AT + 12), moved("awaiting_shipment", "shipped", AT + 22)]
    row: dict[str, Any] = {"stage": "shipped", "paid": True, "paid_at": AT}
    assert list(stages(life(seen, disputed, marketplace="xportcn", **row))) == []
    assert len(list(stages(life(seen, disputed, **row)))) == 1


def test_a_parcels_number_that_was_not_told_is_found() -> None:
    assert "B, and no event tells it" in " ".join(parcels(delivered(drop=5)))
    assert "A, and no event tells it" in " ".join(parcels(delivered(drop=3)))
    added = delivered(event("parcel_added", AT + 42, "delivered", number="B"), drop=5)
    assert "took the place of A" in next(parcels(added)), "another parcel is no change of this one"
    (old,) = [SimpleNamespace(number="A", internal=False, replaced_by=None)]
    assert "the marketplace shows ['B']" in next(parcels(delivered(known=(old,))))
    strange = SimpleNamespace(number="C", internal=False, replaced_by=None)
    assert "which the marketplace never had" in next(parcels(delivered(known=(strange,))))
    own = SimpleNamespace(number="LP8001", internal=True, replaced_by=None)
    assert list(parcels(delivered(known=(*delivered().life.parcels[KEY], own)))) == []


def test_reads_beyond_the_share_are_found() -> None:
    def reading(many: int, within: float) -> Facts:
        gets = [AT + 5] * 200 + [AT + 20 + within * number / many for number in range(many)]
        order = {"key": "SO-1", "marketplace": "aliexpress", "content": "1", "account": "ali1", "gets": gets}
        done = SimpleNamespace(at=AT + 12, to_state="confirmed")
        return _facts(events={"SO-1": [done]}, oracle=[order])

    assert list(share(reading(MOST_READS, 5.0))) == []
    assert list(share(reading(2 * MOST_READS, 30.0))) == []
    assert len(list(share(reading(2 * MOST_READS, 5.0)))) == 1


def test_paths_are_counted_from_what_was_told() -> None:
    facts = unpaid(*BOTH, event("delivered", AT, "delivered"), event("parcel_replaced", AT, "shipped"))
    facts.life.paused = (DEADLINE, DEADLINE + 5)
    found = life_paths(facts.life)
    assert {name for name in LIFE_PATHS if found[name]} == {LIFE_PATHS[0], LIFE_PATHS[1], LIFE_PATHS[4], LIFE_PATHS[6]}
    facts.life.paused = (AT, AT + 1)
    assert not life_paths(facts.life)[LIFE_PATHS[1]], "the account was not held then"


def test_the_oracles_record_tells_phases_numbers_and_deadline() -> None:
    ship, change = Event(AT + 20, Move.SHIP), Event(AT + 30, Move.NUMBER_CHANGES)
    played = Life(Phase.UNPAID, AT, (1,), 15.0, events=[Event(AT, Move.PAY), ship, change])
    order = SandboxOrder("aliexpress", "ali1", "SO-1", ["8001"], AT, [AT], lives={"8001": played})
    told = record(order)["8001"]
    assert (told["paid_at"], told["deadline_at"]) == (AT, AT + 15)
    assert told["phases"] == [(AT, "paid"), (AT + 15, "paid"), (AT + 20, "shipped"), (AT + 30, "shipped")]
    ((first, second),) = told["numbers"]
    assert (first[0], second[0]) == (AT + 20, AT + 30)
    assert first[1] != second[1]
    assert Played(**told).current(AT + 25) == {first[1]}
    assert Played(**told).current(AT + 35) == {second[1]}


def test_some_orders_live_on_and_the_same_seed_chooses_them_again() -> None:
    chosen = [life_of(number, 7) for number in range(400)]
    assert chosen == [life_of(number, 7) for number in range(400)]
    assert {name.removeprefix("~") for name in chosen if name} == set(LIVES)
    assert 60 < sum(map(bool, chosen)) < 140
    assert lives_on("C7-000001~unpaid:60~empty")
    assert not lives_on("C7-000001~empty")
