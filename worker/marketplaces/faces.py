"""The sandbox faces this application knows: one line for each marketplace."""

from __future__ import annotations

from worker.marketplaces.aliexpress.sandbox import AliExpressFace
from worker.marketplaces.face import Face

FACES: dict[str, type[Face]] = {
    AliExpressFace.name: AliExpressFace,
}
