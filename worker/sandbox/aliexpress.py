"""The sandbox's AliExpress: a gateway at /sync that checks, refuses and creates as the real one does.

What one order can choose for itself is in `triggers`.

A key (`out_order_id`) counts for 24 hours from its first create, for each buyer account; a refusal does not
use it up. Every answer has HTTP 200. Signature errors come in the flat envelope, every other gateway error
in `error_response`.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from worker.sandbox.aliexpress_messages import order_as_shown, order_created
from worker.sandbox.fake import Answer, Call, Fake, Keys, Message, SandboxOrder

CREATE = "aliexpress.ds.order.create"
GET = "aliexpress.trade.ds.order.get"
ORDER_PARAMETER = "param_place_order_request4_open_api_d_t_o"
DRIFT_SECONDS = 7200
KEY_SECONDS = 24 * 3600
ADDRESS = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
REPEATED = "REPEATED_ORDER_ERROR"
PAY_FAILED = "APIPayFail"
MEMO = "sandbox:"

PHONE = "Please enter the country code and phone number without any spaces or special characters"
GATEWAY = {
    "MissingParameter": 'The input parameter "{}" that is mandatory for processing this request is not supplied',
    "InvalidParameter": "The specified parameter {} is not valid",
    "InvalidApiPath": "The specified API path is invalid",
    "InvalidAppKey": "The specified App Key is invalid",
    "IllegalTimestamp": "The specified timestamp is invalid or expired",
    "IncompleteSignature": "The request signature does not conform to platform standards",
    "IllegalAccessToken": "The specified access token is invalid or expired",
    "ApiCallLimit": "Api access frequency exceeds the limit. this ban will last 1 seconds",
    "15": "Remote service error",
}
FLAT = ("InvalidAppKey", "IllegalTimestamp", "IncompleteSignature")
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
BUILT_IN = {"app_key": "sandbox-key", "app_secret": "sandbox-secret", "access_token": "sandbox-token"}


class _RefusalError(Exception):
    """The order itself is refused; the key stays free."""

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        self.message = message or REFUSALS.get(code, code)


class _GatewayError(Exception):
    """The gateway turned the call away before any order was made; `name` is the parameter it complains of."""

    def __init__(self, code: str, name: str = "", **more: str) -> None:
        self.flat = code in FLAT
        text = GATEWAY[code].format(name)
        self.body = {"type": "ISV", "code": code, "message" if self.flat else "msg": text, **more}


class AliExpressFake(Fake):
    """AliExpress' dropshipping gateway: order create and order get."""

    name = "aliexpress"
    paths = ("/sync",)
    built_in = BUILT_IN
    triggers: ClassVar[Mapping[str, str]] = {
        "an item's `order_memo` is `sandbox:CODE`": "refused with CODE, with the vendor page's text if it has one",
        "an item's `order_memo` is `sandbox:APIPayFail`": "made, and the automatic payment is said to have failed",
        "a `logistics_service_name` begins with `NO_`": "refused: there is no such delivery method",
        "product ids that begin with 32 and others in one order": "a second store: two orders of the marketplace",
    }

    def __init__(self, credentials: Keys | None = None, sync_seconds: float = 3.0) -> None:
        super().__init__(credentials, sync_seconds)
        self._secrets: dict[str, bytes] = {}
        # One app may serve several buyers, so an account is an app and a token.
        self._accounts: dict[tuple[str, str], str] = {}
        for account, keys in self.credentials.items():
            app_key = str(keys.get("app_key", ""))
            self._secrets[app_key] = str(keys.get("app_secret", "")).encode()
            self._accounts[app_key, str(keys.get("access_token", ""))] = account
        self._by_key: dict[tuple[str, str], SandboxOrder] = {}
        self._by_reference: dict[str, SandboxOrder] = {}
        self._ids = itertools.count(8_190_000_000_000_000 + random.randrange(10**13))

    def key_of(self, call: Call) -> str | None:
        """Return the `out_order_id` of a create; None for everything else."""
        if call.form.get("method") != CREATE:
            return None
        try:
            return _text(json.loads(call.form.get(ORDER_PARAMETER, "")).get("out_order_id"))
        except (ValueError, AttributeError):
            return ""

    def handle(self, call: Call) -> Answer:
        """Answer one call to the gateway."""
        try:
            account = self._admit(call)
            method = call.form["method"]
            execute = {CREATE: self._create, GET: self._get}.get(method)
            if execute is None:
                raise _GatewayError("InvalidApiPath")
            result = execute(call, account)
        except _GatewayError as error:
            return self._error(error, call)
        envelope = method.replace(".", "_") + "_response"
        return _answer({envelope: {"result": result, "request_id": self._request_id(call)}})

    def fault_answer(self, fault: str, call: Call) -> Answer:
        """Say "too often" or "token invalid" in the gateway's words."""
        return self._error(_GatewayError("ApiCallLimit" if fault == "throttle" else "IllegalAccessToken"), call)

    def messages(self, order: SandboxOrder) -> Iterator[Message]:
        """Tell of each of a create's orders that it was made, signed with the account's app."""
        for reference in order.references:
            yield order_created(order, reference, self.credentials[order.account])

    def reset(self) -> None:
        """Forget every order."""
        super().reset()
        self._by_key.clear()
        self._by_reference.clear()

    def _request_id(self, call: Call) -> str:
        return f"2140eeb8{int(call.at * 1000):013d}{next(self._sequence) % 10000:04d}"

    def _error(self, error: _GatewayError, call: Call) -> Answer:
        body = {**error.body, "request_id": self._request_id(call)}
        return _answer(body if error.flat else {"error_response": body})

    def _admit(self, call: Call) -> str:
        """Check what the gateway checks before it looks at the business parameters; return the account."""
        form = call.form
        for name in ("method", "app_key", "timestamp", "sign_method", "sign"):
            if not form.get(name):
                raise _GatewayError("MissingParameter", name)
        secret = self._secrets.get(form["app_key"])
        if secret is None:
            raise _GatewayError("InvalidAppKey")
        sent_at = _unix(form["timestamp"])
        if sent_at is None or abs(call.at - sent_at) > DRIFT_SECONDS:
            raise _GatewayError("IllegalTimestamp")
        joined = "".join(name + form[name] for name in sorted(form) if name != "sign")
        digest = hmac.digest(secret, joined.encode(), hashlib.sha256).hex().upper()
        if form["sign_method"] != "sha256" or not hmac.compare_digest(digest.encode(), form["sign"].encode()):
            raise _GatewayError("IncompleteSignature")
        account = self._accounts.get((form["app_key"], form.get("session") or form.get("access_token", "")))
        if account is None:
            raise _GatewayError("IllegalAccessToken")
        return account

    def _create(self, call: Call, account: str) -> dict[str, Any]:
        order = _json_object(call.form, ORDER_PARAMETER)
        extend = _json_object(call.form, "ds_extend_request") if call.form.get("ds_extend_request") else {}
        address, items = _shape(order)
        key = _text(order.get("out_order_id"))
        first = self.first_under(account, key, call.at)
        if first is not None:
            return self._repeat(first, call.at)
        try:
            _check_address(address, extend)
            memo = _check_items(items)
        except _RefusalError as refusal:
            return {"error_msg": refusal.message, "error_code": refusal.code, "is_success": False}
        payment = _object(extend.get("payment"))
        pays = _text(payment.get("try_to_pay")).lower() == "true"
        made = self._make(account, key, items, call.at)
        made.request["paid"] = pays and memo != PAY_FAILED
        made.request["currency"] = _text(payment.get("pay_currency")) or "USD"
        result: dict[str, Any] = {"is_success": True, "order_list": _numbers(made)}
        if memo == PAY_FAILED:
            result["error_msg"] = "OrderCreated, autoPay fail:APIPayFail"
        return result

    def _repeat(self, first: SandboxOrder, at: float) -> dict[str, Any]:
        first.creates.append(at)
        result: dict[str, Any] = {"is_success": False, "error_code": REPEATED, "error_msg": REFUSALS[REPEATED]}
        if self.repeat_with_ids:
            result["order_list"] = _numbers(first)
        return result

    def _make(self, account: str, key: str, items: list[dict[str, Any]], at: float) -> SandboxOrder:
        """Create one marketplace order for each store and put them into the record as one create."""
        stores: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            store = "1103800032" if _text(item["product_id"]).startswith("32") else "1103800006"
            line = {"product_id": int(item["product_id"]), "count": int(item["product_count"])}
            stores.setdefault(store, []).append({**line, "service": _text(item.get("logistics_service_name"))})
        parts = {str(next(self._ids)): (store, lines) for store, lines in stores.items()}
        order = SandboxOrder(self.name, account, key, list(parts), at, [at], request={"parts": parts})
        self.commit(order)
        return order

    def enter(self, order: SandboxOrder) -> None:
        """Let an order be found by its key and its ids."""
        if order.key:
            self._by_key[order.account, order.key] = order
        self._by_reference.update(dict.fromkeys(order.references, order))

    def first_under(self, account: str, key: str, at: float) -> SandboxOrder | None:
        """Return the order a key has made within the time it counts."""
        first = self._by_key.get((account, key)) if key else None
        return first if first is not None and at - first.created_at < KEY_SECONDS else None

    def _get(self, call: Call, account: str) -> dict[str, Any]:
        query = _json_object(call.form, "single_order_query")
        reference = _digits(query, "order_id")
        order = self._by_reference.get(reference)
        if order is not None and order.account == account:
            order.gets.append(call.at)
            if self.shows(order, call.at):
                return order_as_shown(order, reference)
        # The real one answers the same for an order it does not know and for one that is somebody else's.
        sub = {"sub_code": "isv.insufficient-permission", "sub_msg": "Insufficient permission."}
        raise _GatewayError("15", type="ISP", **sub)


def _answer(body: Mapping[str, Any]) -> Answer:
    return Answer(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _numbers(order: SandboxOrder) -> dict[str, list[int]]:
    return {"number": [int(reference) for reference in order.references]}


def _unix(timestamp: str) -> float | None:
    """Read both documented forms: milliseconds since the epoch, and a date and time in UTC."""
    if timestamp.isdecimal() and len(timestamp) < 16:
        return int(timestamp) / 1000
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _json_object(form: Mapping[str, str], name: str) -> dict[str, Any]:
    if not form.get(name):
        raise _GatewayError("MissingParameter", name)
    try:
        value = json.loads(form[name])
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise _GatewayError("InvalidParameter", name)
    return value


def _digits(values: Mapping[str, Any], name: str) -> str:
    text = _text(values.get(name))
    if not text:
        raise _GatewayError("MissingParameter", name)
    if not text.isdecimal() or len(text) > 18 or int(text) < 1:
        raise _GatewayError("InvalidParameter", name)
    return text


def _shape(order: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Check what the API reference calls required; what it does not know is ignored, as the real one does."""
    for name, kind in (("logistics_address", dict), ("product_items", list)):
        if not order.get(name):
            raise _GatewayError("MissingParameter", name)
        if not isinstance(order[name], kind):
            raise _GatewayError("InvalidParameter", name)
    for item in order["product_items"]:
        if not isinstance(item, dict):
            raise _GatewayError("InvalidParameter", "product_items")
        _digits(item, "product_id")
        _digits(item, "product_count")
    return order["logistics_address"], order["product_items"]


def _check_address(address: Mapping[str, Any], extend: Mapping[str, Any]) -> None:
    country = _text(address.get("country")).upper()
    if not re.fullmatch("[A-Z]{2}", country):
        raise _RefusalError(ADDRESS, "Please select a Country/Region")
    for name, message in (
        ("address", "Please enter an Address"),
        ("city", "Please enter a City"),
        ("province", "Please select a State/Province/County"),
        ("mobile_no", "Please enter mobile phone number"),
    ):
        if not _text(address.get(name)):
            raise _RefusalError(ADDRESS, message)
    mobile = _text(address["mobile_no"])
    if not mobile.isdecimal() or not re.fullmatch(r"\+?\d{0,4}", _text(address.get("phone_country"))):
        raise _RefusalError(ADDRESS, PHONE)
    if not 7 <= len(mobile) <= 13:
        raise _RefusalError(ADDRESS, "Phone Number should contain 7-13 digits")
    _check_country(country, address, extend)


def _check_country(country: str, address: Mapping[str, Any], extend: Mapping[str, Any]) -> None:
    national = _text(_object(extend.get("trade_extra_param")).get("nat_addr"))
    if country == "US":
        # The real one splits the name at its space and wants 2-32 characters on either side.
        name = _text(address.get("contact_person")) or _text(address.get("full_name"))
        first, _, last = name.partition(" ")
        if not (2 <= len(first) <= 32 and 2 <= len(last.strip()) <= 32):
            raise _RefusalError(ADDRESS, "Please enter between 2 - 32 characters")
    elif country == "BR":
        digits = re.sub(r"[./-]", "", _text(address.get("cpf")))
        if not re.fullmatch(r"\d{11}|\d{14}", digits):
            raise _RefusalError("B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID")
        if not _text(address.get("contact_person")):
            raise _RefusalError("B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH")
    elif country == "MX" and not _text(address.get("passport_no")):
        raise _RefusalError(ADDRESS, "Please enter a Passport number")
    elif country == "SA" and not re.fullmatch(r"[A-Z]{4}\d{4}", national):
        raise _RefusalError(ADDRESS, "Please enter a 8-digit national address in right format, eg. ABCD1234.")


def _check_items(items: list[dict[str, Any]]) -> str:
    """Refuse what an item is refused for; return the code its memo asks for, where that makes an order."""
    asked = ""
    for item in items:
        memo = _text(item.get("order_memo"))
        if memo.startswith(MEMO):
            asked = memo.removeprefix(MEMO).strip()
            if asked != PAY_FAILED:
                raise _RefusalError(asked)
        if _text(item.get("sku_attr")).isdecimal():
            raise _RefusalError("SKU_NOT_EXIST")
        if _text(item.get("logistics_service_name")).startswith("NO_"):
            raise _RefusalError("DELIVERY_METHOD_NOT_EXIST")
    return asked
