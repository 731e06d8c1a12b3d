"""The order body of Shoplazza's order create: every parameter of the vendor page, checked before it is sent.

Field names are the vendor page's, whatever the API version calls them on the wire (`create.py`). Required is what the
page and every version require; what one version asks for beyond that, Shoplazza itself says (shoplazza.md, 1). No
message of a check holds the value it refuses: most of them are personal data.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AliasChoices, BeforeValidator, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from worker.marketplaces import zips
from worker.marketplaces.digits import id_text
from worker.marketplaces.iso import has_provinces
from worker.marketplaces.models import Country, Currency, Figures, NumberText, OrderPart, number_text, some, whole
from worker.marketplaces.roles import Role

UNSENT = ("refund_total", "refund_line_items", "created_at", "updated_at", "order_status", "financial_status")
"""Fields of the page's table that no schema of any API version takes (docs/vendors/shoplazza.md, 1)."""

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")


def _amount(value: object) -> str:
    """Return an amount as the decimal text it was written in; a JSON fraction is refused, it may not be exact."""
    if isinstance(value, Decimal) and value.is_finite():
        value = f"{value:f}"
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if _AMOUNT.fullmatch(text):
        return text
    raise PydanticCustomError("amount", 'write the amount as text, digits with a point, such as "9.99"')


def _discount(value: object) -> str:
    found = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return _amount(value)
    if Decimal(found[1]) > 100:
        raise PydanticCustomError("discount", "a discount is at most 100%")
    return f"{found[1]}%"


def _coordinate(value: object) -> object:
    return repr(value) if isinstance(value, float) else number_text(value)


Amount = Annotated[str, BeforeValidator(_amount)]
RequiredId = Annotated[str, BeforeValidator(id_text), StringConstraints(min_length=1)]
Coordinate = Annotated[str | None, BeforeValidator(_coordinate)]


class LineItem(OrderPart):
    """One product of the order."""

    variant_id: RequiredId = Field(description="Id of the product variant")
    product_id: RequiredId = Field(description="Id of the product")
    quantity: Annotated[int, whole(9)] = Field(description="How many, 1 or more")


class ShippingAddress(OrderPart):
    """Where the goods go. The form of province_code varies in the vendor's samples (KY, US-KY): sent as written.

    Codes and numbers are texts: 02139 as a JSON number would be another one.
    """

    first_name: Annotated[str | None, Role.NAME] = Field(None, description="First name of the recipient")
    last_name: Annotated[str, Role.NAME] = Field(description="Last name of the recipient")
    phone: Figures = Field(None, description="Phone number of the recipient")
    email: str = Field(description="Email address of the recipient")
    country: str = Field(description="Country, such as United States")
    country_code: Country = Field(description="ISO code of the country, two letters")
    province: Annotated[str | None, Role.PLACE] = Field(
        None, description="Province or state; required by every API version's schema"
    )
    province_code: str | None = Field(
        None, description="ISO code of the province, such as NM; required where the country has provinces"
    )
    city: Annotated[str, Role.PLACE] = Field(description="City")
    address: str = Field(description="Street and number")
    address1: str | None = Field(None, description="Address extension, such as Suite 1234")
    zip: str | None = Field(None, description="ZIP or postal code; required from API version 2026-01 on")
    latitude: Coordinate = Field(None, description="Latitude of the place")
    longitude: Coordinate = Field(None, description="Longitude of the place")

    @model_validator(mode="after")
    def _fits_its_country(self) -> Self:
        faults = []
        if self.province_code is None and has_provinces(self.country_code):
            faults.append(("province_code", f"missing; an address in {self.country_code} names its province"))
        if says := zips.fault(self.country_code, self.zip or ""):
            faults.append(("zip", says))
        if faults:  # pydantic takes these over with their own places, so each names its field
            raise ValidationError.from_exception_data(type(self).__name__, [_rule(*fault) for fault in faults])
        return self


def _rule(field: str, says: str) -> InitErrorDetails:
    return InitErrorDetails(
        type=PydanticCustomError("address_rule", "{says}", {"says": says}), loc=(field,), input=None
    )


class ShippingLine(OrderPart):
    """How the goods travel. From API version 2025-06 on it is required and its keys have other names on the wire."""

    name: str = Field(description="Name of the shipping method, such as Free Shipping")
    shipping_price: Amount = Field(description='Price of the shipping method, such as "10.00"')
    desc: Annotated[str | None, Role.NOTE] = Field(None, description="Description of the shipping method")


class ShoplazzaOrder(OrderPart):
    """A job's `order` for Shoplazza. The page heads its table `LineItems`; every schema says `line_items`."""

    line_items: Annotated[tuple[LineItem, ...], some("line_items", "at least one product is needed")] = Field(
        validation_alias=AliasChoices("line_items", "LineItems"), description="The products"
    )
    shipping_address: ShippingAddress
    tags: tuple[NumberText, ...] | None = Field(None, description="Labels of the order; ours is added")
    tax_total: Amount = Field(description='Tax of the order, such as "9.99"')
    currency_code: Currency = Field(description="Currency of the shop, such as USD")
    discount: Annotated[str, BeforeValidator(_discount)] | None = Field(
        None, description='Amount or percentage, such as "10.00" or "10%"; required by API version 2022-01'
    )
    note: Annotated[str | None, Role.NOTE] = Field(None, description="A note; ours is added on a line of its own")
    payment_line: str | None = Field(None, description="Payment method; COD where the shop allows it")
    shipping_line: ShippingLine | None = Field(None, description="Shipping method")
    refund_total: Amount | None = Field(None, description="Not sent: no API version takes it")
    refund_line_items: list[dict[str, Any]] | None = Field(None, description="Not sent: no API version takes it")
    created_at: NumberText = Field(None, description="Not sent: no API version takes it")
    updated_at: NumberText = Field(None, description="Not sent: no API version takes it")
    order_status: str | None = Field(None, description="Not sent: no API version takes it")
    financial_status: str | None = Field(None, description="Not sent: no API version takes it")


SENT_FIELDS = frozenset(
    {
        *(name for name in ShoplazzaOrder.model_fields if name not in UNSENT),
        *(name for part in (LineItem, ShippingAddress, ShippingLine) for name in part.model_fields),
        *("order", "shipping_name", "shipping_desc"),
    }
)
"""Every name in the body of a create, in any API version (docs/vendors/shoplazza.md, 1)."""
