"""The sandbox's AliExpress over real HTTP: what it checks, what it creates, what it shows and when."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from worker.marketplaces.aliexpress.sandbox import AliExpressFace
from worker.marketplaces.face import Call
from worker.sandbox import Running, background

CREATE = "aliexpress.ds.order.create"
GET = "aliexpress.trade.ds.order.get"
ADDRESS_CODE = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
DAY = 24 * 3600


class Clock:
    """A clock the tests can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Gateway:
    """A client that signs as the vendor's SDKs do."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self.running = running
        self.clock = clock
        self.http = httpx.Client(base_url=running.url, timeout=5, trust_env=False)

    @property
    def face(self) -> AliExpressFace:
        face = self.running.sandbox.faces["aliexpress"]
        assert isinstance(face, AliExpressFace)
        return face

    def parameters(self, method: str, **more: str | None) -> dict[str, str]:
        """Return signed parameters; None in `more` leaves one out."""
        values: dict[str, str | None] = {
            "app_key": "sandbox-key",
            "method": method,
            "session": "sandbox-token",
            "sign_method": "sha256",
            "timestamp": str(int(self.clock() * 1000)),
            **more,
        }
        sent = {name: value for name, value in values.items() if value is not None}
        text = "".join(name + sent[name] for name in sorted(sent))
        return {"sign": hmac.new(b"sandbox-secret", text.encode(), hashlib.sha256).hexdigest().upper(), **sent}

    def post(self, parameters: dict[str, str]) -> dict[str, Any]:
        answer = self.http.post("/sync", data=parameters)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        body: dict[str, Any] = answer.json()
        return body

    def create(self, order: dict[str, Any], extend: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
        text = json.dumps(extend) if extend is not None else None
        order_text = json.dumps(order, ensure_ascii=False)
        body = self.post(
            self.parameters(
                CREATE, param_place_order_request4_open_api_d_t_o=order_text, ds_extend_request=text, **more
            )
        )
        result: dict[str, Any] = body["aliexpress_ds_order_create_response"]["result"]
        return result

    def create_error(self, order: object, **more: str) -> dict[str, Any]:
        body = self.post(self.parameters(CREATE, param_place_order_request4_open_api_d_t_o=json.dumps(order), **more))
        error: dict[str, Any] = body["error_response"]
        return error

    def read(self, reference: object, **more: str) -> dict[str, Any]:
        return self.post(self.parameters(GET, single_order_query=json.dumps({"order_id": reference}), **more))

    def record(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.http.get("/_sandbox/orders").json()
        return orders


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    clock = Clock()
    accounts = {
        "main": {"app_key": "main-key", "app_secret": "sandbox-secret", "access_token": "main-token"},
        "second": {"app_key": "main-key", "app_secret": "sandbox-secret", "access_token": "second-token"},
    }
    with background([AliExpressFace(accounts)], clock=clock, hang_seconds=0.2) as running:
        gateway = Gateway(running, clock)
        yield gateway
        gateway.http.close()


def address(**changes: Any) -> dict[str, Any]:
    values = {
        "address": "WWEPerformance Center,",
        "city": "Orlando",
        "contact_person": "Malik Jack",
        "country": "US",
        "mobile_no": "11231231231",
        "phone_country": "+1",
        "province": "Florida",
        "zip": "32807",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def item(**changes: Any) -> dict[str, Any]:
    return {
        "product_id": 1005002704149141,
        "product_count": 1,
        "sku_attr": "14:175;5:200003528#Length -26cm",
        "logistics_service_name": "CAINIAO_FULFILLMENT_STD",
        **changes,
    }


def order(key: str | None = "SO-1", *items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"logistics_address": address(**changes), "product_items": list(items) or [item()]}
    return body if key is None else {"out_order_id": key, **body}


def references(result: dict[str, Any]) -> list[int]:
    assert result["is_success"] is True
    numbers: list[int] = result["order_list"]["number"]
    return numbers


# The gateway


def test_a_known_signature_is_accepted_and_any_other_is_not() -> None:
    """The vector was made with the vendor's own Python SDK, and three other SDKs agree (aliexpress-facts.md)."""
    face = AliExpressFace(
        {"a": {"app_key": "12345678", "app_secret": "helloworld", "access_token": "test-access-token"}}
    )
    query = {
        "app_key": "12345678",
        "format": "json",
        "method": GET,
        "partner_id": "iop-sdk-python-20220609",
        "session": "test-access-token",
        "sign_method": "sha256",
        "simplify": "false",
        "single_order_query": '{"order_id":"8198352049851315"}',
        "timestamp": "1700000000000",
        "sign": "4A68D7F46F93EDF0EE588978B292F73129F585C3060E870BAF12D4385FAA26F1",
    }
    good = json.loads(face.handle(Call("POST", "/sync", query, {}, b"", 1_700_000_000)).body)
    assert good["error_response"]["sub_code"] == "isv.insufficient-permission"
    for change in ({"simplify": "true"}, {"sign": "0" * 64}, {"extra": "1"}):
        bad = json.loads(face.handle(Call("POST", "/sync", {**query, **change}, {}, b"", 1_700_000_000)).body)
        assert bad["code"] == "IncompleteSignature"


def test_signature_errors_are_flat(gateway: Gateway) -> None:
    body = gateway.post({**gateway.parameters(CREATE), "sign": "0" * 64})
    assert (body["type"], body["code"]) == ("ISV", "IncompleteSignature")
    assert set(body) == {"type", "code", "message", "request_id"}
    assert gateway.post(gateway.parameters(CREATE, app_key="unknown"))["code"] == "InvalidAppKey"
    assert gateway.post(gateway.parameters(CREATE, sign_method="md5"))["code"] == "IncompleteSignature"
    assert gateway.record() == []


@pytest.mark.parametrize(
    ("form", "off", "right"),
    [
        *(("ms", 0, True), ("ms", 7100, True), ("ms", -7100, True), ("ms", 7300, False), ("ms", -7300, False)),
        *(("date", 0, True), ("date", -7100, True), ("date", 7300, False)),
        *(("seconds", 0, False), ("words", 0, False)),
    ],
)
def test_timestamps(gateway: Gateway, form: str, off: int, right: bool) -> None:
    moment = time.time() + off
    text = {
        "ms": str(int(moment * 1000)),
        "date": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)),
        "seconds": str(int(moment)),
        "words": "yesterday",
    }[form]
    body = gateway.read(1, timestamp=text)
    assert ("error_response" in body) is right
    assert right or body["code"] == "IllegalTimestamp"


@pytest.mark.parametrize("name", ["method", "app_key", "timestamp", "sign_method"])
def test_a_missing_system_parameter(gateway: Gateway, name: str) -> None:
    parameters = gateway.parameters(CREATE)
    del parameters[name]
    error = gateway.post(parameters)["error_response"]
    assert error["code"] == "MissingParameter"
    assert name in error["msg"]


def test_tokens(gateway: Gateway) -> None:
    for parameters in (gateway.parameters(GET, session="wrong"), gateway.parameters(GET, session=None)):
        assert gateway.post(parameters)["error_response"]["code"] == "IllegalAccessToken"
    # The token of one app is no token of another.
    assert gateway.read(1, session="main-token")["error_response"]["code"] == "IllegalAccessToken"
    by_other_name = gateway.parameters(GET, session=None, access_token="sandbox-token", single_order_query="{}")
    assert gateway.post(by_other_name)["error_response"]["code"] == "MissingParameter"


def test_an_unknown_method(gateway: Gateway) -> None:
    assert gateway.post(gateway.parameters("aliexpress.ds.order.list"))["error_response"]["code"] == "InvalidApiPath"


def test_parameters_may_be_in_the_query(gateway: Gateway) -> None:
    text = json.dumps(order())
    parameters = gateway.parameters(CREATE, param_place_order_request4_open_api_d_t_o=text)
    business = {
        "param_place_order_request4_open_api_d_t_o": parameters.pop("param_place_order_request4_open_api_d_t_o")
    }
    body = gateway.http.post("/sync", params=parameters, data=business).json()
    assert references(body["aliexpress_ds_order_create_response"]["result"])
    body = gateway.http.get("/sync", params={**parameters, **business}).json()
    assert body["aliexpress_ds_order_create_response"]["result"]["error_code"] == "REPEATED_ORDER_ERROR"


# Create


def test_a_create_is_answered_and_recorded(gateway: Gateway) -> None:
    body = gateway.post(gateway.parameters(CREATE, param_place_order_request4_open_api_d_t_o=json.dumps(order())))
    assert set(body) == {"aliexpress_ds_order_create_response"}
    answer = body["aliexpress_ds_order_create_response"]
    assert len(answer["request_id"]) == 25
    [number] = answer["result"]["order_list"]["number"]
    assert answer["result"] == {"is_success": True, "order_list": {"number": [number]}}
    assert isinstance(number, int)
    assert len(str(number)) == 16
    [record] = gateway.record()
    assert (record["marketplace"], record["account"], record["key"]) == ("aliexpress", "sandbox", "SO-1")
    assert record["references"] == [str(number)]
    assert len(record["creates"]) == 1
    assert "Malik" not in json.dumps([o.request for o in gateway.face.orders])


def test_ids_ascend(gateway: Gateway) -> None:
    numbers = [references(gateway.create(order(f"SO-{n}")))[0] for n in range(5)]
    assert numbers == sorted(set(numbers))


def test_the_account_is_the_one_whose_app_and_token_it_was(gateway: Gateway) -> None:
    for token, account in (("main-token", "main"), ("second-token", "second")):
        [number] = references(gateway.create(order(), app_key="main-key", session=token))
        assert gateway.record()[-1]["account"] == account
        gateway.clock.ahead += 10
        strangers = gateway.read(number)["error_response"]
        assert strangers["sub_code"] == "isv.insufficient-permission"
        own = gateway.read(number, app_key="main-key", session=token)
        assert "aliexpress_trade_ds_order_get_response" in own


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"city": " "}, "Please enter a City"),
        ({"city": None}, "Please enter a City"),
        ({"province": None}, "Please select a State/Province/County"),
        ({"address": None}, "Please enter an Address"),
        ({"country": None}, "Please select a Country/Region"),
        ({"country": "USA"}, "Please select a Country/Region"),
        ({"mobile_no": None}, "Please enter mobile phone number"),
        ({"mobile_no": None, "mobileNo": "11231231231"}, "Please enter mobile phone number"),
        ({"mobile_no": "123456"}, "Phone Number should contain 7-13 digits"),
        ({"mobile_no": "12345678901234"}, "Phone Number should contain 7-13 digits"),
        (
            {"mobile_no": "112-312 312"},
            "Please enter the country code and phone number without any spaces or special characters",
        ),
        ({"contact_person": "Malik"}, "Please enter between 2 - 32 characters"),
        ({"contact_person": "M Jack"}, "Please enter between 2 - 32 characters"),
        ({"contact_person": "Malik " + "J" * 33}, "Please enter between 2 - 32 characters"),
        ({"country": "MX"}, "Please enter a Passport number"),
        ({"country": "SA"}, "Please enter a 8-digit national address in right format, eg. ABCD1234."),
    ],
)
def test_addresses_that_are_refused(gateway: Gateway, changes: dict[str, Any], message: str) -> None:
    expected = {"is_success": False, "error_code": ADDRESS_CODE, "error_msg": message}
    assert gateway.create(order(**changes)) == expected
    assert gateway.record() == []


@pytest.mark.parametrize(
    ("changes", "extend"),
    [
        ({"contact_person": None, "full_name": "Malik Jack"}, {}),
        ({"country": "DE", "contact_person": "Cher"}, {}),
        ({"country": "MX", "passport_no": "G1"}, {}),
        ({"country": "BR", "cpf": "123.456.789-01"}, {}),
        ({"country": "SA"}, {"trade_extra_param": {"nat_addr": "ABCD1234"}}),
        ({"phone_country": "+"}, {}),
        ({"phone_country": None, "is_foreigner": False, "unknown_key": "ignored"}, {}),
    ],
)
def test_addresses_that_pass(gateway: Gateway, changes: dict[str, Any], extend: dict[str, Any]) -> None:
    assert references(gateway.create(order(**changes), extend))


def test_brazil_wants_a_cpf_and_a_name(gateway: Gateway) -> None:
    for cpf in (None, "", "123", "1234567890x"):
        result = gateway.create(order(country="BR", cpf=cpf))
        assert result["error_code"] == "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID"
    result = gateway.create(order(country="BR", cpf="12345678901", contact_person=None))
    assert result["error_code"] == "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"logistics_service_name": "NO_SUCH"}, "DELIVERY_METHOD_NOT_EXIST"),
        ({"sku_attr": "12000037255569170"}, "SKU_NOT_EXIST"),
        ({"sku_attr": 12000037255569170}, "SKU_NOT_EXIST"),
    ],
)
def test_items_that_are_refused(gateway: Gateway, changes: dict[str, Any], code: str) -> None:
    assert gateway.create(order("SO-1", item(**changes)))["error_code"] == code
    assert gateway.create(order("SO-1", item(), item(**changes)))["error_code"] == code


@pytest.mark.parametrize("service", ["", None, "CAINIAO_STANDARD", "AE_STANDARD", "EPAM"])
def test_delivery_methods_that_pass(gateway: Gateway, service: str | None) -> None:
    assert references(gateway.create(order("SO-1", item(logistics_service_name=service, sku_attr=""))))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (ADDRESS_CODE, "address does not match the rules"),
        ("BLACKLIST_BUYER_IN_LIST", "Blacklist buyers"),
        ("USER_ACCOUNT_DISABLED", "Buyer account has been disabled"),
        ("INVENTORY_HOLD_ERROR", "Hold inventory error"),
        ("ERROR_WHEN_BUILD_FOR_PLACE_ORDER", "System error."),
        ("A003_SUSPICIOUS_BUYER", "A003_SUSPICIOUS_BUYER"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_a_memo_asks_for_a_refusal(gateway: Gateway, code: str, message: str) -> None:
    result = gateway.create(order("SO-1", item(order_memo=f"sandbox:{code}")))
    assert result == {"is_success": False, "error_code": code, "error_msg": message}


@pytest.mark.parametrize(
    ("body", "code", "name"),
    [
        ({}, "MissingParameter", "logistics_address"),
        ({"logistics_address": "Orlando", "product_items": [item()]}, "InvalidParameter", "logistics_address"),
        ({"logistics_address": address()}, "MissingParameter", "product_items"),
        ({"logistics_address": address(), "product_items": []}, "MissingParameter", "product_items"),
        ({"logistics_address": address(), "product_items": {"a": 1}}, "InvalidParameter", "product_items"),
        ({"logistics_address": address(), "product_items": [1]}, "InvalidParameter", "product_items"),
        (order("k", item(product_id=None)), "MissingParameter", "product_id"),
        (order("k", item(product_id="B07X")), "InvalidParameter", "product_id"),
        (order("k", item(product_id="9" * 5000)), "InvalidParameter", "product_id"),
        (order("k", item(product_count=0)), "InvalidParameter", "product_count"),
        (order("k", item(product_count=1.5)), "InvalidParameter", "product_count"),
        (["an array"], "InvalidParameter", "param_place_order_request4_open_api_d_t_o"),
    ],
)
def test_a_body_of_the_wrong_shape(gateway: Gateway, body: object, code: str, name: str) -> None:
    error = gateway.create_error(body)
    assert error["code"] == code
    assert name in error["msg"]
    assert set(error) == {"type", "code", "msg", "request_id"}


def test_business_parameters_that_are_missing_or_no_json(gateway: Gateway) -> None:
    assert gateway.post(gateway.parameters(CREATE))["error_response"]["code"] == "MissingParameter"
    broken = gateway.parameters(CREATE, param_place_order_request4_open_api_d_t_o="{")
    assert gateway.post(broken)["error_response"]["code"] == "InvalidParameter"
    assert gateway.create_error(order(), ds_extend_request="{")["code"] == "InvalidParameter"
    assert gateway.create_error(order(), ds_extend_request="[]")["code"] == "InvalidParameter"


# The idempotency key


def test_a_repeated_key_is_answered_without_ids_and_recorded(gateway: Gateway) -> None:
    references(gateway.create(order()))
    result = gateway.create(order())
    assert result == {"is_success": False, "error_code": "REPEATED_ORDER_ERROR", "error_msg": "repeated placed order"}
    [record] = gateway.record()
    assert len(record["creates"]) == 2
    assert record["creates"][0] == record["created_at"]


def test_a_repeated_key_can_be_told_the_ids(gateway: Gateway) -> None:
    numbers = references(gateway.create(order()))
    gateway.http.post("/_sandbox/faults", json={"fault": "repeat_with_ids"})
    result = gateway.create(order())
    assert (result["is_success"], result["error_code"]) == (False, "REPEATED_ORDER_ERROR")
    assert result["order_list"] == {"number": numbers}


def test_a_key_ends_after_24_hours_and_the_record_shows_the_second_order(gateway: Gateway) -> None:
    first = references(gateway.create(order()))
    gateway.clock.ahead = DAY - 60
    assert gateway.create(order())["error_code"] == "REPEATED_ORDER_ERROR"
    gateway.clock.ahead = DAY + 1
    second = references(gateway.create(order()))
    assert first != second
    records = gateway.record()
    assert [record["key"] for record in records] == ["SO-1", "SO-1"]
    assert [len(record["creates"]) for record in records] == [2, 1]
    assert gateway.create(order())["error_code"] == "REPEATED_ORDER_ERROR"
    assert [len(record["creates"]) for record in gateway.record()] == [2, 2]


def test_a_refusal_does_not_use_the_key_up(gateway: Gateway) -> None:
    assert gateway.create(order(city=""))["is_success"] is False
    assert references(gateway.create(order()))


def test_a_key_belongs_to_one_account(gateway: Gateway) -> None:
    assert references(gateway.create(order()))
    assert references(gateway.create(order(), app_key="main-key", session="main-token"))
    assert references(gateway.create(order(), app_key="main-key", session="second-token"))


def test_without_a_key_every_create_makes_an_order(gateway: Gateway) -> None:
    for key in (None, None, "", ""):
        assert references(gateway.create(order(key)))
    assert [record["key"] for record in gateway.record()] == ["", "", "", ""]


def test_recovery_after_a_timeout_that_committed(gateway: Gateway) -> None:
    key = "SO-1~timeout_after_commit"
    with pytest.raises(httpx.HTTPError):
        gateway.create(order(key))
    assert gateway.create(order(key))["error_code"] == "REPEATED_ORDER_ERROR"
    [record] = gateway.record()
    assert len(record["creates"]) == 2


def test_recovery_after_a_timeout_that_did_not_commit(gateway: Gateway) -> None:
    key = "SO-1~timeout_before"
    with pytest.raises(httpx.HTTPError):
        gateway.create(order(key))
    assert references(gateway.create(order(key)))
    [record] = gateway.record()
    assert len(record["creates"]) == 1


@pytest.mark.parametrize(("fault", "code"), [("throttle", "ApiCallLimit"), ("token_expired", "IllegalAccessToken")])
def test_faults_in_the_gateways_words(gateway: Gateway, fault: str, code: str) -> None:
    error = gateway.create_error(order(f"SO-1~{fault}"))
    assert error["code"] == code
    assert fault != "throttle" or "will last 1 seconds" in error["msg"]
    assert gateway.record() == []


def test_a_broken_create_is_still_a_create_for_the_faults(gateway: Gateway) -> None:
    gateway.http.post("/_sandbox/faults", json={"fault": "throttle"})
    assert gateway.create_error(["~"])["code"] == "ApiCallLimit"
    assert gateway.read(1)["error_response"]["code"] == "15"


# Split orders and reads


def test_items_of_two_stores_make_two_orders(gateway: Gateway) -> None:
    result = gateway.create(order("SO-1", item(), item(product_id="3256801234567890", product_count="2"), item()))
    numbers = references(result)
    assert len(numbers) == 2
    [record] = gateway.record()
    assert record["references"] == [str(number) for number in numbers]
    gateway.clock.ahead = 5
    products, stores = [], set()
    for number in numbers:
        shown = gateway.read(number)["aliexpress_trade_ds_order_get_response"]["result"]
        children = shown["child_order_list"]["aeop_child_order_info"]
        children = children if isinstance(children, list) else [children]
        products.append([(child["product_id"], child["product_count"]) for child in children])
        stores.add(shown["store_info"]["store_id"])
    assert products == [[(1005002704149141, 1)] * 2, [(3256801234567890, 2)]]
    assert len(stores) == 2


def test_an_order_is_hidden_at_first_and_unknown_ones_look_the_same(gateway: Gateway) -> None:
    [number] = references(gateway.create(order()))
    early = gateway.read(number)["error_response"]
    unknown = gateway.read("8198352049851315")["error_response"]
    early.pop("request_id")
    unknown.pop("request_id")
    assert early == unknown
    assert early == {
        "code": "15",
        "type": "ISP",
        "sub_code": "isv.insufficient-permission",
        "sub_msg": "Insufficient permission.",
        "msg": "Remote service error",
    }
    gateway.clock.ahead = 2.5
    assert "error_response" in gateway.read(number)
    gateway.clock.ahead = 3.5
    assert "aliexpress_trade_ds_order_get_response" in gateway.read(str(number))
    [record] = gateway.record()
    assert len(record["gets"]) == 3


def test_a_read_needs_the_query_object(gateway: Gateway) -> None:
    flat = gateway.post(gateway.parameters(GET, order_id="8198352049851315"))["error_response"]
    assert flat["code"] == "MissingParameter"
    assert "single_order_query" in flat["msg"]
    assert gateway.read(None)["error_response"]["code"] == "MissingParameter"
    assert gateway.read("abc")["error_response"]["code"] == "InvalidParameter"
    broken = gateway.post(gateway.parameters(GET, single_order_query="8198352049851315"))
    assert broken["error_response"]["code"] == "InvalidParameter"


def show(gateway: Gateway, number: int) -> dict[str, Any]:
    gateway.clock.ahead += 5
    result: dict[str, Any] = gateway.read(number)["aliexpress_trade_ds_order_get_response"]["result"]
    return result


def test_an_unpaid_order_shows_every_documented_field(gateway: Gateway) -> None:
    [number] = references(gateway.create(order("SO-1", item(product_count=3), item())))
    shown = show(gateway, number)
    assert shown["order_status"] == "PLACE_ORDER_SUCCESS"
    assert shown["logistics_status"] == "NO_LOGISTICS"
    assert shown["pay_timeout_second"] == "86400"
    assert shown["order_paidtime_string"] == ""
    assert shown["user_order_amount"] == {"amount": "0", "currency_code": "USD"}
    assert len(shown["gmt_create"]) == 19
    assert set(shown["store_info"]) == {"store_id", "store_name", "store_url"}
    children = shown["child_order_list"]["aeop_child_order_info"]
    assert [child["product_count"] for child in children] == [3, 1]
    fees = "actual_tax_fee actual_shipping_fee shipping_fee sale_discount_fee sale_fee actual_fee shipping_discount_fee"
    for child in children:
        assert set(child) == set(
            f"{fees} product_price end_reason sku_id product_id product_name product_count".split()
        )
        cents = {name: round(float(child[name]["amount"]) * 100) for name in [*fees.split(), "product_price"]}
        assert cents["sale_fee"] == cents["product_price"] * child["product_count"]
        assert cents["actual_shipping_fee"] == cents["shipping_fee"] - cents["shipping_discount_fee"]
        assert cents["actual_fee"] == cents["sale_fee"] - cents["sale_discount_fee"] + cents["actual_shipping_fee"]
        assert child["actual_shipping_fee"]["already_include_tax"] == "false"
    total = sum(float(child["actual_fee"]["amount"]) for child in children)
    assert float(shown["order_amount"]["amount"]) == pytest.approx(total)
    parcels = shown["logistics_info_list"]["aeop_order_logistics_info"]
    assert parcels == [{"logistics_service": "CAINIAO_FULFILLMENT_STD", "logistics_no": ""}] * 2


@pytest.mark.parametrize("true", [True, "true"])
def test_a_paid_order(gateway: Gateway, true: object) -> None:
    [number] = references(gateway.create(order(), {"payment": {"pay_currency": "EUR", "try_to_pay": true}}))
    shown = show(gateway, number)
    assert shown["order_status"] == shown["logistics_status"] == "WAIT_SELLER_SEND_GOODS"
    assert shown["user_order_amount"] == shown["order_amount"]
    assert shown["order_amount"]["currency_code"] == "EUR"
    assert shown["order_paidtime_string"].endswith("-08:00[America/Los_Angeles]")


def test_a_payment_that_fails_leaves_an_unpaid_order(gateway: Gateway) -> None:
    memo = item(order_memo="sandbox:APIPayFail")
    result = gateway.create(order("SO-1", memo), {"payment": {"try_to_pay": "true"}})
    [number] = references(result)
    assert result["error_msg"] == "OrderCreated, autoPay fail:APIPayFail"
    assert show(gateway, number)["order_status"] == "PLACE_ORDER_SUCCESS"


def test_a_list_of_one_is_bare_for_even_ids(gateway: Gateway) -> None:
    seen = set()
    for count in range(2):
        [number] = references(gateway.create(order(f"SO-{count}")))
        shown = show(gateway, number)
        bare = number % 2 == 0
        assert isinstance(shown["child_order_list"]["aeop_child_order_info"], dict) is bare
        assert isinstance(shown["logistics_info_list"]["aeop_order_logistics_info"], dict) is bare
        seen.add(bare)
    assert seen == {True, False}


def test_reset_forgets_keys_and_ids(gateway: Gateway) -> None:
    [number] = references(gateway.create(order()))
    gateway.http.post("/_sandbox/reset")
    gateway.clock.ahead = 10
    assert "error_response" in gateway.read(number)
    assert references(gateway.create(order())) > [number]
