"""The sandbox faces this application knows: one line for each marketplace."""

from __future__ import annotations

from worker.marketplaces.aliexpress.sandbox import AliExpressFace
from worker.marketplaces.face import Face
from worker.marketplaces.shoplazza.sandbox import ShoplazzaFace
from worker.marketplaces.xportcn.sandbox import XportcnFace

FACES: dict[str, type[Face]] = {
    AliExpressFace.name: AliExpressFace,
    XportcnFace.name: XportcnFace,
    ShoplazzaFace.name: ShoplazzaFace,
}
