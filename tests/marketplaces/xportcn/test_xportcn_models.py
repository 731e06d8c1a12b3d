"""What the door lets through and refuses, and what an account's settings may be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.settings import Settings
from tests.marketplaces.xportcn.xportcn_kit import ADDRESS, LINE, SECRETS, body, credentials, dump, line
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.marketplaces.xportcn.credentials import XportcnCredentials, fill
from worker.marketplaces.xportcn.models import FLOWS, AddressParam, CargoParam, XportcnOrder
from worker.orders.jobs import Rejection, Terms, validate

VENDOR_FIELDS = {
    *("flow", "message", "shopPromotionId", "tradeType", "addressParam", "cargoParamList", "userId", "staffName"),
    *("developerId", "platformOrder", "dropshipping"),
}


def refusals(order: Any) -> dict[str, str]:
    """Return what the door says, by the place it says it of; nothing when it lets the order through."""
    try:
        XportcnOrder.model_validate(order)
    except ValidationError as refused:
        return {".".join(map(str, error["loc"])): error["msg"] for error in refused.errors()}
    return {}


def test_every_field_of_the_page_and_our_ceiling() -> None:
    assert set(XportcnOrder.model_fields) == {*VENDOR_FIELDS, "max_amount"}
    assert set(AddressParam.model_fields) == set(ADDRESS)
    assert set(CargoParam.model_fields) == set(LINE)
    assert all(field.description for field in AddressParam.model_fields.values())


def full() -> dict[str, Any]:
    texts: dict[str, Any] = {
        "message": "fast, please",
        "shopPromotionId": "7",
        "tradeType": "period",
        "userId": "U",
        "staffName": "Li",
    }
    numbers: dict[str, Any] = {"developerId": 5, "platformOrder": 0, "dropshipping": "y", "max_amount": 9000}
    return body(**texts, **numbers)


def test_a_full_order_is_its_own_canonical_form() -> None:
    assert dump(full()) == full()
    assert dump(dump(full())) == full()


@pytest.mark.parametrize("key", ["", "SO-1", None])
def test_out_order_id_is_the_job_s(key: str | None) -> None:
    says = "leave outOrderId out: the job's order_id is sent as outOrderId"
    assert refusals({**body(), "outOrderId": key}) == {"": says}


def test_the_door_of_the_ledger_names_field_and_reason() -> None:
    job = {"order_id": "SO-1", "account": "main", "order": {**body(), "outOrderId": "X"}}
    found = validate(job, 3, {"main": Terms(Xportcn, 1000)})
    assert isinstance(found, Rejection)
    assert "order_id is sent as outOrderId" in found.reason
    misspelt = validate({**job, "order": {**body(), "trade_type": "period"}}, 3, {"main": Terms(Xportcn, 1000)})
    assert isinstance(misspelt, Rejection)
    assert "tradeType" in misspelt.reason


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(610947572360, "610947572360"), ("610947572360", "610947572360"), (" 0610947572360 ", "610947572360")],
)
def test_offer_ids(sent: int | str, kept: str) -> None:
    assert dump(body(line(offerId=sent)))["cargoParamList"][0]["offerId"] == kept


@pytest.mark.parametrize("sent", ["", None, "abc", 0, "0", -1, 1.5, True, "1e5", "9" * 20, ["1"], "６１０"])
def test_bad_offer_ids(sent: Any) -> None:
    assert "cargoParamList.0.offerId" in refusals(body({**LINE, "offerId": sent}))


@pytest.mark.parametrize(("sent", "kept"), [(1, 1), ("2", 2), (" 30 ", 30)])
def test_quantities(sent: int | str, kept: int) -> None:
    assert dump(body(line(quantity=sent)))["cargoParamList"][0]["quantity"] == kept


@pytest.mark.parametrize("sent", [0, -1, 1.5, "1.5", "many", True, None, "", 10**20])
def test_bad_quantities(sent: Any) -> None:
    assert "cargoParamList.0.quantity" in refusals(body({**LINE, "quantity": sent}))


@pytest.mark.parametrize(("sent", "kept"), [(True, "y"), (False, "n"), ("Y", "y"), ("n", "n"), ("", None)])
def test_dropshipping(sent: bool | str, kept: str | None) -> None:
    assert dump(body(dropshipping=sent)).get("dropshipping") == kept


@pytest.mark.parametrize("sent", ["yes", 1, "true"])
def test_dropshipping_is_y_or_n(sent: int | str) -> None:
    assert "dropshipping" in refusals(body(dropshipping=sent))


@pytest.mark.parametrize("flow", [*FLOWS, "somethingnew", None])
def test_flows_known_and_unknown_pass(flow: str | None) -> None:
    quantity = 1 if flow == "boutiquefenxiao" else 3
    assert refusals(body(line(quantity=quantity), flow=flow)) == {}


@pytest.mark.parametrize(
    ("flow", "quantities", "right"),
    [
        ("boutiquefenxiao", [1], True),
        ("boutiquefenxiao", [1, 1], True),
        ("boutiquefenxiao", [2], False),
        ("boutiquepifa", [3], True),
        ("boutiquepifa", [2, 1], True),
        ("boutiquepifa", [2], False),
        ("boutiquepifa", [1, 1], False),
    ],
)
def test_boutique_quantities(flow: str, quantities: list[int], right: bool) -> None:
    lines = [line(quantity=quantity, specId=f"s{place}") for place, quantity in enumerate(quantities)]
    found = refusals(body(*lines, flow=flow))
    assert (not found) is right
    assert right or flow in found["cargoParamList"]


def test_one_seller_an_order() -> None:
    both = [line(sellerOpenId="A"), line(sellerOpenId="B")]
    assert refusals(body(*both)) == {"cargoParamList": "several sellers (sellerOpenId): submit one order_id per seller"}
    assert refusals(body(line(), line())) == {}
    assert refusals(body(line(), line(sellerOpenId=None))) == {}, "1688's preview judges what names no seller"


def test_lines() -> None:
    assert refusals(body(*[line()] * 50)) == {}
    assert "50 lines" in refusals(body(*[line()] * 51))["cargoParamList"]
    assert "cargoParamList" in refusals({**body(), "cargoParamList": []})
    assert "cargoParamList" in refusals({**body(), "cargoParamList": dict(LINE)})
    assert "cargoParamList" in refusals(body(cargoParamList=None))


@pytest.mark.parametrize(("characters", "right"), [(500, True), (501, False)])
def test_messages(characters: int, right: bool) -> None:
    assert (refusals(body(message="好" * characters)) == {}) is right


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ({}, set()),
        ({"districtCode": None}, set()),
        ({"provinceText": None, "cityText": None, "areaText": None, "townText": None}, set()),
        ({"areaText": None, "townText": "", "postCode": None, "phone": None}, set()),
        ({"mobile": None}, set()),
        ({"mobile": "+8613800001234"}, set()),
        ({"phone": "057188880000", "postCode": "310000", "districtCode": 330108}, set()),
        ({"phone": 57188880000, "postCode": 310000}, {"phone", "postCode"}),
        ({"postCode": "31000"}, {"postCode"}),
        ({"phone": "(0571) 88880000-12"}, set()),
        ({"phone": "+86-571-88880000"}, set()),
        ({"phone": "5.7188E+10"}, {"phone"}),
        ({"districtCode": None, "provinceText": None}, {"provinceText"}),
        ({"districtCode": " ", "provinceText": "", "cityText": ""}, {"provinceText", "cityText"}),
        ({"mobile": None, "phone": None}, {"mobile"}),
        ({"phone": "0571-88880000"}, set()),
        ({"phone": "电话88880000"}, {"phone"}),
        ({"mobile": "138 0000 1234"}, {"mobile"}),
        ({"fullName": None}, {"fullName"}),
        ({"address": " "}, {"address"}),
        ({"country": "CN"}, {"country"}),
    ],
)
def test_addresses(address: dict[str, Any], fields: Any) -> None:
    found = refusals(body(address=address))
    assert set(found) == {f"addressParam.{name}" for name in fields}
    assert not any(value in text for text in found.values() for value in ADDRESS.values())


@pytest.mark.parametrize(("sent", "kept"), [(1, 1), ("6400", 6400), (10**12, 10**12), ("", None)])
def test_ceilings(sent: int | str, kept: int | None) -> None:
    assert dump(body(max_amount=sent)).get("max_amount") == kept


@pytest.mark.parametrize("sent", [0, -5, 64.0, "64.00", True, "cheap"])
def test_bad_ceilings(sent: Any) -> None:
    assert "max_amount" in refusals(body(max_amount=sent))


@pytest.mark.parametrize("order", [None, [], "x", 5, {}])
def test_what_is_no_order(order: Any) -> None:
    assert refusals(order)


# --- the account ---


def test_settings_have_the_documented_defaults() -> None:
    keys = credentials()
    assert keys.sign_order == ("access_key", "timestamp", "nonce", "secret")
    assert (keys.timestamp_unit, keys.success_codes) == ("s", ("200", "0"))
    assert (keys.list_path, keys.detail_path) == ("/alibaba/ka/order/page", "/alibaba/ka/order/detail")


def test_settings_come_as_texts_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "MARKETPLACE": "xportcn",
        "ACCESS_KEY": "k",
        "ACCESS_SECRET": "123456",
        "USER_ID": "2100007341207",
        "SIGN_ORDER": "access_key, timestamp, nonce, secret, user_id",
        "TIMESTAMP_UNIT": "ms",
        "SUCCESS_CODES": "200",
        "LIST_PATH": "off",
        "LIST_BODY": '{"query": {"outOrderId": "{outOrderId}"}, "pageNo": "{page}"}',
        "DETAIL_BODY": '{"orderId": "{orderId}"}',
        "DETAIL_AMOUNT_UNIT": "yuan",
    }
    for name, value in texts.items():
        monkeypatch.setenv(f"FULFIL_ACCOUNTS__KA__{name}", value)
    keys = XportcnCredentials.model_validate(Settings(_env_file=None).accounts["ka"].extras())
    assert (keys.user_id, keys.access_secret.get_secret_value()) == ("2100007341207", "123456")
    assert keys.sign_order[-1] == "user_id"
    assert (keys.timestamp_unit, keys.success_codes, keys.list_path) == ("ms", ("200",), "")
    assert keys.list_body == {"query": {"outOrderId": "{outOrderId}"}, "pageNo": "{page}"}
    assert keys.detail_amount_unit == "yuan"
    assert Xportcn("ka", keys).can_look_up is False


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("access_key", "two words"),
        ("access_key", "line\nbreak"),
        ("access_secret", ""),
        ("user_id", ""),
        ("sign_order", "access_key,timestamp,nonce"),
        ("sign_order", "access_key,secret,body"),
        ("timestamp_unit", "minutes"),
        ("success_codes", ""),
        ("detail_path", ""),
        ("detail_path", "alibaba/ka"),
        ("list_path", "no slash"),
        ("list_body", "{"),
        ("list_body", "[]"),
        ("list_body", '{"outOrderId": "x"}'),
        ("detail_body", '{"id": "x"}'),
        ("unheard_of", "x"),
    ],
)
def test_bad_settings(setting: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        credentials(**{setting: value})
    assert [error["loc"][0] for error in refused.value.errors()] == [setting]


@pytest.mark.parametrize(("given", "kept"), [("200, 0", ("200", "0")), (200, ("200",)), ([200, "0"], ("200", "0"))])
def test_success_codes(given: Any, kept: tuple[Any, ...]) -> None:
    assert credentials(success_codes=given).success_codes == kept


def test_templates_are_filled_by_whole_values() -> None:
    template = {"a": "{page}", "b": [{"c": "{outOrderId}"}, "{outOrderId}"], "d": "{page}x", "e": 5}
    assert fill(template, {"{page}": 2, "{outOrderId}": "K"}) == {
        "a": 2,
        "b": [{"c": "K"}, "K"],
        "d": "{page}x",
        "e": 5,
    }
    assert fill(template, {"{page}": 2, "{outOrderId}": None}) == {"a": 2, "b": [{}], "d": "{page}x", "e": 5}


def test_secrets_are_not_shown() -> None:
    assert not any(secret in repr(credentials()) for secret in SECRETS)
