"""The order body of Template's create: every field of the vendor's page, checked before it is sent."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from worker.marketplaces.models import OrderModel, some, whole


class Receiver(OrderModel):
    """Where the goods go."""

    name: str = Field(min_length=1, description="Who receives them")
    street: str = Field(min_length=1, description="Street, number and town")


class Item(OrderModel):
    """One product of the order."""

    sku: str = Field(min_length=1, description="The shop's own word for the product")
    quantity: Annotated[int, whole(9)] = Field(description="How many, 1 or more")


class TemplateOrder(OrderModel):
    """A job's `order`, in the vendor's own names. The order_id is not part of it: it is the idempotency key."""

    receiver: Receiver
    items: Annotated[tuple[Item, ...], some("items", "at least one product is needed")]
    memo: str | None = Field(None, description="A word to the shop")
