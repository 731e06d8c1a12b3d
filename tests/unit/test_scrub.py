"""Taking personal data and secrets out of a vendor's text, and leaving the words that only look like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from worker.marketplaces.base import Marketplace
from worker.marketplaces.calls import Lost
from worker.marketplaces.models import Credentials, OrderModel


class Address(OrderModel):
    who: str = ""


class Keys(Credentials):
    token: SecretStr = SecretStr("abc")
    user: str = "public-user"


class Shop(Marketplace):
    name = "shop"
    base_url = "https://shop.example"
    order_model = Address
    credentials_model = Keys
    personal_fields = ("who", "more")

    def place(self, order, key):  # type: ignore[no-untyped-def]
        yield Lost("", True)

    def read(self, reference):  # type: ignore[no-untyped-def]
        yield Lost("", True)


def scrub(text: str, *people: object) -> str:
    return Shop.scrub(text, {"who": list(people)})


@pytest.mark.parametrize(
    ("text", "people", "told"),
    [
        ("The address does not pass: Doe, doe. DOE", ["Doe"], "The address does not pass: •••, •••. •••"),
        ("market price of Mark", ["Mark"], "market price of •••"),
        ("cannot ship to Ann", ["Ann", "Not"], "cannot ship to •••"),
        ("Größe, Größ", ["Größ"], "Größe, •••"),
        ("Дом, Домодедово", ["Дом"], "•••, Домодедово"),
        ("JaneDoe", ["Jane", "Doe"], "••••••"),
        ("doe5 5doe _doe_", ["Doe"], "•••5 5••• _•••_"),
        ("收货人Doe错误", ["Doe"], "收货人•••错误"),
    ],
)
def test_a_short_name_goes_where_it_stands_by_itself(text: str, people: list[str], told: str) -> None:
    assert scrub(text, *people) == told


@pytest.mark.parametrize(
    ("text", "person", "told"),
    [
        ("tel 15551234567x", "5551234567", "tel 1•••x"),
        ("tel:0123", 123, "tel:0•••"),
        ("收货人张三丰错误", "张三丰", "收货人•••错误"),
        ("수취인홍길동님", "홍길동", "수취인•••님"),
        ("JANEMARLOWE", "Marlowe", "JANE•••"),
        ("xjane@example.com", "jane@example.com", "x•••"),
        ("near 1 Rue X, 75002 Paris", "1 rue x", "near •••, 75002 Paris"),
        ("zip75002", "75002", "zip•••"),
        ("a (b) c", "(b)", "a ••• c"),
    ],
)
def test_what_is_no_short_word_goes_wherever_it_stands(text: str, person: object, told: str) -> None:
    assert scrub(text, person) == told


def test_the_longest_goes_first_and_every_depth_is_looked_at() -> None:
    order = {"who": {"name": "Jane Doe", "parts": [{"last": "Doe"}]}, "more": True, "public": "shown"}
    assert Shop.scrub("Jane Doe of house Doe, shown, True", order) == "••• of house •••, shown, True"


def test_two_letters_are_too_few_to_look_for() -> None:
    assert scrub("to US", "US") == "to US"


def test_a_text_is_cut() -> None:
    assert len(scrub("x" * 1000, "Jane")) == 300


def test_an_accounts_secret_goes_too_and_what_is_no_secret_stays() -> None:
    shop = Shop("main", Keys(token=SecretStr("s3cr3t-of-ours")))
    assert shop.clean("token s3cr3t-of-ours of public-user, Jane", {"who": "Jane"}) == "token ••• of public-user, •••"


@given(st.text("aA1 张é-", min_size=3, max_size=8), st.text(" .,:;1张", max_size=3), st.text(" .,:;1张", max_size=3))
def test_nothing_stays_of_a_value_between_signs(value: str, before: str, after: str) -> None:
    assert value not in scrub(f"{before}{value}{after}", value)
