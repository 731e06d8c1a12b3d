"""Push messages in the ledger: a row for each of the marketplace's orders, doubled and late messages only counted."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from tests.ledger.ledger_kit import (
    ACCOUNT,
    confirmed,
    history,
    known_ids,
    one_claim,
    ordered,
    place_one,
    reconcile,
    record,
    row,
    submit,
)
from worker.errors import NotAllowed, UnknownOrder
from worker.ledger.audit import Audit
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.orphans import close_orphans
from worker.ledger.pauses import Pauses
from worker.ledger.pushes import Pushes
from worker.ledger.tables import pushes
from worker.marketplaces.base import Push
from worker.rules.decision import Pause
from worker.rules.outcomes import Accepted, Declined, Unknown
from worker.rules.states import State
from worker.rules.troubles import OrphanView
from worker.rules.values import Judged, Owner, Pushed, PushState

REFERENCE = "8198352049851315"
MADE = 1_700_000_000.0


def push(status: str = "OrderCreated", at: float | None = MADE, reference: str = REFERENCE) -> Push:
    return Push(reference, status, at, status == "OrderCreated")


def came(ledger: Ledger, *messages: Push, now: float = MADE + 1, account: str = ACCOUNT) -> None:
    for number, message in enumerate(messages):
        Pushes(ledger).take(account, message, now + number)


def kept(ledger: Ledger, reference: str = REFERENCE) -> Any:
    with ledger.reading() as connection:
        return connection.execute(select(pushes).where(pushes.c.reference == reference)).one()


def claimed(ledger: Ledger, now: float, hold: float = 90.0, limit: int = 100) -> list[Pushed]:
    return Pushes(ledger).claim(hold, limit, now)


def settle(ledger: Ledger, state: PushState, now: float = MADE + 20, **more: Any) -> None:
    (row_,) = claimed(ledger, now)
    Pushes(ledger).settle([Judged(row_, state, **more)], now)


def test_a_message_is_kept_as_new_and_due_at_once(ledger: Ledger) -> None:
    came(ledger, push())
    one = kept(ledger)
    assert (one.account, one.state, one.status, one.count, one.tries) == (ACCOUNT, "new", "OrderCreated", 1, 0)
    assert (one.first_at, one.last_at, one.due_at) == (MADE + 1, MADE + 1, MADE + 1)
    assert (one.pushed_at, one.made_at, one.order_id, one.note) == (MADE, MADE, None, None)


def test_a_doubled_message_is_one_row_and_counted(ledger: Ledger) -> None:
    came(ledger, push(), push(), push())
    one = kept(ledger)
    assert (one.count, one.first_at, one.last_at, one.due_at) == (3, MADE + 1, MADE + 3, MADE + 1)


def test_the_same_message_ten_times_at_once_is_one_row(ledger: Ledger) -> None:
    gate = threading.Barrier(10)

    def deliver(_: int) -> None:
        gate.wait(10)
        Pushes(ledger).take(ACCOUNT, push())

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(deliver, range(10)))
    assert kept(ledger).count == 10


def test_two_accounts_have_a_row_each(ledger: Ledger) -> None:
    came(ledger, push())
    came(ledger, push(), account="second")
    assert {row_.account for row_ in claimed(ledger, MADE + 5)} == {ACCOUNT, "second"}


def test_the_newest_status_stands_whatever_order_they_come_in(ledger: Ledger) -> None:
    came(ledger, push("OrderShipped", MADE + 50), push("PaymentAuthorized", MADE + 5), push())
    one = kept(ledger)
    assert (one.status, one.pushed_at, one.made_at, one.count) == ("OrderShipped", MADE + 50, MADE, 3)


def test_of_two_in_one_second_the_later_one_to_come_stands(ledger: Ledger) -> None:
    came(ledger, push(), push("PaymentAuthorized"))
    assert (kept(ledger).status, kept(ledger).made_at) == ("PaymentAuthorized", MADE)


def test_messages_without_a_time_are_kept_too(ledger: Ledger) -> None:
    came(ledger, push("OrderShipped", None), push("OrderClosed", None))
    assert (kept(ledger).status, kept(ledger).pushed_at) == ("OrderClosed", None)
    came(ledger, push("OrderConfirmed", MADE))
    assert (kept(ledger).status, kept(ledger).pushed_at) == ("OrderConfirmed", MADE)
    came(ledger, push("OrderShipped", None))
    assert (kept(ledger).status, kept(ledger).pushed_at, kept(ledger).count) == ("OrderConfirmed", MADE, 4)


@pytest.mark.parametrize("state", [PushState.KNOWN, PushState.ORPHAN])
def test_a_settled_row_wakes_for_news_only(ledger: Ledger, state: PushState) -> None:
    came(ledger, push("PaymentAuthorized", MADE + 5))
    settle(ledger, state, order_id="SO-1")
    came(ledger, push("PaymentAuthorized", MADE + 5), push("Older", MADE), now=MADE + 30)
    assert (kept(ledger).state, kept(ledger).due_at) == (state, None)
    came(ledger, push("OrderShipped", MADE + 40), now=MADE + 41)
    assert (kept(ledger).state, kept(ledger).due_at, kept(ledger).tries) == ("new", MADE + 41, 0)


def test_a_row_wakes_when_the_message_of_its_making_comes_late(ledger: Ledger) -> None:
    came(ledger, push("PaymentAuthorized", MADE + 5))
    settle(ledger, PushState.ORPHAN)
    came(ledger, push(), now=MADE + 60)
    assert (kept(ledger).state, kept(ledger).status, kept(ledger).made_at) == ("new", "PaymentAuthorized", MADE)


def test_a_claim_holds_rows_for_a_while(ledger: Ledger) -> None:
    came(ledger, push(), push(reference="2"), push(reference="3"))
    assert [one.reference for one in claimed(ledger, MADE + 10, limit=2)] == [REFERENCE, "2"]
    assert [one.reference for one in claimed(ledger, MADE + 10)] == ["3"]
    assert claimed(ledger, MADE + 99) == []
    assert len(claimed(ledger, MADE + 101)) == 3


def test_two_workers_never_claim_the_same_row(ledger: Ledger) -> None:
    came(ledger, *(push(reference=str(n)) for n in range(1, 61)), now=MADE)
    gate = threading.Barrier(4)

    def work(_: int) -> list[str]:
        gate.wait(10)
        return [one.reference for _ in range(5) for one in claimed(ledger, MADE + 100, limit=5)]

    with ThreadPoolExecutor(4) as pool:
        found = [reference for some in pool.map(work, range(4)) for reference in some]
    assert len(found) == len(set(found))


def test_rows_of_an_account_that_is_held_for_a_time_wait(ledger: Ledger) -> None:
    came(ledger, push(), now=time.time())
    Pauses(ledger).pause(ACCOUNT, Pause(60.0, "ApiCallLimit", "too often", None))
    assert claimed(ledger, time.time()) == []
    assert len(claimed(ledger, time.time() + 61)) == 1


def test_a_persons_pause_stops_sends_not_reads(ledger: Ledger) -> None:
    came(ledger, push(), now=time.time())
    Operator(ledger, "cli").pause(ACCOUNT)
    assert len(claimed(ledger, time.time())) == 1


def test_due_is_what_is_new_and_in_time(ledger: Ledger) -> None:
    assert not Pushes(ledger).any_due(MADE)
    came(ledger, push())
    assert not Pushes(ledger).any_due(MADE)
    assert Pushes(ledger).any_due(MADE + 1)
    settle(ledger, PushState.KNOWN, order_id="SO-1")
    assert not Pushes(ledger).any_due(MADE + 9999)


def test_later_keeps_it_new_and_counts_tries(ledger: Ledger) -> None:
    came(ledger, push())
    settle(ledger, PushState.NEW, wait_seconds=40.0, tries=3)
    one = kept(ledger)
    assert (one.state, one.due_at, one.tries) == ("new", MADE + 60, 3)


def test_a_message_that_comes_while_its_row_is_looked_at_is_not_lost(ledger: Ledger) -> None:
    came(ledger, push())
    (held,) = claimed(ledger, MADE + 5)
    came(ledger, push("OrderShipped", MADE + 6), now=MADE + 6)
    Pushes(ledger).settle([Judged(held, PushState.KNOWN, "SO-1")], MADE + 7)
    assert (kept(ledger).state, kept(ledger).status, kept(ledger).due_at) == ("new", "OrderShipped", MADE + 7)


def test_owners_are_the_orders_whose_ids_are_known(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    confirmed(ledger)
    place_one(ledger, Accepted(("11", "12")), "SO-2")
    found = Pushes(ledger).owners("aliexpress", [REFERENCE, "11", "12", "13"])
    assert found == {
        REFERENCE: Owner("SO-1", State.CONFIRMED),
        "11": Owner("SO-2", State.PLACED),
        "12": Owner("SO-2", State.PLACED),
    }
    assert Pushes(ledger).owners("shoplazza", [REFERENCE]) == {}


def test_candidates_are_the_orders_that_may_exist_under_an_unknown_id(ledger: Ledger) -> None:
    names = ["unmatched", "unknown", "placing", "doubtful", "fresh", "throttled", "placed", "refused"]
    submit(ledger, *names)
    submit(ledger, "elsewhere", account="second")
    at = time.time()
    place_one(ledger, Accepted(()), "unmatched", at)
    place_one(ledger, Unknown("cut"), "unknown", at)
    one_claim(ledger, "placing", at)
    place_one(ledger, Unknown("cut"), "doubtful", at)
    ordered(ledger, "reconcile", "doubtful")
    reconcile(ledger, at + 30, order_id="doubtful")
    place_one(ledger, Declined("L", "slow", 500.0), "throttled", at)
    place_one(ledger, Accepted(("1",)), "placed", at)
    found = {one.order_id: one for one in Pushes(ledger).candidates(ACCOUNT)}
    assert set(found) == {"unmatched", "unknown", "placing", "doubtful"}
    assert found["placing"].closed_at is None
    assert found["unmatched"].closed_at == at + 0.25
    assert found["unmatched"].first_sent_at == at
    assert found["doubtful"].state is State.QUEUED
    assert found["unknown"].body == '{"content":"a"}'


def test_adopting_settles_the_row(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Accepted(()))
    came(ledger, push(), now=time.time())
    moved = Operator(ledger, "push").adopt("SO-1", REFERENCE, "a push message")
    assert moved.state is State.PLACED
    assert history(ledger)[-1] == "accept>placed"
    assert row(ledger).reason == "its id came from a push message"
    assert row(ledger).due_at >= row(ledger).updated_at + 10
    assert (kept(ledger).state, kept(ledger).order_id, kept(ledger).due_at) == ("adopted", "SO-1", None)
    assert known_ids(ledger) == [REFERENCE]


def test_an_orphan_is_listed_until_a_person_adopts_it(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Accepted(()))
    came(ledger, push(), push("OrderShipped", MADE + 50, "22"))
    for one in claimed(ledger, MADE + 60):
        Pushes(ledger).settle([Judged(one, PushState.ORPHAN, note="nothing fits")], MADE + 61)
    assert Pushes(ledger).orphans() == [
        OrphanView(ACCOUNT, REFERENCE, "OrderCreated", MADE, "nothing fits"),
        OrphanView(ACCOUNT, "22", "OrderShipped", MADE + 50, "nothing fits"),
    ]
    Operator(ledger, "cli").adopt("SO-1", REFERENCE)
    assert [one.reference for one in Pushes(ledger).orphans()] == ["22"]
    assert (kept(ledger).state, kept(ledger).note) == ("adopted", None)


def orphaned(ledger: Ledger) -> None:
    came(ledger, push(), push("OrderShipped", MADE + 50, "22"))
    for one in claimed(ledger, MADE + 60):
        Pushes(ledger).settle([Judged(one, PushState.ORPHAN, note="nothing fits")], MADE + 61)


def closing(ledger: Ledger, *references: str) -> tuple[list[str], dict[str, str]]:
    return close_orphans(ledger, references, "cli:anna", "bought by hand")


def test_an_orphan_that_a_person_closed_is_none_for_good_and_it_is_kept_who_closed_it(ledger: Ledger) -> None:
    orphaned(ledger)
    closed, missing = closing(ledger, REFERENCE, "33", REFERENCE)
    assert (closed, missing) == ([REFERENCE], {"33": "no orphan 33; fulfil orphans lists them"})
    assert [one.reference for one in Pushes(ledger).orphans()] == ["22"]
    assert (kept(ledger).state, kept(ledger).note) == ("closed", "closed by cli:anna: bought by hand")
    (act,) = Audit(ledger).newest(10)
    assert (act.what, act.actor, act.door, act.account) == ("close orphan", "anna", "cli", ACCOUNT)
    assert act.note == f"{REFERENCE}: bought by hand"
    came(ledger, push("OrderShipped", MADE + 90), now=MADE + 100)
    assert (kept(ledger).state, kept(ledger).count) == ("closed", 2), "what comes later is only counted"
    assert not Pushes(ledger).any_due(MADE + 1000)


def test_only_orphans_are_closed_so_and_once(ledger: Ledger) -> None:
    orphaned(ledger)
    closing(ledger, "22")
    with pytest.raises(UnknownOrder, match="no orphan 22; fulfil orphans lists them"):
        closing(ledger, "22")
    came(ledger, push(reference="44"))
    with pytest.raises(UnknownOrder):
        closing(ledger, "44")
    assert len(Audit(ledger).newest(10)) == 1


def test_a_closed_orphan_that_is_an_order_of_ours_after_all_can_be_adopted(ledger: Ledger) -> None:
    orphaned(ledger)
    closing(ledger, REFERENCE)
    submit(ledger, "SO-1")
    place_one(ledger, Accepted(()))
    Operator(ledger, "cli").adopt("SO-1", REFERENCE)
    assert (kept(ledger).state, kept(ledger).order_id) == ("adopted", "SO-1")


def test_an_orphan_whose_id_is_learned_otherwise_is_none(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    first = one_claim(ledger)
    came(ledger, push())
    settle(ledger, PushState.ORPHAN, note="nothing fits")
    record(ledger, first, Accepted((REFERENCE,)))
    assert Pushes(ledger).orphans() == []


def test_an_id_that_belongs_to_another_order_is_not_adopted_and_the_row_stays(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    place_one(ledger, Accepted(()))
    place_one(ledger, Accepted((REFERENCE,)), "SO-2")
    came(ledger, push())
    with pytest.raises(NotAllowed):
        Operator(ledger, "push").adopt("SO-1", REFERENCE, "a push message")
    assert kept(ledger).state == "new"


def test_settling_does_not_undo_an_adoption(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Accepted(()))
    came(ledger, push())
    (held,) = claimed(ledger, MADE + 5)
    Operator(ledger, "cli").adopt("SO-1", REFERENCE)
    Pushes(ledger).settle([Judged(held, PushState.ORPHAN, note="nothing fits")], MADE + 7)
    assert (kept(ledger).state, kept(ledger).order_id) == ("adopted", "SO-1")
