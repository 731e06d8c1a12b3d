"""The sandbox's AliExpress: a gateway at /sync that checks, refuses and creates as the real one does.

What one order can choose for itself is in `triggers`.

A key (`out_order_id`) counts for 24 hours from its first create, for each buyer account; a refusal does not
use it up. Every answer has HTTP 200. Signature errors come in the flat envelope, every other gateway error
in `error_response`. Product ids from 1009000000000001 on are a catalogue of good and doomed goods
(worker/sandbox/catalogue.py); a suffix of the order_id chooses how an order lives on (worker/sandbox/stories.py).
"""

from __future__ import annotations

import hmac
import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from worker.sandbox.aliexpress_checks import (
    PAY_FAILED,
    REFUSALS,
    REPEATED,
    GatewayError,
    RefusalError,
    check_address,
    check_items,
    digits,
    json_object,
    object_of,
    shape,
    text_of,
    unix,
)
from worker.sandbox.aliexpress_messages import PUSHED, order_as_shown, order_message, sku_id
from worker.sandbox.aliexpress_reads import QUOTAS, READS, TRACKING_GET, with_request_id
from worker.sandbox.aliexpress_tokens import AUTHORIZE, api_of, authorize, signature, token_call
from worker.sandbox.aliexpress_tracking import NOTHING, form_of, tracking
from worker.sandbox.catalogue import store_of
from worker.sandbox.fake import Answer, Call, Fake, Keys, Message, SandboxOrder
from worker.sandbox.lives import Event, Life, Phase
from worker.sandbox.stories import chosen, life
from worker.sandbox.tokens import TokenDesk

CREATE = "aliexpress.ds.order.create"
GET = "aliexpress.trade.ds.order.get"
ORDER_PARAMETER = "param_place_order_request4_open_api_d_t_o"
DRIFT_SECONDS = 7200
KEY_SECONDS = 24 * 3600
PAY_SECONDS = 86_400.0
BUILT_IN = {"app_key": "sandbox-key", "app_secret": "sandbox-secret", "access_token": "sandbox-token"}


class AliExpressFake(Fake):
    """AliExpress' dropshipping gateway: order create, order get, tracking, what a preflight asks, and tokens."""

    name = "aliexpress"
    paths = ("/sync", "/rest", "/oauth")
    built_in = BUILT_IN
    triggers: ClassVar[Mapping[str, str]] = {
        "an item's `order_memo` is `sandbox:CODE`": "refused with CODE, with the vendor page's text if it has one",
        "an item's `order_memo` is `sandbox:APIPayFail`": "made, and the automatic payment is said to have failed",
        "a `logistics_service_name` begins with `NO_`": "refused: there is no such delivery method",
        "product ids that begin with 32 and others in one order": "a second store: two orders of the marketplace",
    }

    def __init__(self, credentials: Keys | None = None, sync_seconds: float = 3.0) -> None:
        super().__init__(credentials, sync_seconds)
        self._secrets = {
            str(keys.get("app_key", "")): str(keys.get("app_secret", "")).encode() for keys in self.credentials.values()
        }
        # One app may serve several buyers, so an account is an app and a token.
        self.tokens: TokenDesk = TokenDesk(self.credentials, "app_key")
        self._by_key: dict[tuple[str, str], SandboxOrder] = {}
        self._by_reference: dict[str, SandboxOrder] = {}
        self._ids = itertools.count(8_190_000_000_000_000 + random.randrange(10**13))

    def key_of(self, call: Call) -> str | None:
        """Return the `out_order_id` of a create; None for everything else."""
        if call.form.get("method") != CREATE:
            return None
        try:
            return text_of(json.loads(call.form.get(ORDER_PARAMETER, "")).get("out_order_id"))
        except (ValueError, AttributeError):
            return ""

    def is_token_call(self, call: Call) -> bool:
        """Tell whether a call asks for a grant, a token, or a new one."""
        return call.path.startswith(AUTHORIZE) or api_of(call) is not None

    def handle(self, call: Call) -> Answer:
        """Answer one call to the gateway."""
        if call.path == AUTHORIZE:
            return authorize(call, self.tokens)
        try:
            path = api_of(call)
            if path is not None:
                return self._token(path, call)
            account = self._admit(call)
            method = call.form["method"]
            if self.calls.came(method, call.at - call.moved) > QUOTAS.get(method, math.inf):
                raise GatewayError("ApiCallLimit")
            if method in READS:
                return Answer(with_request_id(READS[method](call.form), self._request_id(call)))
            execute = {CREATE: self._create, GET: self._get, TRACKING_GET: self._tracking}.get(method)
            if execute is None:
                raise GatewayError("InvalidApiPath")
            result = execute(call, account)
        except GatewayError as error:
            return self._error(error, call)
        envelope = method.replace(".", "_") + "_response"
        return _answer({envelope: {"result": result, "request_id": self._request_id(call)}})

    def _token(self, path: str, call: Call) -> Answer:
        """Answer a call for a token; through /sync it is wrapped, and its `method` signed with the rest."""
        form = call.form
        self._check_signed(call, path)
        self.calls.came(path, call.at - call.moved)
        told = token_call(path, form, self.tokens, self.credentials, call.at, call.moved)
        told["request_id"] = self._request_id(call)
        return _answer({f"{path}_response": told} if "method" in form else told)

    def fault_answer(self, fault: str, call: Call) -> Answer:
        """Say "too often" or "token invalid" in the gateway's words."""
        if fault == "throttle":
            return self._error(GatewayError("ApiCallLimit"), call)
        return self._error(
            GatewayError("IllegalRefreshToken" if self.is_token_call(call) else "IllegalAccessToken"), call
        )

    def messages(self, order: SandboxOrder) -> Iterator[Message]:
        """Tell of each of a create's orders that it was made, signed with the account's app."""
        for reference in order.references:
            keys, at = self.credentials[order.account], self.stamp(order.created_at)
            yield order_message(reference, "OrderCreated", at, keys)

    def moved(self, order: SandboxOrder, reference: str, event: Event) -> Iterator[Message]:
        """Tell of the moves AliExpress has a message for."""
        if event.move in PUSHED:
            keys = self.credentials[order.account]
            yield order_message(reference, PUSHED[event.move], self.stamp(event.at), keys)

    def life_of(self, order: SandboxOrder, reference: str) -> Life | None:
        """Begin unpaid or paid, as the create asked; an unpaid order is cancelled after a day."""
        if "parts" not in order.request:
            return None
        pieces = [line["count"] for line in order.request["parts"][reference][1]]
        first = Phase.PAID if order.request["paid"] else Phase.UNPAID
        return life(order.key, first, order.created_at, pieces, PAY_SECONDS)

    def reset(self) -> None:
        """Forget every order."""
        super().reset()
        self._by_key.clear()
        self._by_reference.clear()

    def _request_id(self, call: Call) -> str:
        return f"2140eeb8{int(call.at * 1000):013d}{next(self._sequence) % 10000:04d}"

    def _error(self, error: GatewayError, call: Call) -> Answer:
        body = {**error.body, "request_id": self._request_id(call)}
        return _answer(body if error.flat else {"error_response": body})

    def _admit(self, call: Call) -> str:
        """Check what the gateway checks before it looks at the business parameters; return the account."""
        form = call.form
        if not form.get("method"):
            raise GatewayError("MissingParameter", "method")
        self._check_signed(call, "")
        token = form.get("session") or form.get("access_token", "")
        account = self.tokens.account_of(form["app_key"], token, call.at)
        if account is None:
            raise GatewayError("IllegalAccessToken")
        return account

    def _check_signed(self, call: Call, path: str) -> None:
        """Check a call's system parameters and its signature; `path` stands before the others in it."""
        form = call.form
        for name in ("app_key", "timestamp", "sign_method", "sign"):
            if not form.get(name):
                raise GatewayError("MissingParameter", name)
        secret = self._secrets.get(form["app_key"])
        if secret is None:
            raise GatewayError("InvalidAppKey")
        sent_at = unix(form["timestamp"])
        if sent_at is None or call.drift(sent_at) > DRIFT_SECONDS:
            raise GatewayError("IllegalTimestamp")
        digest = signature(path, form, secret)
        if form["sign_method"] != "sha256" or not hmac.compare_digest(digest.encode(), form["sign"].encode()):
            raise GatewayError("IncompleteSignature")

    def _create(self, call: Call, account: str) -> dict[str, Any]:
        order = json_object(call.form, ORDER_PARAMETER)
        extend = json_object(call.form, "ds_extend_request") if call.form.get("ds_extend_request") else {}
        address, items = shape(order)
        key = text_of(order.get("out_order_id"))
        first = self.first_under(account, key, call.at)
        if first is not None:
            return self._repeat(first, call.at)
        try:
            check_address(address, extend)
            memo = check_items(items, text_of(address.get("country")).upper())
        except RefusalError as refusal:
            return {"error_msg": refusal.message, "error_code": refusal.code, "is_success": False}
        payment = object_of(extend.get("payment"))
        pays = text_of(payment.get("try_to_pay")).lower() == "true"
        fails = memo == PAY_FAILED or (pays and chosen(key, "pay_fails"))
        currency = text_of(payment.get("pay_currency")) or "USD"
        made = self._make(account, key, items, call.at, {"paid": pays and not fails, "currency": currency})
        result: dict[str, Any] = {"is_success": True, "order_list": _numbers(made)}
        if fails:
            result["error_msg"] = "OrderCreated, autoPay fail:APIPayFail"
        return result

    def _repeat(self, first: SandboxOrder, at: float) -> dict[str, Any]:
        first.creates.append(at)
        result: dict[str, Any] = {"is_success": False, "error_code": REPEATED, "error_msg": REFUSALS[REPEATED]}
        if self.repeat_with_ids:
            result["order_list"] = _numbers(first)
        return result

    def _make(
        self, account: str, key: str, items: list[dict[str, Any]], at: float, request: dict[str, Any]
    ) -> SandboxOrder:
        """Create one marketplace order for each store and put them into the record as one create."""
        stores: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            product_id = int(item["product_id"])
            line = {
                "product_id": product_id,
                "count": int(item["product_count"]),
                "sku_attr": text_of(item.get("sku_attr")),
            }
            service = text_of(item.get("logistics_service_name"))
            stores.setdefault(store_of(product_id), []).append({**line, "service": service})
        parts = {str(next(self._ids)): (store, lines) for store, lines in stores.items()}
        order = SandboxOrder(self.name, account, key, list(parts), at, [at], request={"parts": parts, **request})
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
        query = json_object(call.form, "single_order_query")
        reference = digits(query, "order_id")
        order = self._by_reference.get(reference)
        if order is not None and order.account == account:
            order.gets.append(call.at)
            if self.shows(order, call.at):
                return order_as_shown(order, reference, call.at)
        # The real one answers the same for an order it does not know and for one that is somebody else's.
        sub = {"sub_code": "isv.insufficient-permission", "sub_msg": "Insufficient permission."}
        raise GatewayError("15", type="ISP", **sub)

    def _tracking(self, call: Call, account: str) -> dict[str, Any]:
        for name in ("ae_order_id", "language"):
            if not call.form.get(name):
                raise GatewayError("UnsupportedParamMapping", name)
        reference = call.form["ae_order_id"]
        order = self._by_reference.get(reference)
        # A wrong id is answered like an order without a parcel.
        if order is None or order.account != account:
            return dict(NOTHING)
        order.gets.append(call.at)
        if not self.shows(order, call.at):
            return dict(NOTHING)
        lines = [{**line, "sku_id": sku_id(line)} for line in order.request["parts"][reference][1]]
        form = form_of(order.key, self.tracking_form)
        return tracking(reference, lines, order.lives[reference].at(call.at), form)


def _answer(body: Mapping[str, Any]) -> Answer:
    return Answer(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"))


def _numbers(order: SandboxOrder) -> dict[str, list[int]]:
    return {"number": [int(reference) for reference in order.references]}
