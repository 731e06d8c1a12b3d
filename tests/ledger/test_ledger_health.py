"""What the ledger tells of what is wrong: who waits, who is held, who was not reached, and since when it is mended."""

from __future__ import annotations

import time

from sqlalchemy import insert, update

from tests.ledger.ledger_kit import claim, place_one, record, submit
from worker.ledger.engine import Ledger
from worker.ledger.health import LedgerHealth
from worker.ledger.operators import Operator
from worker.ledger.tables import account_pauses, act_orders, acts, orders
from worker.rules.outcomes import Accepted, Decline, Declined, NotSent, Refused, Unknown
from worker.rules.snapshot import Still, is_declined
from worker.rules.states import State

NO_TOKEN = Declined("IllegalAccessToken", "expired", 60.0, True, "set a new access_token", kind=Decline.TOKEN)


def let_pauses_end(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        connection.execute(update(account_pauses).values(until=time.time() - 1, since=time.time() - 61))
        connection.execute(update(orders).values(due_at=time.time() - 1))


def test_what_waits_is_counted_by_account_and_state(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1", "SO-2")
    submit(ledger, "SO-3", account="other")
    place_one(ledger, Accepted(("81900001",)))
    told = {(one.account, one.state): one for one in LedgerHealth(ledger).waiting()}
    assert {key: one.number for key, one in told.items()} == {
        ("main", State.PLACED): 1,
        ("main", State.QUEUED): 1,
        ("other", State.QUEUED): 1,
    }
    assert told["main", State.QUEUED].due_since is not None
    assert told["main", State.PLACED].due_since is None, "it is read later"
    assert {one.account for one in LedgerHealth(ledger).waiting(batch)} == {"main"}


def test_what_ended_or_needs_a_person_does_not_wait(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1")
    place_one(ledger, Refused("NO_STOCK", "no stock", "choose another"))
    assert LedgerHealth(ledger).waiting() == []
    assert LedgerHealth(ledger).attention() == (1, 0)
    assert LedgerHealth(ledger).attention(batch) == (1, 0)
    assert LedgerHealth(ledger).attention(submit(ledger, "SO-2")) == (0, 0)


def test_an_account_whose_calls_do_not_arrive_is_told_until_one_does(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    first, second = claim(ledger, "SO-1", "SO-2")
    record(ledger, first, NotSent("no connection"))
    (told,) = LedgerHealth(ledger).unreached()
    assert (told.account, told.waiting, told.cause) == ("main", 1, "no connection")
    record(ledger, second, Unknown("cut"))
    assert LedgerHealth(ledger).unreached(), "an answer that was lost proves nothing"


def test_an_answer_shows_that_the_marketplace_is_reached_again(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    first, second = claim(ledger, "SO-1", "SO-2")
    record(ledger, first, NotSent("no connection"), time.time() - 5)
    record(ledger, second, Accepted(("81900001",)))
    assert LedgerHealth(ledger).unreached() == []


def test_what_we_held_back_ourselves_does_not_count(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, NotSent("the worker stops", counted=False))
    assert LedgerHealth(ledger).unreached() == []


def test_a_pause_that_stands_is_held_and_a_persons_too(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1")
    Operator(ledger, "cli").pause("main")
    Operator(ledger, "cli").pause("other")
    assert {one.pause.account: one.waiting for one in LedgerHealth(ledger).held()} == {"main": 1, "other": 0}
    assert [one.pause.account for one in LedgerHealth(ledger).held(batch)] == ["main"]
    assert not any(is_declined(one.pause) for one in LedgerHealth(ledger).held())


def test_an_account_that_was_not_accepted_is_told_after_its_pause_until_it_is(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    place_one(ledger, NO_TOKEN)
    (held,) = LedgerHealth(ledger).held()
    assert is_declined(held.pause)
    let_pauses_end(ledger)
    (held,) = LedgerHealth(ledger).held()
    assert (is_declined(held.pause), held.waiting) == (True, 2), "nobody has mended it"
    place_one(ledger, Accepted(("81900001",)), "SO-2")
    assert LedgerHealth(ledger).held() == [], "SO-1 has the old reason still, and goes when its turn comes"


def test_a_pause_for_too_many_calls_ends_with_its_time(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Declined("HTTP_429", "too many", 60.0, True))
    assert [is_declined(one.pause) for one in LedgerHealth(ledger).held()] == [False]
    let_pauses_end(ledger)
    assert LedgerHealth(ledger).held() == []


def test_pushes_are_due_where_an_order_waits_for_one(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1")
    assert LedgerHealth(ledger).pushes_due() == set()
    place_one(ledger, Accepted((), "REPEATED_ORDER_ERROR", "repeated"))
    assert LedgerHealth(ledger).pushes_due() == {"main"}
    assert LedgerHealth(ledger).pushes_due(batch) == {"main"}


def test_an_act_that_was_begun_is_told_with_what_is_left(ledger: Ledger) -> None:
    act = {"kind": "retry", "actor": "cli", "host": "h", "selection": "{}", "total": 2, "created_at": 1.0}
    with ledger.writing() as connection:
        connection.execute(insert(acts).values(**act, act_id="A-1", begun_at=2.0, worked_at=5.0))
        connection.execute(insert(acts).values(**act, act_id="A-2"))
        for number, outcome in ((1, "done"), (2, None)):
            row = {"act_id": "A-1", "number": number, "order_id": f"SO-{number}", "state": "queued", "epoch": 0}
            connection.execute(insert(act_orders).values(**row, outcome=outcome))
    assert LedgerHealth(ledger).acts() == [Still("A-1", 1, 5.0)]
