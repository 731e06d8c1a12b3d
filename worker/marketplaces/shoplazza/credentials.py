"""A shop's token, and how its API is spoken to. Everything arrives as text from the environment."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints

from worker.marketplaces.models import Credentials

ApiVersion = Literal["2022-01", "2025-06", "2026-01", "2026-07"]
LEGACY = "2022-01"
"""The one version whose bodies and lists have another shape than those after it (docs/vendors/shoplazza.md, 1)."""


def _list_of_words(value: object) -> object:
    return tuple(filter(None, (word.strip() for word in value.split(",")))) if isinstance(value, str) else value


_Shop = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", to_lower=True)]
_Suffix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", to_lower=True)]


class ShoplazzaApp(Credentials):
    """A public app and the shop it is for: enough to get the shop's tokens. A private app has a fixed token instead."""

    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=16)
    shop: _Shop
    domain_suffix: _Suffix = "myshoplaza.com"
    redirect_uri: str | None = Field(None, min_length=1)


class ShoplazzaCredentials(Credentials):
    """A shop's token and how its API is spoken to. Everything arrives as text from the environment."""

    access_token: SecretStr = Field(
        min_length=1,
        description="the app's for this shop, with write_order, read_order; not needed where `fulfil accounts login`"
        " stores one",
    )
    client_secret: SecretStr | None = Field(
        None, min_length=16, description="the app's client secret: checks webhooks; unset: none are taken"
    )
    client_id: str | None = Field(
        None, min_length=1, description="a public app's client id, with which `fulfil accounts login` gets its tokens"
    )
    redirect_uri: str | None = Field(
        None, min_length=1, description="the app's callback; only `fulfil accounts login` sends it"
    )
    shop: _Shop = Field(description="the shop's subdomain alone, without myshoplaza.com")
    domain_suffix: _Suffix = Field("myshoplaza.com", description="the rest of the shop's address")
    api_version: ApiVersion = Field("2026-01", description="2022-01, 2025-06, 2026-01 or 2026-07")
    tag_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,8}$")] = Field(
        "jq-", description="lower case; with the 24 characters after it a tag stays below 33 (its limit is unknown)"
    )
    limit_headers: Annotated[tuple[str, ...], BeforeValidator(_list_of_words)] = Field(
        (), description="names of the rate limit header, comma-separated, tried before every *call-limit*, *ratelimit*"
    )
