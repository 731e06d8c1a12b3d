"""The sandbox's Shoplazza over real HTTP, with the adapter driven by the product's own client."""

from __future__ import annotations

import pytest

from tests.marketplaces.shoplazza.shoplazza_shop import VERSIONS, Shop, token
from worker.marketplaces.base import Marketplace
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.rules.decision import Policy
from worker.rules.outcomes import Absent, Accepted, Declined, Found, Refused, Unknown
from worker.rules.reconcile import Ability, decide_unknown
from worker.sandbox.shoplazza import AFTER, FAILED, STATES, ShoplazzaFake
from worker.sandbox.shoplazza_checks import BEFORE

POLICY = Policy(max_attempts=8, base_seconds=1, cap_seconds=10, confirm_delay_seconds=10)


@pytest.mark.parametrize("version", VERSIONS)
def test_from_create_to_confirmed(shop: Shop, version: str) -> None:
    placed = shop.place(version=version, tags=["vip"], note="ring twice")
    assert isinstance(placed, Accepted)
    assert placed.request_id
    [reference] = placed.references
    assert isinstance(shop.confirm(reference, version=version), Absent)
    assert isinstance(shop.look_up(version=version), Absent)
    shop.sync()
    [confirmed] = shop.confirm(reference, version=version).records
    assert (confirmed.reference, confirmed.status, confirmed.fulfilment_status) == (reference, "opened", "initialled")
    assert confirmed.details["tags"] == f"vip, {token('SO-1')}"
    lines = confirmed.details["line_items"]
    total = float(lines[0]["total"])
    assert float(confirmed.amount.amount) == pytest.approx(total * 0.9 + 9.99 + 5, abs=0.011)
    assert confirmed.amount.currency == "USD"
    assert [found.reference for found in shop.look_up(version=version).records] == [reference]
    [record] = shop.record()
    assert (record["marketplace"], record["account"], record["key"]) == ("shoplazza", "sandbox", "SO-1")
    assert (record["references"], len(record["creates"])) == ([reference], 1)
    assert len(record["gets"]) >= 2


def test_ids_come_in_every_form_and_stay_exact(shop: Shop) -> None:
    references = [shop.place(f"SO-{number}").references[0] for number in range(3)]
    shop.sync()
    found = shop.confirm(*references).records
    assert [record.reference for record in found] == references
    assert len({len(reference) for reference in references}) == 3


def test_there_is_no_idempotency_and_a_look_up_finds_both(shop: Shop) -> None:
    first = shop.place().references
    shop.clock.ahead += 10
    second = shop.place().references
    assert first != second
    assert len(shop.record()) == 2
    shop.sync()
    for version in VERSIONS:
        seen = shop.look_up(version=version)
        assert [record.reference for record in seen.records] == [*first, *second], "the older one first"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", ["timeout_after_commit", "reset_after_commit", "garbage", "empty"])
def test_what_was_executed_is_found_again(shop: Shop, version: str, fault: str) -> None:
    shop.place("SO-0", version=version)
    assert isinstance(shop.place(f"SO-7~{fault}", version=version), Unknown)
    assert isinstance(shop.look_up(f"SO-7~{fault}", version), Absent), "the index lags: absent is no proof"
    shop.sync()
    seen = shop.look_up(f"SO-7~{fault}", version)
    [record] = [record for record in shop.record() if record["key"] == f"SO-7~{fault}"]
    assert [found.reference for found in seen.records] == record["references"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", ["timeout_before", "http_500", "http_503"])
def test_what_was_not_executed_stays_absent(shop: Shop, version: str, fault: str) -> None:
    assert isinstance(shop.place(f"SO-7~{fault}", version=version), Unknown)
    shop.sync()
    assert isinstance(shop.look_up(f"SO-7~{fault}", version), Absent)
    assert shop.record() == []
    assert isinstance(shop.place(f"SO-7~{fault}", version=version), Accepted)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("fault", "code"), [("throttle", "HTTP_429"), ("token_expired", "AccessToken")])
def test_what_was_declined(shop: Shop, version: str, fault: str, code: str) -> None:
    outcome = shop.place(f"SO-7~{fault}", version=version)
    assert isinstance(outcome, Declined)
    assert (outcome.code, outcome.pauses_account) == (code, True)
    assert shop.record() == []
    shop.fault(fault, operation="get")
    assert shop.confirm("1", version=version).code == code
    assert shop.look_up(version=version).code == code


def test_slow_is_no_loss_when_we_wait(shop: Shop) -> None:
    shop.fault("slow", latency_ms=100)
    assert isinstance(shop.place(), Accepted)


def test_faulty_reads_settle_nothing(shop: Shop) -> None:
    reference = shop.place().references[0]
    shop.sync()
    for fault in ("timeout_before", "http_500", "http_503", "garbage", "empty", "reset_after_commit"):
        shop.fault(fault, operation="get")
        assert isinstance(shop.confirm(reference), Unknown)
        assert isinstance(shop.look_up(), Unknown)
        shop.fault(fault, probability=0)
    assert isinstance(shop.look_up(), Found)


def test_the_way_back_from_unknown_makes_no_second_order(shop: Shop) -> None:
    """Drive the look-ups as decide_unknown wants them, with the order hidden for 20 seconds."""
    shop.fake.sync_seconds = 20
    assert isinstance(shop.place("SO-7~reset_after_commit"), Unknown)
    ability = Ability(can_look_up=True, resend_window_seconds=None)
    standing, waited = Standing(shop.clock()), 0
    while True:
        seen = shop.look_up("SO-7~reset_after_commit")
        decision = decide_unknown(standing, ability, seen, POLICY, shop.clock())
        if decision.event.name != "SNOOZE":
            break
        assert isinstance(seen, Absent)
        standing.absent_since = standing.absent_since or shop.clock()
        standing.absences += 1
        shop.clock.ahead += decision.due_in_seconds or 0
        waited += 1
    assert decision.event.name == "ACCEPT"
    assert 0 < waited < 3
    assert len(shop.record()) == 1


class Standing:
    """An unknown order."""

    references: tuple[str, ...] = ()
    spent, snoozes, in_doubt = 1, 0, True
    absences = 0
    absent_since: float | None = None
    absence_told_at: float | None = None
    senders_gone = False

    def __init__(self, first_sent_at: float) -> None:
        self.first_sent_at = first_sent_at


# What an order can choose by its note


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", BEFORE)
def test_refusals_of_the_page(shop: Shop, code: str, version: str) -> None:
    outcome = shop.place(note=f"please sandbox:{code}", version=version)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert shop.record() == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", AFTER)
def test_texts_of_the_page_that_come_after_the_order_exists(shop: Shop, code: str, version: str) -> None:
    outcome = shop.place(note=f"sandbox:{code}", version=version)
    assert isinstance(outcome, Unknown)
    assert outcome.references == ()
    shop.sync()
    [record] = shop.record()
    assert [found.reference for found in shop.look_up(version=version).records] == record["references"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", FAILED)
def test_other_failures(shop: Shop, code: str, version: str) -> None:
    outcome = shop.place(note=f"sandbox:{code}", version=version)
    assert type(outcome) is (Declined if code in ("scope", "inactive") else Unknown)
    assert shop.record() == []


@pytest.mark.parametrize("state", STATES)
def test_states(shop: Shop, state: str) -> None:
    reference = shop.place(note=f"sandbox:{state}").references[0]
    shop.sync()
    [record] = shop.confirm(reference).records
    assert (record.status, record.details["financial_status"], record.fulfilment_status) == STATES[state]
    assert (record.alert is not None) is (state in ("cancelled", "refunded", "deleted"))


def test_cash_on_delivery_is_placed_at_once(shop: Shop) -> None:
    reference = shop.place(payment_line="COD").references[0]
    shop.sync()
    assert shop.confirm(reference).records[0].status == "placed"


def test_the_adapter_is_a_marketplace() -> None:
    assert issubclass(Shoplazza, Marketplace)
    assert Shoplazza.name == ShoplazzaFake.name
