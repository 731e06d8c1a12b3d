"""The sandbox's Template: checks, refuses and creates as the real one does; shares no code with the adapter.

What one order can choose for itself: a `memo` "sandbox:CODE" refuses it with CODE.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from worker.sandbox.fake import Answer, Call, Fake, Keys, SandboxOrder

PATH = "/template/v1"


class TemplateFake(Fake):
    """Template's API: create and get."""

    name = "template"
    paths = (PATH,)
    built_in: ClassVar[Mapping[str, str]] = {"token": "sandbox-token"}

    def __init__(self, credentials: Keys | None = None, sync_seconds: float = 3.0) -> None:
        super().__init__(credentials, sync_seconds)
        self._accounts = {f"Bearer {keys.get('token', '')}": account for account, keys in self.credentials.items()}

    def key_of(self, call: Call) -> str | None:
        """Return the idempotency key of a create; None for everything else."""
        return call.headers.get("idempotency-key", "") if call.method == "POST" else None

    def handle(self, call: Call) -> Answer:
        """Answer one call."""
        account = self._accounts.get(call.headers.get("authorization", ""))
        if account is None:
            return self.fault_answer("token_expired", call)
        if call.method == "POST":
            return self._create(call, account)
        reference = call.path.removeprefix(f"{PATH}/orders/")
        order = next((one for one in self.orders if reference in one.references and one.account == account), None)
        if order is not None:
            order.gets.append(call.at)
        if order is None or not self.shows(order, call.at):
            return _answer({"message": "no such order"}, 404)
        money = {"total": "19.90", "currency": "EUR"}
        return _answer({"id": reference, "status": "open", **money, "items": order.request["items"]})

    def fault_answer(self, fault: str, call: Call) -> Answer:
        """Say "too often" or "token invalid" in the API's words."""
        if fault == "throttle":
            return _answer({"code": "TOO_MANY", "message": "slow down"}, 429)
        return _answer({"code": "BAD_TOKEN", "message": "the token is invalid"}, 401)

    def _create(self, call: Call, account: str) -> Answer:
        key = call.headers.get("idempotency-key", "")
        first = self.first_under(account, key, call.at)
        if first is not None:
            first.creates.append(call.at)
            return _answer({"id": first.references[0]})
        body = json.loads(call.body)
        memo = str(body.get("memo", ""))
        if memo.startswith("sandbox:"):
            return _answer({"code": memo.removeprefix("sandbox:"), "message": "refused"}, 422)
        reference = f"T{next(self._sequence):06d}"
        request = {"items": body.get("items")}
        self.commit(SandboxOrder(self.name, account, key, [reference], call.at, [call.at], request=request))
        return _answer({"id": reference}, 201)

    def first_under(self, account: str, key: str, at: float) -> SandboxOrder | None:
        """Return the order a key has made: another create under it is answered with that one."""
        return next((order for order in self.orders if (order.key, order.account) == (key, account)), None)


def _answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(json.dumps(body).encode(), status)
