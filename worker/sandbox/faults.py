"""The faults of the sandbox: set from outside, or chosen by one order for its own first create."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from worker.sandbox.fake import Call, Fake

FaultName = Literal[
    "timeout_before", "timeout_after_commit", "reset_after_commit", "http_500", "http_503", "throttle",
    "token_expired", "garbage", "empty", "slow", "wrong_ids", "wrong_type", "huge", "drip", "late_commit",
    "lagging_list", "wrong_date", "repeat_with_ids", "tracking_older", "tracking_logistics_no", "tracking_bare",
    "tracking_flat", "tracking_codes", "tracking_doubled", "tracking_empty",
]  # fmt: skip
TRACKING: dict[FaultName, str] = {
    "tracking_older": "parcels in an older form: another list, other names, neither nodes nor items",
    "tracking_logistics_no": "parcels under other names: `logistics_no`, `logistics_service`",
    "tracking_bare": "one object wherever a list of parcels, items or nodes has one entry",
    "tracking_flat": "those lists without the object around them",
    "tracking_codes": "nodes are named by codes; times and `ret` are text",
    "tracking_doubled": "every parcel twice",
    "tracking_empty": "no parcels yet is an empty list, not code 1001",
}
"""Forms in which AliExpress tells parcels instead of the documented one: they meet reads alone, whatever the operation.

As a suffix of an order_id they meet every read of that order.
"""
MEANINGS: dict[FaultName, str] = {
    "timeout_before": "nothing is executed; the connection stays open without an answer, then it is closed",
    "timeout_after_commit": "executed; then held and closed in the same way",
    "reset_after_commit": "executed; then the connection is reset (RST)",
    "http_500": "nothing is executed; a plain-text answer with that status",
    "http_503": "nothing is executed; a plain-text answer with that status",
    "throttle": 'nothing is executed; "too often", in the marketplace\'s own words',
    "token_expired": 'nothing is executed; "token invalid", in the marketplace\'s own words',
    "garbage": "executed; the answer is an HTML page",
    "empty": "executed; the answer is HTTP 200 without a body",
    "slow": "executed; the answer comes after `latency_ms` (2 s unless told)",
    "wrong_ids": "executed; the answer tells the ids of the account's order before (none: its own)",
    "wrong_type": "executed; the right answer, under the content type text/html",
    "huge": "executed; the right answer, and blanks up to 10 MB",
    "drip": "executed; the answer comes a byte at a time and is cut when it should have ended",
    "late_commit": "taken in, held without an answer, then closed; executed `latency_ms` after it came (130 s unless"
    " told): under a key that has made an order meanwhile it is a repeat then, and makes nothing",
    "lagging_list": "executed; reads, lists and look-ups show what a create made only `latency_ms` later than others"
    " (130 s unless told); a read or look-up that meets it sees nothing younger than that",
    "wrong_date": "executed; the answer's HTTP `Date` is ahead by `latency_ms` (3 h unless told), below 0 behind",
    "repeat_with_ids": "a repeated create is told the ids of the first (a probability above 0 switches it on)",
    **TRACKING,
}
FAULTS: frozenset[str] = frozenset(MEANINGS)
BESIDE = frozenset({"slow", "lagging_list", "wrong_date", "repeat_with_ids", *TRACKING})
"""Faults that come beside another one: they do not decide whether a call is executed, nor what it is answered."""
DEFAULT_MS = {"slow": 2000.0, "late_commit": 130_000.0, "lagging_list": 130_000.0, "wrong_date": 10_800_000.0}
"""Their `latency_ms` unless told; the others have none."""


class Fault(BaseModel):
    """One fault as `POST /_sandbox/faults` sets it; a probability of 0 takes it away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: FaultName
    marketplace: str | None = Field(None, description="unset: every marketplace")
    operation: Literal["create", "get", "token", "any"] = Field(
        "create", description="`token`: a grant or a refresh of a token; `get`: every other call but a create"
    )
    probability: float = Field(1, ge=0, le=1)
    latency_ms: float | None = Field(
        None,
        description="waited before the answer; or how late a commit, how far behind a list, how far off a date is",
    )
    seed: int | None = Field(None, description="makes the choice repeatable")

    @field_validator("latency_ms")
    @classmethod
    def _no_time_before_now(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and not value >= 0 and info.data.get("fault") != "wrong_date":
            raise ValueError("must be 0 or more; only the date may be off to either side")
        return value

    @property
    def latency_seconds(self) -> float:
        """Return this fault's time."""
        return (DEFAULT_MS.get(self.fault, 0.0) if self.latency_ms is None else self.latency_ms) / 1000


@dataclass(frozen=True, slots=True)
class Met:
    """What one call meets; times in seconds."""

    fault: str | None = None
    """What decides whether it is executed and what it is answered."""
    delay: float = 0.0
    """Waited before the answer."""
    late: float = 0.0
    """How long after the call a `late_commit` makes its order."""
    lag: float = 0.0
    """How much longer orders are hidden: those a create makes, and all of them from a read."""
    date: float = 0.0
    """How far the answer's date is off."""
    form: str | None = None
    """The form in which parcels are told; None: the documented one."""


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

    def choose(self, fake: Fake, call: Call) -> Met:
        """Return what this call meets."""
        if not self.active and not _has_tilde(call):
            return _NOTHING  # the common case: no need to look into the body
        key = fake.key_of(call)
        own = self._own(fake, key)
        operation = "create" if key is not None else "token" if fake.is_token_call(call) else "get"
        return _met(own, [f for f, chance in self.active.values() if _hits(f, chance, fake, operation)])

    def _own(self, fake: Fake, key: str | None) -> Fault | None:
        """Return the fault an order chose by its suffix, once: a later create of it shows the recovery."""
        stem, _, suffix = (key or "").rpartition("~")
        name, _, latency = suffix.partition(":")
        if (
            not key
            or not stem
            or name not in FAULTS - TRACKING.keys()
            or not _is_latency(latency)
            or (fake.name, key) in self._spent
        ):
            return None
        self._spent.add((fake.name, key))
        return Fault.model_validate({"fault": name, "latency_ms": int(latency) if latency else None})


_NOTHING = Met()


def _is_latency(text: str) -> bool:
    return not text or (text.isascii() and text.isdecimal() and len(text) < 12)


def _hits(fault: Fault, chance: random.Random, fake: Fake, operation: str) -> bool:
    wanted = "get" if fault.fault in TRACKING else fault.operation
    if wanted not in ("any", operation):
        return False
    if fault.fault == "late_commit" and operation != "create":
        return False  # a read commits nothing
    return fault.marketplace in (None, fake.name) and chance.random() < fault.probability


def _met(own: Fault | None, faults: Sequence[Fault]) -> Met:
    """Put together what a call meets at once; what an order chose itself comes before what is set from outside."""
    every = [*([own] if own else []), *faults]
    chosen = own or next((fault for fault in faults if fault.fault not in BESIDE), None)

    def longest(name: str) -> float:
        return max((fault.latency_seconds for fault in every if fault.fault == name), key=abs, default=0.0)

    return Met(
        chosen.fault if chosen else None,
        sum(fault.latency_seconds for fault in every if fault.fault == "slow" or fault.fault not in DEFAULT_MS),
        longest("late_commit"),
        longest("lagging_list"),
        longest("wrong_date"),
        next((fault.fault for fault in faults if fault.fault in TRACKING), None),
    )


def _has_tilde(call: Call) -> bool:
    """Tell whether the call may carry an order_id that chooses its own fault."""
    in_body = any(sign in call.body for sign in (b"~", b"%7E", b"%7e"))
    return in_body or any("~" in value for value in call.query.values())
