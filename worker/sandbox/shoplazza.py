"""The sandbox's Shoplazza: a shop's /openapi/{version}/orders that checks, refuses, creates and lists as the real one.

What one order can choose for itself is in `triggers`.

There is no idempotency: every right create makes an order. 2022-01 takes a bare body, answers 422 and has no tag
filter; later versions take `{"order": …}`, answer 400, 403 or 500. Of 2025-06 nobody knows whether it has the tag
filter, so here it has not. Reads and lists show an order `sync_seconds` after its create. `limit` (size, leak a
second) switches the leaky bucket on.
A suffix of the order_id chooses how an order lives on (worker/sandbox/stories.py).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from worker.sandbox.fake import Answer, Call, Fake, Keys, Message, SandboxOrder
from worker.sandbox.lives import Event, Life
from worker.sandbox.shoplazza_checks import (
    BEFORE,
    LEGACY,
    ProblemError,
    check,
    number_in,
    object_in,
    priced,
    text_of,
    unix,
)
from worker.sandbox.shoplazza_life import PHASES, fulfilments, line_id, stamp, statuses, topic_of, webhook
from worker.sandbox.shoplazza_tokens import answer as answer_token
from worker.sandbox.shoplazza_triggers import TRIGGERS
from worker.sandbox.shoplazza_webhooks import Webhooks
from worker.sandbox.stories import life
from worker.sandbox.tokens import TokenDesk

VERSIONS = (LEGACY, "2025-06", "2026-01", "2026-07")
WITH_TAG_FILTER = ("2026-01", "2026-07")
PATH = re.compile(r"/openapi/([^/]+)/orders(?:/([^/]+))?/?")
FULFILMENTS = re.compile(r"/openapi/([^/]+)/orders/([^/]+)/fulfillments(?:/([^/]+))?/?")
WEBHOOKS = re.compile(r"/openapi/([^/]+)/webhooks(?:/([^/]+))?/?")
PUSH_VERSION = "2026-01"
BRACKET = re.compile(r"\[order (\S+) (\S+)\]")
TRIGGER = re.compile(r"sandbox:(\w+)")
NOT_FOUND = "Unable to find resource"

AFTER = {
    "CreateOrderBatchOption": "order_id {} CreateOrderBatchOption failed",
    "GetOrderDetail": "Get Order Detail failed",
    "DecreaseInventory": "DecreaseInventory failed",
    "DeadlineExceeded": "DeadlineExceeded",
}
FAILED = {
    "CreateOrderFailed": (406, "Create order failed"),
    "Aborted": (500, "Aborted"),
    "NotFound": (500, "NotFound"),
    "Unimplemented": (500, "Unimplemented"),
    "Unauthenticated": (500, "Unauthenticated"),
    "scope": (403, "the app does not have the scope write_order"),
    "inactive": (400, "store is not active"),
}
STATES = {
    "opened": ("opened", "waiting", "initialled"),
    "placed": ("placed", "paid", "waiting"),
    "finished": ("finished", "paid", "finished"),
    "cancelled": ("cancelled", "cancelled", "cancelled"),
    "refunded": ("placed", "refunded", "waiting"),
    "deleted": ("opened", "waiting", "initialled"),
}


class ShoplazzaFake(Fake):
    """A shop's order API: create, get, list, fulfilments; its webhooks, and its grants."""

    name = "shoplazza"
    paths = ("/openapi", "/admin/oauth")
    built_in: ClassVar[Mapping[str, str]] = {"access_token": "sandbox-token", "shop": "sandbox"}
    triggers = TRIGGERS

    def __init__(self, credentials: Keys | None = None, sync_seconds: float = 3.0) -> None:
        super().__init__(credentials, sync_seconds)
        self.tokens: TokenDesk = TokenDesk(self.credentials)
        self.webhooks = Webhooks()
        self._by_reference: dict[str, SandboxOrder] = {}
        self._by_tag: dict[tuple[str, str], list[SandboxOrder]] = {}
        self._buckets: dict[str, tuple[float, float]] = {}
        # Not from 1: a ledger that outlives the sandbox must not meet an id again.
        self._ids = itertools.count(random.randrange(10**7))
        self.limit: tuple[int, float] | None = None
        """Size and leak a second of each account's bucket; None: calls are not counted."""

    def key_of(self, call: Call) -> str | None:
        """Return the order_id in the note of a create; None for everything else."""
        if call.method != "POST" or not PATH.fullmatch(call.path):
            return None
        try:
            body = json.loads(call.body)
            found = BRACKET.findall((body.get("order") or body).get("note"))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return ""
        return found[-1][0] if found else ""

    def handle(self, call: Call) -> Answer:
        """Answer one call to the shop's API."""
        if self.is_token_call(call):
            self.calls.came(call.path, call.at - call.moved)
            return answer_token(call, self.tokens, self.credentials)
        places = ((PATH, "orders"), (FULFILMENTS, "fulfillments"), (WEBHOOKS, "webhooks"))
        found, kind = next(((match, name) for path, name in places if (match := path.fullmatch(call.path))), (None, ""))
        version = found[1] if found else LEGACY
        try:
            if found is None or version not in VERSIONS:
                raise ProblemError(404, NOT_FOUND, "NotFound")
            self.calls.came(f"{call.method} {kind}", call.at - call.moved)
            account = self._admit(call)
            match kind, call.method, found[2]:
                case "orders", "POST", None:
                    told: Mapping[str, Any] = {"order": self._create(call, account, version)}
                case "orders", "GET", None:
                    told = self._list(call, account, version)
                case "orders", "GET", reference:
                    told = {"order": _show(self._get(call, account, str(reference)), call.at)}
                case "fulfillments", "GET", reference:
                    told = self._fulfilments(call, account, str(reference), found[3])
                case "webhooks", _, number:
                    told = self._webhooks(call, account, number, version)
                case _:
                    raise ProblemError(405, "Method Not Allowed", "MethodNotAllowed")
            return _success(version, told)
        except ProblemError as problem:
            return _error(version, problem)

    def is_token_call(self, call: Call) -> bool:
        """Tell whether a call asks for a grant, a token, or a new one."""
        return call.path.startswith("/admin/oauth/")

    def messages(self, order: SandboxOrder) -> Iterator[Message]:
        """Tell that an order was made."""
        if order.lives:
            yield self._webhook("orders/create", order, order.created_at, "create")

    def moved(self, order: SandboxOrder, reference: str, event: Event) -> Iterator[Message]:
        """Tell of every move, with the order as it stands then."""
        yield self._webhook(topic_of(event), order, event.at, f"{event.move}/{event.at}")

    def _webhook(self, topic: str, order: SandboxOrder, at: float, part: str) -> Message:
        keys = self.credentials[order.account]
        return webhook(topic, _show(order, at), keys, PUSH_VERSION, part)

    def life_of(self, order: SandboxOrder, reference: str) -> Life | None:
        """Begin as the create asked; a shop's order is never cancelled unpaid."""
        if "lines" not in order.request:
            return None
        pieces = [line["quantity"] for line in order.request["lines"]]
        return life(order.key, PHASES[order.request["state"]], order.created_at, pieces, None)

    def fault_answer(self, fault: str, call: Call) -> Answer:
        """Say "too often" or "token invalid" in the API's words."""
        found = PATH.fullmatch(call.path)
        problem = (
            ProblemError(429, "Too Many Requests", "TooManyRequests")
            if fault == "throttle"
            else ProblemError(401, "Unauthorized", "Unauthorized")
        )
        return _error(found[1] if found else LEGACY, problem)

    def reset(self) -> None:
        """Forget every order."""
        super().reset()
        self._by_reference.clear()
        self._by_tag.clear()
        self.webhooks.clear()
        self._buckets.clear()

    def _admit(self, call: Call) -> str:
        account = self.tokens.account_of("", call.headers.get("access-token", ""), call.at)
        if account is None:
            raise ProblemError(401, "Unauthorized", "Unauthorized")
        if self.limit is not None:
            size, leak = self.limit
            level, since = self._buckets.get(account, (0.0, call.at))
            level = max(level - (call.at - since) * leak, 0.0) + 1
            if level > size:
                raise ProblemError(429, "Too Many Requests", "TooManyRequests")
            self._buckets[account] = level, call.at
        return account

    def _create(self, call: Call, account: str, version: str) -> dict[str, Any]:
        body = object_in(call, "order", version)
        check(body, version)
        note = text_of(body.get("note"))
        found = TRIGGER.search(note)
        asked = found[1] if found else ""
        if asked in BEFORE:
            raise ProblemError(422, BEFORE[asked])
        if asked in FAILED:
            raise ProblemError(*FAILED[asked], code=asked)
        order = self._make(body, account, note, asked, call.at)
        if asked in AFTER:
            status = 500 if asked == "DeadlineExceeded" or version != LEGACY else 422
            raise ProblemError(status, AFTER[asked].format(order.references[0]), asked)
        return _show(order, call.at)

    def _make(self, body: Mapping[str, Any], account: str, note: str, asked: str, at: float) -> SandboxOrder:
        mark = next(reversed(list(BRACKET.finditer(note))), None)
        state = asked if asked in STATES else "placed" if body.get("payment_line") == "COD" else "opened"
        request = {
            # Only our own line of the note: the rest may be personal.
            "note": mark[0] if mark else "",
            "tags": [text_of(tag) for tag in body.get("tags") or ()],
            "state": state,
            "country_code": text_of(body["shipping_address"].get("country_code")),
            "shipping_name": text_of(body["shipping_line"].get("name") or body["shipping_line"].get("shipping_name")),
            **priced(body),
        }
        reference = _reference(next(self._ids))
        order = SandboxOrder(self.name, account, mark[1] if mark else "", [reference], at, [at], request=request)
        self.commit(order)
        return order

    def enter(self, order: SandboxOrder) -> None:
        """Let an order be found by its id and its tags."""
        self._by_reference[order.references[0]] = order
        for tag in dict.fromkeys(order.request["tags"]):
            self._by_tag.setdefault((order.account, tag), []).append(order)

    def _get(self, call: Call, account: str, reference: str) -> SandboxOrder:
        order = self._by_reference.get(reference)
        if order is None or order.account != account:
            raise ProblemError(404, NOT_FOUND, "NotFound")
        order.gets.append(call.at)
        if not self.shows(order, call.at):
            raise ProblemError(404, NOT_FOUND, "NotFound")
        return order

    def _fulfilments(self, call: Call, account: str, reference: str, number: str | None) -> Mapping[str, Any]:
        order = self._get(call, account, reference)
        found = fulfilments(order, order.lives[reference].at(call.at))
        if number is None:
            size, start = number_in(call.query, "page_size", 10, 250), number_in(call.query, "cursor", 0, 10**9)
            more = len(found) > start + size
            page = {"fulfillments": found[start : start + size]}
            return {**page, "cursor": str(start + size) if more else "", "has_more": more}
        if number == "count":
            return {"count": len(found)}
        one = next((fulfilment for fulfilment in found if fulfilment["id"] == number), None)
        if one is None:
            raise ProblemError(404, NOT_FOUND, "NotFound")
        return {"fulfillment": one}

    def _webhooks(self, call: Call, account: str, number: str | None, version: str) -> Mapping[str, Any]:
        hooks = self.webhooks.of(account)
        match call.method, number:
            case "GET", None:
                return {"webhooks": hooks}
            case "GET", "count":
                return {"count": len(hooks)}
            case "POST", None:
                asked = object_in(call, "webhook", version)
                topic, address = text_of(asked.get("topic")), text_of(asked.get("address"))
                if "/" not in topic or not address.startswith("http"):
                    raise ProblemError(422, "topic and address are required")
                return {"webhook": self.webhooks.make(account, topic, address, call.at)}
            case "GET", str() if hook := self.webhooks.get(account, number or ""):
                return {"webhook": hook}
            case "DELETE", str() if self.webhooks.delete(account, number or ""):
                return {}
        raise ProblemError(404, NOT_FOUND, "NotFound")

    def _list(self, call: Call, account: str, version: str) -> dict[str, Any]:
        query, legacy = call.query, version == LEGACY
        size = number_in(query, "limit" if legacy else "page_size", 10, 250)
        start = (number_in(query, "page", 1, 10**6) - 1) * size if legacy else number_in(query, "cursor", 0, 10**9)
        if "order_tags" in query and version in WITH_TAG_FILTER:
            found = list(reversed(self._by_tag.get((account, query["order_tags"]), [])))
            for order in found:
                order.gets.append(call.at)
        else:
            found = [order for order in reversed(self.orders) if order.account == account]
        since = unix(query["created_at_min"]) if "created_at_min" in query else 0.0
        shown = [order for order in found if since < order.created_at + 1 and self.shows(order, call.at)]
        page = [_show(order, call.at) for order in shown[start : start + size]]
        if legacy:
            return {"orders": page}
        more = len(shown) > start + size
        return {"orders": page, "cursor": str(start + size) if more else "", "has_more": more}


def _success(version: str, data: Mapping[str, Any]) -> Answer:
    return _answer(data if version == LEGACY else {"code": "Success", "message": "", "data": data})


def _error(version: str, problem: ProblemError) -> Answer:
    """Answer with an error in the form and with the status of the API version (docs/vendors/shoplazza.md, 1)."""
    if version == LEGACY or version not in VERSIONS:
        said = {"error": problem.text} if problem.code == "inactive" else {"errors": [problem.text]}
        return _answer(said, problem.status)
    status = {422: 400, 406: 500}.get(problem.status, problem.status)
    return _answer({"code": problem.code, "message": problem.text}, status)


def _answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    return Answer(raw, status, headers={"Request-Id": hashlib.sha256(raw).hexdigest()[:32]})


def _reference(number: int) -> str:
    """Return an id in one of the three forms the vendor's samples have, each longer than a float is exact."""
    lot, rest = divmod(number, 100_000)
    third = f"{2_392_769 + lot}-HQWIFA{rest:05d}"
    return (str(10_234_136_520_598_000_000 + number), f"11218-{number:08d}", third)[number % 3]


def _show(order: SandboxOrder, at: float) -> dict[str, Any]:
    """Return one order as it is read back at a time; its tags as one text."""
    made, created = order.request, stamp(order.created_at)
    standing = order.lives[order.references[0]].at(at)
    status, financial, fulfilment = statuses(standing) if standing.moves else STATES[made["state"]]
    updated = stamp(standing.moves[-1].at) if standing.moves else created
    ended = updated if standing.ended_at is None else stamp(standing.ended_at)
    placed = created if standing.paid_at is None else stamp(standing.paid_at)
    paid, cancelled = financial in ("paid", "refunded", "refunding"), status == "cancelled"
    return {
        "id": order.references[0],
        "number": order.references[0][-8:],
        "note": made["note"],
        "status": status,
        "financial_status": financial,
        "fulfillment_status": fulfilment,
        "cancel_reason": ("other" if standing.moves else "customer") if cancelled else None,
        "currency": made["currency"],
        **made["amounts"],
        "total_paid": made["amounts"]["total_price"] if paid else "0.00",
        "total_refund_price": made["amounts"]["total_price"] if financial == "refunded" else "0.00",
        "tags": ", ".join(made["tags"]),
        "created_at": created,
        "updated_at": updated,
        "placed_at": placed if status != "opened" else None,
        "canceled_at": ended if cancelled else None,
        "cancelled_at": ended if cancelled else None,
        "finished_at": ended if status == "finished" else None,
        "deleted_at": created if made["state"] == "deleted" else None,
        "shipping_line": {"name": made["shipping_name"]},
        "shipping_address": {"country_code": made["country_code"]},
        "line_items": [{"id": line_id(order, n), **line} for n, line in enumerate(made["lines"])],
        "fulfillments": fulfilments(order, standing),
    }
