"""A sandbox that shows nothing but Shoplazza, and a shop in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.marketplaces.shoplazza.shoplazza_shop import Clock, Shop
from worker.sandbox.server import background
from worker.sandbox.shoplazza import ShoplazzaFake


@pytest.fixture
def shop() -> Iterator[Shop]:
    clock = Clock()
    with background([ShoplazzaFake({"main": {"access_token": "main-token"}})], clock=clock, hang_seconds=4) as running:
        shop = Shop(running, clock)
        yield shop
        shop.http.close()
