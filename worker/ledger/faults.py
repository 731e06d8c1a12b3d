"""What went wrong in the database, as one of our own errors: told by its code, never by its text.

A driver's text may hold whole orders: PostgreSQL's DETAIL shows the row, a trigger's message whatever its author put
in. So the driver's error stays here: nothing of it is printed, chained to ours or pickled with it.
"""

from __future__ import annotations

import sqlite3
import traceback
from enum import StrEnum
from pathlib import Path

from sqlalchemy.exc import StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from worker.errors import FulfilError, LedgerAway, LedgerRefused


class Kind(StrEnum):
    """What a driver's error means for us."""

    BUSY = "busy"
    """Every connection of this process is in use."""
    AWAY = "away"
    """The database does not answer, or not now: it stops, starts, or has no room for another connection."""
    READ_ONLY = "read-only"
    """It answers and takes no writes: a standby after a failover, or a write-protected disk."""
    FULL = "full"
    """Its disk has no room left."""
    FOREIGN = "foreign"
    """The place itself is wrong: a file of another kind, a user without rights."""
    OURS = "ours"
    """It refused what we asked: a defect of ours, a trigger, a schema that is not this program's."""


_SENTENCES = {
    Kind.BUSY: "every connection to the ledger at {place} is in use",
    Kind.AWAY: "the ledger at {place} does not answer: {told}",
    Kind.READ_ONLY: "the ledger at {place} is read-only: {told}; let it be written, or name the server that can be",
    Kind.FULL: "the ledger at {place} has no room left: {told}; make room on its disk",
    Kind.FOREIGN: "the ledger at {place} cannot be used: {told}",
    Kind.OURS: "the ledger at {place} refused a statement: {told}; see its schema, its triggers and its own log",
}
_POSTGRESQL = {
    "25006": (Kind.READ_ONLY, "it takes no writes"),
    "53100": (Kind.FULL, "its disk is full"),
    "42501": (Kind.FOREIGN, "permission denied"),
}
_POSTGRESQL_AWAY = ("08", "40", "53", "55", "57", "58")
"""Classes: connection, rollback, resources, objects not ready, an operator's word, the system."""
_SQLITE = {
    sqlite3.SQLITE_FULL: (Kind.FULL, "database or disk is full"),
    sqlite3.SQLITE_READONLY: (Kind.READ_ONLY, "it takes no writes"),
    sqlite3.SQLITE_NOTADB: (Kind.FOREIGN, "the file is not a database"),
    sqlite3.SQLITE_CORRUPT: (Kind.FOREIGN, "the file is damaged"),
    sqlite3.SQLITE_PERM: (Kind.FOREIGN, "permission denied"),
    sqlite3.SQLITE_AUTH: (Kind.FOREIGN, "permission denied"),
    sqlite3.SQLITE_CANTOPEN: (Kind.AWAY, "unable to open the file"),
    sqlite3.SQLITE_BUSY: (Kind.AWAY, "database is locked"),
    sqlite3.SQLITE_LOCKED: (Kind.AWAY, "database is locked"),
    sqlite3.SQLITE_IOERR: (Kind.AWAY, "disk I/O error"),
    sqlite3.SQLITE_NOMEM: (Kind.AWAY, "out of memory"),
    sqlite3.SQLITE_PROTOCOL: (Kind.AWAY, "its lock cannot be had"),
    sqlite3.SQLITE_SCHEMA: (Kind.AWAY, "its schema is being changed"),
}


def kind_of(error: BaseException) -> Kind:
    """Return what an error that came out of a transaction means."""
    return _read(error)[0]


def as_ours(error: BaseException, place: str) -> FulfilError:
    """Return the error to raise in the place of a driver's. `place`: the ledger's address without secrets."""
    kind, words = _read(error)
    text = _SENTENCES[kind].format(place=place, told=words)
    return LedgerRefused(text) if kind is Kind.OURS else LedgerAway(text)


def _read(error: BaseException) -> tuple[Kind, str]:
    if isinstance(error, PoolTimeout):
        return Kind.BUSY, ""
    driver = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        kind, words = _SQLITE.get(code & 0xFF, (Kind.OURS, ""))
        return kind, words or _name(driver, getattr(driver, "sqlite_errorname", "")) + _asked_at(error)
    state = getattr(driver, "sqlstate", None)
    if state in _POSTGRESQL:
        kind, words = _POSTGRESQL[state]
        return kind, f"{words} ({_name(driver, state)})"
    if state is not None:
        kind = Kind.AWAY if state.startswith(_POSTGRESQL_AWAY) else Kind.OURS
        return kind, _name(driver, state) + (_asked_at(error) if kind is Kind.OURS else "")
    if _lost_connection(error, driver):
        return Kind.AWAY, _why_not_connected(error, driver)
    return Kind.OURS, f"{type(driver).__name__}{_asked_at(error)}"


def _lost_connection(error: BaseException, driver: BaseException) -> bool:
    """Tell whether an error without a code is one of the connection's own."""
    invalidated = getattr(error, "connection_invalidated", False)
    return bool(invalidated) or type(driver).__name__ in ("OperationalError", "ConnectionTimeout", "InterfaceError")


def _why_not_connected(error: BaseException, driver: BaseException) -> str:
    """Return the driver's own words for a connection that was not made: no statement, so no row, is in them yet."""
    if isinstance(error, StatementError) and error.statement is None:
        return str(driver).strip().partition("\n")[0] or type(driver).__name__
    return f"{type(driver).__name__}, the connection was lost"


def _name(driver: BaseException, code: str) -> str:
    return f"{type(driver).__name__}, {code}"


def _asked_at(error: BaseException) -> str:
    """Return where in our own code the statement was made."""
    ours = Path(__file__).parent.parent
    steps = [step for step in traceback.extract_tb(error.__traceback__) if ours in Path(step.filename).parents]
    asked = [step for step in steps if Path(step.filename).name != "engine.py"]
    return f", at {Path(asked[-1].filename).name}:{asked[-1].lineno}" if asked else ""
