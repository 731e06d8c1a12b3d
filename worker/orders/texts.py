"""Every text of an order looked at before its model sees it, at whatever door it came: repaired, or said why not.

Repaired is only what can be read without loss; the notices say that it was, never a value.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel

from worker.marketplaces.roles import Role
from worker.orders import marks, signs
from worker.orders.fields import alternatives, elements, is_model, names, shown

TEXT_MARKS = "text marks of a spreadsheet were taken off"
BLANKS = "blanks of another kind were written as plain ones"
WHOLE = "numbers written with a decimal part of zeros were read as whole numbers"
UNSEEN = "taken off the ends of texts: "
"""A notice that goes on with the name of the sign."""

_ORDINARY = (string.ascii_letters + string.digits + ' {}[]",:.-_+/@&;#').encode()
_NOT_ASCII = bytes(range(0x80, 0x100))
_APOSTROPHE = re.compile(rb"\"\s*'")
_ERROR = re.compile(rb"#(?:[A-Za-z0/]{3,}[!?]|[Nn][/.]?[AaVvDd]|##)")
_NO_VALUE = re.compile(rb'"n(?:an|ull|one|/a|\.a\.|il|at)[" ]')
_NO_NAME = re.compile(rb' n(?:an|ull|one)"')
_WHOLE = re.compile(r"\s*([0-9]+)[.,]0{1,2}\s*")
_COUNTRIES = ("country", "country_code")

Path = tuple[str | int, ...]
Kinds = tuple[Any, ...]
Roles = tuple[Any, ...]
_UNKNOWN: tuple[Kinds, Roles] = ((), ())


@dataclass(slots=True)
class Looked:
    """What was found: the order as it goes on, the notices, and what is wrong by its field."""

    order: Any = None
    notices: dict[str, None] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    wholes: list[tuple[Path, str]] = field(default_factory=list)
    """Where a whole number may stand in a decimal's form, and its digits."""

    def repaired(self, order: BaseModel) -> tuple[str, ...]:
        """Return the notices, now that the model says which of those are numbers to it."""
        if any(str(_at(order, path)) == digits for path, digits in self.wholes):
            self.notices.setdefault(WHOLE)
        return tuple(self.notices)


def is_plain(raw: bytes, order: Any) -> bool:
    """Tell quickly that no text of a job needs a look; `raw` is the job as JSON in UTF-8, `order` what stands in it.

    Most jobs are told by a few passes over their bytes, which cost less than a look at each of their texts.
    """
    if b"\\" in raw:  # what an escape stands for is known in the texts only
        found: list[str] = []
        _collect(order, found)
        raw = ('"' + '""'.join(found) + '"').encode()
    odd = raw.translate(None, _ORDINARY)
    if odd and not _is_plain_odd(raw, odd):
        return False
    if b'.0"' in raw or b"undefined" in raw or (b"#" in raw and _ERROR.search(raw)):
        return False
    small = raw.lower()
    return _NO_VALUE.search(small) is None and _NO_NAME.search(small) is None


def _is_plain_odd(raw: bytes, odd: bytes) -> bool:
    """Tell whether the less ordinary signs of a job, `odd`, need no look: letters, and apostrophes in words."""
    if b"'" in odd:
        if _APOSTROPHE.search(raw):
            return False
        odd = odd.replace(b"'", b"")
    return not odd.translate(None, _NOT_ASCII) and signs.is_plain(odd.decode())


def _collect(value: Any, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for one in value.values():
            _collect(one, found)
        found += value
    elif isinstance(value, list):
        for one in value:
            _collect(one, found)


def look(order: Any, model: type[BaseModel]) -> Looked:
    """Look at every text of an order; `model` says what each is for. Never raises for what an order may hold."""
    looked = Looked()
    looked.order = _Look(looked, model).value(order, (), (model,), ())
    return looked


class _Look:
    """One walk through an order, beside its model."""

    def __init__(self, looked: Looked, model: type[BaseModel]) -> None:
        self._looked = looked
        self._country = ""

    def value(self, value: Any, path: Path, kinds: Kinds, roles: Roles) -> Any:
        """Return a value with its texts repaired; `kinds` and `roles` are what the model says of it."""
        if isinstance(value, str):
            return self._text(value, path, roles)
        if isinstance(value, Mapping):
            return self._mapping(value, path, kinds)
        if isinstance(value, list | tuple):
            inner = _inside(kinds)
            return [self.value(one, (*path, place), inner, roles) for place, one in enumerate(value)]
        return value

    def _mapping(self, value: Mapping[Any, Any], path: Path, kinds: Kinds) -> dict[Any, Any]:
        known = _fields(kinds)
        outer = self._country
        self._country = _country(value) or outer
        found = {}
        for key, one in value.items():
            inner, roles = known.get(key, _UNKNOWN)
            found[key] = self.value(one, (*path, key), inner, roles)
            if not known and (says := signs.fault(key, lines=False)):
                self._fault((*path, key), says)
        self._country = outer
        return found

    def _text(self, text: str, path: Path, roles: Roles) -> str:
        if not signs.is_plain(text):
            text, off = signs.trimmed(text)
            self._looked.notices |= dict.fromkeys(f"{UNSEEN}{name}" for name in off)
            if Role.VERBATIM not in roles:
                plain = signs.plain_blanks(text)
                if plain.strip() != text.strip():
                    self._looked.notices.setdefault(BLANKS)
                text = plain
            if says := signs.fault(text.strip(), lines=Role.NOTE in roles):
                self._fault(path, says)
                return text
        bare = text if marks.is_plain(text) else self._unmarked(text, path, roles)
        if found := _WHOLE.fullmatch(bare):
            self._looked.wholes.append((path, found[1].lstrip("0")))
        return bare

    def _unmarked(self, text: str, path: Path, roles: Roles) -> str:
        bare = text if Role.NOTE in roles else marks.unmarked(text)
        if bare != text:
            self._looked.notices.setdefault(TEXT_MARKS)
        if says := marks.fault(bare, roles, self._country):
            self._fault(path, says)
        return bare

    def _fault(self, path: Path, says: str) -> None:
        self._looked.faults.setdefault("order" + "".join(map(_step, path)), says)


@cache
def _fields(kinds: Kinds) -> dict[str, tuple[Kinds, Roles]]:
    """Return what an object's fields may hold and are for; nothing for an object whose keys are free."""
    known = (pair for kind in kinds if is_model(kind) for pair in names(kind).items())
    return {name: (alternatives(info.annotation), tuple(info.metadata)) for name, info in known}


@cache
def _inside(kinds: Kinds) -> Kinds:
    """Return what a list may hold; an object that is not meant to stand in a list is looked at as what it is."""
    return (*elements(kinds), *(kind for kind in kinds if is_model(kind)))


def _step(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{shown(part)}"


def _country(value: Mapping[Any, Any]) -> str:
    found = next((value[name] for name in _COUNTRIES if isinstance(value.get(name), str) and len(value[name]) < 8), "")
    return str(found).strip().upper()


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, tuple | list) and part < len(value) else None
        else:
            value = getattr(value, part, None)
    return value
