"""What the stranger's tests share: a shop in which each test makes its own trouble."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import Shop
from tests.operator.stranger import Stranger

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the programs time to start on a machine that is busy."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """An empty shop; the test says what runs in it."""
    with Shop(tmp_path) as made:
        yield made


@pytest.fixture
def stranger(shop: Shop) -> Stranger:
    return Stranger(shop)
