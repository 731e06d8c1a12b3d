"""The task `orders.match`, on a real ledger: what is read when, what is adopted, and what waits for a person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.ledger.ledger_kit import POLICY, claim, history, one_claim, place_one, read_back, record, row, rows, submit
from worker.errors import RedisAway
from worker.ledger.engine import Ledger
from worker.ledger.life_writer import LifeWriter
from worker.ledger.lives import Lives
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.pushes import Pushes
from worker.ledger.tables import events, order_references, orders, pushes, results
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.marketplaces.base import Push
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, OrderRecord, ReadOutcome, Unknown
from worker.sending.turns import Slots
from worker.steps.follow import Follow
from worker.steps.match import MatchPushes

KEYS = AliExpressCredentials(app_key="k", app_secret="s", access_token="t")


class Desk:
    """The step on a real ledger, everything around it played: what order-get answers, and what was asked."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        played: Any = self
        self._step = MatchPushes(
            accounts=played,
            turns=played,
            reads=played,
            pushes=Pushes(ledger),
            pauses=Pauses(ledger),
            lives=Lives(ledger),
            operator=Operator(ledger, "push"),
            bell=played,
            policy=POLICY,
            lease_seconds=60.0,
        )
        self._follow = Follow(
            accounts=played,
            turns=played,
            reads=played,
            lives=Lives(ledger),
            writer=LifeWriter(ledger, {}),
            pauses=Pauses(ledger),
            bell=played,
            policy=POLICY,
            lease_seconds=60.0,
        )
        self.shows: dict[str, ReadOutcome] = {}
        self.asked: list[str] = []
        self.rung: list[str] = []
        self.rung_to_follow: list[tuple[list[str], float]] = []
        self.slots = 100
        self.redis_away = False

    def adapter(self, _: str) -> AliExpress:
        return AliExpress("main", KEYS)

    def of_account(self, slots: Slots, reads: Sequence[tuple[str, Any]]) -> list[Any]:
        assert list(slots.times) == [name for name, _ in reads]
        self.asked += [name for name, _ in reads]
        shown = [self.shows.get(name, Absent("not shown")) for name, _ in reads]
        if slots.lane == "follow":
            return [(one.records[0], None) if isinstance(one, Found) else one for one in shown]
        return shown

    def read_on(self) -> str:
        """Read what is due of the order, as its message would."""
        return self._follow.run(["SO-1"])

    def book(self, marketplace: AliExpress, lane: str, count: int) -> tuple[tuple[float, ...], float]:
        if self.redis_away:
            raise RedisAway("away")
        return (0.0,) * min(count, self.slots), 2.0

    def follow(self, moved: Any) -> None:
        self.rung += [one.order_id for one in moved]

    def life(self, ids: Sequence[str], in_seconds: float = 0.0) -> None:
        if self.redis_away:
            raise RedisAway("away")
        self.rung_to_follow.append((list(ids), in_seconds))

    def shown(self, reference: str, count: int = 1, **changes: Any) -> None:
        """Let order-get show an order of so many bottles."""
        details = {"child_order_list": [{"product_id": 1005, "product_count": count}]}
        fields = {"status": "PLACE_ORDER_SUCCESS", "details": details} | changes
        self.shows[reference] = Found((OrderRecord(reference, **fields),))

    def order(self, order_id: str, outcome: Any, count: int = 1, at: float | None = None) -> None:
        """Take in an order of so many bottles and place it."""
        submit(self.ledger, order_id)
        body = f'{{"product_items":[{{"product_id":"1005","product_count":{count}}}]}}'
        with self.ledger.writing() as connection:
            connection.execute(update(orders).where(orders.c.order_id == order_id).values(body=body, due_at=0.0))
        place_one(self.ledger, outcome, order_id, at)

    def push(self, reference: str, status: str = "OrderCreated", at: float | None = None, ago: float = 30.0) -> None:
        """Let a message have come some seconds ago."""
        now = time.time() - ago
        Pushes(self.ledger).take("main", Push(reference, status, at or now, status == "OrderCreated"), now)

    def match(self) -> str:
        return self._step.run()

    def kept(self, reference: str) -> Any:
        with self.ledger.reading() as connection:
            return connection.execute(select(pushes).where(pushes.c.reference == reference)).one()

    def due_again(self, reference: str) -> None:
        with self.ledger.writing() as connection:
            connection.execute(update(pushes).where(pushes.c.reference == reference).values(due_at=time.time()))


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    return Desk(ledger)


def test_nothing_due_is_nothing_done(desk: Desk) -> None:
    assert desk.match() == "nothing was due"


def test_an_unmatched_order_is_adopted_and_rung_for_in_time(desk: Desk) -> None:
    desk.order("SO-1", Accepted((), "REPEATED_ORDER_ERROR"), at=time.time() - 30)
    desk.push("81")
    desk.shown("81")
    assert desk.match() == "adopted 81 SO-1"
    order = row(desk.ledger)
    assert (order.state, order.attention) == ("placed", False)
    assert order.due_at >= time.time() + 9
    assert desk.rung == ["SO-1"]
    assert history(desk.ledger)[-1] == "accept>placed"
    assert rows(desk.ledger, events)[-1].actor == "push"
    assert desk.kept("81").state == "adopted"


def test_an_unknown_order_is_adopted_and_so_never_sent_again(desk: Desk) -> None:
    desk.order("SO-1", Unknown("no complete answer in time"), at=time.time() - 30)
    desk.push("81")
    desk.shown("81")
    desk.match()
    assert row(desk.ledger).state == "placed"
    assert claim(desk.ledger, "SO-1", now=time.time() + 600) == []


def test_a_known_id_is_settled_without_a_call(desk: Desk) -> None:
    desk.order("SO-1", Accepted(("81",)), at=time.time() - 30)
    desk.push("81")
    assert desk.match() == "81 known SO-1"
    assert desk.asked == []
    assert (desk.kept("81").state, desk.kept("81").order_id) == ("known", "SO-1")


def test_an_order_that_nobody_of_ours_can_be_is_an_orphan_without_a_call(desk: Desk) -> None:
    desk.push("81")
    assert desk.match() == "81 orphan no order that waits for an id has these goods and fits the time"
    assert desk.asked == []


def test_it_is_not_read_sooner_than_10_seconds_after_its_making(desk: Desk) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 1)
    desk.push("81", ago=0.5)
    desk.shown("81")
    assert "81 due " in desk.match()
    assert desk.asked == []
    one = desk.kept("81")
    assert (one.state, one.tries) == ("new", 0)
    assert 9 < one.due_at - time.time() <= 10


@pytest.mark.parametrize("outcome", [Absent("not shown", "isv.insufficient-permission"), NotSent("cut"), Unknown("?")])
def test_what_cannot_be_read_is_tried_again_five_times_and_then_an_orphan(desk: Desk, outcome: ReadOutcome) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 30)
    desk.push("81")
    desk.shows["81"] = outcome
    waited = []
    for _ in range(5):
        desk.match()
        waited.append(round(desk.kept("81").due_at - time.time()))
        desk.due_again("81")
    assert waited == [10, 20, 40, 80, 160]
    desk.match()
    assert (desk.kept("81").state, desk.kept("81").note) == ("orphan", "not readable")
    assert row(desk.ledger).state == "unmatched"
    desk.push("81", "OrderShipped", time.time(), ago=0)
    desk.shown("81")
    desk.match()
    assert row(desk.ledger).state == "placed", "news about an orphan are looked at again"


def test_throttled_uses_no_try_and_holds_the_account(desk: Desk) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 30)
    desk.push("81")
    desk.shows["81"] = Declined("ApiCallLimit", "too often", 60.0, pauses_account=True)
    desk.match()
    assert (desk.kept("81").state, desk.kept("81").tries) == ("new", 0)
    assert 59 <= desk.kept("81").due_at - time.time() <= 61
    desk.due_again("81")
    assert desk.match() == "nothing was due", "the account is held"


def test_what_the_rate_does_not_let_through_waits(desk: Desk) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 30)
    desk.slots = 1
    for reference in ("81", "82", "83"):
        desk.push(reference)
    desk.match()
    assert len(desk.asked) == 1
    assert sorted(round(desk.kept(r).due_at - time.time()) for r in ("81", "82", "83")) == [2, 2, 10]
    assert sorted(desk.kept(r).tries for r in ("81", "82", "83")) == [0, 0, 1]


def test_without_redis_nothing_is_read(desk: Desk) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 30)
    desk.push("81")
    desk.redis_away = True
    desk.match()
    assert desk.asked == []
    assert round(desk.kept("81").due_at - time.time()) == 5


def test_twins_are_for_a_person_and_what_the_person_says_settles_the_row(desk: Desk) -> None:
    for order_id in ("SO-1", "SO-2"):
        desk.order(order_id, Accepted(()), at=time.time() - 30)
    for reference in ("81", "82"):
        desk.push(reference)
        desk.shown(reference)
    desk.match()
    assert {row(desk.ledger, o).state for o in ("SO-1", "SO-2")} == {"unmatched"}
    (first, second) = Pushes(desk.ledger).orphans()
    assert first.note == "2 orders have these goods and fit the time: SO-1, SO-2"
    Operator(desk.ledger, "cli").adopt("SO-1", first.reference)
    assert Pushes(desk.ledger).orphans() == [second]


def test_a_twin_under_way_is_waited_for_until_its_own_reply_tells(desk: Desk) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 30)
    submit(desk.ledger, "SO-2")
    with desk.ledger.writing() as connection:
        connection.execute(update(orders).values(body=row(desk.ledger, "SO-1").body, due_at=0.0))
    sent = one_claim(desk.ledger, "SO-2", time.time() - 30)
    desk.push("82")
    desk.shown("82")
    desk.match()
    assert desk.kept("82").state == "new"
    assert row(desk.ledger, "SO-1").state == "unmatched", "82 is the twin's, as its reply will tell"
    record(desk.ledger, sent, Accepted(("82",)))
    desk.due_again("82")
    assert desk.match() == "82 known SO-2"


def test_two_that_fit_one_order_are_both_orphans(desk: Desk) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 30)
    for reference in ("81", "82"):
        desk.push(reference)
        desk.shown(reference)
    desk.match()
    assert row(desk.ledger).state == "unmatched"
    assert [one.note for one in Pushes(desk.ledger).orphans()] == [
        "more than one of the marketplace's orders fits SO-1"
    ] * 2


def test_an_order_that_moves_on_while_it_is_matched_is_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.order("SO-1", Accepted(()), at=time.time() - 30)
    desk.push("81")
    desk.shown("81")
    plain = Pushes.candidates

    def candidates(self: Pushes, account: str) -> Any:
        found = plain(self, account)
        if desk.asked:  # after the reading, a person was quicker
            Operator(desk.ledger, "cli").adopt("SO-1", "99")
        return found

    monkeypatch.setattr(Pushes, "candidates", candidates)
    desk.match()
    assert desk.kept("81").state == "new"
    monkeypatch.setattr(Pushes, "candidates", plain)
    desk.due_again("81")
    desk.match()
    assert desk.kept("81").state == "orphan"
    assert [r.reference for r in rows(desk.ledger, order_references)] == ["99"]


def confirmed(desk: Desk) -> None:
    desk.order("SO-1", Accepted(("81",)), at=time.time() - 30)
    desk.shown("81")
    found = desk.shows["81"]
    read_back(desk.ledger, found, time.time() + 60)


def result(desk: Desk) -> Any:
    with desk.ledger.reading() as connection:
        return connection.execute(select(results)).one()


def test_that_a_confirmed_order_was_made_is_no_news(desk: Desk) -> None:
    confirmed(desk)
    desk.push("81")
    assert desk.match() == "81 known SO-1"
    assert desk.asked == []


def test_news_of_a_confirmed_order_are_read_and_move_nothing(desk: Desk) -> None:
    confirmed(desk)
    before = history(desk.ledger)
    desk.push("81", "OrderShipped")
    desk.shown("81", status="WAIT_BUYER_ACCEPT_GOODS", fulfilment_status="SELLER_SEND_GOODS")
    assert desk.match() == "81 known SO-1"
    assert desk.rung_to_follow == [(["SO-1"], 0.0)], "not left to the sweep"
    assert desk.read_on() == "81 WAIT_BUYER_ACCEPT_GOODS SO-1"
    assert (result(desk).status, result(desk).fulfilment_status) == ("WAIT_BUYER_ACCEPT_GOODS", "SELLER_SEND_GOODS")
    assert (row(desk.ledger).state, history(desk.ledger)) == ("confirmed", before)


def test_a_confirmed_order_that_is_read_anew_with_fewer_goods_is_told_until_they_are_back(desk: Desk) -> None:
    desk.order("SO-1", Accepted(("81",)), count=3, at=time.time() - 30)
    desk.shown("81", count=3)
    read_back(desk.ledger, desk.shows["81"], time.time() + 60)
    told = []
    for count in (2, 3):
        desk.push("81", f"OrderShipped{count}", ago=5.0 - count)
        desk.shown("81", count=count)
        assert desk.match() == "81 known SO-1"
        assert desk.read_on()
        order = row(desk.ledger)
        told.append((order.state, order.attention, order.code, order.reason))
    reason = "AliExpress DS shows 2 of product 1005, 3 were ordered"
    assert told == [("confirmed", True, "GOODS_DIFFER", reason), ("confirmed", False, None, None)]


def test_news_of_a_confirmed_order_that_cannot_be_read_make_no_orphan(desk: Desk) -> None:
    confirmed(desk)
    desk.push("81", "OrderShipped")
    desk.shows["81"] = Unknown("HTTP 502")
    desk.match()
    assert desk.read_on() == "81 not read SO-1"
    assert (desk.kept("81").state, desk.kept("81").order_id, desk.kept("81").note) == ("known", "SO-1", None)
    assert result(desk).status == "PLACE_ORDER_SUCCESS"


def test_hundreds_of_messages_are_settled_in_one_go(desk: Desk) -> None:
    for number in range(300):
        desk.push(str(1000 + number))
    desk.order("SO-1", Accepted(tuple(str(1000 + n) for n in range(300))), at=time.time() - 30)
    assert len(desk.match().splitlines()) == 300
    assert not Pushes(desk.ledger).any_due()


def test_what_the_share_does_not_let_through_is_rung_for_when_its_turn_comes(desk: Desk) -> None:
    confirmed(desk)
    assert Lives(desk.ledger).wake(["SO-1"]) == 1
    desk.slots = 0
    assert desk.read_on() == "nothing was due"
    ((ids, seconds),) = desk.rung_to_follow
    assert ids == ["SO-1"]
    assert 2.0 < seconds < 2.2, "a little after it is due"
    assert desk.asked == []
    assert Lives(desk.ledger).claim(["SO-1"], 60.0, time.time() + seconds), "it is due by then"
    assert Lives(desk.ledger).wake(["SO-1"]) == 1
    desk.redis_away = True
    assert desk.read_on() == "nothing was due", "the sweep rings for it"
