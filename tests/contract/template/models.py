"""The order body of Template's create, and the keys of an account."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from worker.marketplaces.base import Credentials, OrderModel


class Receiver(OrderModel):
    """Where the goods go."""

    name: str = Field(min_length=1, description="Who receives them")
    street: str = Field(min_length=1, description="Street, number and town")


class Item(OrderModel):
    """One product of the order."""

    sku: str = Field(min_length=1, description="The shop's own word for the product")
    quantity: Annotated[int, Field(ge=1)] = Field(description="How many, 1 or more")


class TemplateOrder(OrderModel):
    """A job's `order`, in the vendor's own names. The order_id is not part of it: it is the idempotency key."""

    receiver: Receiver
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    memo: str | None = Field(None, description="A word to the shop")


class TemplateCredentials(Credentials):
    """The token from Template's console. Everything arrives as text from the environment."""

    token: SecretStr = Field(min_length=1)
