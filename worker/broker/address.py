"""Redis' address: with its password, and as it may be printed."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit


def with_password(url: str, password: str | None) -> str:
    """Return an address with this password in it, if it has none of its own."""
    parts = urlsplit(url)
    if not password or parts.password is not None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def shown(url: str) -> str:
    """Return an address as it may be printed: without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def of_socket(path: str) -> str:
    """Return the address of a server that listens on a unix socket."""
    return f"unix://{quote(path)}"
