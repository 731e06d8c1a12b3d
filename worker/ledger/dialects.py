"""`in_list`: a value is in a list, which is one parameter whatever its length; `unindexed`: a second condition.

`IN (?, ?, …)` is a statement of its own for every length: put together for each call, prepared by each connection and
kept there, half a megabyte for some hundred ids.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Connection, Dialect, Table, Text, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine


class _Strings(TypeDecorator[Collection[str]]):
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


def listed(name: str) -> BindParameter[Any]:
    """Return a parameter for a list."""
    return bindparam(name, type_=_Strings())


class _Unindexed(ColumnElement[Any]):
    inherit_cache = True
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 (so SQLAlchemy has it)

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column for a second condition after a list of keys: SQLite must not look rows up by its index instead.

    It cannot know how short the list is, and would go through every queued order.
    """
    return _Unindexed(column)


@compiles(_Unindexed)
def _plain(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column, **options)


@compiles(_Unindexed, "sqlite")
def _unindexed(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.column, **options)}"


class _InList(ColumnElement[Any]):
    inherit_cache = True
    type = NullType()  # Boolean would be compared with 1 where the database has none
    _traverse_internals = [  # noqa: RUF012 (so SQLAlchemy has it)
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[Any], values: BindParameter[Any]) -> None:
        self.column = column
        self.values = values


def in_list(column: ColumnElement[Any], values: Collection[str] | BindParameter[Any]) -> ColumnElement[Any]:
    """Return the condition that `column` is one of `values`, or in the list of a `listed` parameter."""
    if not isinstance(values, BindParameter):
        values = bindparam(None, values, type_=_Strings(), unique=True)
    return _InList(column, values)


@compiles(_InList, "sqlite")
def _sqlite(element: _InList, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in (element.column, element.values))
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 (a column and a placeholder)


@compiles(_InList, "postgresql")
def _postgresql(element: _InList, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in (element.column, element.values))
    return f"{column} = ANY({values})"


_DIALECTS: dict[str, Any] = {"sqlite": sqlite, "postgresql": postgresql}


def insert_ignore(connection: Connection, table: Table) -> Any:
    """Return an INSERT that leaves rows alone which are there."""
    return _insert_ignore(connection.dialect.name, table)


@cache
def _insert_ignore(dialect: str, table: Table) -> Any:
    return _DIALECTS[dialect].insert(table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that replaces the row with the same key."""
    return _upsert(connection.dialect.name, table)


@cache
def _upsert(dialect: str, table: Table) -> Any:
    # Building it costs as much as running it, hence the cache.
    statement = _DIALECTS[dialect].insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)
