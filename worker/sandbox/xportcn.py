"""The sandbox's Xportcn: preview, create, list, detail and logistics below /api, as strict as it is said to be.

What one order can choose for itself is in `triggers`.

Nothing is idempotent: the same outOrderId makes another order each time, and each create needs a preview of its own
with the same outOrderId, flow and lines. The list and the details show an order `sync_seconds` after its create;
every account has one old order, so that its list is never empty. Prices follow from the offer id. Xportcn's error
codes are not stored: 400, 401, 403 and PREVIEW_REQUIRED are this sandbox's own, so that a create they turn away is
unknown to whoever knows documented codes only; the words are the platform's. The faults are in 1688's documented form.
A suffix of the order_id chooses how an order lives on (worker/sandbox/stories.py).
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from worker.sandbox.fake import Answer, Call, Fake, Keys, Message, SandboxOrder
from worker.sandbox.lives import Event, Life, Phase
from worker.sandbox.stories import life
from worker.sandbox.xportcn_checks import MARK, TEXTS, RefusalError, body_of, check, text_of, whole
from worker.sandbox.xportcn_life import (
    NO_LOGISTICS,
    PAY_SECONDS,
    PHASES,
    callback,
    details,
    logistics,
    status_of,
    traces,
)

BASE = "/api/alibaba/ka/order"
DRIFT_SECONDS = 600
NONCE_CHARACTERS = 32
CARRIAGE_FEN = 600
SERVICE_FEN = 161
"""Sample of the vendor: sumTotalPayment is 161 fen above sumPayment, for an unexplained service."""
TRADE_MODES = ["assureTrade", "alipay", "period"]
HISTORY = "history-1"
"""outOrderId of the order every account had before."""
PAGE_SIZE = 20
BUILT_IN = {"access_key": "sandbox-key", "access_secret": "sandbox-secret", "user_id": "sandbox-user"}


class XportcnFake(Fake):
    """Xportcn's KA gateway. There is no pay call and no cancel call here."""

    name = "xportcn"
    paths = ("/api",)
    built_in = BUILT_IN
    triggers: ClassVar[Mapping[str, str]] = {
        "`message` is `sandbox:CODE`": "the create is refused with CODE, with 1688's text if it has one",
        "`message` is `sandbox:SPLIT`": "two orders of the marketplace",
        "`message` is `sandbox:PARTIAL`": "made without its last line, as 1688 tells it",
        "`message` is `sandbox:NO_IDS`": "made, and no id is told",
        "`message` is `sandbox:IDS_WITH_ERROR`": "made, and the id is told under code 500",
        "`message` is `sandbox:STATUS=cancel`": "made, and read back with that status",
        "a line's `productNo` is `sandbox:CODE`": "the preview is refused with CODE",
    }

    def __init__(self, credentials: Keys | None = None, sync_seconds: float = 3.0) -> None:
        super().__init__(credentials, sync_seconds)
        self._secrets: dict[str, str] = {}
        # One key pair may serve several users, so an account is a key and a user.
        self._accounts: dict[tuple[str, str], str] = {}
        for account, keys in self.credentials.items():
            access_key = str(keys.get("access_key", ""))
            self._secrets[access_key] = str(keys.get("access_secret", ""))
            self._accounts[access_key, str(keys.get("user_id", ""))] = account
        self._nonces: dict[tuple[str, str], float] = {}
        self._previews: dict[tuple[str, str], str] = {}
        self._by_account: dict[str, list[SandboxOrder]] = {}
        self._by_key: dict[tuple[str, str], list[SandboxOrder]] = {}
        self._by_reference: dict[str, SandboxOrder] = {}
        self._ids = itertools.count(2_019_000_000_000_000_000 + random.randrange(10**15))

    def key_of(self, call: Call) -> str | None:
        """Return the `outOrderId` of a create; None for everything else."""
        if call.path.rstrip("/") != f"{BASE}/create":
            return None
        try:
            return text_of(json.loads(call.body).get("outOrderId"))
        except (ValueError, AttributeError, RecursionError):
            return ""

    def handle(self, call: Call) -> Answer:
        """Answer one call."""
        calls: dict[str, Callable[[Call, str, dict[str, Any]], Any]] = {
            f"{BASE}/create/preview": self._preview,
            f"{BASE}/create": self._create,
            f"{BASE}/page": self._list,
            f"{BASE}/detail": self._detail,
            f"{BASE}/logistics": self._logistics,
            f"{BASE}/logistics/trace": self._traces,
        }
        execute = calls.get(call.path.rstrip("/"))
        if execute is None or call.method != "POST":
            status, error = (404, "Not Found") if execute is None else (405, "Method Not Allowed")
            return _answer({"timestamp": int(call.at * 1000), "status": status, "error": error}, status)
        self.calls.came(call.path, call.at - call.moved)
        try:
            result = execute(call, self._admit(call), body_of(call))
        except RefusalError as refusal:
            return self._envelope(refusal.code, refusal.text, None)
        return result if isinstance(result, Answer) else self._envelope(200, "成功", result)

    def fault_answer(self, fault: str, call: Call) -> Answer:
        """Say "too often" or "signature invalid" in the words of 1688's gateway."""
        code, text = ("gw.SignatureInvalid", "Invalid signature")
        if fault == "throttle":
            code, text = ("gw.QosAppFrequencyLimit", "App call exceeds limited frequency")
        return _answer({"error_code": code, "error_message": text}, 400)

    def messages(self, order: SandboxOrder) -> Iterator[Message]:
        """Tell of each of a create's orders that it was made."""
        for reference in order.lives:
            yield from self._callback(order, reference, None)

    def moved(self, order: SandboxOrder, reference: str, event: Event) -> Iterator[Message]:
        """Tell of the moves Xportcn has a callback for."""
        yield from self._callback(order, reference, event)

    def _callback(self, order: SandboxOrder, reference: str, event: Event | None) -> Iterator[Message]:
        stamp = self.stamp(event.at if event else order.created_at)
        message = callback(order, reference, event, _total(order, reference), stamp)
        if message is not None:
            yield message

    def life_of(self, order: SandboxOrder, reference: str) -> Life | None:
        """Begin unpaid, with 1688's deadline, or as the status its create asked for."""
        if "parts" not in order.request:
            return None
        pieces = [line["quantity"] for line in order.request["parts"][reference]]
        first = PHASES.get(order.request["status"], Phase.PAID)
        return life(order.key, first, order.created_at, pieces, PAY_SECONDS)

    def reset(self) -> None:
        """Forget every order, preview and nonce."""
        super().reset()
        for index in (self._nonces, self._previews, self._by_account, self._by_key, self._by_reference):
            index.clear()

    def _envelope(self, code: int | str, msg: str, data: Any) -> Answer:
        number = int(code) if isinstance(code, str) and code.isdecimal() else code
        request_id = f"sandbox{next(self._sequence):012d}"
        return _answer({"requestId": request_id, "code": number, "developId": "10001", "msg": msg, "data": data})

    def _admit(self, call: Call) -> str:
        """Check the headers; return the account."""
        headers = {name.lower(): value for name, value in call.headers.items()}
        for name in ("access-key", "nonce-str", "timestamp", "user-id", "signature"):
            if not headers.get(name):
                raise RefusalError("401", f"header {name} is missing: signature refused")
        access_key, nonce, timestamp = headers["access-key"], headers["nonce-str"], headers["timestamp"]
        secret = self._secrets.get(access_key)
        if secret is None:
            raise RefusalError("401", "access-key is invalid or was reset")
        sent_at = int(timestamp) if timestamp.isdecimal() and len(timestamp) in (10, 13) else 0
        if call.drift(sent_at / 1000 if len(timestamp) == 13 else sent_at) > DRIFT_SECONDS:
            raise RefusalError("401", "timestamp expired")
        digest = hashlib.md5(f"{access_key}{timestamp}{nonce}{secret}".encode(), usedforsecurity=False)
        if not hmac.compare_digest(digest.hexdigest().upper().encode(), headers["signature"].encode()):
            raise RefusalError("401", "signature error")
        self._spend(access_key, nonce, call.at)
        account = self._accounts.get((access_key, headers["user-id"]))
        if account is None:
            raise RefusalError("403", "user-id has no permission")
        return account

    def _spend(self, access_key: str, nonce: str, at: float) -> None:
        if len(nonce) != NONCE_CHARACTERS or (access_key, nonce) in self._nonces:
            raise RefusalError("401", "nonce-str is not 32 characters or was used before")
        self._nonces[access_key, nonce] = at
        while self._nonces and next(iter(self._nonces.values())) < at - 2 * DRIFT_SECONDS:
            del self._nonces[next(iter(self._nonces))]  # in the order they came, so the oldest is first

    def _preview(self, call: Call, account: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        lines = check(body)
        self._previews[account, text_of(body.get("outOrderId"))] = _previewed(body)
        sums = _sums(lines)
        items = [{**_line(line), "message": ""} for line in lines]
        return [{**sums, "tradeModeNameList": TRADE_MODES, "orderItemTOList": items}]

    def _create(self, call: Call, account: str, body: dict[str, Any]) -> Any:
        lines, key = check(body), text_of(body.get("outOrderId"))
        if self._previews.get((account, key)) != _previewed(body):
            raise RefusalError("PREVIEW_REQUIRED", "call the preview with the same outOrderId, flow and lines first")
        trade_type, message = text_of(body.get("tradeType")), text_of(body.get("message"))
        if trade_type and trade_type not in TRADE_MODES:
            raise RefusalError("500", f"not support tradeType:【{trade_type}】")
        asked = message.removeprefix(MARK) if message.startswith(MARK) else ""
        status = asked.removeprefix("STATUS=") if asked.startswith("STATUS=") else "waitbuyerpay"
        if asked not in ("", "SPLIT", "PARTIAL", "NO_IDS", "IDS_WITH_ERROR") and not asked.startswith("STATUS="):
            raise RefusalError(asked)
        del self._previews[account, key]
        if asked == "PARTIAL":
            order = self._make(account, key, [lines[:-1] or lines], status, call.at)
            return _partly(order, lines[1:][-1:])
        parts = _halves(lines) if asked == "SPLIT" else [lines]
        order = self._make(account, key, parts, status, call.at)
        if asked == "IDS_WITH_ERROR":
            return self._envelope(500, "系统异常", {"orderIds": order.references})
        return {"orderIds": [] if asked == "NO_IDS" else order.references}

    def _make(self, account: str, key: str, parts: list[Any], status: str, at: float) -> SandboxOrder:
        held = {str(next(self._ids)): [_line(line) for line in part] for part in parts}
        request = {"parts": held, "status": status}
        order = SandboxOrder(self.name, account, key, list(held), at, [at], request=request)
        self.commit(order)
        return order

    def enter(self, order: SandboxOrder) -> None:
        """Let an order be found by its account, its key and its ids."""
        self._by_account.setdefault(order.account, []).append(order)
        self._by_key.setdefault((order.account, order.key), []).append(order)
        self._by_reference.update(dict.fromkeys(order.references, order))

    def _list(self, call: Call, account: str, body: dict[str, Any]) -> dict[str, Any]:
        wanted, page = text_of(body.get("outOrderId")), max(1, whole(body.get("page"), 1))
        size = min(max(1, whole(body.get("pageSize"), PAGE_SIZE)), 50)
        orders = self._by_key.get((account, wanted), []) if wanted else self._by_account.get(account, [])
        for order in orders if wanted else []:
            order.gets.append(call.at)
        visible = [order for order in orders if self.shows(order, call.at)]
        entries = [*reversed(visible), *([None] if wanted in ("", HISTORY) else [])]
        shown = entries[(page - 1) * size : page * size]
        return {
            "total": len(entries),
            "page": page,
            "pageSize": size,
            "records": [row for entry in shown for row in (_rows(entry, call.at) if entry else [_history(account)])],
        }

    def _detail(self, call: Call, account: str, body: dict[str, Any]) -> dict[str, Any]:
        order, reference = self._shown(call, account, body)
        return _row(order, reference, call.at)

    def _shown(self, call: Call, account: str, body: dict[str, Any]) -> tuple[SandboxOrder, str]:
        reference = text_of(body.get("orderId"))
        order = self._by_reference.get(reference)
        if order is not None and order.account == account:
            order.gets.append(call.at)
            if self.shows(order, call.at):
                return order, reference
        raise RefusalError("500", "订单不存在")

    def _logistics(self, call: Call, account: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        order, reference = self._shown(call, account, body)
        standing = order.lives[reference].at(call.at)
        if not standing.boxes:
            raise RefusalError("404", NO_LOGISTICS)
        return logistics(reference, order.request["parts"][reference], standing)

    def _traces(self, call: Call, account: str, body: dict[str, Any]) -> dict[str, Any]:
        order, reference = self._shown(call, account, body)
        standing = order.lives[reference].at(call.at)
        if not standing.boxes:
            raise RefusalError("404", NO_LOGISTICS)
        return {"logisticsTrace": traces(reference, standing)}


def _answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace"), status)


def _previewed(body: Mapping[str, Any]) -> str:
    return json.dumps([body.get(name) for name in ("flow", "addressParam", "cargoParamList")], sort_keys=True)


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line with its price in fen, which follows from the offer id, so that it can be foretold."""
    price = 199 + line["offerId"] * 7919 % 4801
    amount = price * line["quantity"]
    named = {name: line.get(name) for name in ("offerId", "specId", "quantity")}
    return {**named, "finalUnitPrice": price, "amount": amount}


def _halves(lines: list[Any]) -> list[list[Any]]:
    """Part an order in two, a single line by its pieces; one piece stays one order."""
    if len(lines) > 1:
        return [lines[::2], lines[1::2]]
    line, many = lines[0], lines[0]["quantity"]
    return [[{**line, "quantity": part}] for part in (many - many // 2, many // 2) if part]


def _partly(order: SandboxOrder, failed: list[Any]) -> dict[str, Any]:
    """Answer as 1688's createCrossOrder does when it took a part of the lines."""
    why = {"errorCode": "500_004", "errorMessage": TEXTS["500_004"]}
    return {
        "orderId": order.references[0],
        "success": True,
        "code": None,
        "message": None,
        "failedOfferList": [{"offerId": str(one["offerId"]), "specId": one.get("specId"), **why} for one in failed],
        "totalSuccessAmount": sum(line["amount"] for line in order.request["parts"][order.references[0]]),
        "postFee": CARRIAGE_FEN,
        "orderList": None,
    }


def _sums(lines: list[Any]) -> dict[str, int]:
    goods = sum(_line(line)["amount"] for line in lines)
    payment = goods + CARRIAGE_FEN
    sums = {"sumCarriage": CARRIAGE_FEN, "sumPaymentNoCarriage": goods, "sumPayment": payment}
    return {**sums, "sumTotalPayment": payment + SERVICE_FEN}


def _total(order: SandboxOrder, reference: str) -> int:
    """Return what an order costs in fen; carriage and service are paid once, with the first of several."""
    once = CARRIAGE_FEN + SERVICE_FEN if reference == order.references[0] else 0
    amounts: list[int] = [line["amount"] for line in order.request["parts"][reference]]
    return sum(amounts) + once


def _row(order: SandboxOrder, reference: str, at: float) -> dict[str, Any]:
    """Return an order as list and detail show it: Xportcn's flat names around 1688's own object."""
    lines = order.request["parts"][reference]
    status = status_of(order, order.lives[reference].at(at))
    created = f"{datetime.fromtimestamp(order.created_at, UTC):%Y%m%d%H%M%S}000+0000"
    # baseInfo.id loses digits on its way, as in 1688's own sample.
    base = {"id": int(reference) // 100 * 100, "idOfStr": reference, "status": status, "createTime": created}
    money = {"totalAmount": _total(order, reference), **details(order, reference, at)}
    return {"orderId": reference, "outOrderId": order.key, "orderStatus": status, **money, "baseInfo": base} | {
        "productItems": [{**line, "subItemID": int(reference) * 10 + place} for place, line in enumerate(lines)]
    }


def _rows(order: SandboxOrder, at: float) -> list[dict[str, Any]]:
    return [_row(order, reference, at) for reference in order.references]


def _history(account: str) -> dict[str, Any]:
    number = int(hashlib.sha256(account.encode()).hexdigest(), 16) % 10**15
    return {"orderId": str(2_018_000_000_000_000_000 + number), "outOrderId": HISTORY, "orderStatus": "success"}
