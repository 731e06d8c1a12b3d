"""Which order a push message is about: goods and time decide, and where they do not, nobody guesses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.aliexpress.credentials import AliExpressCredentials
from worker.rules.match import Match, in_contest, in_time, judge, moving_seconds, too_early_seconds
from worker.rules.outcomes import OrderRecord
from worker.rules.states import State
from worker.rules.values import Candidate, Judged, Pushed, PushState

SENT = 1_700_000_000.0
NOW = SENT + 60
MARKETPLACE = AliExpress("main", AliExpressCredentials(app_key="k", app_secret="s", access_token="t"))


def row(made_at: float | None = SENT + 1, pushed_at: float | None = SENT + 1, first_at: float = SENT + 2) -> Pushed:
    return Pushed("main", "8190000000000001", first_at, 1, "OrderCreated", pushed_at, made_at, 0)


def order(order_id: str = "SO-1", state: State = State.UNMATCHED, count: int = 1, **changes: Any) -> Candidate:
    body = json.dumps({"product_items": [{"product_id": "1005", "product_count": count}]})
    fields = {"due_at": None, "body": body, "first_sent_at": SENT, "closed_at": SENT + 30} | changes
    return Candidate(order_id, state, **fields)


def record(count: int = 1, **details: Any) -> OrderRecord:
    children = [{"product_id": 1005, "product_count": count}]
    return OrderRecord("8190000000000001", "PLACE_ORDER_SUCCESS", details={"child_order_list": children, **details})


def judged(*candidates: Candidate, of: Pushed | None = None, shows: OrderRecord | None = None) -> Match | Judged:
    return judge(MARKETPLACE, of or row(), shows or record(), candidates, NOW)


def orphan_note(found: Match | Judged) -> str:
    assert isinstance(found, Judged)
    assert found.state is PushState.ORPHAN
    return found.note or ""


def waits(found: Match | Judged) -> float:
    assert isinstance(found, Judged)
    assert found.state is PushState.NEW
    assert found.wait_seconds is not None
    return found.wait_seconds


@pytest.mark.parametrize("state", [State.UNMATCHED, State.UNKNOWN])
def test_the_one_order_that_fits_takes_the_id(state: State) -> None:
    assert judged(order(state=state), order("SO-2", count=2)) == Match(row(), "SO-1")


@pytest.mark.parametrize("state", [State.PLACING, State.QUEUED])
def test_an_order_on_its_way_is_waited_for_since_its_own_reply_may_tell(state: State) -> None:
    assert waits(judged(order(state=state))) >= 5
    assert waits(judged(order(), order("SO-2", state))) >= 5


def test_nothing_fits() -> None:
    assert orphan_note(judged()) == "no order that waits for an id has these goods and fits the time"
    assert "no order" in orphan_note(judged(order(count=2)))


def test_of_twins_nobody_can_tell_and_a_person_is_told_which() -> None:
    note = orphan_note(judged(*(order(f"SO-{n}") for n in range(1, 6))))
    assert note == "5 orders have these goods and fit the time: SO-1, SO-2, SO-3 and 2 more"


def test_twins_that_settle_by_themselves_are_waited_for() -> None:
    goes_on, parked = order("SO-2", State.UNKNOWN, due_at=NOW + 9), order("SO-2", State.UNKNOWN)
    assert waits(judged(order(), goes_on)) >= 5
    assert "2 orders" in orphan_note(judged(order(), parked))


def test_time_tells_twins_apart() -> None:
    later = order("SO-2", first_sent_at=SENT + 1800, closed_at=SENT + 1801)
    assert judged(order(), later) == Match(row(), "SO-1")
    assert judged(order(), later, of=row(SENT + 1800, SENT + 1800)) == Match(row(SENT + 1800, SENT + 1800), "SO-2")


@pytest.mark.parametrize(
    ("made_at", "fits"),
    [(SENT - 121, False), (SENT - 120, True), (SENT, True), (SENT + 150, True), (SENT + 151, False)],
)
def test_an_order_is_made_between_its_first_send_and_the_close_of_its_last(made_at: float, fits: bool) -> None:
    assert bool(in_time(row(made_at), [order()], NOW)) is fits


def test_while_a_send_is_under_way_the_time_is_open_until_now() -> None:
    one = order(state=State.PLACING, closed_at=None)
    assert in_time(row(SENT + 1000), [one], SENT + 900)
    assert not in_time(row(SENT + 1000), [one], SENT + 870)


def test_a_message_of_something_later_has_no_upper_bound() -> None:
    assert in_time(row(None, SENT + 86400), [order()], NOW)
    assert not in_time(row(None, SENT - 121), [order()], NOW)


def test_the_time_of_making_counts_even_if_later_messages_came() -> None:
    assert not in_time(row(SENT + 500, SENT + 86400), [order()], NOW)


def test_a_message_without_a_time_fits_nothing() -> None:
    assert in_time(row(None, None), [order()], NOW) == []
    assert orphan_note(judged(order(), of=row(None, None))) == "the message names no time"


def test_an_order_the_marketplace_made_days_ago_is_not_ours_whatever_is_told_of_it_now() -> None:
    """Somebody's older order with the same goods ships just now: its message fits the time, its record does not."""
    shipped = row(None, SENT + 50)
    assert judged(order(), of=shipped, shows=record(gmt_create="2023-11-14 14:13:21")) == Match(shipped, "SO-1")
    assert "no order" in orphan_note(judged(order(), of=shipped, shows=record(gmt_create="2023-11-12 14:13:21")))


def test_two_of_the_marketplaces_orders_that_want_one_of_ours_get_none() -> None:
    first, second, third = (Match(row(SENT + n), order_id) for n, order_id in ((1, "SO-1"), (2, "SO-1"), (3, "SO-2")))
    alone, several = in_contest([first, second, third])
    assert alone == [third]
    assert {one.state for one in several} == {PushState.ORPHAN}
    assert {one.note for one in several} == {"more than one of the marketplace's orders fits SO-1"}


def test_an_order_is_read_no_sooner_than_10_seconds_after_its_making() -> None:
    assert too_early_seconds(row(SENT, first_at=SENT + 0.5), SENT + 0.5) == 10
    assert too_early_seconds(row(SENT, first_at=SENT + 0.5), SENT + 10.5) == 0
    assert too_early_seconds(row(SENT - 3600, first_at=SENT), SENT) == 0
    assert too_early_seconds(row(SENT, first_at=SENT + 5), SENT + 5) == 6, "a message's time is a whole second"
    assert too_early_seconds(row(None, SENT, first_at=SENT), SENT + 4) == 6
    # A message from the future makes nobody wait for it.
    assert too_early_seconds(row(SENT + 9999, first_at=SENT), SENT) == 10


def test_the_wait_for_orders_on_their_way_grows_with_the_rows_age() -> None:
    ages = (0, 40, 400, 100_000)
    assert [moving_seconds(row(first_at=SENT), SENT + age) for age in ages] == [5, 10, 100, 300]
