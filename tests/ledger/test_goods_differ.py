"""Goods that are not as ordered, on a real ledger: from a gateway's answers over HTTP to what a person is told."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from tests.ledger.ledger_kit import ACCOUNT, LEASE, POLICY, one_claim, reconcile, record, result_rows, row, rows, submit
from worker.ledger.claims import Claims
from worker.ledger.engine import Ledger
from worker.ledger.life_writer import LifeWriter, Look
from worker.ledger.lives import Lives
from worker.ledger.queries import Queries
from worker.ledger.records import Records
from worker.ledger.tables import attempts, orders
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.marketplaces.xportcn.credentials import XportcnCredentials
from worker.rules.codes import Code
from worker.rules.confirm import decide_read
from worker.rules.outcomes import Absent, Accepted, Differs, Found, Money, OrderRecord, Unknown
from worker.rules.states import State
from worker.rules.values import Settled
from worker.rules.why import Ways, why
from worker.sending.client import Client
from worker.steps.confirm import read_back

MADE = "2257164624870311973"
LINES = [
    {"offerId": "710947572301", "specId": "spec-red", "quantity": 40},
    {"offerId": "710947572302", "specId": "spec-blue", "quantity": 6},
]
BODY = {
    "flow": "general",
    "addressParam": {"fullName": "王小明", "mobile": "13900005678", "provinceText": "广东省", "cityText": "深圳市"},
    "cargoParamList": LINES,
}
PREVIEW = {"sumCarriage": 500, "sumPayment": 12500, "sumTotalPayment": 12500}
CREATED = {
    "orderId": MADE,
    "success": True,
    "totalSuccessAmount": 9800,
    "failedOfferList": [
        {"offerId": 710947572302, "specId": "spec-blue", "errorCode": "500_001", "errorMessage": "下架"}
    ],
}
WHOLE = {"orderId": MADE}


def detail(*lines: tuple[str, float], total: object = 125.0) -> dict[str, Any]:
    base = {"idOfStr": MADE, "status": "waitbuyerpay", "totalAmount": total, "outOrderId": "SO-1"}
    return {"baseInfo": base, "productItems": [{"productID": int(offer), "quantity": count} for offer, count in lines]}


ALL = (("710947572301", 40.0), ("710947572302", 6.0))


class Gateway:
    """A KA gateway on loopback that gives prepared answers, one a request, and the adapter that asks it."""

    def __init__(self, ledger: Ledger, serve: Callable[..., Any]) -> None:
        self._answers: list[Any] = []
        self.ledger = ledger
        server = serve(self._answer)
        keys = XportcnCredentials.model_validate({"access_key": "k", "access_secret": "s", "user_id": "u"})
        self.marketplace = Xportcn(ACCOUNT, keys, server.url.replace("/sync", "/api"))

    def _answer(self, connection: socket.socket, _: int) -> None:
        envelope = {"requestId": "r", "code": 200, "developId": "1", "msg": "成功", "data": self._answers.pop(0)}
        body = json.dumps(envelope).encode()
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def drive(self, steps: Any, *answers: Any) -> Any:
        async def run() -> Any:
            client = Client(connections=2, connect_seconds=5, answer_seconds=20)
            try:
                return await client.drive(steps, time.time() + 60)
            finally:
                await client.aclose()

        self._answers[:] = answers
        outcome = asyncio.run(run())
        assert self._answers == []
        return outcome

    def place(self, created: Any, preview: Any = PREVIEW) -> Any:
        """Take the order in, and place it with this answer to its create; return the outcome."""
        submit(self.ledger, "SO-1")
        with self.ledger.writing() as connection:
            changes = {"body": json.dumps(BODY), "marketplace": "xportcn"}
            connection.execute(update(orders).where(orders.c.order_id == "SO-1").values(changes))
        claimed = one_claim(self.ledger, window=None)
        outcome = self.drive(self.marketplace.place(json.loads(claimed.body), "SO-1"), [preview], created)
        record(self.ledger, claimed, outcome)
        return outcome

    def read(self, *details: Any, after: float = 60.0, outcome: Any = None) -> Any:
        """Read the order back as the task does; return how it stands."""
        now = time.time() + after
        (order,) = Claims(self.ledger).claim_waiting(["SO-1"], State.PLACED, LEASE, now)
        outcome = outcome or self.drive(read_back(self.marketplace, order), *details)
        Records(self.ledger).settle([Settled(order, outcome, decide_read(outcome, order, POLICY))], now)
        return row(self.ledger)


@pytest.fixture
def gateway(ledger: Ledger, serve: Callable[..., Any], fresh_settings: pytest.MonkeyPatch) -> Gateway:
    return Gateway(ledger, serve)


def test_a_line_that_was_not_taken_is_confirmed_without_and_told(gateway: Gateway) -> None:
    outcome = gateway.place(CREATED)
    assert isinstance(outcome, Accepted)
    placed = row(gateway.ledger)
    assert (placed.state, placed.code, placed.attention) == ("placed", Code.GOODS_DIFFER, False), (
        "its read-back is due soon"
    )
    order = gateway.read(detail(*ALL[:1], total=98.0))
    assert (order.state, order.code, order.attention, order.due_at) == ("confirmed", Code.GOODS_DIFFER, True, None)
    assert order.reason == (
        "Xportcn KA (1688) shows none of offer 710947572302 (specId spec-blue), 6 were ordered;"
        " Xportcn KA (1688) shows 98.0 CNY to pay, its preview said 125.00 CNY"
    )
    assert "fulfil show ORDER" in order.fix
    (attempt,) = rows(gateway.ledger, attempts)
    assert attempt.cause == "1688 did not take offer 710947572302 (specId spec-blue), 6 ordered: 500_001 下架"
    told = why(Queries(gateway.ledger).order("SO-1"), Ways("Xportcn KA (1688)", "1688", None), None, 0.0)
    assert "6 were ordered" in told
    assert "王小明" not in told + str(attempt) + str(result_rows(gateway.ledger))
    assert Queries(gateway.ledger).attention_count() == 1
    assert Queries(gateway.ledger).moving_count() == 0


def test_a_missing_line_is_told_without_a_word_of_the_create(gateway: Gateway) -> None:
    gateway.place(WHOLE)
    order = gateway.read(detail(*ALL[:1]))
    assert (order.state, order.code) == ("confirmed", Code.GOODS_DIFFER)
    assert "none of offer 710947572302" in order.reason


def test_an_order_as_it_was_ordered_is_told_nothing_of(gateway: Gateway) -> None:
    gateway.place(WHOLE)
    order = gateway.read(detail(*ALL))
    assert (order.state, order.code, order.attention, order.reason, order.fix) == ("confirmed", None, False, None, None)


def test_what_the_create_did_not_take_stands_over_a_read_that_shows_no_goods(gateway: Gateway) -> None:
    gateway.place(CREATED)
    waiting = gateway.read(outcome=Absent("not shown yet"))
    assert (waiting.state, waiting.code) == ("placed", Code.GOODS_DIFFER)
    assert waiting.reason.startswith("1688 did not take offer 710947572302")
    order = gateway.read(detail(), after=600)
    assert (order.state, order.code, order.attention) == ("confirmed", Code.GOODS_DIFFER, True)
    assert order.reason == waiting.reason
    assert order.fix == waiting.fix


def test_what_the_create_did_not_take_is_taken_back_by_goods_that_are_all_there(gateway: Gateway) -> None:
    gateway.place(CREATED)
    assert (row(gateway.ledger).code, gateway.read(detail(*ALL)).code) == (Code.GOODS_DIFFER, None)


def test_a_reply_that_came_late_keeps_what_it_says_of_the_goods(gateway: Gateway) -> None:
    ledger = gateway.ledger
    submit(ledger, "SO-1")
    claimed = one_claim(ledger)
    Records(ledger).expire_leases(time.time() + LEASE + 1)
    differs = Differs(("1688 did not take offer 5",), "look")
    late = Accepted((MADE,), Code.GOODS_DIFFER, differs.reason, None, differs, Money(Decimal("5.10"), "CNY"))
    record(ledger, claimed, late)
    order = row(ledger)
    assert (order.state, order.code, order.reason, order.fix) == ("placed", Code.GOODS_DIFFER, differs.reason, "look")
    assert (order.forecast_amount, order.forecast_currency) == ("5.10", "CNY")


# What a preview said


@pytest.mark.parametrize("created", [WHOLE, {"success": True}])
def test_the_forecast_is_kept_whatever_the_create_comes_to(gateway: Gateway, created: Any) -> None:
    gateway.place(created)
    assert (row(gateway.ledger).forecast_amount, row(gateway.ledger).forecast_currency) == ("125.00", "CNY")


def test_a_later_send_without_a_forecast_leaves_the_one_there_is(gateway: Gateway) -> None:
    gateway.place({"success": True})
    later = time.time() + 600
    reconcile(gateway.ledger, later)
    record(gateway.ledger, one_claim(gateway.ledger, now=later), Unknown("no answer"), later)
    assert row(gateway.ledger).forecast_amount == "125.00"


@pytest.mark.parametrize(
    ("total", "told"),
    [
        (125.0, False),
        (130.5, False),
        (131.5, True),
        ("118.00", True),
        (12500, False),  # a whole number is fen or yuan: one reading fits
        (125, False),
        (13150, True),
        (64, True),
        (None, False),
    ],
)
def test_an_amount_is_compared_where_its_unit_is_sure_or_neither_reading_fits(
    gateway: Gateway, total: object, told: bool
) -> None:
    gateway.place(WHOLE)
    order = gateway.read(detail(*ALL, total=total))
    assert (order.code == Code.GOODS_DIFFER) == told, order.reason


# A confirmed order, read anew


def judged(gateway: Gateway, shown: OrderRecord, differs: Differs | None) -> None:
    LifeWriter(gateway.ledger, {}).keep([Look("SO-1", shown.reference, shown, differs=differs)])


def anew(gateway: Gateway, *lines: tuple[str, float], total: float = 125.0) -> Differs | None:
    """Compare a record that was read anew with what the ledger holds, as the task does."""
    held = Lives(gateway.ledger).confirmed(["SO-1"])["SO-1"]
    details = json.loads(json.dumps(detail(*lines, total=total)), parse_float=str)
    shown = OrderRecord(MADE, "waitsellersend", details=details)
    records: Sequence[OrderRecord] = [shown, *(one for one in held.records if one.reference != MADE)]
    differs = gateway.marketplace.differs(json.loads(held.body), "SO-1", records, held.forecast, held.differs)
    judged(gateway, shown, differs)
    return differs


def test_a_confirmed_order_that_loses_a_line_is_told_and_one_that_gets_it_back_is_not(gateway: Gateway) -> None:
    gateway.place(WHOLE)
    gateway.read(detail(*ALL))
    assert anew(gateway, *ALL[:1])
    order = row(gateway.ledger)
    assert (order.state, order.code, order.attention) == ("confirmed", Code.GOODS_DIFFER, True)
    assert order.fix
    assert anew(gateway) is not None, "a reply without goods takes nothing back"
    assert row(gateway.ledger).reason == order.reason
    assert anew(gateway, *ALL) is None
    order = row(gateway.ledger)
    assert (order.code, order.attention, order.reason, order.fix) == (None, False, None, None)


def test_one_part_read_anew_is_compared_together_with_the_others(gateway: Gateway) -> None:
    gateway.place({"orderIds": [MADE, "77"]})
    second = detail(ALL[1], total=25.0)
    second["baseInfo"] = {**second["baseInfo"], "idOfStr": "77"}
    assert gateway.read(detail(ALL[0], total=100.0), second).code is None
    assert anew(gateway, ALL[0], total=100.0) is None
    assert anew(gateway, (ALL[0][0], 39.0), total=100.0)
    assert "39 of offer 710947572301" in row(gateway.ledger).reason


def test_an_alert_and_missing_goods_are_both_told(gateway: Gateway) -> None:
    gateway.place(WHOLE)
    cancelled = detail(*ALL[:1])
    cancelled["baseInfo"]["status"] = "cancel"
    order = gateway.read(cancelled)
    assert order.code == Code.GOODS_DIFFER
    assert "none of offer 710947572302" in order.reason
    assert f"{MADE} is cancel" in order.reason


def test_an_alert_alone_is_told_as_before(gateway: Gateway) -> None:
    gateway.place(WHOLE)
    cancelled = detail(*ALL)
    cancelled["baseInfo"]["status"] = "cancel"
    assert gateway.read(cancelled).code == "ALERT"


def test_an_order_that_is_not_confirmed_has_nothing_to_compare(gateway: Gateway) -> None:
    gateway.place(WHOLE)
    assert Lives(gateway.ledger).confirmed(["SO-1", "SO-none"]) == {}
    assert Found((OrderRecord("1", "x"),)).differs is None
