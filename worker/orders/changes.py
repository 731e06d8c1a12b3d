"""Changes of an order's body as a person types them: `logistics_address.city=Vineland`, `product_items[0].price=`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.errors import InputError

_CHANGE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*)=(.*)", re.DOTALL)
_STEP = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Change:
    """One field's new value; "" takes the field out."""

    field: str
    value: str

    @property
    def steps(self) -> list[str | int]:
        """The way to the field: names, and places in lists."""
        return [int(step) if step.isdigit() else step for step in _STEP.findall(self.field)]


def change(text: str) -> Change:
    """Return what a person typed as a change. Raises InputError."""
    read = _CHANGE.fullmatch(text)
    if read is None:
        raise InputError("--set needs FIELD=VALUE, as in logistics_address.city=Vineland or product_items[0].price=3.5")
    return Change(read[1], read[2])


def apply(body: str, changes: Sequence[Change]) -> dict[str, Any]:
    """Return an order's body with the changes made. Raises InputError where a field has no place in it."""
    order: dict[str, Any] = json.loads(body)
    for one in changes:
        *way, last = one.steps
        place: Any = order
        for step in way:
            place = _inside(place, step, one.field)
        _set(place, last, one)
    return order


def _inside(place: Any, step: str | int, field: str) -> Any:
    if isinstance(place, dict) and isinstance(step, str):
        return place.setdefault(step, {})
    if isinstance(place, list) and isinstance(step, int) and step < len(place):
        return place[step]
    raise InputError(f"{field}: the order has no such place")


def _set(place: Any, last: str | int, one: Change) -> None:
    if isinstance(place, list) and isinstance(last, int) and last < len(place):
        place[last] = _typed(place[last], one)
    elif not (isinstance(place, dict) and isinstance(last, str)):
        raise InputError(f"{one.field}: the order has no such place")
    elif one.value:
        place[last] = _typed(place.get(last), one)
    else:
        place.pop(last, None)


def _typed(was: Any, one: Change) -> Any:
    """Return the value in the type that the field had; text where it had none."""
    if isinstance(was, (dict, list)):
        raise InputError(f"{one.field} holds further fields: name one of them")
    if was is None or isinstance(was, str):
        return one.value
    try:
        return json.loads(one.value)
    except json.JSONDecodeError:
        raise InputError(f"{one.field} holds a number, or true or false; the new value is neither") from None
