"""A sandbox that shows nothing but Xportcn, and a client at its gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.marketplaces.xportcn.xportcn_gateway import ACCOUNTS, Clock, Gateway
from worker.sandbox.server import background
from worker.sandbox.xportcn import XportcnFake


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    clock = Clock()
    with background([XportcnFake(ACCOUNTS)], clock=clock, hang_seconds=4) as running:
        gateway = Gateway(running, clock)
        yield gateway
        gateway.http.close()
