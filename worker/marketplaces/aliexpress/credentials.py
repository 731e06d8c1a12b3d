"""An AliExpress account: the app's keys, and the token of the buyer it orders for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from worker.marketplaces.models import Credentials


class AliExpressApp(Credentials):
    """The app's keys, from AliExpress' app console: enough to get a buyer's tokens."""

    app_key: str = Field(min_length=1, description="the app's key")
    app_secret: SecretStr = Field(min_length=1, description="signs every call")
    redirect_uri: str | None = Field(
        None,
        min_length=1,
        description="the app's callback as the console has it; only `fulfil accounts login` sends it",
    )


class AliExpressCredentials(AliExpressApp):
    """The app's keys and the buyer account's token; `fulfil accounts login` stores one, then none is set here."""

    access_token: SecretStr = Field(
        min_length=1, description="the buyer's; not needed where `fulfil accounts login` stores one"
    )
    buyer_id: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z_-]{1,64}$")] | None = Field(
        None, description="the buyer's `user_id` as the token's grant told it; a renewed token of it is no change"
    )
