"""A Template account: the token from Template's console. Everything arrives as text from the environment."""

from __future__ import annotations

from pydantic import Field, SecretStr

from worker.marketplaces.models import Credentials


class TemplateCredentials(Credentials):
    """The shop's token; every secret is a `SecretStr`."""

    token: SecretStr = Field(min_length=1, description="from Template's console")
