"""Which host sent a message, and who is named as its sender."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from worker.broker.senders import sending_host


def task(origin: Any) -> Any:
    return SimpleNamespace(request=SimpleNamespace(origin=origin))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("gen123@web-3", "web-3"),
        (f"gen123@{socket.gethostname()}", ""),
        ("gen123", ""),
        ("gen1@a b\x1b[31m", ""),
        (None, ""),
        (7, ""),
        ("gen1@" + "x" * 400, ""),
    ],
)
def test_a_host_is_told_where_the_message_names_another_one(origin: Any, host: str) -> None:
    assert sending_host(task(origin)) == host


def test_without_a_task_no_host_is_told() -> None:
    assert sending_host(None) == ""
