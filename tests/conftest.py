"""For every test: a developer's own settings mean nothing here, and what a process reads once is read anew."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.client_kit import Server
from worker.parts import forget

_OURS = ("FULFIL_TEST_DATABASE_URL", "FULFIL_TEST_SIMULATIONS")
"""What the tests themselves are told."""

for _name in [name for name in os.environ if name.startswith("FULFIL_") and name not in _OURS]:
    del os.environ[_name]

# A busy machine is no failure, so no deadline; fewer examples than by default, for there are many properties.
hypothesis.settings.register_profile("many", deadline=None, max_examples=60)
hypothesis.settings.load_profile("many")

if os.environ.get("CI"):
    # A verdict on a change must not hang on luck: there the same examples are tried every time.
    hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("many"), derandomize=True)
    hypothesis.settings.load_profile("ci")


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
