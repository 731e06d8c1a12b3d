"""Writes the settings tables of docs/configuration.md from the settings' classes: `python docs/settings_table.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.settings import Account, Settings
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace

PAGE = Path(__file__).resolve().parent / "configuration.md"
BEGIN = "<!-- settings: written by docs/settings_table.py -->"
END = "<!-- /settings -->"


def tables() -> str:
    """Return every settings table as Markdown."""
    parts = [
        *_table("FULFIL_", Settings.model_fields),
        "",
        "Each account has a name of lower-case letters, digits, `-` and `_`; its variables begin with",
        "`FULFIL_ACCOUNTS__<NAME>__`.",
        "",
        *_table("…", Account.model_fields),
    ]
    for marketplace in REGISTRY.values():
        parts += ["", _about(marketplace), "", *_table("…", marketplace.credentials_model.model_fields)]
    return "\n".join(parts)


def renewed(page: str) -> str:
    """Return the page's text with the tables as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def _about(marketplace: type[Marketplace]) -> str:
    rate = marketplace.default_rate
    burst = f", {rate.burst} at once" if rate.burst > 1 else ""
    return (
        f"**{marketplace.title}** (`MARKETPLACE={marketplace.name}`): `{marketplace.base_url}`,"
        f" {rate.per_second:g} calls a second{burst} unless set otherwise."
    )


def _table(prefix: str, fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    yield "| variable | default | meaning |"
    yield "|---|---|---|"
    for name, info in fields.items():
        yield f"| `{prefix}{name.upper()}` | {_default(info)} | {_meaning(info)} |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default in (None, PydanticUndefined, ()):
        return "unset"
    return f"`{_plain(info.default)}`"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meaning(info: FieldInfo) -> str:
    secret = SecretStr in (info.annotation, *get_args(info.annotation))
    parts = [info.description, _range(info), "secret" if secret else None]
    return "; ".join(part for part in parts if part).replace("|", "\\|")


def _range(info: FieldInfo) -> str | None:
    bounds = {type(rule).__name__: rule for rule in info.metadata}
    low = getattr(bounds.get("Ge"), "ge", None)
    above = getattr(bounds.get("Gt"), "gt", None)
    high = getattr(bounds.get("Le"), "le", None)
    if high is None:
        return None
    return f"above {_number(above)}, to {_number(high)}" if low is None else f"{_number(low)} to {_number(high)}"


def _number(value: Any) -> str:
    return f"{value:,}"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        sys.exit(f"{PAGE.name} has no place for the tables: {BEGIN} … {END}")
    PAGE.write_text(renewed(text), encoding="utf-8")
