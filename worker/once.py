"""Parts that are made once, at their first use, whatever thread asks first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Lazy:
    """The base of a class with `part`s."""

    def __init__(self) -> None:
        self.making = threading.RLock()


class part(Generic[T]):  # noqa: N801 (used as a decorator, like property)
    """A property of a `Lazy` object, made at its first use and kept.

    `functools.cached_property` lets two threads make two. A second event loop beside the first one breaks requests
    that are under way: a worker that starts with a backlog has eight threads asking at the same moment.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> part[T]: ...

    @overload
    def __get__(self, owner: Lazy, kind: type) -> T: ...

    def __get__(self, owner: Lazy | None, kind: type) -> part[T] | T:
        """Return the part; make it where it is not there yet."""
        if owner is None:
            return self
        with owner.making:
            if self._name not in owner.__dict__:
                owner.__dict__[self._name] = self._make(owner)
            made: T = owner.__dict__[self._name]
            return made
