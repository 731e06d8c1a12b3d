"""What the sandbox's Xportcn checks and turns down: the body of a call, its address, its lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worker.sandbox.fake import Call

MARK = "sandbox:"
TEXTS = {
    "500_001": "商品不支持在线交易",
    "500_002": "下单商品不属于同一卖家",
    "500_003": "规格不存在",
    "500_004": "库存不足",
    "500_005": "商品数量未达到起批量",
    "500_006": "商品未满足混批条件",
    "500_007": "没有代销关系",
    "500_008": "商品价格为0",
    "500_009": "商品数量未达到起批量",
}


class RefusalError(Exception):
    """The gateway or 1688 says no; nothing was made."""

    def __init__(self, code: str, text: str | None = None) -> None:
        self.code = code
        self.text = text or TEXTS.get(code, code)


def body_of(call: Call) -> dict[str, Any]:
    """Return what a call sends."""
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or "application/json" not in call.headers.get("content-type", ""):
        raise RefusalError("400", "the body must be a JSON object")
    return body


def text_of(value: object) -> str:
    """Return a value as text without blanks around it; nothing for null."""
    return "" if value is None else str(value).strip()


def whole(value: object, otherwise: int) -> int:
    """Return a whole number; something else for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def check(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Check what preview and create share; return the lines."""
    address, lines = body.get("addressParam"), body.get("cargoParamList")
    if not isinstance(address, dict) or not isinstance(lines, list) or not lines:
        raise RefusalError("400", "addressParam and cargoParamList are required")
    if not text_of(address.get("districtCode")) and not (address.get("provinceText") and address.get("cityText")):
        raise RefusalError("400", "收货地址不完整")
    if not text_of(address.get("phone")).isdecimal() and text_of(address.get("phone")):
        raise RefusalError("400", "收货地址: phone must be digits")
    if len(lines) > 50:
        raise RefusalError("400", "at most 50 lines")
    for line in lines:
        if not isinstance(line, dict) or whole(line.get("offerId"), 0) < 1 or whole(line.get("quantity"), 0) < 1:
            raise RefusalError("400", "offerId and quantity must be numbers of at least 1")
        if text_of(line.get("productNo")).startswith(MARK):
            raise RefusalError(line["productNo"].removeprefix(MARK))
    if len({text_of(line.get("sellerOpenId")) for line in lines}) > 1:
        raise RefusalError("500_002")
    if body.get("flow") == "boutiquepifa" and sum(line["quantity"] for line in lines) <= 2:
        raise RefusalError("500_005")
    return lines
