"""Reads what a marketplace sent back so that nothing changes on the way: any bytes in, exact ids and amounts out.

Every adapter opens its replies with these few functions. An id is what came, to the last digit; a number with a point
or an exponent is never one, for it may have lost digits before it came here. What is looked for by its name is found
anywhere in a reply, the shallowest first: the vendor's own words may be wrapped in another's.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from worker.marketplaces.calls import Lost, Reply
from worker.rules.outcomes import Money, NotSent, Unknown
from worker.rules.plain import plain_value

T = TypeVar("T")

MAX_NODES = 200_000
_ID = re.compile(r"(?=[0A-Za-z_-]*[1-9])[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)
"""An order id. A word without a digit ("null") or a zero is none."""
_SECONDS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Garbage:
    """A body that is in no form the marketplace is known to use, and why; `document`: what it holds, if it is JSON."""

    cause: str
    document: Any = None


class Fraction(str):
    """A JSON number with a point or an exponent, as the text it was written in: an amount perhaps, never an id."""

    __slots__ = ()


def parse(body: bytes) -> Any:
    """Parse JSON: integers exact, fractions as the text they were written in, every other text made plain.

    This is where a marketplace's text comes in; whatever it holds, it must never fail on its way into the ledger, nor
    command a person's terminal later. Raises ValueError or RecursionError.
    """
    text = body.decode("utf-8-sig", "replace")
    document = json.loads(text, parse_float=Fraction, parse_constant=Fraction)
    is_plain = text.isascii() and "\\" not in text and "\x7f" not in text
    return document if is_plain else plain_value(document)


def read_object(body: bytes) -> dict[str, Any] | str:
    """Return the JSON object a body holds, or say why it holds none."""
    if not body.strip():
        return "empty reply"
    try:
        document = parse(body)
    except (ValueError, RecursionError):
        return "the reply is not JSON"
    return document if isinstance(document, dict) else "the reply is not a JSON object"


def text_of(value: object) -> str:
    """Return a scalar of a reply as text, anything else as nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def id_of(value: object) -> str:
    """Return an order id as the string it came as, or "" for what cannot be one: a float, a zero, a bare word."""
    text = "" if isinstance(value, Fraction) else text_of(value)
    return text if _ID.fullmatch(text) else ""


def lost(came: Lost) -> NotSent | Unknown:
    """Return the outcome of a request without a reply."""
    return Unknown(came.cause) if came.may_have_arrived else NotSent(came.cause)


def clock_offset(came: Reply | Lost, now: float) -> float | None:
    """Return how many seconds the marketplace's clock (its `Date` header) is ahead of ours; None: it does not say."""
    try:
        told = parsedate_to_datetime(came.headers.get("date", "")) if isinstance(came, Reply) else None
    except (TypeError, ValueError):
        return None
    return None if told is None else told.timestamp() - now


def retry_after(came: Reply) -> float | None:
    """Return the seconds a reply's `Retry-After` asks to wait; None where it says none."""
    header = came.headers.get("retry-after", "").strip()
    return float(header) if _SECONDS.fullmatch(header) else None


def objects(data: object) -> Iterator[dict[str, Any]]:
    """Yield every object in a reply, the shallowest first."""
    waiting: deque[object] = deque([data])
    for _ in range(MAX_NODES):
        if not waiting:
            return
        node = waiting.popleft()
        if isinstance(node, dict):
            yield node
            waiting.extend(inner for inner in node.values() if isinstance(inner, dict | list))
        elif isinstance(node, list):
            waiting.extend(inner for inner in node if isinstance(inner, dict | list))


def values(data: object, *names: str) -> Iterator[Any]:
    """Yield every value of these names: all of the first name, then all of the second; the shallowest first."""
    for name in names:
        for node in objects(data):
            if name in node:
                yield node[name]


def _or_as_it_came(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(value)
    except ValidationError:
        return value


def _text(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


Kept = Annotated[T | None, WrapValidator(_or_as_it_came)]
"""A field of a model that reads: typed where the value fits, else as it came."""
Text = Annotated[str | None, BeforeValidator(_text), WrapValidator(_or_as_it_came)]
"""A text that may also come as a number or a truth value."""
Amount = Kept[Annotated[Decimal, Field(max_digits=30)]]


class Read(BaseModel):
    """Base of what is read of an order: unknown fields kept, and nothing in it fails the reading."""

    model_config = ConfigDict(extra="allow", frozen=True, str_strip_whitespace=True)

    def details(self) -> dict[str, Any]:
        """Return everything that was read, JSON-ready."""
        try:
            return self.model_dump(mode="json", exclude_none=True, warnings=False)
        except (ValueError, RecursionError):  # an unknown field nested some hundred levels deep
            return {}


def money(amount: object, currency: object) -> Money | None:
    """Return an amount of money where both halves are there and readable."""
    if isinstance(amount, Decimal) and isinstance(currency, str) and 0 < len(currency) <= 10:
        return Money(amount, currency)
    return None
