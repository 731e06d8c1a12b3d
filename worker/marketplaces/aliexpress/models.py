"""The order body of aliexpress.ds.order.create: every parameter of the vendor page, checked before it is sent.

Field names are the vendor's. Blank texts are allowed, as in the vendor's samples, and are simply not sent. No
message of a check holds the value it refuses: most of them are personal data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from worker.marketplaces.aliexpress import countries as rules
from worker.marketplaces.models import Currency, Figures, Id, OrderPart, flag, number_text, product_id, some, whole
from worker.marketplaces.roles import Role

_SKU_ATTR = re.compile(r"\s*-?[0-9]+:-?[0-9]+")


def _single(value: object) -> object:
    """Unwrap a one-element list: the page types these List[Object], every sample of it sends the plain object."""
    if isinstance(value, list | tuple) and len(value) <= 1:
        return value[0] if value else None
    return value


def _country(value: str) -> str:
    code = rules.vendor_code(value)
    if code is None:
        raise PydanticCustomError("country", "AliExpress knows no such country: write its ISO code, such as US or GB")
    return code


def _sku_attr(value: str) -> str:
    # The number is refused with SKU_NOT_EXIST (docs/vendors/aliexpress.md, 3).
    if _SKU_ATTR.match(value) or not value.strip():
        return value
    raise PydanticCustomError(
        "sku_attr",
        "no sku_attr: write the one of ds.product.get, such as 14:365458#Brown, not the SKU's number (sku_id) or name;"
        " leave it out for a product of one SKU",
    )


class Part(OrderPart):
    """A part of the body; an empty object is as blank as an empty text."""

    @staticmethod
    def is_blank(value: object) -> bool:
        """Tell whether a value says nothing."""
        return value == {} or OrderPart.is_blank(value)


PartT = TypeVar("PartT", bound=Part)


def _filled(part: PartT | None) -> PartT | None:
    return part if part and part.model_dump(exclude_none=True) else None


_PRODUCT_ID = product_id("digits only: AliExpress' product id, not a name or an address")

MaybePart = Annotated[PartT | None, BeforeValidator(_single), AfterValidator(_filled)]
_WORD = flag("true", "false")
Flag = Annotated[Literal["true", "false"] | None, _WORD]
"""A boolean, or its word in any case; the gateway wants the literal text."""
Verbatim = Annotated[str, StringConstraints(strip_whitespace=False)]
Name = Annotated[str | None, Role.NAME]


class LogisticsAddress(Part):
    """Where the goods go. Which further fields a country needs is the table in `countries.py`."""

    address: str = Field(description="Street and number")
    address2: str | None = Field(None, description="Address extension")
    city: Annotated[str, Role.PLACE] = Field(description="City, as AliExpress names it")
    contact_person: Name = Field(None, description="Contact person; Brazil checks it against the CPF")
    country: Annotated[str, AfterValidator(_country)] = Field(
        description="Receiver country: ISO's code or AliExpress' own (UK, SRB, MNE …), which is sent"
    )
    cpf: str | None = Field(None, description="Taxpayer number; required for BR")
    full_name: Name = Field(None, description="Receiver's full name")
    locale: str | None = Field(None, description="Internationalisation locale")
    mobile_no: str | None = Field(None, description="Mobile number, digits only, without the country code")
    passport_no: Figures = Field(None, description="Passport number; required for MX")
    passport_no_date: str | None = Field(None, description="Passport expiry date")
    passport_organization: str | None = Field(None, description="Passport issuing agency")
    phone_country: str | None = Field(None, description="Country code of the phone; the samples send a bare +")
    province: Annotated[str, Role.PLACE] = Field(description="Province or state, as AliExpress names it")
    tax_number: Figures = Field(None, description="Tax number")
    zip: str | None = Field(None, description="ZIP code")
    rut_no: Figures = Field(None, description="Chile's tax number (not used, says the page)")
    foreigner_passport_no: Figures = Field(None, description="Foreigner's registration or passport number")
    is_foreigner: Flag = Field(None, description="Whether the receiver is a foreigner")
    vat_no: Figures = Field(None, description="VAT number")
    tax_company: str | None = Field(None, description="Company name")
    location_tree_address_id: Id = Field(None, description="Location tree address id")
    birthday: str | None = Field(None, description="Day of birth (only in the page's samples)")
    fax_area: str | None = Field(None, description="Fax area code (only in the page's samples)")
    fax_country: str | None = Field(None, description="Fax country code (only in the page's samples)")
    fax_number: Figures = Field(None, description="Fax number (only in the page's samples)")
    phone_area: str | None = Field(None, description="Phone area code (only in the page's samples)")
    phone_number: Figures = Field(None, description="Phone number (only in the page's samples)")


class ProductItem(Part):
    """One product of the order."""

    product_id: Annotated[str, _PRODUCT_ID] = Field(description="Product id")
    product_count: Annotated[int, whole(9)] = Field(description="How many, 1 or more")
    sku_attr: Annotated[Annotated[Verbatim, AfterValidator(_sku_attr)] | None, Role.VERBATIM] = Field(
        None, description="SKU, verbatim from ds.product.get, such as 14:365458#Brown; blank for a single SKU"
    )
    logistics_service_name: str | None = Field(None, description="Delivery service, from ds.freight.query")
    order_memo: Annotated[str | None, Role.NOTE] = Field(None, description="Comment to the seller")


class Promotion(Part):
    """A promotion code or activity. The page marks promotion_channel_info required; its own samples omit it."""

    promotion_code: str | None = Field(None, description="Promotion code")
    promotion_activity_id: Id = Field(None, description="dsCouponId of the coupon query (newer reference)")
    promotion_channel_info: str | None = Field(None, description="Promotion channel")


class Payment(Part):
    """How to pay. Automatic payment needs an allow-listed app and USD (docs/vendors/aliexpress.md, 3)."""

    pay_currency: Currency | None = Field(None, description="Currency, such as USD")
    try_to_pay: Flag = Field(None, description="Pay at once; without it the order is created unpaid")


class TradeExtraParam(Part):
    """Further trade parameters; all but business_model come from the newer reference (aliexpress.md, 3)."""

    business_model: Annotated[Literal["retail", "wholesale"], _WORD] | None = Field(
        None, description="`retail` (AliExpress' default) or `wholesale`"
    )
    nat_addr: str | None = Field(None, description="Saudi national address, such as ABCD1234")
    birthday: str | None = Field(None, description="Receiver's day of birth as ddMMyyyy, for BR")
    customize_sku_map: dict[str, Annotated[str, BeforeValidator(number_text)]] | None = Field(
        None, description="sku_id to customize_id"
    )


class DsExtendRequest(Part):
    """The optional second parameter: promotion, payment and trade model."""

    promotion: MaybePart[Promotion] = None
    payment: MaybePart[Payment] = None
    trade_extra_param: MaybePart[TradeExtraParam] = None
    channel_strategy: str | None = Field(None, description="Channel strategy")


class AliExpressOrder(Part):
    """A job's `order` for AliExpress. `out_order_id` is not part of it: it is the job's order_id."""

    logistics_address: Annotated[LogisticsAddress, BeforeValidator(_single)]
    product_items: Annotated[tuple[ProductItem, ...], some("product_items", "at least one product is needed")]
    ds_extend_request: MaybePart[DsExtendRequest] = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_own_key(cls, data: Any) -> Any:
        parts = (data, data.get("ds_extend_request")) if isinstance(data, Mapping) else ()
        if any(isinstance(part, Mapping) and "out_order_id" in part for part in parts):
            raise PydanticCustomError(
                "out_order_id", "leave out_order_id out: the job's order_id is sent as out_order_id"
            )
        return data

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        found = rules.breaches(self, self.logistics_address.country, datetime.now(UTC).date())
        errors = [
            InitErrorDetails(type=PydanticCustomError("address_rule", "{says}", {"says": says}), loc=path, input=None)
            for path, says in found
        ]
        if errors:  # pydantic takes these over with their own places, so each names its field
            raise ValidationError.from_exception_data(type(self).__name__, errors)
        return self
