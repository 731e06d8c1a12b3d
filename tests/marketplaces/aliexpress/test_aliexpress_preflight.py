"""What AliExpress is asked before an order: every form of its replies, and each doom by the code of the create."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.contract.contract_kit import NOW, ask, drive, subject_of
from worker.marketplaces.aliexpress.codes import of_result
from worker.marketplaces.aliexpress.offers import read_divisions, read_freight, read_product
from worker.marketplaces.aliexpress.preflight import CODES
from worker.marketplaces.calls import Lost, Reply
from worker.rules.foreseen import Divisions, Doom, Freight, Product, Standing, Verdict
from worker.rules.outcomes import Declined, Money, NotSent, Unknown
from worker.sandbox import catalogue

SUBJECT = subject_of("aliexpress")
CALIFORNIA = {"country": "US", "province": "California", "city": "Los Angeles"}
EVERY_DOOM = sorted(catalogue.DOOMS)


def order(
    product_id: int, attr: str, count: int = 1, service: str = "CAINIAO_STANDARD", **place: str
) -> dict[str, Any]:
    """Return an order of one line, as the ledger keeps it."""
    made = json.loads(json.dumps(SUBJECT.order))
    made["logistics_address"] |= CALIFORNIA | place
    made["ds_extend_request"] = {}
    item = {"product_id": str(product_id), "product_count": count, "sku_attr": attr, "logistics_service_name": service}
    made["product_items"] = [item]
    return dict(made)


def foresee(one: dict[str, Any], most: Decimal | None = None) -> tuple[Verdict, int]:
    """Ask a fake until nothing is open; return the verdict and how many calls it took."""
    adapter, fake = SUBJECT.with_fake()
    answers: dict[str, Any] = {}
    while open_asks := {q.key: q for q in adapter.asks(one, answers) if q.key not in answers}:
        for key, question in open_asks.items():
            requests, answers[key] = drive(question.begin(), lambda _, request: ask(fake, request, NOW))
            assert not any(request.creates for request in requests)
    return adapter.foresee(one, answers, most), len(answers)


@pytest.mark.parametrize("kind", EVERY_DOOM, ids=lambda kind: catalogue.DOOMS[kind].name)
def test_every_doomed_order_is_named_by_the_code_its_create_answers(kind: int) -> None:
    for last in range(6):  # the forms of a reply vary with the product's id
        product_id = catalogue.DOOMED.start + (kind - 1) * 1000 + last
        for attr in (catalogue.BROWN, ""):
            for country in ("US", "FR"):
                told = foresee(order(product_id, attr, 6, country=country))[0]
                wanted = catalogue.refusal(product_id, 6, attr, "CAINIAO_STANDARD", country)
                assert (told.dooms[0].code if told.dooms else None) == wanted


def test_good_orders_raise_no_alarm_and_cost_what_they_cost() -> None:
    for product_id in catalogue.GOOD[:30]:
        sku = catalogue.skus(product_id)[0]
        told, calls = foresee(order(product_id, sku.attr, 2))
        cents = sku.price * 2 + catalogue.shipping(product_id, "CAINIAO_STANDARD")
        assert (told.standing, told.orders, calls) == (Standing.GOOD, 1, 3)
        assert told.forecast == Money(Decimal(cents) / 100, "USD")


def test_two_stores_are_two_orders() -> None:
    one = order(catalogue.GOOD[2], catalogue.BROWN)
    one["product_items"] += order(catalogue.GOOD[1], catalogue.BROWN)["product_items"]
    assert {catalogue.store_of(int(item["product_id"])) for item in one["product_items"]} == {
        "1103800006",
        "1103800032",
    }
    assert foresee(one)[0].orders == 2


def test_a_ceiling_of_the_job_is_held() -> None:
    told, _ = foresee(order(catalogue.GOOD[1], catalogue.BROWN, 9), Decimal(5))
    assert [one.code for one in told.dooms] == ["MAX_AMOUNT_EXCEEDED"]


def test_an_unknown_name_of_the_address_is_a_warning_with_the_nearest() -> None:
    told, _ = foresee(order(catalogue.GOOD[1], catalogue.BROWN, province="Kalifornia"))
    assert (told.standing, [one.code for one in told.warnings]) == (Standing.WARNED, ["NAME_UNKNOWN"])
    assert "California" in told.warnings[0].reason
    assert "Kalifornia" not in repr(told)


def test_a_sku_written_in_another_way_is_no_doom() -> None:
    told, _ = foresee(order(catalogue.GOOD[1], "14:365458#Chestnut"))
    assert ([one.code for one in told.warnings], told.dooms) == (["SKU_SPELLED"], ())


def test_every_doom_has_a_code_of_the_create() -> None:
    assert set(CODES) == set(Doom)
    assert [code for code, _ in CODES.values() if of_result(code, "") is None] == []


def reply(document: Any) -> Reply:
    return Reply(200, {}, json.dumps(document).encode())


def test_what_cannot_be_read_is_no_doom() -> None:
    base = {"product_id": 1, "product_status_type": "onSelling"}
    for document in (
        {},
        {"rsp_code": 404, "rsp_msg": "System Error"},
        {"rsp_code": 200, "result": {}},
        {"rsp_code": 200, "result": {"ae_item_base_info_dto": base}},
    ):
        assert isinstance(read_product(reply(document), "US", "1", str), Unknown), document
        assert isinstance(read_freight(reply(document), "USD", str), Unknown), document
        assert isinstance(read_divisions(reply(document), str), Unknown), document
    limited = {"error_response": {"code": "ApiCallLimit", "msg": "this ban will last 1 seconds"}}
    for read in (lambda came: read_product(came, "US", "1", str), lambda came: read_divisions(came, str)):
        assert isinstance(read(reply(limited)), Declined)
        assert isinstance(read(Lost("no connection", may_have_arrived=False)), NotSent)
        assert isinstance(read(Reply(503, {}, b"away")), Unknown)


def test_texts_lists_and_single_objects_are_read_alike() -> None:
    sku = {"sku_id": 12, "sku_attr": "", "sku_available_stock": "7", "offer_sale_price": "2.50", "currency_code": "USD"}
    for rows in ([sku], sku, {"ae_item_sku_info_d_t_o": [sku]}, {"ae_item_sku_info_d_t_o": sku}):
        result = {"ae_item_base_info_dto": {"product_status_type": "onSelling"}, "ae_item_sku_info_dtos": rows}
        for document in ({"rsp_code": "200", "result": result}, {"x_response": {"rsp_code": 200, "result": result}}):
            read = read_product(reply(document), "US", "1", str)
            assert isinstance(read, Product)
            assert [(one.sku_id, one.stock, one.price) for one in read.skus] == [("12", 7, Decimal("2.50"))]


def test_the_call_before_freight_query_is_read_too() -> None:
    row = {"service_name": "EPAM", "freight": {"amount": "1.20", "currency_code": "USD"}}
    old = {"result": {"success": "true", "aeop_freight_calculate_result_for_buyer_dtolist": {"row": [row]}}}
    read = read_freight(reply({"x_response": old}), "USD", str)
    assert isinstance(read, Freight)
    assert [(one.service, one.fee) for one in read.options] == [("EPAM", Decimal("1.20"))]


def test_names_come_as_objects_lists_and_json_in_texts() -> None:
    cities = [{"name": "Los Angeles", "type": "CITY"}]
    for children in (cities, json.dumps(cities)):
        tree = {"country": "US", "children": json.dumps([{"name": "California", "children": children}])}
        for data in (tree, [tree]):
            read = read_divisions(reply({"x_response": {"result": {"ret": True, "data": data}}}), str)
            assert read == Divisions((("California", ("Los Angeles",)),))


def test_no_question_is_asked_twice_under_two_keys() -> None:
    adapter, _ = SUBJECT.with_fake()
    same: dict[str, set[str]] = defaultdict(set)
    for count in (1, 2):
        for question in adapter.asks(order(catalogue.GOOD[1], catalogue.BROWN, count), {}):
            same[question.topic].add(question.key)
    assert {topic: len(keys) for topic, keys in same.items()} == {"product": 1, "address": 1}
