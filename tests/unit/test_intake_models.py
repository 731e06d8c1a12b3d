"""One job at the door: what becomes a Job, what becomes a Rejection, and in which words."""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace
from worker.marketplaces.models import OrderModel
from worker.orders.jobs import MAX_JOB_BYTES, Job, Rejection, Terms, validate


class Address(OrderModel):
    full_name: str | None = None
    city: str = Field(max_length=20)
    country: str = Field(pattern=r"^[A-Z]{2}$")
    mobile_no: str | None = None
    cpf: str | None = None

    @model_validator(mode="after")
    def _rules(self) -> Address:
        if self.country == "BR" and self.cpf is None:
            raise ValueError("cpf is required for BR")
        if self.full_name == "Rude Person":
            raise ValueError(f"{self.full_name} is a name this validator should not have repeated")
        return self


class Item(OrderModel):
    product_id: int | str
    product_count: int = Field(ge=1)
    order_memo: str | None = None


class Promotion(OrderModel):
    promotion_code: str


class Payment(OrderModel):
    pay_currency: str | None = None
    extra: dict[str, Promotion] | None = None


class Order(OrderModel):
    logistics_address: Address
    product_items: list[Item] = Field(min_length=1)
    promotion: list[Promotion] | Promotion | None = None
    payment: Payment | None = None


class Shop(Marketplace):
    name = "shop"
    order_model = Order
    quantities = ("product_items", "product_count")
    personal_fields = ("logistics_address",)

    @classmethod
    def notices(cls, order: OrderModel) -> list[str]:
        return ["payment is not sent"] if getattr(order, "payment", None) else []


ACCOUNTS = {"main": Terms(Shop, 1000), "second": Terms(Shop, 50)}


def order(**changes: Any) -> dict[str, Any]:
    address = {"city": "Vineland", "country": "US", **changes.pop("address", {})}
    item = {"product_id": 1005004638293060, "product_count": 1, **changes.pop("item", {})}
    return {"logistics_address": address, "product_items": [item], **changes}


def job(**changes: Any) -> dict[str, Any]:
    return {"order_id": "SO-1", "account": "main", "order": order(), **changes}


def accepted(raw: Any) -> Job:
    result = validate(raw if isinstance(raw, bytes) else json.dumps(raw).encode(), 7, ACCOUNTS)
    assert isinstance(result, Job), result
    return result


def rejected(raw: Any) -> Rejection:
    result = validate(raw if isinstance(raw, bytes) else json.dumps(raw).encode(), 7, ACCOUNTS)
    assert isinstance(result, Rejection), result
    assert result.line == 7
    return result


def words(raw: Any) -> tuple[str, str]:
    result = rejected(raw)
    return result.field, result.reason


class TestJob:
    def test_holds_what_the_ledger_keeps(self) -> None:
        result = accepted(job())
        body = (
            '{"logistics_address":{"city":"Vineland","country":"US"},'
            '"product_items":[{"product_id":1005004638293060,"product_count":1}]}'
        )
        assert result == Job(
            order_id="SO-1",
            account="main",
            marketplace="shop",
            body=body,
            fingerprint=hashlib.sha256(b"main" + body.encode()).hexdigest(),
            line=7,
            notices=(),
        )

    def test_same_order_however_written_has_one_body(self) -> None:
        plain = accepted(job())
        shuffled = dict(reversed(job().items()))
        shuffled["order"] = dict(reversed(order(address={"city": "  Vineland ", "cpf": None}).items()))
        assert accepted(json.dumps(shuffled, indent=3).encode()) == plain
        assert accepted(job(account="second")).fingerprint != plain.fingerprint
        assert accepted(job(order=order(item={"product_count": 2}))).fingerprint != plain.fingerprint

    def test_a_mapping_takes_the_same_way_as_bytes(self) -> None:
        assert validate(job(), 7, ACCOUNTS) == accepted(job())

    def test_other_scripts_and_emoji_stay_themselves(self) -> None:
        assert '"city":"København 🎁"' in accepted(job(order=order(address={"city": "København 🎁"}))).body

    def test_notices_come_from_the_marketplace(self) -> None:
        assert accepted(job(order=order(payment={"pay_currency": "USD"}))).notices == ("payment is not sent",)

    def test_is_frozen(self) -> None:
        with pytest.raises(AttributeError):
            accepted(job()).order_id = "other"  # type: ignore[misc]


class TestEnvelope:
    @pytest.mark.parametrize(("given_id", "kept"), [("x" * 64, "x" * 64), (1001, "1001"), (0, "0"), ("Ü~1/ä", "Ü~1/ä")])
    def test_order_ids_that_are_taken(self, given_id: object, kept: str) -> None:
        assert accepted(job(order_id=given_id)).order_id == kept

    @pytest.mark.parametrize(
        "given_id",
        [
            "x" * 65,
            10**64,
            10**4000,
            [],
            {},
            "",
            "a b",
            " a",
            True,
            None,
            -1,
        ],
    )
    def test_order_ids_that_are_not(self, given_id: object) -> None:
        result = rejected(job(order_id=given_id))
        assert (result.field, result.reason) == ("order_id", "must be 1 to 64 characters without blanks")
        assert result.order_id is None

    @pytest.mark.parametrize("name", ["order_id", "account", "order"])
    def test_missing_key(self, name: str) -> None:
        raw = job()
        del raw[name]
        assert words(raw) == (name, "missing")

    def test_unknown_key_names_the_nearest_and_keeps_the_id(self) -> None:
        result = rejected(job(acount="main"))
        assert (result.order_id, result.field) == ("SO-1", "acount")
        assert result.reason == "unknown field; nearest known name: account"

    def test_misspelt_key_wins_over_the_missing_one(self) -> None:
        raw = job()
        raw["orderId"] = raw.pop("order_id")
        assert words(raw) == ("orderId", "unknown field; nearest known name: order_id")

    def test_unknown_account(self) -> None:
        assert words(job(account="mian")) == ("account", "unknown account; nearest known account: main")
        assert words(job(account="zzz")) == ("account", "unknown account; known accounts here: main, second")
        assert words(job(account=["main"]))[0] == "account"
        nobody = validate(job(), 1, {})
        assert isinstance(nobody, Rejection)
        assert nobody.reason == "unknown account; no account is configured"

    @pytest.mark.parametrize("raw", [b"[]", b'"text"', b"7", b"null", b"true"])
    def test_not_an_object(self, raw: bytes) -> None:
        assert words(raw) == ("job", "must be a JSON object with order_id, account and order")


class TestDecoding:
    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            (b"", "not JSON: expecting value at column 1"),
            (b"nonsense", "not JSON: expecting value at column 1"),
            (b'{"order_id": "SO-1"', "not JSON: expecting ',' delimiter at column 20"),
            (b'{"a": 1} {"b": 2}', "not JSON: extra data at column 10"),
            (b'{"a": "\x01"}', "not JSON: invalid control character at column 8"),
            (b'{"a": "caf\xe9"}', "not UTF-8 text at byte 11"),
            (b'{"a": NaN}', "NaN is not a JSON number"),
            (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
            (b'{"a": 1e999}', "a number is too large"),
            (b'{"a": ' + b"9" * 5000 + b"}", "not JSON: a number is too long"),
            (b'{"a": 1, "b": 2, "a": 3}', "the key a stands twice in one object"),
            (b'{"o": {"city": "x", "city": "y"}}', "the key city stands twice in one object"),
            (b'{"a": "\\ud800"}', "holds half of a character (a lone \\ud… escape)"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
            (b'"' + b"x" * MAX_JOB_BYTES + b'"', "longer than 1 MiB"),
        ],
    )
    def test_reason_is_clear(self, raw: bytes, reason: str) -> None:
        assert words(raw) == ("job", reason)

    def test_depth_that_decodes_is_still_refused(self) -> None:
        deep: Any = 1
        for _ in range(400):
            deep = {"a": deep}
        assert words(job(order=order(product_items=[deep])))[0] == "order.product_items[0].a"

    @pytest.mark.parametrize("value", [math.nan, Decimal("1.5"), b"bytes", {1, 2}, object()])
    def test_a_mapping_must_hold_json_values(self, value: object) -> None:
        result = validate(job(order=order(item={"order_memo": value})), 7, ACCOUNTS)
        assert result == Rejection(7, None, "job", "holds a value JSON has no form for")

    def test_a_mapping_that_holds_itself(self) -> None:
        raw = job()
        raw["order"]["self"] = raw
        assert isinstance(validate(raw, 7, ACCOUNTS), Rejection)

    def test_ten_thousand_keys_twice_take_no_time(self) -> None:
        keys = ",".join(f'"k{number}":1' for number in range(60_000))
        assert words(f'{{{keys},"k59999":2}}'.encode())[1] == "the key k59999 stands twice in one object"


class TestUnknownFields:
    def test_at_every_level(self) -> None:
        assert words(job(order=order(product_item=1))) == (
            "order.product_item",
            "unknown field; nearest known name: product_items",
        )
        assert words(job(order=order(address={"mobileNo": "5"}))) == (
            "order.logistics_address.mobileNo",
            "unknown field; nearest known name: mobile_no",
        )
        assert words(job(order=order(item={"ProductID": 5})))[0] == "order.product_items[0].ProductID"
        assert words(job(order=order(item={"ProductID": 5})))[1].endswith("nearest known name: product_id")

    def test_inside_a_union_of_list_and_object(self) -> None:
        field, reason = words(job(order=order(promotion=[{"promotion_code": "A", "promotionChanel": "x"}])))
        assert (field, reason.split("; also")[0]) == (
            "order.promotion[0].promotionChanel",
            "unknown field; nearest known name: promotion_code",
        )
        assert words(job(order=order(promotion={"promotioncode": "A"})))[0] == "order.promotion.promotioncode"

    def test_inside_a_map(self) -> None:
        extra = {"any key": {"promotion_code": "A", "promotion_cod": "B"}}
        assert words(job(order=order(payment={"extra": extra}))) == (
            "order.payment.extra.any?key.promotion_cod",
            "unknown field; nearest known name: promotion_code",
        )

    def test_nothing_near_lists_what_is_known(self) -> None:
        assert words(job(order=order(address={"qqq": 1})))[1] == (
            "unknown field; known names here: full_name, city, country, mobile_no, cpf"
        )

    def test_a_misspelling_comes_before_the_field_it_leaves_missing(self) -> None:
        raw = job(order=order(address={"ctiy": "x"}))
        del raw["order"]["logistics_address"]["city"]
        assert words(raw) == (
            "order.logistics_address.ctiy",
            "unknown field; nearest known name: city; also: order.logistics_address.city: missing",
        )

    def test_a_hostile_name_is_shortened_and_made_printable(self) -> None:
        field, _ = words(job(order={**order(), "\x1b[31m" + "x" * 5000: 1}))
        assert field == "order.??31m" + "x" * 35


class TestReasons:
    def test_own_words(self) -> None:
        assert words(job(order=None)) == ("order", "must be an object")
        assert words(job(order=order(product_items={}))) == ("order.product_items", "must be a list")
        assert words(job(order=order(address={"city": 5}))) == ("order.logistics_address.city", "must be text")
        assert words(job(order=order(address={"city": "x" * 21})))[1] == "string should have at most 20 characters"
        assert words(job(order=order(item={"product_count": 0}))) == (
            "order.product_items[0].product_count",
            "must be greater than or equal to 1",
        )
        assert words(job(order=order(product_items=[])))[0] == "order.product_items"

    def test_a_union_member_is_no_part_of_the_path(self) -> None:
        assert words(job(order=order(item={"product_id": [1]})))[0] == "order.product_items[0].product_id"
        assert words(job(order=order(promotion=[{}]))) == (
            "order.promotion[0].promotion_code",
            "missing; also: order.promotion: must be an object",
        )

    def test_a_models_own_words(self) -> None:
        assert words(job(order=order(address={"country": "BR"}))) == (
            "order.logistics_address",
            "cpf is required for BR",
        )

    def test_a_models_own_words_are_scrubbed(self) -> None:
        _, reason = words(job(order=order(address={"full_name": "Rude Person"})))
        assert reason == "••• is a name this validator should not have repeated"

    def test_several_faults_in_one_rejection(self) -> None:
        field, reason = words(job(order=order(product_items=[{"product_id": 1}] * 9, address={"city": 1})))
        assert field == "order.logistics_address.city"
        assert reason.startswith("must be text; also: order.product_items[0].product_count: missing; order.")
        assert reason.count("missing") == 5
        assert reason.endswith("; and more")


SECRET = "Zqx7"
secrets = st.text(max_size=8).map(lambda text: f"{SECRET}{text}") | st.integers(770_077_000_000, 770_077_999_999)
names = st.sampled_from([*Order.model_fields, *Address.model_fields, *Item.model_fields, "ctiy", "x"])
values = st.recursive(
    secrets | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=15,
)


def silent(result: Job | Rejection) -> None:
    if isinstance(result, Rejection):
        assert SECRET.lower() not in repr(result).lower()
        assert "770077" not in repr(result)


@given(values, st.dictionaries(names, values, max_size=3), st.dictionaries(names, values, max_size=3))
def test_no_value_is_ever_repeated(value: Any, address: Any, item: Any) -> None:
    silent(validate(job(order=value), 1, ACCOUNTS))
    silent(validate(job(order=order(address=address, item=item)), 1, ACCOUNTS))
    silent(validate(job(account=value), 1, ACCOUNTS))
    silent(validate(job(order_id=value), 1, ACCOUNTS)) if not isinstance(value, str | int) else None


@given(st.integers(0, 400), st.integers(0, 400), st.binary(max_size=6))
def test_broken_bytes_are_a_silent_rejection(start: int, length: int, inserted: bytes) -> None:
    whole = json.dumps(job(order=order(address={"full_name": f"{SECRET} Person"}))).encode()
    silent(validate(whole[:start] + inserted + whole[start + length :], 1, ACCOUNTS))


@given(st.binary(max_size=60))
def test_any_bytes_at_all(raw: bytes) -> None:
    assert isinstance(validate(raw, 1, ACCOUNTS), Rejection)


@pytest.mark.parametrize("marketplace", REGISTRY.values(), ids=REGISTRY)
def test_every_marketplace_names_a_misspelt_field(marketplace: type[Marketplace]) -> None:
    known = next(iter(marketplace.order_model.model_fields))
    result = validate(job(order={known[:-1] + "_x": 1}), 1, {"main": Terms(marketplace, 1000)})
    assert isinstance(result, Rejection)
    assert result.reason.startswith(f"unknown field; nearest known name: {known}"), result
