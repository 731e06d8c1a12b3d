"""Reads what a marketplace sent back so that nothing changes on the way: any bytes in, exact ids and amounts out.

Every adapter opens its replies with these few functions. An id is what came, to the last digit; a number with a point
or an exponent is never one, for it may have lost digits before it came here.
"""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from worker.marketplaces.base import Lost, Reply
from worker.rules.outcomes import NotSent, Unknown
from worker.rules.plain import plain_value

T = TypeVar("T")

_ID = re.compile(r"(?=[0A-Za-z_-]*[1-9])[0-9A-Za-z][0-9A-Za-z_-]{0,63}", re.ASCII)
"""An order id. A word without a digit ("null") or a zero is none."""


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
