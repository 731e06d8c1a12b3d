"""Shoplazza's fulfilments: pages, one number or several, and the order's own where the call is not allowed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.marketplaces.shoplazza.shoplazza_kit import REFERENCE, VERSIONS, adapter, drive, reply
from worker.marketplaces.calls import Lost, Reply
from worker.rules.life import Parcel, Parcels
from worker.rules.outcomes import Declined, NotSent, OrderRecord, Unknown

ROW = {
    "id": "f-1",
    "order_id": REFERENCE,
    "tracking_number": "1Z999AA10123456784",
    "tracking_company": "UPS",
    "tracking_company_code": "ups",
    "phone_number": "5055550142",
    "line_items": [{"id": "l-1", "quantity": 3, "image": {"id": "i-1"}}],
}
READ = Parcel("1Z999AA10123456784", "UPS", items=(("l-1", 3),))


def record(**details: Any) -> OrderRecord:
    return OrderRecord(REFERENCE, "placed", details=details)


def page(*rows: Any, version: str = "2026-01", **more: Any) -> Reply:
    if version == "2022-01":
        return reply({"fulfillments": list(rows), **more})
    return reply({"code": "Success", "data": {"fulfillments": list(rows), **more}})


def read(*replies: Reply | Lost, version: str = "2026-01", **details: Any) -> Any:
    return drive(adapter(version).parcels(record(**details)), *replies)[1]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_the_call(version: str) -> None:
    (request,), found = drive(adapter(version).parcels(record()), page(ROW, version=version))
    assert request.method == "GET"
    assert urlsplit(request.url).path == f"/openapi/{version}/orders/{REFERENCE}/fulfillments"
    assert (request.content, request.creates) == (b"", False)
    assert found == Parcels((READ,))


def test_pages_are_turned_by_their_cursor() -> None:
    second = {**ROW, "tracking_number": "RB0000001"}
    first_page, second_page = page(ROW, has_more=True, cursor="c+2"), page(second, has_more=False, cursor="c3")
    sent, found = drive(adapter().parcels(record()), first_page, second_page)
    assert urlsplit(sent[1].url).query == "cursor=c%2B2"
    assert [parcel.number for parcel in found.parcels] == ["1Z999AA10123456784", "RB0000001"]


@pytest.mark.parametrize("more", [{"has_more": True}, {"has_more": True, "cursor": ""}])
def test_what_cannot_be_seen_to_its_end_is_not_told(more: dict[str, Any]) -> None:
    assert isinstance(read(page(ROW, **more)), Unknown)
    same = page(ROW, has_more=True, cursor="c")
    assert isinstance(read(same, same), Unknown)
    endless = [page(ROW, has_more=True, cursor=f"c{number}") for number in range(10)]
    assert isinstance(read(*endless), Unknown)


def test_a_fulfilment_may_have_several_numbers_and_then_nobody_knows_what_is_in_which() -> None:
    items = [{"tracking_number": "RB001", "tracking_company": "DHL"}, {"tracking_number": "RB002"}]
    assert read(page({**ROW, "tracking_items": items})) == Parcels((Parcel("RB001", "DHL"), Parcel("RB002")))
    assert read(page({**ROW, "tracking_items": items[1:]})) == Parcels((Parcel("RB002", "UPS", items=(("l-1", 3),)),))
    assert read(page({**ROW, "tracking_items": []})) == Parcels((READ,))


def test_a_fulfilment_without_a_number_is_no_parcel_yet() -> None:
    assert read(page({**ROW, "tracking_number": ""})) == Parcels()
    assert read(page()) == Parcels()
    assert read(reply({"code": "Success", "data": {"fulfillments": None}})) == Parcels()


def test_another_orders_fulfilment_is_not_ours() -> None:
    assert read(page({**ROW, "order_id": "11218-00000001"})) == Parcels()


@pytest.mark.parametrize("status", [403, 404])
def test_where_the_call_is_not_allowed_the_order_shows_its_own(status: int) -> None:
    refused = reply({"code": "Forbidden", "message": "Unauthorized"}, status)
    assert read(refused, fulfillments=[ROW, "?"]) == Parcels((READ,))
    assert read(refused, fulfillments="?") == Parcels()


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (reply({"code": "Unauthorized", "message": "Unauthorized"}, 401), Declined),
        (reply({"code": "TooManyRequests"}, 429), Declined),
        (reply({"code": "Aborted", "message": "Aborted"}, 500), Unknown),
        (reply({"code": "Success", "data": {}}), Unknown),
        (reply({"code": "Success", "data": {"fulfillments": "?"}}), Unknown),
        (reply(b"<html>"), Unknown),
        (Lost("no connection", may_have_arrived=False), NotSent),
    ],
)
def test_an_error_is_no_empty_list(came: Reply | Lost, kind: type) -> None:
    assert type(read(came, fulfillments=[ROW])) is kind
