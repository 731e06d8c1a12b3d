"""The marketplaces this application knows: one folder and one line here each."""

from __future__ import annotations

from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.base import Marketplace
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.xportcn.adapter import Xportcn

REGISTRY: dict[str, type[Marketplace]] = {
    AliExpress.name: AliExpress,
    Xportcn.name: Xportcn,
    Shoplazza.name: Shoplazza,
}
