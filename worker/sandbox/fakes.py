"""The sandbox fakes this application knows: one line for each marketplace."""

from __future__ import annotations

from worker.sandbox.aliexpress import AliExpressFake
from worker.sandbox.fake import Fake
from worker.sandbox.shoplazza import ShoplazzaFake
from worker.sandbox.xportcn import XportcnFake

FAKES: dict[str, type[Fake]] = {
    AliExpressFake.name: AliExpressFake,
    XportcnFake.name: XportcnFake,
    ShoplazzaFake.name: ShoplazzaFake,
}

ACCOUNTS = {"main": "aliexpress", "wholesale": "xportcn", "shop": "shoplazza"}
"""The accounts of the README, of `examples/`, of the demo and of the lines the sandbox prints: name to marketplace."""
