"""A sandbox that shows nothing but AliExpress, and a client at its gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.marketplaces.aliexpress.aliexpress_gateway import Clock, Gateway
from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.server import background


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    clock = Clock()
    accounts = {
        "main": {"app_key": "main-key", "app_secret": "sandbox-secret", "access_token": "main-token"},
        "second": {"app_key": "main-key", "app_secret": "sandbox-secret", "access_token": "second-token"},
    }
    with background([AliExpressFake(accounts)], clock=clock, hang_seconds=0.2) as running:
        gateway = Gateway(running, clock)
        yield gateway
        gateway.http.close()
