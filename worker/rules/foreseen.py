"""What can be read of an order before it is placed, and what follows from it: a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from worker.rules.outcomes import Money


class Standing(StrEnum):
    """How an order stands before it is placed."""

    GOOD = "good"
    """Every check passed."""
    WARNED = "warned"
    """It may pass; something is not known, or not as it should be."""
    DOOMED = "doomed"
    """It would be refused, or it costs more than it may."""
    UNCHECKED = "unchecked"
    """Its marketplace offers nothing to ask beforehand; only its form was checked."""


class Doom(StrEnum):
    """Why a marketplace would refuse a line of an order; which code its create answers is the adapter's to say."""

    OFFLINE = "offline"
    """The product is not on sale."""
    OFF_SHELF = "off shelf"
    """The seller took the product off the shelf."""
    REMOVED = "removed"
    """The product was deleted."""
    NO_PRODUCT = "no product"
    """There is no such product."""
    COUNTRY = "country"
    """The product may not be ordered to this country."""
    UNSALEABLE = "unsaleable"
    """None of the product's SKUs is on sale."""
    NO_SKU = "no SKU"
    """The product does not have this SKU."""
    STOCK = "stock"
    """Fewer pieces are there than are ordered."""
    LIMIT = "limit"
    """More pieces are ordered than one order may have."""
    DELIVERY = "delivery"
    """Nothing delivers it to this country."""
    SERVICE = "service"
    """The delivery service that the order names does not deliver it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know of an order. Holds names of fields, codes and amounts; nothing of a person."""

    code: str
    field: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class Sku:
    """One SKU of a product. None: not told. `tax`: of a piece, where it is not in the price.

    `limit`: the most pieces at this price; `limit_refuses`: more are refused, else they cost `full_price`.
    `tiers`: pieces from which a lower price counts, and that price.
    """

    attr: str
    sku_id: str
    stock: int | None = None
    price: Decimal | None = None
    full_price: Decimal | None = None
    currency: str = ""
    tax: Decimal = Decimal(0)
    limit: int | None = None
    limit_refuses: bool = False
    tiers: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it can be ordered to one country. `store`: who sells it. `other_id`: its id there, if another."""

    doom: Doom | None = None
    skus: tuple[Sku, ...] = ()
    store: str = ""
    other_id: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to deliver. `free_from`: an order of the store that costs so much is delivered free."""

    service: str
    fee: Decimal | None = None
    currency: str = ""
    free_from: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Freight:
    """How some pieces of one SKU can be delivered; none: not at all."""

    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Divisions:
    """The names a marketplace knows in one country: its provinces, each with its cities. Empty: it has none."""

    provinces: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of an order."""

    product: str
    sku: str
    count: int
    service: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line with what was read of it; None: not read, or not asked for."""

    wanted: Wanted
    product: Product | None
    freight: Freight | None

    @property
    def sku(self) -> Sku | None:
        """The SKU that the line names; a line that names none means a product of one SKU."""
        skus = self.product.skus if self.product else ()
        return next((sku for sku in skus if sku.attr == self.wanted.sku), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an order stands, why, and what it would cost. `dooms` come in the order in which a create looks at them.

    `orders`: how many orders the marketplace would make of it, 0 where that is not known.
    """

    standing: Standing
    dooms: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    forecast: Money | None = None
    orders: int = 0

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything a person should know, the worst first."""
        return self.dooms + self.warnings


UNCHECKED = Verdict(Standing.UNCHECKED)
