"""What the tests of sheets share: a small marketplace, and a sheet's rows as the door takes them."""

from __future__ import annotations

import io
import json
from typing import Any

from pydantic import Field

from worker.marketplaces.base import Marketplace
from worker.marketplaces.models import OrderModel
from worker.orders.files import jobs
from worker.orders.jobs import Job, Rejection, Terms


class Address(OrderModel):
    full_name: str = ""
    city: str
    note: str | None = None


class Item(OrderModel):
    product_id: str = Field(pattern=r"^\d+$")
    product_count: int = Field(ge=1)
    sku: str | None = None
    note: str | None = None


class Coupon(OrderModel):
    code: str | None = None
    channel: str | None = None


class Extra(OrderModel):
    coupons: list[Coupon] | None = None
    pay_currency: str | None = None


class Order(OrderModel):
    address: Address
    items: list[Item] = Field(min_length=1)
    extra: Extra | None = None
    tags: list[str] | None = None
    weights: dict[str, int] | None = None


class Shop(Marketplace):
    name = "shop"
    order_model = Order
    quantities = ("items", "product_count")
    personal_fields = ("address",)


ACCOUNTS = {"main": Terms(Shop, 1000)}


def taken(data: bytes, name: str = "x.csv", accounts: Any = ACCOUNTS) -> list[Job | Rejection]:
    return list(jobs(io.BytesIO(data), accounts, name))


def summary(data: bytes, name: str = "x.csv", accounts: Any = ACCOUNTS) -> list[tuple[int, str]]:
    return [
        (result.line, result.order_id if isinstance(result, Job) else f"{result.field}: {result.reason}")
        for result in taken(data, name, accounts)
    ]


HEADER = "order_id,account,full_name,city,product_id,product_count,sku\n"


def sheet(*rows: str, header: str = HEADER) -> bytes:
    return (header + "".join(row + "\n" for row in rows)).encode()


def bodies(data: bytes, accounts: Any = ACCOUNTS) -> list[Any]:
    results = taken(data, "x.csv", accounts)
    return [json.loads(result.body) if isinstance(result, Job) else result for result in results]
