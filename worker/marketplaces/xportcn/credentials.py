"""An Xportcn account: its keys, and what the vendor's stored pages leave open as settings with careful defaults."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from worker.marketplaces.models import Credentials

SIGNED = ("access_key", "timestamp", "nonce", "secret", "user_id")
"""What may take part in the signature."""
OFF = "off"

Word = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[\x21-\x7e]+$")]
"""Text that may stand in a header."""
_NEVER = re.compile(r"pay|cancel|refund|reverse|dispute|after-?sale|/(create|submit|confirm)\b", re.IGNORECASE)
"""Words of paths whose calls pay, end or make an order: no setting leads there (docs/vendors/xportcn.md, 4)."""


def _only_reads(path: str) -> str:
    if _NEVER.search(path):
        raise PydanticCustomError("path", "a path that only reads is needed: nothing here pays, cancels or returns")
    return path


Path = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^(/[\x21-\x7e]+)?$"),
    AfterValidator(_only_reads),
]
"""The path of a call that reads."""


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _order(value: object) -> object:
    words = _words(value)
    if not isinstance(words, list | tuple) or "secret" not in words or not set(words) <= set(SIGNED):
        raise PydanticCustomError(
            "sign_order", "a comma-separated order of {names}, with secret in it", {"names": ", ".join(SIGNED)}
        )
    return tuple(words)


def _codes(value: object) -> object:
    words = _words(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    if isinstance(words, list | tuple):
        words = tuple(str(word) for word in words)
    if not words:
        raise PydanticCustomError("success_codes", "at least one code is needed, such as 200,0")
    return words


def _unless_off(value: object) -> object:
    # An empty variable counts as unset (config/settings.py), so "none" needs a word.
    return "" if isinstance(value, str) and value.strip().lower() == OFF else value


def _template(needed: str) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                value = None
        if not isinstance(value, dict) or not holds(value, needed):
            raise PydanticCustomError("template", "a JSON object with {name} as a value of its own", {"name": needed})
        return value

    return BeforeValidator(check)


def holds(template: object, placeholder: str) -> bool:
    """Tell whether a placeholder is one of the template's values, however deep."""
    if isinstance(template, dict):
        return any(holds(value, placeholder) for value in template.values())
    if isinstance(template, list):
        return any(holds(value, placeholder) for value in template)
    return template == placeholder


def fill(template: Any, values: Mapping[str, object]) -> Any:
    """Return the template with its placeholders replaced; a member whose value is None is left out."""
    if isinstance(template, dict):
        filled = {name: fill(value, values) for name, value in template.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if isinstance(template, list):
        return [value for value in (fill(value, values) for value in template) if value is not None]
    return values.get(template, template) if isinstance(template, str) else template


class XportcnCredentials(Credentials):
    """The access key pair from Xportcn's console, the user it acts for, and the account's settings.

    Everything may be given as text, as it comes from the environment. What is not documented in the stored pages is
    a setting: signature formula and timestamp unit (a client's code), paths and bodies of list and detail (siblings),
    and of logistics (no public copy at all, hence no default path).
    """

    access_key: Word = Field(description="the key of the pair")
    access_secret: SecretStr = Field(min_length=1, description="signs every call")
    push_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="the last part of the address for push messages, which have no signature; unset: none are taken",
    )
    user_id: Word = Field(description="Header user-id; sub-account control, not signed by default")

    sign_order: Annotated[tuple[str, ...], BeforeValidator(_order)] = Field(
        ("access_key", "timestamp", "nonce", "secret"), description="What is joined and hashed, in this order"
    )
    timestamp_unit: Literal["s", "ms"] = Field("s", description="Clients send seconds; a default on a page has ms")
    success_codes: Annotated[tuple[str, ...], BeforeValidator(_codes)] = Field(
        ("200", "0"), description="`code` of a success: 200 in real replies, 0 on the vendor page"
    )
    detail_path: Annotated[Path, Field(min_length=1)] = Field(
        "/alibaba/ka/order/detail", description="Order details (by analogy with Xportcn's other APIs)"
    )
    detail_body: Annotated[dict[str, Any], _template("{orderId}")] = Field(
        {"webSite": "1688", "orderId": "{orderId}"}, description="JSON template; placeholder {orderId}"
    )
    list_path: Annotated[Path, BeforeValidator(_unless_off)] = Field(
        "/alibaba/ka/order/page", description="Order list (by analogy); `off`: no look-up, unknown orders are parked"
    )
    list_body: Annotated[dict[str, Any], _template("{outOrderId}")] = Field(
        {"outOrderId": "{outOrderId}", "page": "{page}", "pageSize": 20},
        description="JSON template; placeholders {outOrderId} and {page}; 1688's own names of them",
    )
    logistics_path: Annotated[Path, BeforeValidator(_unless_off)] = Field(
        "", description="Order logistics, from Xportcn's console; empty or `off`: parcels are read from details alone"
    )
    logistics_body: Annotated[dict[str, Any], _template("{orderId}")] = Field(
        {"webSite": "1688", "orderId": "{orderId}"}, description="JSON template; placeholder {orderId}"
    )
    detail_amount_unit: Literal["auto", "fen", "yuan"] = Field(
        "auto", description="Unit of the amounts in details; auto: whole numbers are fen, fractions yuan"
    )
