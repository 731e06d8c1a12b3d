"""What the Xportcn tests share: an adapter on a fixed clock, a valid order, and the driving of its calls."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from worker.marketplaces.calls import Lost, Reply, Request
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.marketplaces.xportcn.credentials import XportcnCredentials
from worker.marketplaces.xportcn.models import XportcnOrder

KEY = "SO-1001"
REFERENCE = "2019601741959504495"
NOW = 1_700_000_000.0
SECRETS = ("test-secret-of-the-key",)


def credentials(**settings: Any) -> XportcnCredentials:
    keys = {"access_key": "test-key", "access_secret": SECRETS[0], "user_id": "2100007341207"}
    return XportcnCredentials.model_validate({**keys, **settings})


def adapter(max_order_amount: Decimal | None = None, **settings: Any) -> Xportcn:
    return Xportcn("main", credentials(**settings), clock=lambda: NOW, max_order_amount=max_order_amount)


ADDRESS = {
    "fullName": "张三丰",
    "mobile": "13800001234",
    "phone": "057188880000",
    "postCode": "310000",
    "provinceText": "浙江省",
    "cityText": "杭州",
    "areaText": "滨江区",
    "townText": "长河街道",
    "address": "网商路699号",
    "districtCode": "330108",
}
LINE = {
    "sellerOpenId": "BBBs1",
    "offerId": "610947572360",
    "specId": "c5b0a6c5b0a6",
    "quantity": 3,
    "productNo": "P-1",
    "container": "C-1",
}


def body(*lines: dict[str, Any], address: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a valid order; a change to None takes a field out."""
    place = {name: value for name, value in {**ADDRESS, **(address or {})}.items() if value is not None}
    order = {"flow": "general", "addressParam": place, "cargoParamList": list(lines) or [dict(LINE)], **changes}
    return {name: value for name, value in order.items() if value is not None}


def line(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**LINE, **changes}.items() if value is not None}


def dump(order: dict[str, Any]) -> dict[str, Any]:
    """Return an order as the ledger keeps it."""
    dumped: dict[str, Any] = json.loads(XportcnOrder.model_validate(order).model_dump_json(exclude_none=True))
    return dumped


ORDER = dump(body())


def reply(content: Any, status: int = 200, **headers: str) -> Reply:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def envelope(data: Any = None, code: Any = 200, msg: Any = "成功", **more: Any) -> dict[str, Any]:
    return {"requestId": "r1", "code": code, "developId": "10001", "msg": msg, "data": data, **more}


PREVIEW_ROW = {
    "sumCarriage": 600,
    "sumPayment": 6400,
    "sumTotalPayment": 6561,
    "sumPaymentNoCarriage": 5800,
    "orderItemTOList": [{"amount": 5800, "finalUnitPrice": 1450, "specId": "s", "offerId": 1, "message": ""}],
}
"""The vendor's sample (docs/vendors/xportcn.md, 1)."""
PREVIEWED = reply(envelope([PREVIEW_ROW]))


def drive(steps: Any, *replies: Reply | Lost) -> tuple[list[Request], Any]:
    """Run a call's generator against prepared answers; return what it sent and its outcome."""
    sent, waiting = [next(steps)], list(replies)
    while True:
        try:
            sent.append(steps.send(waiting.pop(0)))
        except StopIteration as stop:
            assert not waiting, "the call ended before every reply was used"
            return sent, stop.value


def sent_body(request: Request) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(request.content)
    return parsed


def preview(came: Reply | Lost, order: dict[str, Any] | None = None, **settings: Any) -> Any:
    """Return the outcome of a placing that ends with its preview."""
    sent, outcome = drive(adapter(**settings).place(order or ORDER, KEY), came)
    assert len(sent) == 1, "nothing may follow"
    return outcome


def create(came: Reply | Lost, order: dict[str, Any] | None = None, **settings: Any) -> Any:
    """Return the outcome of a placing whose preview was good."""
    return drive(adapter(**settings).place(order or ORDER, KEY), PREVIEWED, came)[1]


def created(data: Any = None, code: Any = 200, msg: Any = "成功", status: int = 200) -> Any:
    return create(reply(envelope(data, code, msg), status))


def confirm(*replies: Reply | Lost, **settings: Any) -> Any:
    references = [str(int(REFERENCE) + number) for number in range(len(replies))]
    return drive(adapter(**settings).confirm(references), *replies)[1]


def shown(data: Any, **settings: Any) -> Any:
    """Return the outcome of a read whose envelope holds this."""
    return confirm(reply(envelope(data)), **settings)
