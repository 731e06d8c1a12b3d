"""What an account may spend in a day: counted in the claim, held with words, raised by a person."""

from __future__ import annotations

import threading
import time
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests.ledger.ledger_kit import LEASE, POLICY, order_record, submit
from worker.ledger.ceilings import Ceilings, day_of
from worker.ledger.claims import Claims, Terms
from worker.ledger.engine import Ledger
from worker.ledger.operators import Operator
from worker.ledger.pauses import Pauses
from worker.ledger.queries import Queries
from worker.ledger.records import Records
from worker.ledger.tables import account_days
from worker.rules.codes import Code
from worker.rules.confirm import decide_read
from worker.rules.outcomes import Accepted, Declined, Found, Money, NotSent, PlaceOutcome, Refused, Unknown
from worker.rules.place import decide
from worker.rules.reconcile import Ability, decide_unknown
from worker.rules.states import State
from worker.rules.values import Claim, Sent, Settled

NOON = 1_800_000_000.0


def records(ledger: Ledger) -> Records:
    return Records(ledger, limited=frozenset({"main"}))


def claim(ledger: Ledger, *order_ids: str, now: float = NOON + 1e8, **limits: float) -> list[Claim]:
    terms = Terms(LEASE, None, ceilings=Ceilings(**limits))  # type: ignore[arg-type]
    return Claims(ledger).claim("main", order_ids, terms, now)


def test_no_more_orders_are_claimed_than_the_day_allows(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3")
    assert len(claim(ledger, "SO-1", "SO-2", "SO-3", orders=2)) == 2
    assert Queries(ledger).counts() == {"placing": 2, "queued": 1}
    pause = Pauses(ledger).standing(NOON + 1e8)["main"]
    assert (pause.code, pause.until) == (Code.DAY_LIMIT, None)
    assert pause.reason == "2 orders were sent today, the account's limit"
    assert "fulfil resume main" in pause.fix
    assert "FULFIL_ACCOUNTS__MAIN__MAX_ORDERS_PER_DAY" in pause.fix
    assert claim(ledger, "SO-3", orders=2) == []


def test_a_person_who_resumes_allows_as_much_once_more(ledger: Ledger) -> None:
    now = time.time() + 5
    submit(ledger, *(f"SO-{number}" for number in range(5)))
    ids = [f"SO-{number}" for number in range(5)]
    assert len(claim(ledger, *ids, now=now, orders=2)) == 2
    Operator(ledger, "cli").resume("main")
    assert len(claim(ledger, *ids, now=now, orders=2)) == 2
    Operator(ledger, "cli").pause("main")
    Operator(ledger, "cli").resume("main")
    assert claim(ledger, *ids, now=now, orders=2) == [], "another hold that ends allows nothing"


def test_the_next_day_counts_anew(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    at = NOON + 1e8
    assert len(claim(ledger, "SO-1", now=at, orders=1)) == 1
    assert len(claim(ledger, "SO-2", now=at + 86400, orders=1)) == 1
    assert day_of(at) != day_of(at + 86400)


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (Refused("X", "no", "f"), 0),
        (NotSent("no connection"), 0),
        (Declined("L", "slow"), 0),
        (Accepted(("1",)), 1),
        (Unknown("cut"), 1),
    ],
)
def test_what_surely_made_nothing_is_taken_out_of_the_count(ledger: Ledger, outcome: PlaceOutcome, left: int) -> None:
    submit(ledger, "SO-1")
    (one,) = claim(ledger, "SO-1", orders=9)
    records(ledger).record([Sent(one, outcome, decide(outcome, one, POLICY), NOON + 1e8, NOON + 1e8)])
    assert totals(ledger)[""] == left


def test_an_order_that_is_sent_again_is_not_counted_again(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    at = NOON + 1e8
    (one,) = claim(ledger, "SO-1", orders=1)
    cut = Unknown("cut")
    records(ledger).record([Sent(one, cut, decide(cut, one, POLICY), at, at)])
    records(ledger).expire_leases(at)
    (waits,) = Claims(ledger).claim_waiting(["SO-1"], State.UNKNOWN, LEASE, at + 99)
    settled = Settled(waits, None, decide_unknown(waits, Ability(False, 9e9), None, POLICY, at + 99))
    records(ledger).settle([settled], at + 99)
    assert len(claim(ledger, "SO-1", now=at + 100, orders=1)) == 1, "it is settled, not bought"


def test_money_that_was_read_back_counts_by_currency_and_holds_the_account(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3")
    at = NOON + 1e8
    for order_id, amount, currency in (("SO-1", "60.00", "USD"), ("SO-2", "45.00", "USD")):
        confirm(ledger, order_id, Money(Decimal(amount), currency), at)
    assert totals(ledger)["USD"] == pytest.approx(105)
    assert claim(ledger, "SO-3", amount=100.0) == []
    assert Pauses(ledger).standing(at)["main"].reason == ("105.00 USD were spent today, the account's limit is 100.00")


def test_money_of_other_currencies_is_not_added_together(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2", "SO-3")
    for order_id, currency in (("SO-1", "USD"), ("SO-2", "EUR")):
        confirm(ledger, order_id, Money(Decimal("60.00"), currency), NOON + 1e8)
    assert len(claim(ledger, "SO-3", amount=100.0)) == 1


def test_two_workers_at_once_claim_no_more_than_the_day_allows(ledger: Ledger) -> None:
    ids = [f"SO-{number}" for number in range(40)]
    submit(ledger, *ids)
    won: list[int] = []

    def work(part: list[str]) -> None:
        won.append(sum(len(claim(ledger, one, orders=10)) for one in part))

    threads = [threading.Thread(target=work, args=(ids[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == 10


def confirm(ledger: Ledger, order_id: str, money: Money, at: float) -> None:
    """Take an order all the way at a price."""
    (one,) = claim(ledger, order_id, now=at, amount=100.0)
    accepted = Accepted((f"8{order_id[-1]}",))
    records(ledger).record([Sent(one, accepted, decide(accepted, one, POLICY), at, at)], at)
    (waits,) = Claims(ledger).claim_waiting([order_id], State.PLACED, LEASE, at + 60)
    seen = Found((order_record(accepted.references[0], amount=money),))
    records(ledger).settle([Settled(waits, seen, decide_read(seen, waits, POLICY))], at + 60)


def totals(ledger: Ledger) -> dict[str, float]:
    with ledger.reading() as connection:
        return {row.currency: row.total for row in connection.execute(select(account_days))}
