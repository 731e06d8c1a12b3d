"""The ledger's address: read strictly, and shown without anything that may be secret."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from config.addresses import misread
from worker.errors import ConfigError

_NAME = "FULFIL_DATABASE_URL"
_SHOWN_OPTIONS = ("host", "port")
"""Options that say where a server is; every other one may be a secret."""


def parsed(text: str) -> URL:
    """Return an address in its parts. Raises ConfigError, whose words repeat nothing of it."""
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        backend = ""
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError(f"{_NAME} is not an address this program knows; use postgresql://… or sqlite:///…") from None
    if backend == "postgresql":
        if reason := misread(text):
            raise ConfigError(f"{_NAME}: {reason}")
        return _usable(url)
    return url


def is_missing(text: str) -> bool:
    """Tell whether an address leads to a file that is not there, so that opening it would make it. Raises as parsed."""
    url = parsed(text)
    return url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()


def shown(url: URL) -> str:
    """Return an address as it may be printed: kind, user, host, port and name; no password, no other option."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    options = {name: value for name, value in url.query.items() if name in _SHOWN_OPTIONS}
    return URL.create(
        url.drivername, url.username, None, url.host, url.port, url.database, query=options
    ).render_as_string(hide_password=True)


def _usable(url: URL) -> URL:
    """Return a PostgreSQL address the driver takes. Raises ConfigError; it names no option, which may be a secret."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    known = url.set(drivername="postgresql+psycopg")
    options = {name: value for name, value in known.query.items() if isinstance(value, str)}
    try:
        make_conninfo("", **options)
        known.get_dialect()
    except (ProgrammingError, ArgumentError, ValueError):
        raise ConfigError(
            f"{_NAME} has an option behind its ? that PostgreSQL's driver does not know; take it out"
        ) from None
    return known
