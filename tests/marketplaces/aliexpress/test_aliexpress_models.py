"""What the door lets through and refuses: the vendor's samples, every rule with a good and a bad example."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from iso3166 import countries
from pydantic import ValidationError

from tests.marketplaces.aliexpress.aliexpress_kit import ORDER, body, dump
from worker.marketplaces.aliexpress import countries as rules
from worker.marketplaces.aliexpress.countries import CODES, vendor_code
from worker.marketplaces.aliexpress.models import AliExpressOrder

MULTI_PRODUCT_SAMPLE = {
    "logistics_address": {
        "address": "Enter_your_address",
        "city": "Vineland",
        "contact_person": "Malik Jack",
        "country": "US",
        "mobile_no": "23450000",
        "phone_country": "+",
        "phone_number": "5593600000",
        "province": "New Jersey",
        "zip": "08360",
    },
    "product_items": [
        {
            "product_id": 1005004638293060,
            "product_count": 1,
            "sku_attr": "14:365458#Brown",
            "logistics_service_name": "",
            "order_memo": " ",
        },
    ]
    * 2,
}
DEMO_BLANKS = [
    "birthday", "cpf", "fax_area", "fax_country", "fax_number", "passport_no", "passport_no_date",
    "passport_organization", "phone_area", "tax_number", "rut_no", "foreigner_passport_no", "vat_no",
    "tax_company", "location_tree_address_id",
]  # fmt: skip
DEMO_SAMPLE = {
    "logistics_address": {
        "address": "WWEPerformance Center,",
        "address2": "STE 100",
        "city": "Orlando",
        "contact_person": "person name",
        "country": "US",
        "full_name": "full_name",
        "locale": "local",
        "mobile_no": "11231231231",
        "phone_country": "+",
        "phone_number": "11231231231",
        "province": "Florida",
        "zip": "32807",
        "is_foreigner": False,
        **dict.fromkeys(DEMO_BLANKS, ""),
    },
    "product_items": [
        {
            "product_id": 1005002704149141,
            "product_count": 1,
            "sku_attr": "14:175;5:200003528#Length -26cm",
            "logistics_service_name": "CAINIAO_FULFILLMENT_STD",
        }
    ],
    "ds_extend_request": {"payment": {"pay_currency": "USD"}, "promotion": {"promotion_code": ""}},
}


def refusals(order: Any) -> dict[str, str]:
    """Return what the door says, by the place it says it of; nothing when it lets the order through."""
    try:
        AliExpressOrder.model_validate(order)
    except ValidationError as refused:
        return {".".join(map(str, error["loc"])): error["msg"] for error in refused.errors()}
    return {}


def test_the_vendors_multi_product_sample() -> None:
    order = dump(MULTI_PRODUCT_SAMPLE)
    assert order["logistics_address"] == MULTI_PRODUCT_SAMPLE["logistics_address"]
    item = {"product_id": "1005004638293060", "product_count": 1, "sku_attr": "14:365458#Brown"}
    assert order["product_items"] == [item, item]


def test_the_vendors_java_sample() -> None:
    order = dump(DEMO_SAMPLE)
    assert not set(DEMO_BLANKS) & order["logistics_address"].keys()
    assert order["logistics_address"]["is_foreigner"] == "false"
    assert order["ds_extend_request"] == {"payment": {"pay_currency": "USD"}}


@pytest.mark.parametrize("order", [MULTI_PRODUCT_SAMPLE, DEMO_SAMPLE, body()])
def test_the_canonical_form_is_a_fixed_point(order: dict[str, Any]) -> None:
    assert dump(dump(order)) == dump(order)


@pytest.mark.parametrize("key", ["", "SO-1"])
@pytest.mark.parametrize("inside", [False, True])
def test_out_order_id_is_the_job_s(key: str, inside: bool) -> None:
    order = body(extend={"out_order_id": key, "channel_strategy": "S"}) if inside else {**body(), "out_order_id": key}
    (says,) = refusals(order).values()
    assert says == "leave out_order_id out: the job's order_id is sent as out_order_id"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(True, "true"), (False, "false"), ("true", "true"), ("False", "false"), ("", None), (None, None)],
)
def test_flags(sent: bool | str | None, kept: str | None) -> None:
    order = body(is_foreigner=sent)
    order["ds_extend_request"] = {"payment": {"pay_currency": "usd", "try_to_pay": sent}}
    order = dump(order)
    assert order["logistics_address"].get("is_foreigner") == kept
    assert order["ds_extend_request"]["payment"].get("try_to_pay") == kept
    assert order["ds_extend_request"]["payment"]["pay_currency"] == "USD"


def test_lists_of_one_are_objects() -> None:
    part = {"promotion_code": "P"}
    listed = body(extend={"promotion": [part], "payment": [], "trade_extra_param": [{"business_model": "Retail"}]})
    listed["logistics_address"] = [listed["logistics_address"]]
    order = dump(listed)
    assert order["ds_extend_request"] == {"promotion": part, "trade_extra_param": {"business_model": "retail"}}
    assert refusals(body(extend={"promotion": [part, part]}))


@pytest.mark.parametrize("extend", [{}, [], "", {"promotion": {"promotion_code": ""}, "payment": [{}]}])
def test_an_empty_extension_is_not_kept(extend: Any) -> None:
    assert "ds_extend_request" not in dump({**body(), "ds_extend_request": extend})


def item(**fields: Any) -> dict[str, Any]:
    order = body()
    order["product_items"] = [{**order["product_items"][0], **fields}]
    return order


def test_items_are_normalised() -> None:
    (kept,) = dump(item(product_id=" 1005 ", product_count="2", sku_attr=" 14:1#A  b "))["product_items"]
    assert kept == {"product_id": "1005", "product_count": 2, "sku_attr": " 14:1#A  b "}
    assert "sku_attr" not in dump(item(sku_attr=""))["product_items"][0]


@pytest.mark.parametrize(
    "product_id", ["1005.5", 1005.0, "1.005E+15", "abc", -1, 0, True, "", None, "１２", "9" * 20, [1]]
)
def test_bad_product_ids(product_id: Any) -> None:
    assert list(refusals(item(product_id=product_id))) == ["product_items.0.product_id"]


@pytest.mark.parametrize("count", [0, -1, "0", 1.0, "1.5", True, "", None, "two", 10**10])
def test_bad_counts(count: Any) -> None:
    assert list(refusals(item(product_count=count))) == ["product_items.0.product_count"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"product_items": []}, "product_items"),
        ({"product_items": None}, "product_items"),
        ({"logistics_address": None}, "logistics_address"),
        ({"unknown": ""}, "unknown"),
        ({"logistics_address": {**body()["logistics_address"], "mobileNo": ""}}, "logistics_address.mobileNo"),
        ({"ds_extend_request": {"payment": {"currency": "USD"}}}, "ds_extend_request.payment.currency"),
        ({"ds_extend_request": {"payment": {"pay_currency": "US$"}}}, "ds_extend_request.payment.pay_currency"),
        ({"ds_extend_request": {"payment": {"try_to_pay": "yes"}}}, "ds_extend_request.payment.try_to_pay"),
    ],
)
def test_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    assert list(refusals({**body(), **change})) == [place]


@pytest.mark.parametrize("field", ["address", "city", "country", "province"])
@pytest.mark.parametrize("blank", ["", "  ", None])
def test_required_fields(field: str, blank: str | None) -> None:
    address: dict[str, Any] = {field: blank}
    assert refusals(body(**address)) == {f"logistics_address.{field}": "Field required"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [("fr", "FR"), ("FRA", "FR"), ("GB", "UK"), ("GBR", "UK"), ("uk", "UK"), ("RS", "SRB"), ("srb", "SRB"),
     ("ME", "MNE"), ("XK", "KS"), ("KS", "KS"), ("CD", "ZR"), ("COD", "ZR"), ("GG", "GGY"), ("JE", "JEY"),
     ("AX", "ALA"), ("TL", "TLS"), ("BL", "BLM"), ("MF", "MAF"), ("GS", "SGS"), ("NA", "NA"), ("EAZ", "EAZ")],
)  # fmt: skip
def test_a_country_is_sent_in_the_vendor_s_own_code(given: Any, sent: Any) -> None:
    order = dump(body(country=given, zip=None))
    assert order["logistics_address"]["country"] == sent
    assert dump(order) == order


@pytest.mark.parametrize("country", ["F", "F1", "ÀÉ", "France", "ZZ", "XX", "EU", "OTHER", "Other", "EL", "ZZZ"])
def test_an_unknown_country_is_refused(country: Any) -> None:
    assert "AliExpress knows no such country" in refusals(body(country=country))["logistics_address.country"]


def test_every_iso_country_is_known_by_both_codes() -> None:
    unknown = {one.alpha2 for one in countries if vendor_code(one.alpha2) is None}
    assert unknown == set()
    assert all(vendor_code(one.alpha3) == vendor_code(one.alpha2) for one in countries)
    assert all(vendor_code(code.lower()) == code for code in CODES)


@pytest.mark.parametrize("code", ["+", "+44", "44", "", None])
def test_phone_country(code: str | None) -> None:
    assert refusals(body(phone_country=code)) == {}


CPF = {"cpf": "52998224725", "contact_person": "Ana Souza", "zip": "01310100", "city": "São Paulo"}
MX = {"passport_no": "G12345678"}
IL = {"is_foreigner": False, "passport_no": "123456782", "foreigner_passport_no": "123456782"}
AR_NO = "20-12345678-6"
AR = {"is_foreigner": "false", "passport_no": AR_NO, "foreigner_passport_no": AR_NO, "mobile_no": "1123456789"}
SA = {"mobile_no": "512345678"}
NAT = {"trade_extra_param": {"nat_addr": "ABCD1234"}}
LONG = "Q" * 33

GOOD: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
    ("FR", {"mobile_no": "1234567"}, None),
    ("FR", {"mobile_no": "1234567890123"}, None),
    ("FR", {"mobile_no": None, "full_name": None, "contact_person": None, "zip": None}, None),
    ("US", {}, None),
    ("US", {"contact_person": "John F Kennedy", "address": "1 Elm"}, None),
    ("US", {"contact_person": "Jo " + "Q" * 32}, None),
    ("US", {"contact_person": None, "full_name": "Jo Li"}, None),
    ("US", {"full_name": "Prince"}, None),
    ("BR", CPF, None),
    ("BR", CPF, {"trade_extra_param": {"birthday": "29022000"}}),
    ("MX", {**MX, "address2": "Q" * 60}, None),
    ("SA", SA, NAT),
    ("SA", {"mobile_no": None}, NAT),
    ("AU", {"full_name": "Ann Mary Smith"}, None),
    ("NZ", {}, None),
    ("SA", {**SA, "zip": "11564 - 12"}, NAT),
    ("DZ", {}, None),
    ("ZA", {}, None),
    ("ES", {"mobile_no": "612345678"}, None),
    ("IL", IL, None),
    ("AR", AR, None),
    ("KR", {"is_foreigner": True, "foreigner_passport_no": "M12345678"}, None),
    ("KR", {"is_foreigner": False}, None),
    ("CL", {"rut_no": "12.345.678-5"}, None),
]


@pytest.mark.parametrize(("country", "address", "extend"), GOOD)
def test_rules_let_through(country: str, address: dict[str, Any], extend: dict[str, Any] | None) -> None:
    assert refusals(body(country, extend, **address)) == {}


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("FR", {}, "mobile_no", "+33612345678"),
    ("FR", {}, "mobile_no", "612 345 678"),
    ("FR", {}, "mobile_no", "612-345-678"),
    ("FR", {}, "mobile_no", "123456"),
    ("FR", {}, "mobile_no", "12345678901234"),
    ("FR", {}, "phone_country", "France"),
    ("FR", {}, "phone_country", "++33"),
    ("US", {}, "contact_person", "Prince"),
    ("US", {}, "contact_person", "J Kennedy"),
    ("US", {}, "contact_person", "Kennedy J"),
    ("US", {}, "contact_person", f"Jo {LONG}"),
    ("US", {"contact_person": None}, "full_name", "Prince"),
    ("US", {}, "address", "Elm1"),
    ("US", {}, "address", "Elm Street " * 4),
    ("US", {}, "province", "other"),
    ("BR", CPF, "cpf", ""),
    ("BR", CPF, "cpf", "52998224724"),
    ("BR", CPF, "cpf", "529.982.247-25"),
    ("BR", CPF, "cpf", "11111111111"),
    ("BR", CPF, "contact_person", ""),
    ("BR", CPF, "zip", ""),
    ("BR", CPF, "city", "Other"),
    ("MX", MX, "passport_no", ""),
    ("MX", MX, "address2", "Q" * 61),
    ("SA", SA, "mobile_no", "412345678"),
    ("SA", SA, "mobile_no", "51234567"),
    ("SA", SA, "contact_person", "Abdullah"),
    ("SA", SA, "full_name", "Abdullah"),
    ("AU", {}, "full_name", "Zoë Smith"),
    ("NZ", {}, "full_name", "Smith"),
    ("AU", {}, "full_name", "Ann " + "Q" * 125),
    ("DZ", {}, "full_name", "Amina"),
    ("ZA", {}, "full_name", "Thabo"),
    ("AU", {}, "full_name", ""),
    ("NZ", {"contact_person": "Ann Smith"}, "full_name", ""),
    ("SA", SA, "province", "Q"),
    ("SA", SA, "city", "Q" * 65),
    ("SA", SA, "address", "Road"),
    ("SA", SA, "zip", "AB 123"),
    ("ES", {}, "mobile_no", "61234567"),
    ("IL", IL, "is_foreigner", "true"),
    ("IL", IL, "is_foreigner", ""),
    ("IL", IL, "passport_no", "12345678"),
    ("IL", IL, "foreigner_passport_no", ""),
    ("AR", AR, "passport_no", "20123456786"),
    ("AR", AR, "foreigner_passport_no", "20123456786"),
    ("AR", AR, "foreigner_passport_no", ""),
    ("AR", AR, "is_foreigner", "true"),
    ("AR", AR, "mobile_no", "112345678"),
    ("KR", {"is_foreigner": "true"}, "foreigner_passport_no", ""),
]


@pytest.mark.parametrize(("country", "address", "field", "value"), BAD)
def test_rules_refuse_without_repeating_the_value(
    country: str, address: dict[str, Any], field: str, value: str
) -> None:
    extend = NAT if country == "SA" else None
    said = refusals(body(country, extend, **{**address, field: value}))
    assert list(said) == [f"logistics_address.{field}"]
    assert not value or value == "Other" or value not in said[f"logistics_address.{field}"]


@pytest.mark.parametrize("nat_addr", ["", "1234ABCD", "ABC12345", "ABCD12345"])
def test_saudi_national_address(nat_addr: Any) -> None:
    extend = {"trade_extra_param": {"nat_addr": nat_addr}}
    said = refusals(body("SA", extend, **SA))
    assert list(said) == ["ds_extend_request.trade_extra_param.nat_addr"]
    assert "ABCD1234" in said.popitem()[1]


def test_the_vendor_turns_small_letters_of_the_national_address_into_capitals() -> None:
    assert refusals(body("SA", {"trade_extra_param": {"nat_addr": "abcd1234"}}, **SA)) == {}


@pytest.mark.parametrize("sku", ["12000037255569170", "Brown", "12000037255569170.0", "14", "#Brown", ":1"])
def test_a_sku_s_number_or_name_is_no_sku_attr(sku: Any) -> None:
    order = body()
    order["product_items"][0]["sku_attr"] = sku
    assert "such as 14:365458#Brown" in refusals(order)["product_items.0.sku_attr"]


@pytest.mark.parametrize("sku", ["14:175;5:200003528#Length -26cm", "14:-1", "200007763:201336100", " 14:1#a "])
def test_a_sku_attr_stays_as_it_is(sku: Any) -> None:
    order = body()
    order["product_items"][0]["sku_attr"] = sku
    assert dump(order)["product_items"][0]["sku_attr"] == sku


@pytest.mark.parametrize("field", ["mobile_no", "zip", "passport_no", "tax_number", "vat_no", "phone_number"])
@pytest.mark.parametrize("number", ["612345678.0", "6.12345678E+8", "6,1E+08"])
def test_a_damaged_number_is_told_for_what_it_is(field: Any, number: Any) -> None:
    assert "a number" in refusals(body(**{field: number}))[f"logistics_address.{field}"]
    assert "format the column as text" in refusals(body(**{field: number}))[f"logistics_address.{field}"]


@pytest.mark.parametrize("birthday", ["19901231", "31021990", "1990-12-31", "3112199"])
def test_brazilian_birthday(birthday: str) -> None:
    said = refusals(body("BR", {"trade_extra_param": {"birthday": birthday}}, **CPF))
    assert list(said) == ["ds_extend_request.trade_extra_param.birthday"]


def test_every_breach_is_told_at_once() -> None:
    said = refusals(body("US", contact_person="Prince", province="Other", mobile_no="+1"))
    assert set(said) == {f"logistics_address.{name}" for name in ("contact_person", "province", "mobile_no")}


def test_a_dated_rule_waits_for_its_day() -> None:
    nowhere: Any = None
    order = AliExpressOrder.model_construct(logistics_address=nowhere, product_items=(), ds_extend_request=None)
    told = {day: list(rules.breaches(order, "SA", date(2025, 12, day))) for day in (3, 4)}
    assert told[3] == []
    assert [path[-1] for path, _ in told[4]] == ["nat_addr"]


def test_every_rule_is_exercised() -> None:
    bad = {(country, field) for country, _, field, _ in BAD} | {("SA", "nat_addr"), ("BR", "birthday")}
    good = {country for country, _, _ in GOOD}
    for rule in rules.RULES:
        countries = ["FR"] if rule.countries == "*" else rule.countries.split()
        assert any((country, rule.path[-1]) in bad for country in countries), rule
        assert set(countries) <= good
        assert rule.source in {"page", "doc", "live"}


def test_no_refusal_holds_a_value() -> None:
    address: dict[str, Any] = {name: "Tr0ub4dor&3" for name in ORDER["logistics_address"] if name != "country"}
    order = body("US", **address)
    order["product_items"] = [{"product_id": "Tr0ub4dor&3", "product_count": "Tr0ub4dor&3"}]
    order["ds_extend_request"] = {
        "payment": {"pay_currency": "Tr0ub4dor&3", "try_to_pay": "Tr0ub4dor&3"},
        "trade_extra_param": {"business_model": "Tr0ub4dor&3"},
    }
    said = refusals(order)
    assert len(said) == 5
    said |= refusals(body("US", **address))
    assert len(said) > 6
    assert "Tr0ub4dor" not in " ".join(said.values())
