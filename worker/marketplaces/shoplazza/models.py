"""The order body of Shoplazza's order create: every parameter of the vendor page, checked before it is sent.

Field names are the vendor page's, whatever the API version calls them on the wire (`wire.py`). Required is what the
page and every version require; what one version asks for beyond that, Shoplazza itself says (facts: B1). No message
of a check holds the value it refuses: most of them are personal data.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from worker.marketplaces import zips
from worker.marketplaces.base import Credentials, OrderPart
from worker.marketplaces.digits import damage, digits, id_text, no_number
from worker.marketplaces.iso import alpha2, has_provinces
from worker.marketplaces.roles import Role

ApiVersion = Literal["2022-01", "2025-06", "2026-01", "2026-07"]

UNSENT = ("refund_total", "refund_line_items", "created_at", "updated_at", "order_status", "financial_status")
"""Fields of the page's table that no schema of any API version takes (facts: B1)."""

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


def _quantity(value: object) -> int:
    text = digits(value)
    if text and len(text) <= 9 and int(text) > 0:
        return int(text)
    raise no_number("quantity", value, "a whole number of at least 1 is needed")


def _number_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _coordinate(value: object) -> object:
    return repr(value) if isinstance(value, float) else _number_text(value)


def _country(value: str) -> str:
    code = alpha2(value)
    if code is None:
        raise PydanticCustomError("country_code", "an ISO code of two letters is needed, such as US or CN")
    return code


def _phone(value: str) -> str:
    says = damage(value)
    if says:
        raise PydanticCustomError("damaged_number", "{says}", {"says": says})
    return value


def _currency(value: str) -> str:
    if len(value) == 3 and value.isascii() and value.isalpha():
        return value.upper()
    raise PydanticCustomError("currency_code", "three letters are needed, such as USD")


def _some(value: object) -> object:
    # Not min_length: pydantic counts only the good items, and would add its complaint to each bad one's.
    if value in ([], ()):
        raise PydanticCustomError("line_items", "at least one product is needed")
    return value


Amount = Annotated[str, BeforeValidator(_amount)]
Id = Annotated[str, BeforeValidator(id_text), StringConstraints(min_length=1)]
NumberText = Annotated[str | None, BeforeValidator(_number_text)]
Coordinate = Annotated[str | None, BeforeValidator(_coordinate)]


class LineItem(OrderPart):
    """One product of the order."""

    variant_id: Id = Field(description="Id of the product variant")
    product_id: Id = Field(description="Id of the product")
    quantity: Annotated[int, BeforeValidator(_quantity)] = Field(description="How many, 1 or more")


class ShippingAddress(OrderPart):
    """Where the goods go. The form of province_code varies in the vendor's samples (KY, US-KY): sent as written.

    Codes and numbers are texts: 02139 as a JSON number would be another one.
    """

    first_name: Annotated[str | None, Role.NAME] = Field(None, description="First name of the recipient")
    last_name: Annotated[str, Role.NAME] = Field(description="Last name of the recipient")
    phone: Annotated[str, AfterValidator(_phone)] | None = Field(None, description="Phone number of the recipient")
    email: str = Field(description="Email address of the recipient")
    country: str = Field(description="Country, such as United States")
    country_code: Annotated[str, AfterValidator(_country)] = Field(description="ISO code of the country, two letters")
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

    line_items: Annotated[tuple[LineItem, ...], BeforeValidator(_some)] = Field(
        validation_alias=AliasChoices("line_items", "LineItems"), description="The products"
    )
    shipping_address: ShippingAddress
    tags: tuple[NumberText, ...] | None = Field(None, description="Labels of the order; ours is added")
    tax_total: Amount = Field(description='Tax of the order, such as "9.99"')
    currency_code: Annotated[str, AfterValidator(_currency)] = Field(description="Currency of the shop, such as USD")
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
"""Every name in the body of a create, in any API version (facts: B1)."""


def _list_of_words(value: object) -> object:
    return tuple(filter(None, (word.strip() for word in value.split(",")))) if isinstance(value, str) else value


class ShoplazzaCredentials(Credentials):
    """A shop's token and how its API is spoken to. Everything arrives as text from the environment."""

    access_token: SecretStr = Field(min_length=1, description="the app's for this shop, with write_order, read_order")
    shop: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", to_lower=True)] = Field(
        description="the shop's subdomain alone, without myshoplaza.com"
    )
    domain_suffix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", to_lower=True)] = Field(
        "myshoplaza.com", description="the rest of the shop's address"
    )
    api_version: ApiVersion = Field("2026-01", description="2022-01, 2025-06, 2026-01 or 2026-07")
    tag_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,8}$")] = Field(
        "jq-", description="lower case; with the 24 characters after it a tag stays below 33 (its limit is unknown)"
    )
    limit_headers: Annotated[tuple[str, ...], BeforeValidator(_list_of_words)] = Field(
        (), description="names of the rate limit header, comma-separated, tried before every *call-limit*, *ratelimit*"
    )
