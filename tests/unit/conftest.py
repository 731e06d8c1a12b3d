"""The promise of the units: none of them starts a process."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})
_units: list[str] = []
"""The unit that runs now; Python's audit hooks stay for ever, also over the tests of other folders."""


def _refuse(event: str, _: tuple[object, ...]) -> None:
    if _units and event in STARTS:
        raise AssertionError(f"{_units[-1]} is a unit and starts a process ({event}); such a test is at home elsewhere")


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True)
def no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a unit that starts a process."""
    _units.append(request.node.name)
    yield
    _units.clear()
