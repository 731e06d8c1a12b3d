"""For every test: a developer's own settings mean nothing here, and what a process reads once is read anew."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import time_machine

from tests.client_kit import Server
from worker.parts import forget

_OURS = ("FULFIL_TEST_DATABASE_URL", "FULFIL_TEST_SIMULATIONS")
"""What the tests themselves are told."""

# What a shell runs in the background hears no Ctrl-C, and nor do its children; the tests send one to theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)

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
def clock() -> Iterator[time_machine.Traveller]:
    """The clock of this process: it goes on, and a test may put it forward. Waiting takes as long as ever."""
    with time_machine.travel(time.time(), tick=True) as made:
        yield made


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
