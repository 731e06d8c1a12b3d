"""AliExpress parcels: the request, every form of the reply that was seen, and what is not believed of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.marketplaces.aliexpress.aliexpress_kit import REFERENCE, adapter, drive, reply
from worker.marketplaces.calls import Lost, Reply
from worker.rules.life import Arrival, Node, Parcel, Parcels
from worker.rules.outcomes import Absent, Decline, Declined, NotSent, OrderRecord, Unknown

FULL = {
    "mail_no": "LX123456789US",
    "carrier_name": "AliExpress Selection Standard",
    "eta_time_stamps": "1700600000000",
    "package_item_list": {"package_item": [{"item_id": 77, "sku_desc": "Red", "quantity": "2"}]},
    "detail_node_list": {
        "detail_node": [
            {
                "time_stamp": "1700000200000",
                "tracking_name": "IN_TRANSIT",
                "tracking_detail_desc": "Left JANE DOE's town",
            },
            {"time_stamp": 1700000100000, "tracking_name": "Collected by carrier"},
        ]
    },
}
READ = Parcel(
    "LX123456789US",
    "AliExpress Selection Standard",
    1700600000.0,
    (("77", 2),),
    (Node(1700000100.0, "Collected by carrier"), Node(1700000200.0, "IN_TRANSIT")),
)


def record(**details: Any) -> OrderRecord:
    return OrderRecord(REFERENCE, "WAIT_BUYER_ACCEPT_GOODS", details=details)


def read(came: Reply | Lost, **details: Any) -> Any:
    return drive(adapter().parcels(record(**details)), came)[1]


def answered(result: Any, **details: Any) -> Any:
    return read(reply({"aliexpress_ds_order_tracking_get_response": {"result": result, "request_id": "r"}}), **details)


def shown(details: Any, **more: Any) -> Any:
    return answered({"ret": True, "data": {"tracking_detail_line_list": details}, **more})


def only(**row: Any) -> Parcel:
    (parcel,) = shown([{**FULL, **row}]).parcels
    assert isinstance(parcel, Parcel)
    return parcel


def test_it_asks_by_two_flat_fields() -> None:
    (request,), _ = drive(adapter().parcels(record()), reply(b""))
    form = {name: value[0] for name, value in parse_qs(request.content.decode()).items()}
    assert form["method"] == "aliexpress.ds.order.tracking.get"
    assert (form["ae_order_id"], form["language"], form["session"]) == (REFERENCE, "en_US", "test-access-token")
    assert (request.method, request.url) == ("POST", "https://api-sg.aliexpress.com/sync")
    assert form["sign"]


@pytest.mark.parametrize("wrapped", [{"tracking_detail": [FULL]}, [FULL], {"tracking_detail": FULL}, FULL])
def test_the_list_comes_in_four_forms(wrapped: Any) -> None:
    assert shown(wrapped) == Parcels((READ,))


@pytest.mark.parametrize(
    "document",
    [
        {"result": {"ret": "true", "data": {"tracking_detail_line_list": [FULL]}}},
        {"ret": True, "data": {"tracking_detail_line_list": [FULL]}},
        {"ret": True, "code": "0", "data": {"tracking_detail": FULL}},
    ],
)
def test_the_envelope_may_be_missing(document: Any) -> None:
    assert read(reply(document)) == Parcels((READ,))


def test_the_older_names_are_read_as_well() -> None:
    old = {"tracking_number": "LX1234567", "logistics_company": "DHL"}
    older = {"logistics_no": "LX1234568", "logistics_service": "UPS"}
    found = answered({"logistics_order_list": [old, older], "order_status": "?"})
    assert found == Parcels((Parcel("LX1234567", "DHL"), Parcel("LX1234568", "UPS")))


@pytest.mark.parametrize("result", [{"ret": False, "code": "1001", "msg": "TRACKING DATA NOT FOUND"}, {"ret": True}])
def test_nothing_yet_is_no_error(result: Any) -> None:
    assert answered(result) == Parcels()
    assert read(reply(result)) == Parcels()


def test_while_there_is_nothing_the_orders_own_numbers_count_and_are_marked() -> None:
    rows = [{"logistics_no": "LP00123456", "logistics_service": "CAINIAO"}, {"logistics_no": "YT123"}]
    found = answered({"ret": False, "code": 1001}, logistics_info_list=rows)
    assert found == Parcels((Parcel("LP00123456", "CAINIAO", internal=True), Parcel("YT123")))
    told = {"ret": True, "data": {"tracking_detail_line_list": [FULL]}}
    assert answered(told, logistics_info_list=rows) == Parcels((READ,))


@pytest.mark.parametrize(("number", "internal"), [("AP00123", True), ("LP1", True), ("LPX1", False), ("AB12", False)])
def test_numbers_of_aliexpress_own_are_marked(number: str, internal: bool) -> None:
    found = shown([{"mail_no": number + "0000"}])
    assert [parcel.internal for parcel in found.parcels] == [internal]


@pytest.mark.parametrize("number", [None, "", "null", "AB", "1e5", 1.5, [], "no number", "x" * 80, "AB\n12345"])
def test_what_is_no_number_is_no_parcel(number: Any) -> None:
    assert shown([{**FULL, "mail_no": number}]) == Parcels()


def test_one_number_is_one_parcel() -> None:
    first = {**FULL, "eta_time_stamps": None, "detail_node_list": []}
    assert shown([first, FULL]) == Parcels((READ,))


@pytest.mark.parametrize(
    "package",
    [[], None, [{"item_id": 77}], [{"item_id": 77, "quantity": 1}, {"quantity": 2}], [{"item_id": 7, "quantity": 0}]],
)
def test_items_that_cannot_all_be_read_are_unknown(package: Any) -> None:
    assert only(package_item_list=package).items == ()


@pytest.mark.parametrize(
    ("name", "desc", "arrival"),
    [
        ("Delivered", "", Arrival.RECEIVER),
        ("DELIVERED", "", Arrival.RECEIVER),
        ("Shipping update", "Package delivered, signed by J. D.", Arrival.RECEIVER),
        ("Delivered to local carrier", "", None),
        ("Not delivered", "", None),
        ("Delivery attempted", "", None),
        ("Undelivered", "", None),
        ("OUT_FOR_DELIVERY", "to be delivered", None),
    ],
)
def test_only_known_words_say_that_a_parcel_is_delivered(name: str, desc: str, arrival: Arrival | None) -> None:
    node = {"time_stamp": 1700000300000, "tracking_name": name, "tracking_detail_desc": desc}
    assert only(detail_node_list=[node]).arrival is arrival


def test_the_newest_step_says_where_it_is() -> None:
    delivered = {"time_stamp": 1700000100000, "tracking_name": "Delivered"}
    back = {"time_stamp": 1700000200000, "tracking_name": "Returned to sender"}
    assert only(detail_node_list=[back, delivered]).arrival is None
    assert [node.name for node in only(detail_node_list=[back, delivered]).nodes] == ["Delivered", "Returned to sender"]


def test_a_step_keeps_its_name_and_nobody_elses() -> None:
    nodes = [
        {"time_stamp": 1700000300000, "tracking_name": "Signed by Jane Doe, 12 Rue de la Paix", "receiver": "Jane"},
        {"time_stamp": 1700000200000, "tracking_detail_desc": "Jane Doe was not at home"},
        {"time_stamp": "?", "tracking_name": "Delivered"},
    ]
    assert [node.name for node in only(detail_node_list=nodes).nodes] == ["…", "Signed by …"]


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (reply({"error_response": {"code": "UnsupportedParamMapping", "msg": "?", "type": "ISV"}}), Unknown),
        (reply({"error_response": {"code": "ApiCallLimit", "msg": "this ban will last 3 seconds"}}), Declined),
        (reply({"code": "IllegalAccessToken", "message": "?", "type": "ISV", "request_id": "r"}), Declined),
        (reply({"error_response": {"code": "15", "sub_code": "isv.insufficient-permission", "msg": "?"}}), Absent),
        (reply({"result": {"ret": False, "code": "500", "msg": "SYSTEM ERROR"}}), Unknown),
        (reply({"result": {}}), Unknown),
        (reply({}), Unknown),
        (reply(b"<html>"), Unknown),
        (reply(b"", 429), Declined),
        (reply(b"", 503), Unknown),
        (Lost("no connection", may_have_arrived=False), NotSent),
    ],
)
def test_an_error_is_no_empty_list(came: Reply | Lost, kind: type) -> None:
    found = read(came, logistics_info_list=[{"logistics_no": "LP00123456"}])
    assert type(found) is kind
    if isinstance(found, Declined):
        assert found.kind in (Decline.RATE, Decline.TOKEN)
