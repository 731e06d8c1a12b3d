"""Why an order was refused at the door, in words that name the field and never repeat its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from worker.marketplaces.base import Marketplace
from worker.orders.fields import locate, shown, suggestion

_OTHERS = 5
_REASON_CHARACTERS = 200
_OWN_WORDS = {
    "missing": "missing",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "none_required": "must be left out",
    # pydantic's own texts of these repeat what was given
    "union_tag_invalid": "names a kind that is not known",
    "uuid_parsing": "must be a UUID",
    "url_parsing": "must be a URL",
    "url_syntax_violation": "must be a URL",
}
_WRITTEN_BY_MODELS = ("value_error", "assertion_error")
_WRITTEN_BY_PYDANTIC = frozenset(get_args(ErrorType)) - {*_WRITTEN_BY_MODELS}


def explain(error: ValidationError, marketplace: type[Marketplace], order: object) -> tuple[str, str]:
    """Return the first field at fault and its reason, which goes on to name up to five other faults.

    Unknown fields come first: a misspelt required field is also reported missing, and the spelling is the cause.
    """
    faults: dict[str, str] = {}
    details = error.errors(include_url=False, include_context=False, include_input=False)
    for detail in sorted(details, key=lambda item: item["type"] != "extra_forbidden")[: 4 * _OTHERS]:
        field, reason = _fault(detail, marketplace, order)
        faults.setdefault(field, reason)
    return together(faults, more=len(details) > 4 * _OTHERS)


def together(faults: Mapping[str, str], more: bool = False) -> tuple[str, str]:
    """Return the first field and its reason, which goes on to name up to five others; `more`: there are others."""
    (field, reason), *others = faults.items()
    told = [f"{path}: {why}" for path, why in others[:_OTHERS]]
    if more or len(others) > len(told):
        told.append("and more")
    return field, "; also: ".join([reason, "; ".join(told)] if told else [reason])


def _fault(detail: ErrorDetails, marketplace: type[Marketplace], order: object) -> tuple[str, str]:
    kind, loc = detail["type"], detail["loc"]
    unknown = kind == "extra_forbidden"
    field, known = locate(marketplace.order_model, loc, unknown)
    if unknown:
        return field, f"unknown field; {suggestion(str(loc[-1]), known, 'name')}"
    return field, _OWN_WORDS.get(kind) or _message(detail, marketplace, order)


def _message(detail: ErrorDetails, marketplace: type[Marketplace], order: object) -> str:
    text = detail["msg"]
    if detail["type"] in _WRITTEN_BY_PYDANTIC:
        text = text.replace("Input should be", "must be").split(", unable to", 1)[0]
        return text[:1].lower() + text[1:_REASON_CHARACTERS]
    # A model's own words should not repeat a value; should one do it nevertheless, it stops here.
    text = text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return marketplace.scrub(text, order if isinstance(order, Mapping) else {})[:_REASON_CHARACTERS]


def unknown_key(name: str, known: tuple[str, ...]) -> tuple[str, str]:
    """Return field and reason for a key beside `order_id`, `account` and `order`."""
    return shown(name), f"unknown field; {suggestion(name, known, 'name')}"


def unknown_account(name: Any, accounts: Mapping[str, Any]) -> str:
    """Return the reason for an account that is not configured."""
    if not accounts:
        return "unknown account; no account is configured"
    return f"unknown account; {suggestion(str(name), accounts, 'account')}"


def too_many(account: str, most: int) -> str:
    """Return the reason for a line item of more pieces than its account takes."""
    setting = f"FULFIL_ACCOUNTS__{account.upper()}__MAX_QUANTITY"
    return f"more than {most}, the most pieces of one line item here; where it is meant, raise {setting}"
