"""The tokens of the sandbox's AliExpress: grants, refreshes, ends by its clock, other buyers, lost replies."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.marketplaces.aliexpress.aliexpress_gateway import Gateway, order

DAY = 86_400
CREATE, REFRESH = "/auth/token/create", "/auth/token/refresh"
FIELDS = {
    "access_token", "refresh_token", "expires_in", "refresh_expires_in", "expire_time", "refresh_token_valid_time",
    "user_id", "seller_id", "account_id", "havana_id", "account", "user_nick", "account_platform", "locale", "sp",
    "code", "request_id",
}  # fmt: skip


def signed(gateway: Gateway, path: str, **more: str) -> dict[str, str]:
    timestamp = str(int(gateway.clock() * 1000))
    values = {"app_key": "sandbox-key", "sign_method": "sha256", "timestamp": timestamp, **more}
    text = path + "".join(name + values[name] for name in sorted(values))
    return {**values, "sign": hmac.new(b"sandbox-secret", text.encode(), hashlib.sha256).hexdigest().upper()}


def ask(gateway: Gateway, path: str, **more: str) -> dict[str, Any]:
    answer = gateway.http.post(f"/rest{path}", data=signed(gateway, path, **more))
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def code(gateway: Gateway, account: str = "sandbox", **more: str) -> str:
    asked = {"marketplace": "aliexpress", "account": account, **more}
    text: str = gateway.http.post("/_sandbox/tokens/code", json=asked).json()["code"]
    return text


def plan(gateway: Gateway, **more: Any) -> dict[str, Any]:
    answer = gateway.http.post("/_sandbox/tokens", json={"marketplace": "aliexpress", **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()["aliexpress"]
    return told


def forward(gateway: Gateway, seconds: float) -> None:
    assert gateway.http.post("/_sandbox/clock", json={"forward_seconds": seconds}).status_code == 200


def let_in(gateway: Gateway, token: str) -> bool:
    answer = gateway.read("1", session=token)
    error = answer["error_response"]
    assert error["code"] in ("15", "IllegalAccessToken")
    return bool(error["code"] == "15")


def test_the_known_vector_of_the_path_in_front(gateway: Gateway) -> None:
    good = signed(gateway, CREATE, code="x")
    assert gateway.http.post("/rest" + CREATE, data=good).json()["code"] == "InvalidCode"
    assert gateway.http.post("/rest" + REFRESH, data=good).json()["code"] == "IncompleteSignature"
    assert set(gateway.http.post("/rest" + CREATE, data=good).json()) == {"type", "code", "message", "request_id"}


def test_a_grant_through_the_page_and_its_code_counts_once(gateway: Gateway) -> None:
    query = {"response_type": "code", "client_id": "sandbox-key", "redirect_uri": "http://127.0.0.1/back", "state": "s"}
    page = gateway.http.get("/oauth/authorize", params=query)
    assert page.status_code == 302
    back = parse_qs(urlsplit(page.headers["location"]).query)
    assert back["state"] == ["s"]
    told = ask(gateway, CREATE, code=back["code"][0])
    assert set(told) == FIELDS
    assert (told["code"], told["expires_in"], told["refresh_expires_in"]) == ("0", 30 * DAY, 60 * DAY)
    assert let_in(gateway, told["access_token"])
    assert ask(gateway, CREATE, code=back["code"][0])["code"] == "InvalidCode"
    assert gateway.http.get("/oauth/authorize", params={**query, "client_id": "unknown"}).status_code == 400


def test_a_code_ends_and_a_uuid_spoils_it(gateway: Gateway) -> None:
    assert ask(gateway, CREATE, code=code(gateway), uuid="1")["code"] == "InvalidCode"
    old = code(gateway)
    forward(gateway, 181)
    assert ask(gateway, CREATE, code=old)["code"] == "InvalidCode"


def test_configured_tokens_never_end_until_told(gateway: Gateway) -> None:
    forward(gateway, 400 * DAY)
    assert let_in(gateway, "sandbox-token")
    plan(gateway, configured_end_seconds=40)
    assert let_in(gateway, "sandbox-token")
    forward(gateway, 41)
    assert not let_in(gateway, "sandbox-token")
    assert ask(gateway, REFRESH, refresh_token="sandbox-token-refresh")["code"] == "0"
    assert gateway.http.post("/_sandbox/reset").status_code == 200
    assert let_in(gateway, "sandbox-token")


def test_a_refresh_gives_a_new_pair_and_its_own_end_stays(gateway: Gateway) -> None:
    first = ask(gateway, CREATE, code=code(gateway))
    forward(gateway, 20 * DAY)
    second = ask(gateway, REFRESH, refresh_token=first["refresh_token"])
    assert {first["access_token"], first["refresh_token"]}.isdisjoint({second["access_token"], second["refresh_token"]})
    assert second["expires_in"] == 30 * DAY
    assert abs(second["refresh_expires_in"] - 40 * DAY) < 60
    forward(gateway, 40 * DAY)
    assert ask(gateway, REFRESH, refresh_token=second["refresh_token"])["code"] == "IllegalRefreshToken"
    assert ask(gateway, REFRESH, refresh_token="unknown")["code"] == "IllegalRefreshToken"


def test_a_create_with_an_ended_token_makes_nothing(gateway: Gateway) -> None:
    plan(gateway, access_seconds=40)
    pair = ask(gateway, CREATE, code=code(gateway))
    forward(gateway, 41)
    assert gateway.create_error(order(), session=pair["access_token"])["code"] == "IllegalAccessToken"
    assert gateway.record() == []


@pytest.mark.parametrize(
    ("old_pair", "before_use", "after_use"),
    [("until_new_used", True, False), ("ends", False, False), ("lives", True, True)],
)
def test_what_becomes_of_the_old_pair(gateway: Gateway, old_pair: str, before_use: bool, after_use: bool) -> None:
    plan(gateway, old_pair=old_pair)
    old = ask(gateway, CREATE, code=code(gateway))
    new = ask(gateway, REFRESH, refresh_token=old["refresh_token"])
    assert let_in(gateway, old["access_token"]) is before_use
    assert let_in(gateway, new["access_token"])
    assert let_in(gateway, old["access_token"]) is after_use
    again = ask(gateway, REFRESH, refresh_token=old["refresh_token"])
    assert (again["code"] == "0") is after_use


def test_a_lost_refresh_reply_is_executed_and_can_be_asked_again(gateway: Gateway) -> None:
    pair = ask(gateway, CREATE, code=code(gateway))
    fault = {"fault": "reset_after_commit", "operation": "token"}
    gateway.http.post("/_sandbox/faults", json=fault)
    with pytest.raises(httpx.TransportError):
        ask(gateway, REFRESH, refresh_token=pair["refresh_token"])
    assert let_in(gateway, pair["access_token"])  # a business call does not meet it
    gateway.http.post("/_sandbox/faults", json={**fault, "probability": 0})
    assert gateway.http.get("/_sandbox/tokens").json()["aliexpress"]["accounts"]["sandbox"]["refreshes"] == 1
    assert ask(gateway, REFRESH, refresh_token=pair["refresh_token"])["code"] == "0"


def test_a_refresh_can_come_without_a_refresh_token(gateway: Gateway) -> None:
    plan(gateway, blank_refresh=True)
    pair = ask(gateway, CREATE, code=code(gateway))
    told = ask(gateway, REFRESH, refresh_token=pair["refresh_token"])
    assert (told["code"], told["refresh_token"]) == ("0", "")
    assert ask(gateway, REFRESH, refresh_token=pair["refresh_token"])["code"] == "0"


def test_another_buyer_is_told_by_its_id_and_its_orders_are_its_own(gateway: Gateway) -> None:
    own = ask(gateway, CREATE, code=code(gateway))
    plan(gateway, buyer="stranger")
    other = ask(gateway, CREATE, code=code(gateway))
    assert own["user_id"] != other["user_id"]
    assert gateway.create(order(), session=other["access_token"])["is_success"] is True
    assert [one["account"] for one in gateway.record()] == ["stranger"]
    assert ask(gateway, CREATE, code=code(gateway, buyer="sandbox"))["user_id"] == own["user_id"]


def test_it_works_through_sync_too_and_is_wrapped_there(gateway: Gateway) -> None:
    data = signed(gateway, CREATE, method=CREATE, code=code(gateway))
    body = gateway.http.post("/sync", data=data).json()
    assert set(body) == {f"{CREATE}_response"}
    assert set(body[f"{CREATE}_response"]) == FIELDS


def test_no_control_tells_a_token(gateway: Gateway) -> None:
    pair = ask(gateway, CREATE, code=code(gateway))
    text = gateway.http.get("/_sandbox/tokens").text
    assert pair["access_token"] not in text
    assert "sandbox-token" not in text


@pytest.mark.parametrize("wrong", [{"access_seconds": 0}, {"old_pair": "both"}, {"speed": 1}])
def test_a_wrong_plan_is_answered_with_a_sentence(gateway: Gateway, wrong: dict[str, Any]) -> None:
    answer = gateway.http.post("/_sandbox/tokens", json=wrong)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(next(iter(wrong)))
