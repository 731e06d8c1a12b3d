"""The faults of the sandbox: set from outside, or chosen by one order for its own first create."""

from __future__ import annotations

import random
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from worker.sandbox.fake import Call, Fake

FaultName = Literal[
    "timeout_before", "timeout_after_commit", "reset_after_commit", "http_500", "http_503", "throttle",
    "token_expired", "garbage", "empty", "slow", "wrong_ids", "wrong_type", "huge", "drip", "repeat_with_ids",
]  # fmt: skip
FAULTS: frozenset[str] = frozenset(get_args(FaultName))
SLOW_MS = 2000


class Fault(BaseModel):
    """One fault as `POST /_sandbox/faults` sets it; a probability of 0 takes it away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: FaultName
    marketplace: str | None = Field(None, description="unset: every marketplace")
    operation: Literal["create", "get", "any"] = Field("create", description="`get` is every call but a create")
    probability: float = Field(1, ge=0, le=1)
    latency_ms: float | None = Field(None, ge=0, description="waited before the answer; `slow` has 2000 unless told")
    seed: int | None = Field(None, description="makes the choice repeatable")

    @property
    def latency_seconds(self) -> float:
        """Return how long this fault delays an answer."""
        unset = SLOW_MS if self.fault == "slow" else 0
        return (unset if self.latency_ms is None else self.latency_ms) / 1000


class FaultPlan:
    """The faults that are on, and the orders that have already had the one they chose themselves."""

    def __init__(self) -> None:
        self.active: dict[tuple[str, str | None, str], tuple[Fault, random.Random]] = {}
        self._spent: set[tuple[str, str]] = set()

    def set(self, fault: Fault) -> None:
        """Put a fault in the place of its like; take it away where its probability is 0."""
        key = (fault.fault, fault.marketplace, fault.operation)
        if fault.probability > 0:
            self.active[key] = (fault, random.Random(fault.seed))
            return
        for known in [k for k in self.active if k[0] == fault.fault and fault.marketplace in (None, k[1])]:
            if "operation" not in fault.model_fields_set or known[2] == fault.operation:
                del self.active[known]

    def clear(self) -> None:
        """Forget every fault, also which orders have had theirs."""
        self.active.clear()
        self._spent.clear()

    def choose(self, fake: Fake, call: Call) -> tuple[str | None, float]:
        """Return the fault this call meets, if any, and the seconds its answer is delayed."""
        if not self.active and not _has_tilde(call):
            return None, 0  # the common case: no need to look into the body
        key = fake.key_of(call)
        chosen, delay = self._own(fake, key), 0.0
        if chosen == "slow":
            delay = SLOW_MS / 1000
        for fault, chance in self.active.values():
            meant = fault.operation in ("any", "get" if key is None else "create")
            if meant and fault.marketplace in (None, fake.name) and chance.random() < fault.probability:
                delay += fault.latency_seconds
                if chosen is None and fault.fault not in ("slow", "repeat_with_ids"):
                    chosen = fault.fault
        return chosen, delay

    def _own(self, fake: Fake, key: str | None) -> str | None:
        """Return the fault an order chose by its suffix, once: a later create of it shows the recovery."""
        stem, _, fault = (key or "").rpartition("~")
        if not key or not stem or fault not in FAULTS or (fake.name, key) in self._spent:
            return None
        self._spent.add((fake.name, key))
        return fault


def _has_tilde(call: Call) -> bool:
    """Tell whether the call may carry an order_id that chooses its own fault."""
    in_body = any(sign in call.body for sign in (b"~", b"%7E", b"%7e"))
    return in_body or any("~" in value for value in call.query.values())
