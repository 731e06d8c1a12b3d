"""Xportcn for the contract tests: a full order, and what the marketplace can say, with the outcome it means."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.marketplaces.xportcn.xportcn_kit import PREVIEWED, REFERENCE, envelope, reply
from worker.marketplaces.calls import Lost, Reply, Request
from worker.rules.life import Parcels
from worker.rules.outcomes import Absent, Accepted, Declined, Found, NotSent, Refused, Unknown

KEYS = {"access_key": "key-of-the-shop", "access_secret": "secret-of-the-shop", "user_id": "2100007341207"}
KEYS["logistics_path"] = "/alibaba/ka/order/logistics"
SIGNED = True
BEFORE_CREATE: tuple[Reply, ...] = (PREVIEWED,)
ACCEPTED_WITHOUT_ID: set[str] = set()
OURS = ("max_amount",)

PEOPLE = {
    "fullName": "张三丰",
    "mobile": "13800001234",
    "phone": "057188880000",
    "postCode": "310052",
    "provinceText": "浙江省",
    "cityText": "杭州市",
    "areaText": "滨江区",
    "townText": "长河街道",
    "address": "网商路699号",
    "districtCode": "330108",
}
PERSONAL = (*PEOPLE.values(), "请打电话给张先生", "王经理")
ORDER: dict[str, Any] = {
    "flow": "general",
    "message": "请打电话给张先生",
    "shopPromotionId": "promotion-1",
    "tradeType": "assureTrade",
    "addressParam": PEOPLE,
    "cargoParamList": [
        {
            "sellerOpenId": "BBBs1",
            "offerId": "610947572360",
            "specId": "c5b0a6c5b0a6",
            "quantity": 3,
            "productNo": "P-1",
            "container": "C-1",
        }
    ],
    "userId": "user-1",
    "staffName": "王经理",
    "developerId": 10001,
    "platformOrder": 77,
    "dropshipping": True,
    "max_amount": 9_000_000,
}


def sent(request: Request) -> Any:
    """Return what a request says, as JSON values."""
    return json.loads(request.content)


def created(literal: str) -> Reply:
    """Return the reply of a create that tells this JSON literal as the order's id."""
    return reply(f'{{"requestId": "r1", "code": 200, "msg": "成功", "data": {{"orderIds": [{literal}]}}}}'.encode())


def says(words: str) -> list[Reply]:
    """Return replies that decline or doubt a create, or a read, in these words."""
    return [
        reply(envelope(None, code, told))
        for code in ("500_004", "401", "500", "9999", 200, words)
        for told in (words, f"签名 {words}", f"outOrderId exist {words}", f"系统异常 {words}")
    ] + [reply({"error_code": code, "error_message": words}) for code in ("gw.QosAppFrequencyLimit", words)]


def answers(code: str, words: str, ids: Sequence[str]) -> list[Any]:
    """Return answers to a create with a code and words in every place the vendor has for them, and these ids."""
    told = {"orderIds": [*ids]} if ids else {}
    return [
        envelope(told or None, code, words),
        envelope({"success": False, "code": code, "message": words, **told}),
        envelope({"result": {"success": False, "errorCode": code, "errorMessage": words}, **told}, 0, ""),
        envelope({"success": True, "code": code, "message": words, **told}),
        {"error_code": code, "error_message": words, **told},
        {**envelope({"orderList": [{"orderId": one} for one in ids]}, code, words)},
    ]


def noes(words: str) -> list[Reply]:
    """Return a no of each sort by a documented code in its documented place, with these words beside it."""
    return [
        *(reply(envelope(None, code, words)) for code in ("500_004", "500_007")),
        *(reply(envelope({"success": False, "code": code, "message": words})) for code in ("500_001", "500_009")),
        *(
            reply({"error_code": code, "error_message": words}, 400)
            for code in ("gw.QosAppFrequencyLimit", "APIACLDecline")
        ),
        reply(envelope(None, 401, words), 401),
    ]


DOOR: dict[int, str] = {429: "", 401: "401", 403: "403", 404: "404", 405: "405"}
NUMBERS: set[str] = {"200", "0"}

TWO: dict[str, Any] = {
    **ORDER,
    "cargoParamList": [
        {"offerId": 610947572360, "specId": "b266e0726506185beaf205cbae88530d", "quantity": 24},
        {"offerId": 610947572361, "specId": "b266e0726506185beaf205cbae88530e", "quantity": 10},
    ],
}
PRODUCTS = ("610947572360", "610947572361", "610947572362")
CURRENCY = "CNY"


def shows(lines: Sequence[tuple[int, int]] | None, currency: str = CURRENCY, ended: bool = False) -> Reply:
    """Return a read of `REFERENCE` with these lines, in 1688's own form."""
    rows: list[dict[str, Any]] = [{"productID": int(PRODUCTS[n]), "quantity": float(count)} for n, count in lines or ()]
    if ended:
        rows[0]["status"] = "cancel"
    goods = {} if lines is None else {"productItems": rows}
    base = {"idOfStr": REFERENCE, "status": "waitbuyerpay", "totalAmount": 65.61, "currency": currency}
    return reply(envelope({"baseInfo": base, **goods}))


_LIMIT = reply({"error_code": "gw.QosAppFrequencyLimit", "error_message": "App call exceeds limited frequency"}, 400)
_ROW = {"orderId": REFERENCE, "outOrderId": "SO-1", "orderStatus": "waitbuyerpay", "totalAmount": 6561, "payStatus": 1}
_PEOPLE = {"receiverInfo": PEOPLE, "baseInfo": {"toFullName": PEOPLE["fullName"], "toMobile": PEOPLE["mobile"]}}
_OTHER = {**_ROW, "orderId": "2018", "outOrderId": "SO-0"}
_GONE = Lost("no connection", may_have_arrived=False)
_SILENT = Lost("no answer", may_have_arrived=True)


def _listed(*rows: Any) -> Reply:
    return reply(envelope({"total": len(rows), "records": list(rows)}))


PLACE: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an id": ((PREVIEWED, created(REFERENCE)), Accepted),
    "two ids": ((PREVIEWED, created(f'"{REFERENCE}", "2"')), Accepted),
    "an id under an error": ((PREVIEWED, reply(envelope({"orderIds": [REFERENCE]}, 500, "系统异常"))), Accepted),
    "a refusal of the preview": ((reply(envelope(None, "500_004", "库存不足")),), Refused),
    "a refusal of the create": ((PREVIEWED, reply(envelope(None, "500_004", "库存不足"))), Refused),
    "too often": ((PREVIEWED, _LIMIT), Declined),
    "a bad signature": ((reply(envelope(None, "401", "signature error")),), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer to the preview": ((_SILENT,), NotSent),
    "no answer to the create": ((PREVIEWED, _SILENT), Unknown),
    "a backend error": ((PREVIEWED, reply(envelope(None, 500, "系统异常"))), Unknown),
    "success without an id": ((PREVIEWED, reply(envelope({"orderIds": []}))), Unknown),
}
READ: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "an order": ((reply(envelope(_ROW)),), Found),
    "an order with its receiver": ((reply(envelope({**_ROW, **_PEOPLE})),), Found),
    "no order": ((reply(envelope(None, "500", "订单不存在")),), Absent),
    "too often": ((_LIMIT,), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
    "a server error": ((reply(b"oops", 502),), Unknown),
}
LOOK_UP: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "the order": ((_listed(_ROW),), Found),
    "nothing, from a list that can find": ((_listed(), _listed(_OTHER), _listed(_OTHER)), Absent),
    "nothing, from a list that proves nothing": ((_listed(), _listed()), Unknown),
    "too often": ((_LIMIT,), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
}


def in_status(name: str) -> Reply | None:
    """Return a read of `REFERENCE` in this status."""
    row = {**_ROW, "orderStatus": name, "closeReason": "buyerCancel", "payTimeout": 43200}
    del row["payStatus"]
    return reply(envelope(row))


_PARCEL = {
    "logisticsId": "LP00123456789",
    "logisticsBillNo": "YT8800123456789",
    "logisticsCompanyName": "圆通速递",
    "status": "SIGN",
    "orderEntryIds": "77001,77002",
    "remarks": "请打电话给张先生",
    "sendGoods": [
        {"goodName": "螺栓", "quantity": "3", "unit": "个"},
        {"goodName": "螺母", "quantity": "4.0", "unit": "个"},
    ],
    "sender": {"senderName": "王经理", "senderMobile": "13800001234"},
    "receiver": {"receiverName": PEOPLE["fullName"], "receiverAddress": PEOPLE["address"]},
}
_TRACE = {
    "logisticsId": "LP00123456789",
    "orderId": REFERENCE,
    "logisticsBillNo": "YT8800123456789",
    "logisticsSteps": [
        {"acceptTime": "2018-07-24 21:55:33", "remark": "【杭州市】快件已揽收"},
        {"acceptTime": "2018-07-25 09:00:00", "remark": "已签收，签收人：张三丰 13800001234"},
    ],
}
PARCELS: dict[str, tuple[tuple[Reply | Lost, ...], type]] = {
    "a parcel": ((reply(envelope({"result": [_PARCEL]})),), Parcels),
    "its way": ((reply(envelope({"logisticsTrace": [_TRACE]})),), Parcels),
    "nothing yet": ((reply(envelope(None, "404", "该订单没有物流跟踪信息。")),), Parcels),
    "nothing yet, inside": (
        (reply(envelope({"success": False, "errorMessage": "该订单没有物流跟踪信息。"})),),
        Parcels,
    ),
    "no order": ((reply(envelope(None, "500", "订单不存在")),), Absent),
    "too often": ((_LIMIT,), Declined),
    "no connection": ((_GONE,), NotSent),
    "no answer": ((_SILENT,), Unknown),
    "a server error": ((reply(b"oops", 502),), Unknown),
}
TRACKED = ("YT8800123456789",)
HANDED_ON = ("logisticsId", "logisticsBillNo", "logisticsCompanyName", "orderEntryIds", "payTimeout")
