"""What is wrong with Redis, in words: each way it can refuse, with what to do about it."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import redis
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterError,
    MaxConnectionsError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)

from config.settings import Settings
from worker.broker.embedded import connect, redis_url
from worker.errors import ConfigError, FulfilError, RedisAway

PROBE_KEY = "fulfil:probe"
"""Written for a second, to see whether anything can be."""
LOOK_SECONDS = 1.0
NAME = "FULFIL_REDIS_URL"

_CLUSTER = (
    f"{NAME} leads to a Redis Cluster, which Celery cannot use; name a single server (with replicas, if you like)"
)
_BY_TYPE: tuple[tuple[type[Exception], type[FulfilError], str], ...] = (
    (ReadOnlyError, RedisAway, f"Redis is a read-only replica; let {NAME} name the server it copies"),
    (OutOfMemoryError, RedisAway, "Redis is full (maxmemory): give it more, or find out who fills it"),
    (BusyLoadingError, RedisAway, "Redis is still loading its data; it answers when it has"),
    (MaxConnectionsError, RedisAway, "Redis has no connection left (maxclients); raise it, or end what holds them"),
    (
        NoPermissionError,
        ConfigError,
        f"the user of {NAME} may not do what Celery needs; allow it all commands and keys",
    ),
    (ClusterError, ConfigError, _CLUSTER),
)
_BY_WORD = (
    ("NOAUTH", ConfigError, f"Redis wants a password: {NAME}=redis://:PASSWORD@host:6379/0"),
    ("Authentication required", ConfigError, f"Redis wants a password: {NAME}=redis://:PASSWORD@host:6379/0"),
    ("MISCONF", RedisAway, "Redis takes no writes because it cannot save to its disk (MISCONF); see its log"),
    ("MASTERDOWN", RedisAway, "Redis is a replica that lost its server (MASTERDOWN)"),
    ("READONLY", RedisAway, f"Redis is a read-only replica; let {NAME} name the server it copies"),
    ("OOM", RedisAway, "Redis is full (maxmemory): give it more, or find out who fills it"),
    ("max number of clients", RedisAway, "Redis has no connection left (maxclients); raise it, or end what holds them"),
    ("CLUSTERDOWN", ConfigError, _CLUSTER),
    ("MOVED", ConfigError, _CLUSTER),
    ("invalid DB index", ConfigError, f"Redis has no database of the number at the end of {NAME}"),
    ("DB index is out of range", ConfigError, f"Redis has no database of the number at the end of {NAME}"),
    ("CERTIFICATE_VERIFY_FAILED", ConfigError, f"Redis' certificate is not trusted; add ?ssl_ca_certs=FILE to {NAME}"),
    ("SSL", ConfigError, f"Redis does not speak TLS there: {NAME} begins with redis://, or names the TLS port"),
)


def trouble(error: BaseException) -> FulfilError:
    """Return what an error of Redis, of its client or of kombu means: ConfigError or RedisAway, to be raised."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and len(chain) < 8:  # the client wraps what the server said, kombu wraps that once more
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for one in chain:
        for kind, ours, words in _BY_TYPE:
            if isinstance(one, kind):
                return ours(words)
        said = str(one)
        for word, ours, words in _BY_WORD:
            if word in said:
                return ours(words)
        if isinstance(one, AuthenticationError):
            return ConfigError(f"Redis does not take the user or the password of {NAME}")
        if isinstance(one, FileNotFoundError):
            return ConfigError(f"{NAME} names a socket that is not there; start its Redis, or mend the path")
    return RedisAway(f"{NAME} does not answer ({type(error).__name__})")


def probe(settings: Settings) -> None:
    """See whether Redis answers, may be written and is no cluster. Raises ConfigError, RedisAway."""
    client = connect(settings)
    try:
        client.set(PROBE_KEY, 1, px=1000)
        if _mode(client) == "cluster":
            raise ConfigError(_CLUSTER)
    except (redis.RedisError, OSError) as error:
        ours = trouble(error)
        raise (_mixed_up(redis_url(settings)) or ours) if isinstance(ours, RedisAway) else ours from None
    finally:
        client.close()


def check(settings: Settings) -> None:
    """Raise ConfigError where Redis says that our address of it is wrong; its being away is no fault of a setting."""
    if settings.redis_url:
        try:
            probe(settings)
        except RedisAway:
            return


def _mixed_up(url: str) -> FulfilError | None:
    """Say so where a server speaks TLS and was spoken to plainly, or the other way round: both look like silence."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return None
    try:
        with socket.create_connection((parts.hostname or "localhost", parts.port or 6379), LOOK_SECONDS) as plain:
            plain.settimeout(LOOK_SECONDS)
            if parts.scheme == "redis":
                _shake_hands(plain)
                return ConfigError(f"Redis speaks TLS there: {NAME} begins with rediss://")
            plain.sendall(b"PING\r\n")
            if plain.recv(1) in (b"+", b"-"):
                return ConfigError(
                    f"Redis does not speak TLS there: {NAME} begins with redis://, or names the TLS port"
                )
    except OSError:
        pass
    return None


def _shake_hands(plain: socket.socket) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent: only who answers is asked
    context.wrap_socket(plain).close()


def _mode(client: redis.Redis) -> str:
    try:
        return str(client.info("server").get("redis_mode", ""))
    except NoPermissionError:
        return ""
