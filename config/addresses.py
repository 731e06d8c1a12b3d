"""Rules about addresses in the settings: what is one, and what must not be sent to it. No word repeats a password."""

from __future__ import annotations

import ipaddress
from urllib.parse import parse_qsl, urlsplit

REDIS_LIKE = "should be an address like redis://host:6379/0"
TLS_OPTIONS = frozenset({"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_keyfile"})
"""What may stand behind the `?` of a rediss:// address: what both of its readers, Celery and the client, take alike."""
_OPTIONS = {"redis": frozenset[str](), "rediss": TLS_OPTIONS, "unix": frozenset({"db"})}
_CHECKS = ("none", "optional", "required")


def wrong_with_redis(address: str) -> str | None:
    """Say what is wrong with Redis' address; None: nothing that can be seen without asking it.

    Celery and the client library each read it in their own way, and what one of them does not understand comes out as
    a traceback once orders have been taken in.
    """
    try:
        parts = urlsplit(address)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        known = parts.scheme in _OPTIONS and parts.port != 0
    except ValueError:  # a port that is no number: mostly half a password
        return misread(address) or REDIS_LIKE
    if not known:
        return REDIS_LIKE
    if reason := misread(address):
        return reason
    if parts.scheme == "unix" and (parts.hostname or len(parts.path) < 2):
        return "should be an address like unix:///run/redis.sock"
    if parts.scheme != "unix" and not (parts.path in ("", "/") or parts.path[1:].isdecimal()):
        return f"{REDIS_LIKE}; behind the host stands the number of a database"
    return _wrong_option(parts.scheme, options)


def _wrong_option(scheme: str, options: list[tuple[str, str]]) -> str | None:
    allowed = _OPTIONS[scheme]
    for name, value in options:
        if name not in allowed:
            some = f"these options only: {', '.join(sorted(allowed))}" if allowed else "no options"
            return f"may have {some} behind its ?; a password stands before the host, as in redis://:PASSWORD@host:6379"
        if (name == "db" and not value.isdecimal()) or (name == "ssl_cert_reqs" and value not in _CHECKS):
            return f"has an option {name} of an unknown value"
    return None


def misread(address: str) -> str | None:
    """Say so where a sign of the password ends the part that may hold one; the words repeat none of it.

    The readers of addresses differ on an @ that is not written %40: one takes what follows for the host, and prints it.
    """
    parts = address.partition("://")[2]
    if "#" in parts or "@" in parts.partition("@")[2] or "@" in parts[len(parts.partition("/")[0]) :]:
        return "write signs like @ / # ? in its user name or password as %40 %2F %23 %3F"
    return None


def is_open_http(address: str) -> bool:
    """Tell whether what is sent there can be read on its way: plain HTTP to anything but this machine."""
    try:
        parts = urlsplit(address)
        return parts.scheme == "http" and not _is_loopback(parts.hostname or "")
    except ValueError:
        return address.lower().lstrip().startswith("http:")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
