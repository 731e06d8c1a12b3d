"""The order body of Xportcn's /alibaba/ka/order/create: every field of the vendor page, checked before it is sent.

Field names are the vendor's. Blank texts count as absent. Rules come from the facts file (A1 Xportcn, A2 1688). No
message of a check holds the value it refuses: most of them are personal data.
"""

# ruff: noqa: N815 (the vendor's names)

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from worker.marketplaces import zips
from worker.marketplaces.digits import no_number
from worker.marketplaces.models import Id, NumberText, OrderPart, flag, number_text, product_id, whole
from worker.marketplaces.roles import Role

FLOWS: dict[str, str] = {
    "general": "ordinary order",
    "fenxiao": "consignment price",
    "fenxiaonew": "consignment price (Xportcn's own sample; not in 1688's list)",
    "saleproxy": "consignment; 1688 checks the relation with the seller",
    "proxy": "consignment (named by 1688's preview only)",
    "paired": "paired price",
    "repurchase": "repurchase price",
    "boutiquefenxiao": "selected goods at the consignment price, quantity 1",
    "boutiquepifa": "selected goods at the wholesale price, quantity above 2",
}
"""The known flows. Others pass: Xportcn's own sample is not in 1688's list either (docs/vendors/xportcn.md, 2)."""

MAX_LINES = 50
MAX_MESSAGE_CHARACTERS = 500
BOUTIQUE_WHOLESALE_ABOVE = 2
MAX_DIGITS = 19
"""Digits of the largest whole number the vendor's Java holds."""

_PHONE = re.compile(r"[+(]?[0-9](?:[ ()+-]{0,2}[0-9])*")


def _digits(value: object) -> str:
    text = str(number_text(value)).strip() if isinstance(value, int | str) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else ""


def _at_least(least: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        text = _digits(value)
        if text and int(text) >= least:
            return int(text)
        raise PydanticCustomError("whole_number", "a whole number of at least {least} is needed", {"least": least})

    return check


def _phone(value: str) -> str:
    # 1688 wants no Chinese text (docs/vendors/xportcn.md, 2); a landline has its area in front: 0571-88990077.
    if _PHONE.fullmatch(value):
        return value
    raise no_number("phone", value, "digits, with no other signs between them than + - ( ) and blanks, and no words")


def _post_code(value: str) -> str:
    says = zips.fault("CN", value)
    if says:
        raise PydanticCustomError("post_code", "{says}", {"says": says})
    return value


def _mobile(value: str) -> str:
    if value.removeprefix("+").isascii() and value.removeprefix("+").isdigit():
        return value
    raise no_number("mobile", value, "digits only, with at most a + in front")


def _message(value: str) -> str:
    if len(value) <= MAX_MESSAGE_CHARACTERS:
        return value
    raise PydanticCustomError("message", "at most {most} characters", {"most": MAX_MESSAGE_CHARACTERS})


def _lines(value: object) -> object:
    # Not min_length: pydantic counts only the good items, and would add its complaint to each bad one's.
    if value in ([], ()):
        raise PydanticCustomError("cargo_lines", "at least one line is needed")
    if isinstance(value, list | tuple) and len(value) > MAX_LINES:
        raise PydanticCustomError(
            "cargo_lines", "at most {most} lines: split it over several orders", {"most": MAX_LINES}
        )
    return value


_OFFER_ID = product_id("digits only: 1688's offer id, not a name or an address")
Natural = Annotated[int | None, BeforeValidator(_at_least(0))]


class AddressParam(OrderPart):
    """Where the goods go, inside China. 1688 reads districtCode first, the texts without one (xportcn.md, 2)."""

    fullName: Annotated[str, Role.NAME] = Field(description="Receiver's name")
    mobile: Annotated[str, AfterValidator(_mobile)] | None = Field(
        None, description="Mobile number, digits only, as text"
    )
    phone: Annotated[str, AfterValidator(_phone)] | None = Field(
        None, description="Telephone number as text, a landline with its area: 0571-88990077"
    )
    postCode: Annotated[str, AfterValidator(_post_code)] | None = Field(None, description="Postal code, 6 digits")
    cityText: Annotated[str | None, Role.PLACE] = Field(None, description="City, in Chinese")
    provinceText: Annotated[str | None, Role.PLACE] = Field(None, description="Province, in Chinese")
    areaText: str | None = Field(None, description="District or county, in Chinese")
    townText: str | None = Field(None, description="Town or street office, in Chinese")
    address: str = Field(description="Street and number")
    districtCode: Id = Field(None, description="1688's district code, instead of the texts")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        faults = []
        if not (self.mobile or self.phone):
            faults.append(("mobile", "give mobile or phone"))
        if not self.districtCode:
            missing = [name for name in ("provinceText", "cityText") if not getattr(self, name)]
            faults += [(name, f"give {name}, or districtCode instead of the texts") for name in missing]
        _raise(type(self).__name__, faults)
        return self


class CargoParam(OrderPart):
    """One line of the order."""

    sellerOpenId: Id = Field(None, description="The seller; one seller an order")
    offerId: Annotated[str, _OFFER_ID] = Field(description="1688's offer (product) id")
    specId: Id = Field(None, description="Specification id, from the product's detail")
    quantity: Annotated[int, whole(MAX_DIGITS)] = Field(description="How many, 1 or more")
    productNo: NumberText = Field(None, description="Product number")
    container: NumberText = Field(None, description="Container")


class XportcnOrder(OrderPart):
    """A job's `order` for Xportcn. `outOrderId` is not part of it: it is the job's order_id.

    One seller a job. A create that mixes sellers is split by 1688 or refused as a whole (preview 500_002), and half of
    it may exist when the other half fails; one order_id for each seller keeps each one provable on its own.
    """

    flow: str | None = Field(None, description="Order flow: " + ", ".join(FLOWS) + "; it decides the price")
    message: Annotated[str | None, AfterValidator(lambda v: v and _message(v)), Role.NOTE] = Field(
        None, description="Buyer's note to the seller, at most 500 characters"
    )
    shopPromotionId: Id = Field(None, description="The shop's promotion id")
    tradeType: str | None = Field(None, description="Trade type; absent: the first the preview offers")
    addressParam: AddressParam
    cargoParamList: Annotated[tuple[CargoParam, ...], BeforeValidator(_lines)]
    userId: Id = Field(None, description="User id in the body (the header's is the account's)")
    staffName: Annotated[str | None, Role.NAME] = Field(None, description="Who orders, on your side")
    developerId: Natural = Field(None, description="Developer id")
    platformOrder: Natural = Field(None, description="Platform order, a number; 0 in the vendor's sample")
    dropshipping: Annotated[Literal["y", "n"] | None, flag("y", "n")] = Field(
        None, description="Whether it is sent to the final customer: y or n"
    )
    max_amount: Annotated[int | None, BeforeValidator(_at_least(1))] = Field(
        None, description="Our own, not sent: ceiling of the order in fen; a dearer preview stops the create"
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_own_key(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "outOrderId" in data:
            raise PydanticCustomError("out_order_id", "leave outOrderId out: the job's order_id is sent as outOrderId")
        return data

    @model_validator(mode="after")
    def _keep_rules(self) -> Self:
        faults = []
        if len({line.sellerOpenId for line in self.cargoParamList} - {None}) > 1:
            faults.append(("cargoParamList", "several sellers (sellerOpenId): submit one order_id per seller"))
        quantities = [line.quantity for line in self.cargoParamList]
        # Whether 1688 counts a line or the order is not said: refused is only what breaks under either reading.
        if self.flow == "boutiquefenxiao" and max(quantities) > 1:
            faults.append(("cargoParamList", "flow boutiquefenxiao takes quantity 1"))
        if self.flow == "boutiquepifa" and sum(quantities) <= BOUTIQUE_WHOLESALE_ABOVE:
            faults.append(("cargoParamList", "flow boutiquepifa takes a quantity above 2"))
        _raise(type(self).__name__, faults)
        return self


def _raise(title: str, faults: list[tuple[str, str]]) -> None:
    errors = [
        InitErrorDetails(type=PydanticCustomError("order_rule", "{says}", {"says": says}), loc=(field,), input=None)
        for field, says in faults
    ]
    if errors:  # pydantic takes these over with their own places, so each names its field
        raise ValidationError.from_exception_data(title, errors)
