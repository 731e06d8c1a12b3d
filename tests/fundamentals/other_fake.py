"""An AliExpress in another mood than the sandbox's, for lessons that need it: in the tests' own process, over HTTP."""

from __future__ import annotations

import json

from tests.harness import keys
from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.fake import Answer, Call

UNUSUAL = ("generous", "throttled", "soldout")
"""The accounts whose marketplace this is."""
BAN_SECONDS = 4
SOLD_OUT_ONCE = "SO-1101"


class OtherFake(AliExpressFake):
    """It tells the ids of repeated orders, bans for longer, and refuses one order the first time."""

    def __init__(self) -> None:
        super().__init__({account: keys(account) for account in UNUSUAL}, sync_seconds=1)
        self.repeat_with_ids = True
        self._refuses = {SOLD_OUT_ONCE}

    def handle(self, call: Call) -> Answer:
        key = self.key_of(call)
        if key not in self._refuses:
            return super().handle(call)
        self._refuses.remove(key)
        result = {"is_success": False, "error_code": "DELIVERY_METHOD_NOT_EXIST", "error_msg": "no such method"}
        return Answer(json.dumps({"aliexpress_ds_order_create_response": {"result": result}}).encode())

    def fault_answer(self, fault: str, call: Call) -> Answer:
        text = f"Api access frequency exceeds the limit. this ban will last {BAN_SECONDS} seconds"
        return Answer(json.dumps({"error_response": {"code": "ApiCallLimit", "msg": text}}).encode())
