"""1688's parcels as Xportcn may pass them on: every form, the calls that are not made, and nothing of a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.marketplaces.xportcn.xportcn_kit import REFERENCE, adapter, credentials, drive, envelope, reply, sent_body
from worker.marketplaces.calls import Lost, Reply
from worker.rules.life import Arrival, Node, Parcel, Parcels
from worker.rules.outcomes import Declined, NotSent, OrderRecord, Unknown

PATH = "/alibaba/ka/order/logistics"
NATIVE = {
    "nativeLogistics": {
        "contactPerson": "张三丰",
        "logisticsItems": [
            {"logisticsBillNo": "SF1234567", "logisticsCompanyName": "顺丰速运"},
            {"noLogisticsBillNo": True, "logisticsCompanyName": "自提"},
        ],
    }
}
TRACE = [
    {"acceptTime": "2018-07-24 21:55:33", "remark": "【杭州市】快件已揽收 张三丰"},
    {"acceptTime": "2018-07-25 09:00:00", "remark": "已签收，签收人：张三丰"},
]


def record(**details: Any) -> OrderRecord:
    return OrderRecord(REFERENCE, "waitbuyerreceive", details=details)


def read(came: Reply | Lost, **details: Any) -> Any:
    return drive(adapter(logistics_path=PATH).parcels(record(**details)), came)[1]


def answered(data: Any, **details: Any) -> Any:
    return read(reply(envelope(data)), **details)


def test_without_a_path_nothing_is_asked_and_the_details_count() -> None:
    with pytest.raises(StopIteration) as ended:
        next(adapter().parcels(record(**NATIVE)))
    assert ended.value.value == Parcels((Parcel("SF1234567", "顺丰速运"),))
    with pytest.raises(StopIteration) as ended:
        next(adapter(logistics_path="off").parcels(record()))
    assert ended.value.value == Parcels()


def test_path_and_body_are_the_accounts() -> None:
    settings: dict[str, Any] = {"logistics_path": "/v2/logistics", "logistics_body": '{"ids": ["{orderId}"]}'}
    (request,), _ = drive(adapter(**settings).parcels(record()), reply(envelope([])))
    assert (request.method, request.url) == ("POST", "https://www.xportcn.com/api/v2/logistics")
    assert sent_body(request) == {"ids": [REFERENCE]}
    (request,), _ = drive(adapter(logistics_path=PATH).parcels(record()), reply(envelope([])))
    assert sent_body(request) == {"webSite": "1688", "orderId": REFERENCE}
    assert not request.creates


@pytest.mark.parametrize(
    "path",
    ["/alibaba/ka/order/pay", "/order/batchPayment", "/order/cancel", "/reverse/list", "/alibaba/ka/order/create"],
)
@pytest.mark.parametrize("setting", ["detail_path", "list_path", "logistics_path"])
def test_no_setting_leads_to_a_call_that_pays_or_ends_an_order(setting: str, path: str) -> None:
    with pytest.raises(ValueError, match="only reads"):
        credentials(**{setting: path})


@pytest.mark.parametrize("path", ["/alibaba/ka/order/detail", "/order/pageByCreateTime", "/order/created/page"])
def test_a_path_that_reads_passes(path: str) -> None:
    assert adapter(detail_path=path)


def test_the_parcels_of_a_reply_and_of_the_details_are_told_together() -> None:
    row = {"logisticsBillNo": "YT8800123", "logisticsCompanyName": "圆通速递", "orderEntryIds": [1001]}
    row["sendGoods"] = [{"goodName": "螺栓", "quantity": 2}]
    found = answered({"result": [row]}, **NATIVE)
    assert found == Parcels((Parcel("YT8800123", "圆通速递", items=(("1001", 2),)), Parcel("SF1234567", "顺丰速运")))


def test_a_trace_names_no_one_and_its_times_are_of_china() -> None:
    found = answered({"logisticsTrace": [{"logisticsBillNo": "YT8800123", "logisticsSteps": TRACE}]})
    collected, signed = Node(1532440533.0, "【…】快件已揽收 …"), Node(1532480400.0, "已签收，签收人：…")
    assert found.parcels[0].nodes == (collected, signed)
    assert found.parcels[0].arrival is Arrival.WAREHOUSE


@pytest.mark.parametrize(
    ("status", "arrival"),
    [("SIGN", Arrival.WAREHOUSE), ("UNSIGN", None), ("TRANSPORT", None), ("NOGET", None), ("BRAND_NEW", None)],
)
def test_only_a_signed_parcel_has_arrived_and_only_at_the_warehouse(status: str, arrival: Arrival | None) -> None:
    (parcel,) = answered([{"logisticsBillNo": "YT8800123", "status": status}]).parcels
    assert parcel.arrival is arrival


@pytest.mark.parametrize("remark", ["未签收", "拒签", "派送失败，等待签收", "预计明天签收"])
def test_other_words_about_signing_say_nothing(remark: str) -> None:
    steps = [{"acceptTime": "2018-07-25 09:00:00", "remark": remark}]
    (parcel,) = answered([{"logisticsBillNo": "YT8800123", "logisticsSteps": steps}]).parcels
    assert parcel.arrival is None


def test_a_number_of_1688s_own_counts_until_there_is_a_carriers_and_is_marked() -> None:
    own = {"logisticsId": "LP00123456789", "status": "WAITACCEPT"}
    assert answered([own]) == Parcels((Parcel("LP00123456789", internal=True),))
    assert answered([own, {**own, "logisticsBillNo": "YT8800123"}]) == Parcels((Parcel("YT8800123"),))
    assert answered([{"logisticsBillNo": "LP00123456789"}]).parcels[0].internal


def test_logistics_that_were_called_off_are_no_parcel() -> None:
    assert answered([{"logisticsBillNo": "YT8800123", "status": "CANCEL"}]) == Parcels()


def test_another_orders_parcel_is_not_ours() -> None:
    rows = [{"orderId": REFERENCE, "logisticsBillNo": "YT1111"}, {"orderId": "2019", "logisticsBillNo": "YT2222"}]
    assert [parcel.number for parcel in answered(rows).parcels] == ["YT1111"]


@pytest.mark.parametrize("ids", [[1, 2], "1,2", None, [], [1]])
def test_items_are_told_only_where_lines_and_quantities_match(ids: Any) -> None:
    goods = [{"quantity": 1}, {"quantity": "2.0"}]
    (parcel,) = answered([{"logisticsBillNo": "YT8800123", "orderEntryIds": ids, "sendGoods": goods}]).parcels
    assert parcel.items in ((("1", 1), ("2", 2)), ())
    assert bool(parcel.items) == (ids in ([1, 2], "1,2"))


@pytest.mark.parametrize(
    ("came", "wanted"),
    [
        (reply(envelope(None, "404", "该订单没有物流跟踪信息。")), Parcels),
        (reply({"error_code": "404", "error_message": "该订单没有物流跟踪信息。"}), Parcels),
        (reply(envelope([])), Parcels),
        (reply(envelope(None, "404", "")), Unknown),
        (reply(envelope(None, "9999", "?")), Unknown),
        (reply(b"<html>", 404), Unknown),
        (reply(b"", 502), Unknown),
        (reply(b"", 429), Declined),
        (Lost("no connection", may_have_arrived=False), NotSent),
    ],
)
def test_nothing_yet_is_no_error_and_an_error_is_not_nothing(came: Reply | Lost, wanted: type) -> None:
    found = read(came, **NATIVE)
    assert type(found) is wanted
    if isinstance(found, Unknown) and isinstance(came, Reply) and came.status == 404:
        assert "logistics_path" in found.cause
