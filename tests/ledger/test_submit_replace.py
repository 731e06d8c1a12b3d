"""`fulfil submit --replace`: a known order takes other content while it surely does not exist, and never otherwise."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from sqlalchemy import select, update

from config.settings import Account
from tests.harness import job, keys
from tests.ledger.ledger_kit import one_claim, place_one, reconcile, record, row
from worker.accounts import Accounts
from worker.intake import Batch, Intake
from worker.ledger.engine import Ledger
from worker.ledger.queries import Queries
from worker.ledger.tables import order_versions, orders
from worker.rules.outcomes import Accepted, NotSent, Refused, Unknown
from worker.rules.values import Moved

NO = Refused("SKU_NOT_EXIST", "no such variant", "choose another")


class Bell:
    def __init__(self) -> None:
        self.rung: list[str] = []

    def worth_ringing(self, _: str) -> int:
        return 1000

    def place(self, account: str, ids: list[str]) -> None:
        self.rung += ids

    def follow(self, moved: list[Moved], at_once: bool = False) -> None:
        assert at_once
        self.rung += [one.order_id for one in moved]


class Desk:
    """Intake of two accounts on a real ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        bell: Any = Bell()
        self.bell: Bell = bell
        known = {name: Account(marketplace="aliexpress", **keys(name)) for name in ("main", "other")}
        self._intake = Intake(ledger, Accounts(known), bell)

    def submit(self, *jobs: dict[str, Any], replace: bool = True) -> Batch:
        self.bell.rung.clear()
        return self._intake.submit(jobs, "orders.jsonl", actor="cli:anna", replace=replace)


def changed(order_id: str, city: str = "Vineland", account: str = "main") -> dict[str, Any]:
    one = job(order_id, account)
    one["order"]["logistics_address"]["city"] = city
    return one


@pytest.fixture
def desk(ledger: Ledger) -> Desk:
    made = Desk(ledger)
    made.submit(job("SO-1"), replace=False)
    return made


def reasons(batch: Batch) -> list[str]:
    return [one.reason for one in batch.rejected]


def test_a_refused_order_takes_its_new_content_and_goes_again_under_its_own_id(desk: Desk) -> None:
    place_one(desk.ledger, NO)
    batch = desk.submit(changed("SO-1"), job("SO-2"))
    assert (batch.accepted, batch.amended, batch.duplicates_number, batch.rejected) == (1, ["SO-1"], 0, [])
    assert sorted(desk.bell.rung) == ["SO-1", "SO-2"]
    order = row(desk.ledger)
    assert (order.state, order.attention, order.spent) == ("queued", False, 0)
    assert order.reason == "changed by a person: submitted anew"
    assert json.loads(one_claim(desk.ledger).body)["logistics_address"]["city"] == "Vineland"
    with desk.ledger.reading() as connection:
        (kept,) = connection.execute(select(order_versions)).all()
    assert (kept.order_id, kept.version, kept.actor) == ("SO-1", 1, "cli:anna")
    assert "Vineland" not in kept.body


def test_the_same_content_is_a_duplicate_as_ever(desk: Desk) -> None:
    place_one(desk.ledger, NO)
    batch = desk.submit(job("SO-1"))
    assert (batch.accepted, batch.amended, batch.duplicates) == (0, [], [("SO-1", "refused")])
    assert row(desk.ledger).state == "refused"


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Accepted(("8198352049851315",)), "placed"), (Accepted(()), "unmatched"), (Unknown("timeout"), "unknown")],
)
def test_what_exists_or_may_exist_keeps_its_content(desk: Desk, outcome: Any, state: str) -> None:
    place_one(desk.ledger, outcome)
    before = row(desk.ledger)
    batch = desk.submit(changed("SO-1"))
    (reason,) = reasons(batch)
    assert reason.startswith(f"SO-1 is {state}: only queued, refused and dead orders can be changed")
    assert reason.endswith("To see it: fulfil show SO-1")
    assert (batch.amended, row(desk.ledger)) == ([], before)
    assert [one.reason for one in Queries(desk.ledger).rejections(batch.batch)] == [reason]
    assert Queries(desk.ledger).batches(batch.batch)[0].rejected == 1


def test_a_send_under_way_and_a_doubt_keep_it_too(desk: Desk) -> None:
    claim = one_claim(desk.ledger)
    assert "SO-1 is placing" in reasons(desk.submit(changed("SO-1")))[0]
    record(desk.ledger, claim, Unknown("timeout"))
    reconcile(desk.ledger, time.time() + 60)
    assert (row(desk.ledger).state, row(desk.ledger).in_doubt) == ("queued", True)
    assert "may exist at the marketplace" in reasons(desk.submit(changed("SO-1")))[0]


def test_it_stays_with_its_account(desk: Desk) -> None:
    place_one(desk.ledger, NO)
    (reason,) = reasons(desk.submit(changed("SO-1", account="other")))
    assert reason.startswith("SO-1 belongs to the account main, and stays there")
    assert row(desk.ledger).state == "refused"


def test_a_file_that_has_an_order_twice_does_not_choose_one_of_them(desk: Desk, monkeypatch: Any) -> None:
    place_one(desk.ledger, NO)
    batch = desk.submit(changed("SO-1", "Vineland"), changed("SO-1", "Camden"), job("SO-2"), changed("SO-2"))
    assert (batch.amended, batch.accepted, len(batch.rejected)) == (["SO-1"], 1, 2)
    assert all("more than once" in reason for reason in reasons(batch))
    monkeypatch.setattr("worker.intake.GROUP", 1)  # the lines of one order far apart
    place_one(desk.ledger, NO)
    batch = desk.submit(changed("SO-1", "Camden"), changed("SO-1", "Trenton"), job("SO-3"), changed("SO-3"))
    assert (batch.amended, batch.accepted, len(batch.rejected)) == (["SO-1"], 1, 2)
    assert all("more than once" in reason for reason in reasons(batch))
    assert Queries(desk.ledger).counts() == {"queued": 3}


def test_a_dead_order_goes_again_and_a_second_file_changes_it_again(desk: Desk) -> None:
    for _ in range(3):
        with desk.ledger.writing() as connection:
            connection.execute(update(orders).values(due_at=0.0))
        place_one(desk.ledger, NotSent("refused"))
    assert row(desk.ledger).state == "dead"
    assert desk.submit(changed("SO-1", "Vineland")).amended == ["SO-1"]
    assert desk.submit(changed("SO-1", "Camden")).amended == ["SO-1"]
    assert desk.submit(changed("SO-1", "Camden")).duplicates == [("SO-1", "queued")]
