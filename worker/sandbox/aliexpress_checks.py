"""What the sandbox's AliExpress checks and turns down: the gateway's parameters, the address, the items of an order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from worker.sandbox import catalogue

ADDRESS = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
REPEATED = "REPEATED_ORDER_ERROR"
PAY_FAILED = "APIPayFail"
MEMO = "sandbox:"

PHONE = "Please enter the country code and phone number without any spaces or special characters"
GATEWAY = {
    "MissingParameter": 'The input parameter "{}" that is mandatory for processing this request is not supplied',
    "InvalidParameter": "The specified parameter {} is not valid",
    "UnsupportedParamMapping": "The parameter {} cannot be mapped",
    "InvalidApiPath": "The specified API path is invalid",
    "InvalidAppKey": "The specified App Key is invalid",
    "IllegalTimestamp": "The specified timestamp is invalid or expired",
    "IncompleteSignature": "The request signature does not conform to platform standards",
    "IllegalRefreshToken": "The specified refresh token is invalid or expired",
    "InvalidCode": "Invalid authorization code",
    "IllegalAccessToken": "The specified access token is invalid or expired",
    "ApiCallLimit": "Api access frequency exceeds the limit. this ban will last 1 seconds",
    "15": "Remote service error",
}
FLAT = ("IllegalRefreshToken", "InvalidCode", "InvalidAppKey", "IllegalTimestamp", "IncompleteSignature")
REFUSALS = {
    ADDRESS: "address does not match the rules",
    "BLACKLIST_BUYER_IN_LIST": "Blacklist buyers",
    "USER_ACCOUNT_DISABLED": "Buyer account has been disabled",
    "PRICE_PAY_CURRENCY_ERROR": "Products in the place order request should not be declared in different currencies",
    "DELIVERY_METHOD_NOT_EXIST": "Delivery method is not exist",
    "INVENTORY_HOLD_ERROR": "Hold inventory error",
    REPEATED: "repeated placed order",
    "ERROR_WHEN_BUILD_FOR_PLACE_ORDER": "System error.",
}


class RefusalError(Exception):
    """The order itself is refused; the key stays free."""

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        self.message = message or REFUSALS.get(code, code)


class GatewayError(Exception):
    """The gateway turned the call away before any order was made; `name` is the parameter it complains of."""

    def __init__(self, code: str, name: str = "", **more: str) -> None:
        self.flat = code in FLAT
        text = GATEWAY[code].format(name)
        self.body = {"type": "ISV", "code": code, "message" if self.flat else "msg": text, **more}


def text_of(value: object) -> str:
    """Return a value as text without blanks around it; nothing for null."""
    return "" if value is None else str(value).strip()


def object_of(value: object) -> dict[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def unix(timestamp: str) -> float | None:
    """Read both documented forms: milliseconds since the epoch, and a date and time in UTC."""
    if timestamp.isdecimal() and len(timestamp) < 16:
        return int(timestamp) / 1000
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def json_object(form: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return a parameter that must hold a JSON object."""
    if not form.get(name):
        raise GatewayError("MissingParameter", name)
    try:
        value = json.loads(form[name])
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise GatewayError("InvalidParameter", name)
    return value


def digits(values: Mapping[str, Any], name: str) -> str:
    """Return a parameter that must be a number above 0, as its digits."""
    text = text_of(values.get(name))
    if not text:
        raise GatewayError("MissingParameter", name)
    if not text.isdecimal() or len(text) > 18 or int(text) < 1:
        raise GatewayError("InvalidParameter", name)
    return text


def shape(order: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Check what the API reference calls required; what it does not know is ignored, as the real one does."""
    for name, kind in (("logistics_address", dict), ("product_items", list)):
        if not order.get(name):
            raise GatewayError("MissingParameter", name)
        if not isinstance(order[name], kind):
            raise GatewayError("InvalidParameter", name)
    for item in order["product_items"]:
        if not isinstance(item, dict):
            raise GatewayError("InvalidParameter", "product_items")
        digits(item, "product_id")
        digits(item, "product_count")
    return order["logistics_address"], order["product_items"]


def check_address(address: Mapping[str, Any], extend: Mapping[str, Any]) -> None:
    """Refuse what an address is refused for."""
    country = text_of(address.get("country")).upper()
    if not re.fullmatch("[A-Z]{2}", country):
        raise RefusalError(ADDRESS, "Please select a Country/Region")
    for name, message in (
        ("address", "Please enter an Address"),
        ("city", "Please enter a City"),
        ("province", "Please select a State/Province/County"),
        ("mobile_no", "Please enter mobile phone number"),
    ):
        if not text_of(address.get(name)):
            raise RefusalError(ADDRESS, message)
    mobile = text_of(address["mobile_no"])
    if not mobile.isdecimal() or not re.fullmatch(r"\+?\d{0,4}", text_of(address.get("phone_country"))):
        raise RefusalError(ADDRESS, PHONE)
    if not 7 <= len(mobile) <= 13:
        raise RefusalError(ADDRESS, "Phone Number should contain 7-13 digits")
    _check_country(country, address, extend)


def _check_country(country: str, address: Mapping[str, Any], extend: Mapping[str, Any]) -> None:
    national = text_of(object_of(extend.get("trade_extra_param")).get("nat_addr"))
    if country == "US":
        # The real one splits the name at its space and wants 2-32 characters on either side.
        name = text_of(address.get("contact_person")) or text_of(address.get("full_name"))
        first, _, last = name.partition(" ")
        if not (2 <= len(first) <= 32 and 2 <= len(last.strip()) <= 32):
            raise RefusalError(ADDRESS, "Please enter between 2 - 32 characters")
    elif country == "BR":
        digits = re.sub(r"[./-]", "", text_of(address.get("cpf")))
        if not re.fullmatch(r"\d{11}|\d{14}", digits):
            raise RefusalError("B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID")
        if not text_of(address.get("contact_person")):
            raise RefusalError("B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH")
    elif country == "MX" and not text_of(address.get("passport_no")):
        raise RefusalError(ADDRESS, "Please enter a Passport number")
    elif country == "SA" and not re.fullmatch(r"[A-Z]{4}\d{4}", national):
        raise RefusalError(ADDRESS, "Please enter a 8-digit national address in right format, eg. ABCD1234.")


def check_items(items: list[dict[str, Any]], country: str) -> str:
    """Refuse what an item is refused for; return the code its memo asks for, where that makes an order.

    `country`: where it goes, as two letters.
    """
    asked = ""
    for item in items:
        memo = text_of(item.get("order_memo"))
        if memo.startswith(MEMO):
            asked = memo.removeprefix(MEMO).strip()
            if asked != PAY_FAILED:
                raise RefusalError(asked)
        if text_of(item.get("sku_attr")).isdecimal():
            raise RefusalError("SKU_NOT_EXIST")
        if text_of(item.get("logistics_service_name")).startswith("NO_"):
            raise RefusalError("DELIVERY_METHOD_NOT_EXIST")
        service = text_of(item.get("logistics_service_name"))
        product, count = int(digits(item, "product_id")), int(digits(item, "product_count"))
        code = catalogue.refusal(product, count, text_of(item.get("sku_attr")), service, country)
        if code is not None:
            raise RefusalError(code)
    return asked
