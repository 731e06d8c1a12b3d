"""What the units share: settings read anew in every test, and one real Redis for those that need it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
from client_kit import Server

from config.settings import Settings
from worker.broker.embedded import EmbeddedRedis, connect, redis_url
from worker.parts import forget

# A busy machine is no failure, so no deadline; fewer examples than by default, for there are many properties.
hypothesis.settings.register_profile("units", deadline=None, max_examples=60)
hypothesis.settings.load_profile("units")


@pytest.fixture
def fresh_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Let a test set the environment: what a process reads once is read again, away from any .env of ours."""
    monkeypatch.chdir(tmp_path)
    forget()
    yield monkeypatch
    forget()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of loopback where nobody listens, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket, int], None]], Server]]:
    """Start servers that answer as they are told, and close them when the test is over."""
    started: list[Server] = []

    def start(answer: Callable[[socket.socket, int], None]) -> Server:
        started.append(Server(answer))
        return started[-1]

    yield start
    for server in started:
        server.close()


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
