"""The names an order model knows, walked from its classes: for error paths, nearest names and CSV columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

_LISTS = (list, tuple, set, frozenset, Sequence, Iterable)
_SHOWN_CHARACTERS = 40
_LISTED_NAMES = 12


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return every type an annotation allows; None left out, `Annotated`, aliases and unions unwrapped."""
    annotation = getattr(annotation, "__value__", annotation)
    origin = get_origin(annotation)
    if origin is Annotated:
        return alternatives(get_args(annotation)[0])
    if origin is Union or origin is UnionType:
        return tuple(kind for member in get_args(annotation) for kind in alternatives(member))
    return () if annotation is NoneType else (annotation,)


def is_list(kind: Any) -> bool:
    """Tell whether a type is written as a JSON list."""
    return (get_origin(kind) or kind) in _LISTS


def is_map(kind: Any) -> bool:
    """Tell whether a type is an object whose keys are free."""
    return (get_origin(kind) or kind) in (dict, Mapping)


def is_model(kind: Any) -> bool:
    """Tell whether a type is an object with named fields."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def elements(kinds: Iterable[Any]) -> tuple[Any, ...]:
    """Return what the lists among the types hold."""
    lists = (kind for kind in kinds if is_list(kind))
    return tuple(inner for kind in lists for arg in get_args(kind)[:1] for inner in alternatives(arg))


@cache
def names(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return every key the model accepts, in its own order; the name to recommend comes first."""
    known: dict[str, FieldInfo] = {}
    by_name = model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name")
    for name, info in model.model_fields.items():
        alias = info.validation_alias or info.alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        keys = [choice for choice in choices if isinstance(choice, str)]
        for key in keys if keys and not by_name else [*keys, name]:
            known.setdefault(key, info)
    return known


def locate(model: type[BaseModel], loc: Sequence[str | int], unknown: bool) -> tuple[str, tuple[str, ...]]:
    """Turn a pydantic error's `loc` into a dotted path below `order` and the names known at its last level.

    `unknown`: the error is about a field that does not exist, so the last part is a name however strange. Any
    other part no class explains is a tag pydantic puts in for a member of a union, and no part of the path.
    """
    path, known = "order", tuple(names(model))
    here: tuple[Any, ...] = (model,)
    for position, part in enumerate(loc):
        if isinstance(part, int):
            path, here = f"{path}[{part}]", elements(here)
            continue
        models = [kind for kind in here if is_model(kind)]
        known = tuple(dict.fromkeys(name for kind in models for name in names(kind)))
        maps = [kind for kind in here if is_map(kind)]
        if part in known or (unknown and position == len(loc) - 1):
            path = f"{path}.{shown(part)}"
            fields = (names(kind).get(part) for kind in models)
            here = tuple(kind for info in fields if info for kind in alternatives(info.annotation))
        elif maps and part != "[key]":
            path = f"{path}.{shown(part)}"
            here = tuple(kind for inner in maps for kind in alternatives((*get_args(inner), Any)[1]))
        else:
            here = tuple(kind for kind in here if getattr(kind, "__name__", None) == part) or here
    return path, known


def shown(name: str) -> str:
    """Return a name somebody else chose in a form that is short and safe to print."""
    return re.sub(r"[^\w.-]", "?", name[:_SHOWN_CHARACTERS])


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like this one, blind to case and punctuation; None when none is like it."""
    plain: dict[str, str] = {}
    for candidate in known:  # the name to recommend comes first
        plain.setdefault(_plain(candidate), candidate)
    hits = difflib.get_close_matches(_plain(name[:64]), plain, n=1)
    return plain[hits[0]] if hits else None


def suggestion(name: str, known: Iterable[str], kind: str) -> str:
    """Return "nearest known `kind`: …", or where nothing is near the first few that are known."""
    known = list(known)
    near = nearest(name, known)
    if near is not None:
        return f"nearest known {kind}: {near}"
    more = ", …" if len(known) > _LISTED_NAMES else ""
    return f"known {kind}s here: {', '.join(known[:_LISTED_NAMES])}{more}" if known else f"no {kind} is known here"


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of an order model that a table cell can hold.

    `path` leads to it; its first `outer` parts lead to the list of objects it repeats in (0: it stands once).
    `many`: it is itself a list of plain values.
    """

    path: tuple[str, ...]
    outer: int
    many: bool
    required: bool

    @property
    def name(self) -> str:
        """The vendor's own name of the value."""
        return self.path[-1]

    @property
    def dotted(self) -> str:
        """The name that is never ambiguous."""
        return ".".join(self.path)


@cache
def leaves(model: type[BaseModel]) -> tuple[Leaf, ...]:
    """Return the values of a model a table can hold, in its order.

    Left out: maps, free-form values and lists of objects inside a list of objects, which no flat row can tell.
    """
    return tuple(_leaves(model, (), 0, True, ()))


def _leaves(
    model: type[BaseModel],
    above: tuple[str, ...],
    outer: int,
    required: bool,
    seen: tuple[type[BaseModel], ...],
) -> Iterator[Leaf]:
    if model in seen:
        return
    for name, info in _recommended(model):
        path, needed = (*above, name), required and info.is_required()
        kinds = alternatives(info.annotation)
        inner = elements(kinds)
        repeated = [kind for kind in inner if is_model(kind)]
        single = [kind for kind in kinds if is_model(kind)]
        if repeated:
            if not outer:
                yield from _leaves(repeated[0], path, len(path), needed, (*seen, model))
        elif single:
            yield from _leaves(single[0], path, outer, needed, (*seen, model))
        elif any(_is_plain(kind) for kind in kinds):
            yield Leaf(path, outer, many=False, required=needed)
        elif any(_is_plain(kind) for kind in inner):
            yield Leaf(path, outer, many=True, required=needed)


@cache
def paths(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the dotted path of every value a model knows, also of those no flat row can tell."""
    return tuple(".".join(path) for path in _paths(model, (), ()))


def _paths(
    model: type[BaseModel], above: tuple[str, ...], seen: tuple[type[BaseModel], ...]
) -> Iterator[tuple[str, ...]]:
    for name, info in _recommended(model):
        kinds = alternatives(info.annotation)
        inner = [kind for kind in (*kinds, *elements(kinds)) if is_model(kind) and kind not in seen]
        if inner:
            yield from _paths(inner[0], (*above, name), (*seen, model))
        else:
            yield (*above, name)


def _recommended(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    told: set[int] = set()
    for name, info in names(model).items():
        if id(info) not in told:
            told.add(id(info))
            yield name, info


def _is_plain(kind: Any) -> bool:
    return kind is not Any and kind is not object and not is_list(kind) and not is_map(kind)
