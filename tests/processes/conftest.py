"""What tests of real processes share: time to start, and one real Redis for those that need it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from config.settings import Settings
from worker.broker.embedded import EmbeddedRedis, connect, redis_url

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the programs time to start on a machine that is busy."""
    for item in items:
        if item.path.parent == HERE and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def redis_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a home whose embedded Redis runs."""
    configured = Settings(home=tmp_path_factory.mktemp("home"))
    with EmbeddedRedis(configured):
        yield configured


@pytest.fixture
def real_redis(redis_settings: Settings) -> Iterator[redis.Redis]:
    """A client of the running server, emptied before the test."""
    client = connect(redis_settings)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def real_redis_url(redis_settings: Settings, real_redis: redis.Redis) -> str:
    return redis_url(redis_settings)
