"""The marketplaces this application knows: one folder and one line here each."""

from __future__ import annotations

from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.base import Marketplace

REGISTRY: dict[str, type[Marketplace]] = {
    AliExpress.name: AliExpress,
}
