"""The sandbox's Xportcn over real HTTP, with the adapter driven by the product's own client end to end."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from tests.marketplaces.xportcn.xportcn_gateway import ADDRESS, Gateway, line
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.marketplaces.xportcn.credentials import XportcnCredentials
from worker.marketplaces.xportcn.models import XportcnOrder
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, Refused, Unknown
from worker.sandbox.xportcn import BUILT_IN
from worker.sending.client import Client

ANSWER_SECONDS = 1.2


class Shop:
    """The adapter, driven by the product's own client."""

    def __init__(self, gateway: Gateway, **settings: str) -> None:
        keys = XportcnCredentials.model_validate({**BUILT_IN, **settings})
        self.adapter = Xportcn("sandbox", keys, f"{gateway.running.url}/api", gateway.clock)
        self.gateway = gateway

    def run(self, steps: Any) -> Any:
        async def drive() -> Any:
            client = Client(4, 1.0, ANSWER_SECONDS)
            try:
                return await client.drive(steps, time.time() + 30)
            finally:
                await client.aclose()

        return asyncio.run(drive())

    def body(self, **changes: Any) -> dict[str, Any]:
        given = {"flow": "general", "addressParam": ADDRESS, "cargoParamList": [line()], **changes}
        dumped: dict[str, Any] = json.loads(XportcnOrder.model_validate(given).model_dump_json(exclude_none=True))
        return dumped

    def place(self, key: str = "SO-1", **changes: Any) -> Any:
        return self.run(self.adapter.place(self.body(**changes), key))

    def look_up(self, key: str = "SO-1") -> Any:
        return self.run(self.adapter.look_up(self.body(), key, self.gateway.clock()))

    def confirm(self, *references: str) -> Any:
        return self.run(self.adapter.confirm(references))

    def made(self, key: str = "SO-1") -> list[dict[str, Any]]:
        return [record for record in self.gateway.record() if record["key"] == key]


@pytest.fixture
def shop(gateway: Gateway) -> Shop:
    return Shop(gateway)


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_place_and_confirm(gateway: Gateway, unit: str) -> None:
    shop = Shop(gateway, timestamp_unit=unit)
    placed = shop.place()
    assert isinstance(placed, Accepted)
    assert [record["references"] for record in shop.made()] == [list(placed.references)]
    assert isinstance(shop.confirm(*placed.references), Absent)
    gateway.clock.ahead = 4
    found = shop.confirm(*placed.references)
    assert isinstance(found, Found)
    (record,) = found.records
    total = (199 + 610947572360 * 7919 % 4801) * 3 + 761
    assert (record.reference, record.status) == (placed.references[0], "waitbuyerpay")
    assert record.amount is not None
    assert record.amount.amount * 100 == total
    assert record.paid_amount is not None
    assert record.paid_amount.amount == 0


def test_several_orders_of_one_create(shop: Shop) -> None:
    lines = [line(), line(specId="other")]
    placed = shop.place(message="sandbox:SPLIT", cargoParamList=lines)
    assert len(placed.references) == 2
    shop.gateway.clock.ahead = 4
    assert [record.reference for record in shop.confirm(*placed.references).records] == list(placed.references)
    assert {record.reference for record in shop.look_up().records} == set(placed.references)


def test_the_ceiling_stops_before_the_create(shop: Shop) -> None:
    total = (199 + 610947572360 * 7919 % 4801) * 3 + 761
    refused = shop.place(max_amount=total - 1)
    assert isinstance(refused, Refused)
    assert refused.code == "MAX_AMOUNT_EXCEEDED"
    assert shop.made() == []
    assert isinstance(shop.place(max_amount=total), Accepted)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cargoParamList": [line(productNo="sandbox:500_004")]}, "500_004"),
        ({"cargoParamList": [line(productNo="sandbox:500_007")]}, "500_007"),
        ({"message": "sandbox:500_004"}, "500_004"),
    ],
)
def test_refusals_reach_the_operator(shop: Shop, changes: dict[str, Any], code: str) -> None:
    refused = shop.place(**changes)
    assert isinstance(refused, Refused)
    assert refused.code == code
    assert refused.fix
    assert shop.made() == []


@pytest.mark.parametrize(
    ("changes", "code"), [({"message": "sandbox:SOMETHING_NEW"}, "SOMETHING_NEW"), ({"tradeType": "creditBuy"}, "500")]
)
def test_a_no_by_a_code_nobody_documents_is_unknown(shop: Shop, changes: dict[str, Any], code: str) -> None:
    unknown = shop.place(**changes)
    assert (type(unknown), unknown.code) == (Unknown, code)
    assert shop.made() == []


def test_a_line_that_was_not_taken_is_told_and_missing(shop: Shop) -> None:
    lines = [line(), line(offerId=5, quantity=10)]
    placed = shop.place(message="sandbox:PARTIAL", cargoParamList=lines)
    assert placed.differs.sentences == ("1688 did not take offer 5 (specId abc), 10 ordered: 500_004 库存不足",)
    shop.gateway.clock.ahead = 4
    records = shop.confirm(*placed.references).records
    order = shop.body(cargoParamList=lines)
    (missing,) = shop.adapter.differences(order, "SO-1", records)
    assert missing == "Xportcn KA (1688) shows none of offer 5 (specId abc), 10 were ordered"
    differs = shop.adapter.differs(order, "SO-1", records, placed.forecast)
    assert len(differs.sentences) == 2, "it costs less than the preview said, too"


@pytest.mark.parametrize("quantity", [1, 2, 3])
def test_an_order_made_as_several_is_whole(shop: Shop, quantity: int) -> None:
    placed = shop.place(message="sandbox:SPLIT", cargoParamList=[line(quantity=quantity)])
    assert len(placed.references) == min(quantity, 2)
    shop.gateway.clock.ahead = 4
    records = shop.confirm(*placed.references).records
    order = shop.body(cargoParamList=[line(quantity=quantity)])
    assert shop.adapter.differs(order, "SO-1", records, placed.forecast) is None
    assert shop.adapter.differences(order, "SO-1", records[:1]) == [] or quantity > 1


def test_success_without_an_id_is_looked_up(shop: Shop) -> None:
    assert isinstance(shop.place(message="sandbox:NO_IDS"), Unknown)
    shop.gateway.clock.ahead = 4
    assert [record.reference for record in shop.look_up().records] == shop.made()[0]["references"]


def test_ids_under_an_error_code_are_orders(shop: Shop) -> None:
    placed = shop.place(message="sandbox:IDS_WITH_ERROR")
    assert isinstance(placed, Accepted)
    assert (list(placed.references), placed.code) == (shop.made()[0]["references"], "500")


def test_a_cancelled_order_raises_an_alert(shop: Shop) -> None:
    placed = shop.place(message="sandbox:STATUS=cancel")
    shop.gateway.clock.ahead = 4
    (record,) = shop.confirm(*placed.references).records
    assert record.status == "cancel"
    assert record.alert


@pytest.mark.parametrize(
    ("fault", "outcome", "made"),
    [
        ("timeout_before", Unknown, 0),
        ("timeout_after_commit", Unknown, 1),
        ("reset_after_commit", Unknown, 1),
        ("http_500", Unknown, 0),
        ("http_503", Unknown, 0),
        ("garbage", Unknown, 1),
        ("empty", Unknown, 1),
        ("throttle", Declined, 0),
        ("token_expired", Declined, 0),
        ("slow", Unknown, 1),
    ],
)
def test_every_fault_of_a_create_is_told_truly_and_recovered(shop: Shop, fault: str, outcome: type, made: int) -> None:
    key = f"SO-7~{fault}"
    first = shop.place(key)
    assert isinstance(first, outcome), first
    assert len(shop.made(key)) == made
    if isinstance(first, Declined):
        assert first.pauses_account
        assert bool(first.fix) is (fault == "token_expired")
    early = shop.look_up(key)
    assert isinstance(early, Absent), "the list lags: hence several looks over a minute"
    shop.gateway.clock.ahead = 61
    seen = shop.look_up(key)
    if made:
        assert [record.reference for record in seen.records] == shop.made(key)[0]["references"]
        return
    assert isinstance(seen, Absent)
    assert isinstance(shop.place(key), Accepted)
    assert len(shop.made(key)) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("timeout_before", NotSent),
        ("timeout_after_commit", NotSent),
        ("reset_after_commit", NotSent),
        ("http_500", NotSent),
        ("http_503", NotSent),
        ("garbage", NotSent),
        ("empty", NotSent),
        ("throttle", Declined),
        ("token_expired", Declined),
    ],
)
def test_every_fault_of_a_preview_creates_nothing(shop: Shop, fault: str, outcome: type) -> None:
    shop.gateway.http.post("/_sandbox/faults", json={"fault": fault, "operation": "get"})
    assert isinstance(shop.place(), outcome)
    assert shop.made() == []
    looked = shop.look_up()
    assert isinstance(looked, Declined | Unknown)
    assert isinstance(shop.confirm("1"), Declined | Unknown)


def test_look_up_is_told_truly(gateway: Gateway) -> None:
    assert Shop(gateway).adapter.can_look_up is True
    assert Shop(gateway, list_path="off").adapter.can_look_up is False
    shop = Shop(gateway)
    assert isinstance(shop.look_up(), Absent)
    shop.place()
    shop.place()
    gateway.clock.ahead = 4
    assert len(shop.look_up().records) == 2, "a key that made two orders shows both"
    wrong = Shop(gateway, list_path="/alibaba/ka/order/list").look_up()
    assert isinstance(wrong, Unknown)
    assert "list_path" in wrong.cause
    assert isinstance(Shop(gateway, list_body='{"out": "{outOrderId}", "page": "{page}"}').look_up("SO-9"), Absent), (
        "the filter is ignored, so the whole list was read"
    )


@pytest.mark.parametrize("setting", [{"access_secret": "wrong"}, {"user_id": "x"}, {"sign_order": "secret"}])
def test_a_wrong_account_pauses_and_says_what_to_mend(gateway: Gateway, setting: dict[str, str]) -> None:
    outcome = Shop(gateway, **setting).place()
    assert isinstance(outcome, Declined)
    assert (outcome.pauses_account, outcome.retry_after_seconds) == (True, 60)
    assert outcome.fix
    assert gateway.record() == []


def test_a_clock_that_is_wrong(gateway: Gateway) -> None:
    shop = Shop(gateway)
    shop.adapter.clock = lambda: gateway.clock() - 700
    outcome = shop.place()
    assert isinstance(outcome, Declined)
    assert "clock" in (outcome.fix or "")
