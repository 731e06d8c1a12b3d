"""What the models of all marketplaces share: the bases of orders and account keys, and the checks of single values.

No message of a check holds the value it refuses: most of them are personal data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, LiteralString

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from worker.marketplaces.digits import damage, digits, id_text, no_number
from worker.marketplaces.iso import alpha2


class OrderModel(BaseModel):
    """Base of every marketplace's `order` body: unknown fields refused, surrounding blanks removed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class OrderPart(OrderModel):
    """Base of the body's parts: known fields that are blank count as absent, unknown ones are refused even so."""

    @staticmethod
    def is_blank(value: object) -> bool:
        """Tell whether a value says nothing."""
        return value is None or (isinstance(value, str) and not value.strip())

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if name not in cls.model_fields or not cls.is_blank(value)}


def wrong_settings(account: str, error: ValidationError) -> str:
    """Return which settings of an account are wrong, and why; no value stands in it."""
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{setting(account, *map(str, one['loc']))}: {one['msg']}" for one in found)


def setting(account: str, *key: str) -> str:
    """Return the name of the variable of one key of an account."""
    return "__".join(("FULFIL_ACCOUNTS", account, *key)).upper()


class Credentials(BaseModel):
    """Base of a marketplace's account keys; every secret is a `SecretStr`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def number_text(value: object) -> object:
    """Return a whole number as text; anything else is left to the model."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def whole(most_digits: int) -> BeforeValidator:
    """Return the check of a quantity: a whole number of at least 1, of at most so many digits."""

    def check(value: object) -> int:
        text = digits(value)
        if text and len(text) <= most_digits and int(text) > 0:
            return int(text)
        raise no_number("quantity", value, "a whole number of at least 1 is needed")

    return BeforeValidator(check)


def product_id(words: str, most_digits: int = 19) -> BeforeValidator:
    """Return the check of a product's id that is all digits, without zeros in front. `words`: what one looks like."""

    def check(value: object) -> str:
        text = digits(value)
        if len(text) <= most_digits and text.strip("0"):
            return text.lstrip("0")
        raise no_number("product_id", value, words)

    return BeforeValidator(check)


def flag(yes: str, no: str) -> BeforeValidator:
    """Return the reading of a truth value as the vendor's own two words, which pass in any case."""

    def read(value: object) -> object:
        if isinstance(value, bool):
            return yes if value else no
        return value.strip().lower() if isinstance(value, str) else value

    return BeforeValidator(read)


def some(kind: LiteralString, message: LiteralString) -> BeforeValidator:
    """Return the check that a list is not empty."""

    def check(value: object) -> object:
        # Not min_length: pydantic counts only the good items, and would add its complaint to each bad one's.
        if value in ([], ()):
            raise PydanticCustomError(kind, message)
        return value

    return BeforeValidator(check)


def _letters(many: int, kind: LiteralString, message: LiteralString) -> Callable[[str], str]:
    def check(value: str) -> str:
        if len(value) == many and value.isascii() and value.isalpha():
            return value.upper()
        raise PydanticCustomError(kind, message)

    return check


def _country(value: str) -> str:
    code = alpha2(value)
    if code is None:
        raise PydanticCustomError("country", "an ISO code of two letters is needed, such as US or CN")
    return code


def _undamaged(value: str) -> str:
    says = damage(value)
    if says:
        raise PydanticCustomError("damaged_number", "{says}", {"says": says})
    return value


Country = Annotated[str, AfterValidator(_country)]
"""A country's ISO code of two letters; its code of three is read as that."""
Figures = Annotated[str, AfterValidator(_undamaged)] | None
"""A number that stands for a person, a firm or a telephone: text, which a spreadsheet may have damaged."""
Currency = Annotated[str, AfterValidator(_letters(3, "currency", "three letters are needed, such as USD"))]
NumberText = Annotated[str | None, BeforeValidator(number_text)]
"""A text that may also come as a whole number."""
Id = Annotated[str | None, BeforeValidator(id_text)]
"""An id that may also come as a whole number; a damaged one is refused."""
