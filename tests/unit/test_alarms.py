"""Silent failures: each is told at its moment, once, and taken back when the facts change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from worker.rules.alarms import Patience, alarms, tell, told_of_order
from worker.rules.codes import CODES, Code
from worker.rules.follow import DAY, HOUR, Followed, begin
from worker.rules.life import Arrival, Life, Node, Parcel, Stage
from worker.rules.outcomes import Differs
from worker.rules.parcels import Known

BORN = 1_790_000_000.0
PATIENCE = Patience()


def order(stage: Stage, paid: bool | None = None, timeout: int | None = None, reason: str | None = None) -> Followed:
    begun, _ = begin("SO-1", "81", "x", Life(stage, paid, timeout, reason), BORN, BORN)
    return begun


def parcel(**given: object) -> Known:
    return Known(Parcel(**{"number": "LX1", **given}), BORN, BORN)  # type: ignore[arg-type]


def moments(of: Followed, *parcels: Known) -> dict[Code, float]:
    return {one.code: one.at - BORN for one in alarms(of, parcels, PATIENCE)}


@pytest.mark.parametrize(
    ("timeout", "soon"),
    [(12 * HOUR, 0.8 * 12 * HOUR), (DAY, 0.8 * DAY), (3 * DAY, 2 * DAY), (12 * DAY, 0.8 * 12 * DAY)],
)
def test_a_deadline_is_announced_a_fifth_or_a_day_ahead_and_again_at_its_end(timeout: float, soon: float) -> None:
    found = moments(order(Stage.AWAITING_PAYMENT, False, int(timeout)))
    assert found == {Code.UNPAID_SOON: pytest.approx(soon), Code.UNPAID_LAPSED: timeout}


def test_an_unpaid_order_without_a_deadline_is_told_after_half_a_day() -> None:
    assert moments(order(Stage.AWAITING_PAYMENT, False)) == {Code.UNPAID_UNKNOWN: 12 * HOUR}


@pytest.mark.parametrize(
    ("of", "parcels", "code", "after"),
    [
        (order(Stage.CLOSED, True), (), Code.CLOSED_AFTER_PAYMENT, 0),
        (order(Stage.CLOSED, False), (), Code.CLOSED_UNPAID, 0),
        (order(Stage.DISPUTED, True), (), Code.DISPUTED, 0),
        (order(Stage.HELD, True), (), Code.HELD_LONG, DAY),
        (order(Stage.AWAITING_SHIPMENT, True), (), Code.NO_PARCEL, 7 * DAY),
        (order(Stage.AWAITING_SHIPMENT, True), (parcel(internal=True),), Code.NO_PARCEL, 7 * DAY),
        (order(Stage.SHIPPED, True), (parcel(nodes=(Node(BORN, "sent"),)),), Code.PARCEL_STILL, 2 * DAY),
        (order(Stage.SHIPPED, True), (parcel(eta_at=BORN + DAY),), Code.PARCEL_LATE, 4 * DAY),
    ],
)
def test_each_silence_is_borne_so_long(of: Followed, parcels: tuple[Known, ...], code: Code, after: float) -> None:
    found = moments(of, *parcels)
    assert found[code] == after
    assert CODES[code].fix


def test_a_marketplace_that_tells_no_steps_tells_no_silence() -> None:
    assert moments(order(Stage.SHIPPED, True), parcel()) == {}


@pytest.mark.parametrize("arrival", Arrival)
def test_a_parcel_that_arrived_is_not_late(arrival: Arrival) -> None:
    assert moments(order(Stage.SHIPPED, True), parcel(arrival=arrival, eta_at=BORN)) == {}


def test_a_number_that_was_replaced_is_not_late() -> None:
    old = replace(parcel(eta_at=BORN), replaced_by="LX2")
    assert moments(order(Stage.SHIPPED, True), old) == {}


@pytest.mark.parametrize("stage", [Stage.DELIVERED, Stage.PAYING, Stage.UNCLEAR])
def test_a_good_or_unknown_end_alarms_nobody(stage: Stage) -> None:
    assert moments(order(stage, True), parcel(eta_at=BORN)) == {}


def test_what_was_told_is_no_news_and_what_is_over_is_taken_back() -> None:
    of = order(Stage.AWAITING_PAYMENT, False, int(DAY))
    first = tell(of, (), PATIENCE, BORN + 0.9 * DAY)
    assert [one.code for one in first.news] == [Code.UNPAID_SOON]
    assert first.next_at == BORN + DAY
    told = replace(of, alarms=(Code.UNPAID_SOON,))
    again = tell(told, (), PATIENCE, BORN + 0.95 * DAY)
    assert (again.news, [one.code for one in again.standing]) == ((), [Code.UNPAID_SOON])
    lapsed = tell(told, (), PATIENCE, BORN + DAY)
    assert [one.code for one in lapsed.news] == [Code.UNPAID_LAPSED]
    assert lapsed.ended == (Code.UNPAID_SOON,)
    paid = tell(replace(told, stage=Stage.AWAITING_SHIPMENT, paid=True, paid_at=BORN + DAY), (), PATIENCE, BORN + DAY)
    assert (paid.standing, paid.ended) == ((), (Code.UNPAID_SOON,))


def test_an_account_may_be_more_patient() -> None:
    patient = Patience.of(held=3 * DAY, eta=None)
    assert (patient.held, patient.eta, patient.movement) == (3 * DAY, 3 * DAY, 2 * DAY)
    assert tell(order(Stage.HELD, True), (), patient, BORN + 2 * DAY).standing == ()


def test_goods_that_differ_are_told_before_all_else_and_nothing_is_said_twice() -> None:
    standing = [("81", str(Code.CLOSED_UNPAID), "81 was closed; it was not paid")]
    alerts = {"81": "81 is IN_CANCEL: look", "82": "82 is IN_ISSUE: answer"}
    told = told_of_order(alerts, None, standing)
    assert told["reason"] == "81 was closed; it was not paid; 82 is IN_ISSUE: answer"
    assert (told["code"], told["attention"]) == (Code.CLOSED_UNPAID, True)
    assert told_of_order(alerts, Differs(("one is missing",), "look"), standing)["code"] == Code.GOODS_DIFFER
    assert told_of_order({"81": None}, None, []) == {"attention": False, "code": None, "reason": None, "fix": None}
