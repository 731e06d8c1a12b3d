"""A job as submitted: its three envelope keys checked, its order checked against the marketplace's own model."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from pydantic import ValidationError

from worker.errors import UnusableId
from worker.marketplaces.base import Marketplace
from worker.marketplaces.models import OrderModel
from worker.orders import ids, texts
from worker.orders.fields import shown
from worker.orders.reasons import explain, together, too_many, unknown_account, unknown_key

MAX_JOB_BYTES = 1 << 20
"""Longest job, as JSON; the longest line of a file."""
MOST_AMOUNT = 10**9
REQUIRED = ("order_id", "account", "order")
ENVELOPE = (*REQUIRED, "allow_repeat", "max_amount", "rejected_because")
"""Every key of a job; the last three may be left out, the last is for the reader."""

_KEYS = frozenset(REQUIRED)
_HALF = "holds half of a character (a lone \\ud… escape)"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the orders of one account are checked against: its marketplace, and the most pieces of one line item."""

    marketplace: type[Marketplace]
    max_quantity: int


Accounts = Mapping[str, Terms]
"""The configured accounts by name."""


@dataclass(frozen=True, slots=True)
class Job:
    """An order that may be placed.

    `body` is compact JSON of the validated order in the model's key order, unset values left out: the same order
    always has the same body. `fingerprint` is the SHA-256 (hex) of account and body. `line` is where it was
    handed in. `notices` name accepted fields that will not be sent, and what was repaired in it. `allow_repeat`: the
    submitter says that orders of the same content are meant. `spelled`: the order_id as it was handed in, where that
    differs. `max_amount`: what the submitter lets it cost, in the currency it is paid in; only a preflight holds it.
    """

    order_id: str
    account: str
    marketplace: str
    body: str
    fingerprint: str
    line: int
    notices: tuple[str, ...]
    allow_repeat: bool = False
    spelled: str | None = None
    max_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """An order that was not taken: where, which field, and why. Holds no value of the order."""

    line: int
    order_id: str | None
    field: str
    reason: str


class _FaultError(Exception):
    """What is wrong with the job at hand; never leaves this module."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason


def validate(raw: bytes | Mapping[str, Any], line: int, accounts: Accounts) -> Job | Rejection:
    """Turn one job, as JSON bytes or as a mapping of JSON values, into a `Job` or a `Rejection`.

    Raises nothing for what a job may hold.
    """
    job: dict[str, Any] = {}
    try:
        raw = raw if isinstance(raw, bytes) else _encode(raw)
        job = _decode(raw)
        if job.keys() != _KEYS:
            _check_envelope(job)
        return _job(ids.order_id(job["order_id"]), job, line, accounts, texts.is_plain(raw, job["order"]))
    except UnusableId as error:
        return Rejection(line, None, "order_id", error.reason)
    except _FaultError as fault:
        return Rejection(line, ids.usable(job.get("order_id")), fault.field, fault.reason)


def _job(order_id: str, job: Mapping[str, Any], line: int, accounts: Accounts, is_plain: bool) -> Job:
    account, order = job["account"], job["order"]
    terms = accounts.get(account) if isinstance(account, str) else None
    if terms is None:
        raise _FaultError("account", unknown_account(account, accounts))
    marketplace = terms.marketplace
    try:
        looked = None if is_plain else texts.look(order, marketplace.order_model)
        if looked and looked.faults:
            raise _FaultError(*together(looked.faults))
        model = marketplace.order_model.model_validate(looked.order if looked else order)
        body = model.model_dump_json(exclude_none=True)
    except ValidationError as error:
        raise _FaultError(*explain(error, marketplace, order)) from None
    except (RecursionError, ValueError):
        raise _FaultError("order", "nested too deeply") from None
    _keep_ceiling(account, terms, model)
    fingerprint = hashlib.sha256((account + body).encode()).hexdigest()
    notices = (*marketplace.notices(model), *(looked.repaired(model) if looked else ()))
    given = job["order_id"]
    spelled = given if given != order_id and isinstance(given, str) else None
    allow_repeat = job.get("allow_repeat", False)
    most = job.get("max_amount")
    return Job(
        *(order_id, account, marketplace.name, body, fingerprint, line, notices, allow_repeat, spelled),
        max_amount=None if most is None else Decimal(str(most)),
    )


def _keep_ceiling(account: str, terms: Terms, order: OrderModel) -> None:
    """Refuse a line item of more pieces than the account takes: a figure in the wrong column is a large bill."""
    if terms.marketplace.quantities is None:
        return
    lines, quantity = terms.marketplace.quantities
    for place, item in enumerate(getattr(order, lines)):
        if getattr(item, quantity) > terms.max_quantity:
            raise _FaultError(f"order.{lines}[{place}].{quantity}", too_many(account, terms.max_quantity))


def _check_envelope(job: Mapping[str, Any]) -> None:
    for key in job:
        if key not in ENVELOPE:
            raise _FaultError(*unknown_key(key, ENVELOPE))
    for key in REQUIRED:
        if key not in job:
            raise _FaultError(key, "missing")
    if not isinstance(job.get("allow_repeat", False), bool):
        raise _FaultError("allow_repeat", "must be true or false")
    _check_amount(job.get("max_amount"))


def _check_amount(most: object) -> None:
    is_number = isinstance(most, int | float) and not isinstance(most, bool)
    if most is not None and not (is_number and 0 < float(str(most)) <= MOST_AMOUNT):
        raise _FaultError("max_amount", "must be an amount of money above 0, as a number, such as 24.90")


def _decode(raw: bytes) -> dict[str, Any]:
    """Return the job's object. A mapping comes as bytes too, so every door has the same rules."""
    if len(raw) > MAX_JOB_BYTES:
        raise _FaultError("job", "longer than 1 MiB")
    try:
        job = _read_json(raw.decode())
    except UnicodeDecodeError as error:
        raise _FaultError("job", f"not UTF-8 text at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        what = error.msg.split(":", 1)[0].removesuffix(" at")
        raise _FaultError("job", f"not JSON: {what[:1].lower()}{what[1:]} at column {error.colno}") from None
    except RecursionError:
        raise _FaultError("job", "nested too deeply") from None
    except ValueError:
        # Python's limit on the digits of a whole number
        raise _FaultError("job", "not JSON: a number is too long") from None
    if b"\\u" in raw and _is_broken(job):
        raise _FaultError("job", _HALF)
    if not isinstance(job, dict):
        raise _FaultError("job", "must be a JSON object with order_id, account and order")
    return job


def _encode(job: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(job if isinstance(job, dict) else dict(job), allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _FaultError("job", _HALF) from None
    except RecursionError:
        raise _FaultError("job", "nested too deeply") from None
    except (TypeError, ValueError):
        raise _FaultError("job", "holds a value JSON has no form for") from None


def _is_broken(job: object) -> bool:
    try:
        json.dumps(job, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _FaultError("job", f"the key {shown(twice)} stands twice in one object")
    return found


def _constant(name: str) -> NoReturn:
    raise _FaultError("job", f"{name} is not a JSON number")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _FaultError("job", "a number is too large")
    return value


# The standard decoder, not pydantic_core's: only it can refuse a key that stands twice, and it is as fast.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_number)


def _read_json(text: str) -> Any:
    with suppress(json.JSONDecodeError):
        value, end = _DECODER.raw_decode(text)
        if end == len(text):
            return value
    return _DECODER.decode(text)  # blanks around it, or an error to be told
