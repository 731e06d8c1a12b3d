"""What Redis and its client raise, told as what it is; whatever kombu has wrapped around it."""

from __future__ import annotations

import pytest
import redis
from kombu.exceptions import OperationalError
from redis.exceptions import BusyLoadingError, NoPermissionError, OutOfMemoryError, ReadOnlyError

from worker.broker.troubles import trouble
from worker.errors import ConfigError, RedisAway

TOLD = [
    (BusyLoadingError("Redis is loading the dataset in memory"), RedisAway, "still loading"),
    (ReadOnlyError("You can't write against a read only replica."), RedisAway, "read-only replica"),
    (redis.ResponseError("READONLY You can't write against a read only replica."), RedisAway, "read-only replica"),
    (OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), RedisAway, "full (maxmemory)"),
    (redis.ResponseError("MISCONF Redis is configured to save RDB snapshots"), RedisAway, "MISCONF"),
    (redis.ResponseError("MASTERDOWN Link with MASTER is down"), RedisAway, "MASTERDOWN"),
    (redis.AuthenticationError("Authentication required."), ConfigError, "wants a password"),
    (redis.AuthenticationError("invalid username-password pair or user is disabled."), ConfigError, "does not take"),
    (redis.AuthenticationError("WRONGPASS invalid username-password pair"), ConfigError, "does not take"),
    (NoPermissionError("this user has no permissions to run the 'set' command"), ConfigError, "may not do"),
    (redis.ResponseError("DB index is out of range"), ConfigError, "no database of the number"),
    (redis.ConnectionError("max number of clients reached"), RedisAway, "maxclients"),
    (redis.ConnectionError("Error 111 connecting"), RedisAway, "does not answer"),
    (redis.TimeoutError("Timeout reading from socket"), RedisAway, "does not answer"),
    (OSError("anything"), RedisAway, "does not answer"),
]


@pytest.mark.parametrize(("error", "kind", "words"), TOLD)
def test_each_is_told_as_what_it_is(error: Exception, kind: type[Exception], words: str) -> None:
    assert type(trouble(error)) is kind
    assert words in str(trouble(error))


@pytest.mark.parametrize(("error", "kind", "words"), TOLD)
def test_however_deep_it_lies(error: Exception, kind: type[Exception], words: str) -> None:
    try:
        try:
            raise error
        except Exception as cause:
            raise OperationalError("it failed") from cause
    except OperationalError as wrapped:
        told = trouble(wrapped)
    assert type(told) is kind
    assert words in str(told)


def test_no_text_of_the_server_is_repeated() -> None:
    assert "hush" not in str(trouble(redis.AuthenticationError("WRONGPASS for user hush")))
