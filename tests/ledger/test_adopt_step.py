"""`fulfil adopt` on a real ledger: an id is read first, and taken only where the marketplace shows this order."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import known_ids, place_one, read_back, row, submit
from worker.errors import MarketplaceAway, NotAllowed, RedisAway, UnusableId
from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.tables import orders
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.rules.binding import Binding
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, OrderRecord, ReadOutcome, Unknown
from worker.rules.values import Adopted
from worker.sending.turns import Slots
from worker.steps.adopt import Adopt

MINE, SECOND, OTHERS = "8198352049850001", "8198352049850002", "8198352049850003"
KEYS = AliExpressCredentials(app_key="k", app_secret="s", access_token="t")


def shown(reference: str, product: int = 1005, made: str | None = None) -> Found:
    details: dict[str, Any] = {"child_order_list": [{"product_id": product, "product_count": 1}]}
    return Found(
        (OrderRecord(reference, "PLACE_ORDER_SUCCESS", details=details | ({"gmt_create": made} if made else {})),)
    )


class Shelf(AliExpress):
    """AliExpress whose order-get is answered from `shows`."""

    shows: dict[str, ReadOutcome]

    def confirm(self, references: Sequence[str]) -> Any:
        yield from ()
        return self.shows.get(references[0], Absent("AliExpress does not show the order yet"))


class Desk:
    """The step on a real ledger, everything around ledger and adapter played."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        played: Any = self
        self.step = Adopt(ledger, played, played, Claims(ledger), played, played)
        self.marketplace = Shelf("main", KEYS)
        self.marketplace.shows = {MINE: shown(MINE), SECOND: shown(SECOND), OTHERS: shown(OTHERS, 1006)}
        self.asked: list[str] = []
        self.rung: list[str] = []
        self.waits: list[float] = []
        self.redis_away = False

    def adapter(self, _: str) -> AliExpress:
        return self.marketplace

    def book(self, marketplace: AliExpress, lane: str, count: int) -> tuple[tuple[float, ...], float]:
        assert (lane, count) == ("read", 1)
        if self.redis_away:
            raise RedisAway("Redis does not answer")
        return ((), self.waits.pop(0)) if self.waits else ((time.monotonic(),), 0.0)

    def of_account(self, slots: Slots, reads: Sequence[tuple[str, Any]]) -> list[ReadOutcome]:
        self.asked += [name for name, _ in reads]
        return [_run(steps) for _, steps in reads]

    def follow(self, moved: Any, at_once: bool = False) -> None:
        self.rung += [one.order_id for one in moved]

    def adopt(self, reference: str, order_id: str = "SO-1") -> Adopted:
        return self.step.run(order_id, reference, "cli:anna")


def _run(steps: Any) -> ReadOutcome:
    with pytest.raises(StopIteration) as stop:
        next(steps)
    outcome: ReadOutcome = stop.value.value
    return outcome


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    """One order of one product that the marketplace has under an id that nobody told."""
    submit(ledger, "SO-1")
    body = json.dumps({"product_items": [{"product_id": "1005", "product_count": 1}]})
    with ledger.writing() as connection:
        connection.execute(update(orders).values(body=body))
    place_one(ledger, Accepted((), code="REPEATED_ORDER_ERROR"))
    return Desk(ledger)


def stands_as_it_was(desk: Desk) -> bool:
    order = row(desk.ledger)
    return (order.state, order.attention, known_ids(desk.ledger), desk.rung) == ("unmatched", True, [], [])


def test_an_id_under_which_the_order_is_shown_is_taken_and_what_was_read_is_told(desk: Desk) -> None:
    adopted = desk.adopt(f" {MINE} ")
    assert (adopted.moved.state, adopted.moved.references) == ("placed", (MINE,))
    assert adopted.found.records[0].status == "PLACE_ORDER_SUCCESS"
    assert desk.rung == ["SO-1"]
    assert row(desk.ledger).reason == "its id came from a person, and AliExpress DS showed the order under it"
    read_back(desk.ledger, shown(MINE), time.time() + 60)
    assert row(desk.ledger).state == "confirmed"


@pytest.mark.parametrize("reference", ["SO-1001", "1234567", "8198-352049850001", "https://aliexpress.com/8198"])
def test_an_id_of_another_form_is_refused_before_anybody_is_asked(desk: Desk, reference: str) -> None:
    with pytest.raises(UnusableId, match="AliExpress DS writes its order ids as 8 to 20 digits; this is none"):
        desk.adopt(reference)
    assert desk.asked == []
    assert stands_as_it_was(desk)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Absent("AliExpress does not show the order yet"), "shows this account no order 8198352049850001"),
        (Absent("not this account's", code="isv.insufficient-permission"), "SO-1 stays as it was"),
        (shown(MINE, 1006), "8198352049850001 is another order at AliExpress DS"),
        (shown(MINE, made="2020-01-01 10:00:00"), "more than a day before SO-1 was first sent"),
    ],
)
def test_what_the_marketplace_does_not_know_or_shows_as_another_order_is_not_placed(
    desk: Desk, outcome: ReadOutcome, words: str
) -> None:
    desk.marketplace.shows[MINE] = outcome
    with pytest.raises(NotAllowed, match=words):
        desk.adopt(MINE)
    assert stands_as_it_was(desk)


@pytest.mark.parametrize(
    "outcome",
    [
        NotSent("the connection was refused"),
        Declined("IllegalAccessToken", "the token ended"),
        Unknown("the answer cannot be read"),
    ],
)
def test_a_marketplace_that_cannot_be_asked_leaves_everything_as_it_was(desk: Desk, outcome: ReadOutcome) -> None:
    desk.marketplace.shows[MINE] = outcome
    with pytest.raises(MarketplaceAway, match=r"could not be read at AliExpress DS .*Repeat the command") as away:
        desk.adopt(MINE)
    assert away.value.exit_code == 3
    assert stands_as_it_was(desk)


def test_without_redis_nothing_is_asked(desk: Desk) -> None:
    desk.redis_away = True
    with pytest.raises(RedisAway):
        desk.adopt(MINE)
    assert (desk.asked, stands_as_it_was(desk)) == ([], True)


def test_the_read_waits_for_the_accounts_turn_and_not_for_ever(desk: Desk) -> None:
    desk.waits = [0.01, 0.01]
    assert desk.adopt(MINE).moved.state == "placed"
    desk.waits = [0.01, 900.0]
    with pytest.raises(MarketplaceAway, match="the account main may make its next call in 900 s"):
        desk.adopt(SECOND)
    assert known_ids(desk.ledger) == [MINE]


def test_until_it_was_read_back_it_may_be_done_again_with_the_same_id_and_with_another(desk: Desk) -> None:
    for reference in (MINE, MINE, SECOND):
        assert desk.adopt(reference).moved.references == (reference,)
    with pytest.raises(NotAllowed, match="is another order"):
        desk.adopt(OTHERS)
    assert known_ids(desk.ledger) == [SECOND], "a wrong one takes the place of none"
    read_back(desk.ledger, shown(SECOND), time.time() + 60)
    with pytest.raises(NotAllowed, match="SO-1 is confirmed"):
        desk.adopt(MINE)


def test_an_id_that_belongs_to_another_order_of_ours_is_refused_before_anybody_is_asked(desk: Desk) -> None:
    submit(desk.ledger, "SO-2")
    place_one(desk.ledger, Accepted((MINE,)), "SO-2")
    with pytest.raises(NotAllowed, match=f"{MINE} belongs to SO-2 already: fulfil show SO-2"):
        desk.adopt(MINE)
    assert (desk.asked, known_ids(desk.ledger)) == ([], [])


def test_what_was_sent_to_another_address_is_not_read_here(desk: Desk) -> None:
    class Elsewhere(Claims):
        def sent_otherwise(self, *_: Any) -> Any:
            from worker.rules.binding import sent_otherwise
            from worker.rules.states import Event

            return {"SO-1": sent_otherwise({"address": "a"}, Binding("main", {"address": "b"}), Event.SNOOZE)}

    played: Any = desk
    step = Adopt(desk.ledger, played, played, Elsewhere(desk.ledger), played, played)
    with pytest.raises(NotAllowed, match="SO-1 cannot be read with its account's present settings"):
        step.run("SO-1", MINE, "cli:anna")
    assert (desk.asked, stands_as_it_was(desk)) == ([], True)
