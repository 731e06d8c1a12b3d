"""`among`: a column's value is one of a list, as one parameter whatever the list's length.

`IN (?, ?, …)` is a statement of its own for every length: put together for each call, prepared by each connection and
kept there, half a megabyte for some hundred ids.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine


class Strings(TypeDecorator[Collection[str]]):
    """A list of texts in one parameter: an array for PostgreSQL, JSON for SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the parameter's type."""
        return ARRAY(Text) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        """Return the parameter's value."""
        found = list(value or ())
        return found if dialect.name == "postgresql" else json.dumps(found)


class _Among(ColumnElement[Any]):
    inherit_cache = True
    type = NullType()  # Boolean would be compared with 1 where the database has none
    _traverse_internals = [  # noqa: RUF012 (so SQLAlchemy has it)
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], values: BindParameter[Any]) -> None:
        self.column = column
        self.values = values


def among(column: ColumnElement[Any], values: Collection[str] | BindParameter[Any]) -> ColumnElement[Any]:
    """Return the condition that `column` is one of `values`, or of what a parameter of type `Strings` will hold."""
    if not isinstance(values, BindParameter):
        values = bindparam(None, values, type_=Strings(), unique=True)
    return _Among(column, values)


@compiles(_Among, "sqlite")
def _sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in (element.column, element.values))
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 (a column and a placeholder)


@compiles(_Among, "postgresql")
def _postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in (element.column, element.values))
    return f"{column} = ANY({values})"
