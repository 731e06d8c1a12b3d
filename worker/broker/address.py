"""Redis' address: one setting for all who read it, and never shown with its password.

The client library knows `unix:///path?db=1`, Celery the same place as `redis+socket:///path?virtual_host=1`.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit


def with_password(url: str, password: str | None) -> str:
    """Return an address with this password in it, if it has none of its own."""
    parts = urlsplit(url)
    if not password or parts.password is not None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def for_celery(url: str) -> str:
    """Return the address as Celery and Flower take it."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    (number,) = parse_qs(parts.query).get("db", ["0"])
    return f"redis+socket://{parts.netloc}{parts.path}?{urlencode({'virtual_host': number})}"


def shown(url: str) -> str:
    """Return an address as it may be printed: without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def of_socket(path: str) -> str:
    """Return the address of a server that listens on a unix socket."""
    return f"unix://{quote(path)}"
