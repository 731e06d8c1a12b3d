"""The sandbox's Shoplazza over real HTTP: by hand, and with the adapter driven by the product's own client."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from worker.marketplaces.base import Marketplace
from worker.marketplaces.client import Client
from worker.marketplaces.face import Call
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.shoplazza.models import ShoplazzaCredentials, ShoplazzaOrder
from worker.marketplaces.shoplazza.sandbox import AFTER, BEFORE, FAILED, STATES, ShoplazzaFace
from worker.outcomes import Absent, Accepted, Found, Refused, Throttled, Unknown
from worker.retry import Ability, Policy, decide_unknown
from worker.sandbox import Running, background

VERSIONS = ("2022-01", "2025-06", "2026-01", "2026-07")
ANSWER_SECONDS = 0.4
POLICY = Policy(max_attempts=8, base_seconds=1, cap_seconds=10, confirm_delay_seconds=10)


class Clock:
    """A clock the tests can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Shop:
    """A shop in a sandbox: raw calls by hand, and the adapter's calls through the product's client."""

    def __init__(self, running: Running, clock: Clock) -> None:
        self.running = running
        self.clock = clock
        self.http = httpx.Client(base_url=running.url, timeout=5, trust_env=False)

    @property
    def face(self) -> ShoplazzaFace:
        face = self.running.sandbox.faces["shoplazza"]
        assert isinstance(face, ShoplazzaFace)
        return face

    def adapter(self, version: str = "2026-01", token: str = "sandbox-token") -> Shoplazza:
        keys = {"access_token": token, "shop": "sandbox", "api_version": version}
        return Shoplazza("sandbox", ShoplazzaCredentials.model_validate(keys), self.running.url, self.clock)

    def drive(self, steps: Any) -> Any:
        async def run() -> Any:
            client = Client(connections=5, connect_seconds=1, answer_seconds=ANSWER_SECONDS)
            try:
                return await client.drive(steps, deadline=time.time() + 30)
            finally:
                await client.aclose()

        return asyncio.run(run())

    def place(self, key: str = "SO-1", version: str = "2026-01", token: str = "sandbox-token", **changes: Any) -> Any:
        return self.drive(self.adapter(version, token).place(order(**changes), key))

    def confirm(self, *references: str, version: str = "2026-01") -> Any:
        return self.drive(self.adapter(version).confirm(references))

    def look_up(self, key: str = "SO-1", version: str = "2026-01") -> Any:
        return self.drive(self.adapter(version).look_up(order(), key, self.clock() - 5))

    def sync(self) -> None:
        """Let the index catch up."""
        self.clock.ahead += self.face.sync_seconds + 1

    def fault(self, name: str, **more: Any) -> None:
        assert self.http.post("/_sandbox/faults", json={"fault": name, **more}).status_code == 200

    def record(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = self.http.get("/_sandbox/orders").json()
        return orders

    def post(self, body: Any, version: str = "2026-01", **headers: str) -> httpx.Response:
        sent = {"access-token": "sandbox-token", "content-type": "application/json", **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(f"/openapi/{version}/orders", content=content, headers=sent)

    def get(self, path: str, version: str = "2026-01", **query: str) -> httpx.Response:
        return self.http.get(f"/openapi/{version}{path}", params=query, headers={"access-token": "sandbox-token"})


@pytest.fixture
def shop() -> Iterator[Shop]:
    clock = Clock()
    with background([ShoplazzaFace({"main": {"access_token": "main-token"}})], clock=clock, hang_seconds=1) as running:
        shop = Shop(running, clock)
        yield shop
        shop.http.close()


def job(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "line_items": [{"variant_id": "v-1", "product_id": "p-1", "quantity": 2}],
        "shipping_address": {
            "last_name": "Quillfeather",
            "email": "zq@example.org",
            "country": "United States",
            "country_code": "US",
            "province": "New Mexico",
            "province_code": "NM",
            "city": "Obscureville",
            "address": "1 Rue des Carrieres",
            "address1": "Suite 1234",
            "zip": "87036",
        },
        "tax_total": "9.99",
        "currency_code": "USD",
        "discount": "10%",
        "shipping_line": {"name": "Free Shipping", "shipping_price": "5.00"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def order(**changes: Any) -> dict[str, Any]:
    return ShoplazzaOrder.model_validate(job(**changes)).model_dump(mode="json", exclude_none=True)


def raw(version: str = "2026-01", **changes: Any) -> dict[str, Any]:
    """Return a create body as the version has it on the wire, written by hand."""
    body = job(**changes)
    if version == "2022-01":
        return body
    if "shipping_line" in body:
        body["shipping_line"] = {"shipping_name": "Free Shipping", "shipping_price": "5.00"}
    return {"order": body}


def token(key: str) -> str:
    return "jq-" + hashlib.sha256(key.encode()).hexdigest()[:24]


# The product against the sandbox


@pytest.mark.parametrize("version", VERSIONS)
def test_from_create_to_confirmed(shop: Shop, version: str) -> None:
    placed = shop.place(version=version, tags=["vip"], note="ring twice")
    assert isinstance(placed, Accepted)
    assert placed.request_id
    [reference] = placed.references
    assert isinstance(shop.confirm(reference, version=version), Absent)
    assert isinstance(shop.look_up(version=version), Absent)
    shop.sync()
    [confirmed] = shop.confirm(reference, version=version).records
    assert (confirmed.reference, confirmed.status, confirmed.fulfilment_status) == (reference, "opened", "initialled")
    assert confirmed.details["tags"] == f"vip, {token('SO-1')}"
    lines = confirmed.details["line_items"]
    total = float(lines[0]["total"])
    assert float(confirmed.amount.amount) == pytest.approx(total * 0.9 + 9.99 + 5, abs=0.011)
    assert confirmed.amount.currency == "USD"
    assert [found.reference for found in shop.look_up(version=version).records] == [reference]
    [record] = shop.record()
    assert (record["marketplace"], record["account"], record["key"]) == ("shoplazza", "sandbox", "SO-1")
    assert (record["references"], len(record["creates"])) == ([reference], 1)
    assert len(record["gets"]) >= 2


def test_ids_come_in_every_form_and_stay_exact(shop: Shop) -> None:
    references = [shop.place(f"SO-{number}").references[0] for number in range(3)]
    shop.sync()
    found = shop.confirm(*references).records
    assert [record.reference for record in found] == references
    assert len({len(reference) for reference in references}) == 3


def test_there_is_no_idempotency_and_a_look_up_finds_both(shop: Shop) -> None:
    first = shop.place().references
    shop.clock.ahead += 10
    second = shop.place().references
    assert first != second
    assert len(shop.record()) == 2
    shop.sync()
    for version in VERSIONS:
        seen = shop.look_up(version=version)
        assert [record.reference for record in seen.records] == [*first, *second], "the older one first"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", ["timeout_after_commit", "reset_after_commit", "garbage", "empty"])
def test_what_was_executed_is_found_again(shop: Shop, version: str, fault: str) -> None:
    shop.place("SO-0", version=version)
    assert isinstance(shop.place(f"SO-7~{fault}", version=version), Unknown)
    assert isinstance(shop.look_up(f"SO-7~{fault}", version), Absent), "the index lags: absent is no proof"
    shop.sync()
    seen = shop.look_up(f"SO-7~{fault}", version)
    [record] = [record for record in shop.record() if record["key"] == f"SO-7~{fault}"]
    assert [found.reference for found in seen.records] == record["references"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("fault", ["timeout_before", "http_500", "http_503"])
def test_what_was_not_executed_stays_absent(shop: Shop, version: str, fault: str) -> None:
    assert isinstance(shop.place(f"SO-7~{fault}", version=version), Unknown)
    shop.sync()
    assert isinstance(shop.look_up(f"SO-7~{fault}", version), Absent)
    assert shop.record() == []
    assert isinstance(shop.place(f"SO-7~{fault}", version=version), Accepted)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("fault", "code"), [("throttle", "HTTP_429"), ("token_expired", "AccessToken")])
def test_what_was_declined(shop: Shop, version: str, fault: str, code: str) -> None:
    outcome = shop.place(f"SO-7~{fault}", version=version)
    assert isinstance(outcome, Throttled)
    assert (outcome.code, outcome.pauses_account) == (code, True)
    assert shop.record() == []
    shop.fault(fault, operation="get")
    assert shop.confirm("1", version=version).code == code
    assert shop.look_up(version=version).code == code


def test_slow_is_no_loss_when_we_wait(shop: Shop) -> None:
    shop.fault("slow", latency_ms=100)
    assert isinstance(shop.place(), Accepted)


def test_faulty_reads_settle_nothing(shop: Shop) -> None:
    reference = shop.place().references[0]
    shop.sync()
    for fault in ("timeout_before", "http_500", "http_503", "garbage", "empty", "reset_after_commit"):
        shop.fault(fault, operation="get")
        assert isinstance(shop.confirm(reference), Unknown)
        assert isinstance(shop.look_up(), Unknown)
        shop.fault(fault, probability=0)
    assert isinstance(shop.look_up(), Found)


def test_the_way_back_from_unknown_makes_no_second_order(shop: Shop) -> None:
    """Drive the look-ups as retry.decide_unknown wants them, with the order hidden for 20 seconds."""
    shop.face.sync_seconds = 20
    assert isinstance(shop.place("SO-7~reset_after_commit"), Unknown)
    ability = Ability(can_look_up=True, resend_window_seconds=None)
    standing, waited = Standing(shop.clock()), 0
    while True:
        seen = shop.look_up("SO-7~reset_after_commit")
        decision = decide_unknown(standing, ability, seen, POLICY, shop.clock())
        if decision.event.name != "SNOOZE":
            break
        assert isinstance(seen, Absent)
        standing.absent_since = standing.absent_since or shop.clock()
        standing.absences += 1
        shop.clock.ahead += decision.due_in_seconds or 0
        waited += 1
    assert decision.event.name == "ACCEPT"
    assert 0 < waited < 3
    assert len(shop.record()) == 1


class Standing:
    """An unknown order."""

    references: tuple[str, ...] = ()
    spent, holds, in_doubt = 1, 0, True
    absences = 0
    absent_since: float | None = None

    def __init__(self, first_sent_at: float) -> None:
        self.first_sent_at = first_sent_at


# What an order can choose by its note


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", BEFORE)
def test_refusals_of_the_page(shop: Shop, code: str, version: str) -> None:
    outcome = shop.place(note=f"please sandbox:{code}", version=version)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert shop.record() == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", AFTER)
def test_texts_of_the_page_that_come_after_the_order_exists(shop: Shop, code: str, version: str) -> None:
    outcome = shop.place(note=f"sandbox:{code}", version=version)
    assert isinstance(outcome, Unknown)
    assert outcome.references == ()
    shop.sync()
    [record] = shop.record()
    assert [found.reference for found in shop.look_up(version=version).records] == record["references"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", FAILED)
def test_other_failures(shop: Shop, code: str, version: str) -> None:
    outcome = shop.place(note=f"sandbox:{code}", version=version)
    assert type(outcome) is (Throttled if code in ("scope", "inactive") else Unknown)
    assert shop.record() == []


@pytest.mark.parametrize("state", STATES)
def test_states(shop: Shop, state: str) -> None:
    reference = shop.place(note=f"sandbox:{state}").references[0]
    shop.sync()
    [record] = shop.confirm(reference).records
    assert (record.status, record.details["financial_status"], record.fulfilment_status) == STATES[state]
    assert (record.alert is not None) is (state in ("cancelled", "refunded", "deleted"))


def test_cash_on_delivery_is_placed_at_once(shop: Shop) -> None:
    reference = shop.place(payment_line="COD").references[0]
    shop.sync()
    assert shop.confirm(reference).records[0].status == "placed"


# The API by hand


@pytest.mark.parametrize("version", VERSIONS)
def test_the_form_of_the_version_is_required(shop: Shop, version: str) -> None:
    right = shop.post(raw(version), version)
    assert right.status_code == 200
    shown = right.json()
    assert ("data" in shown) is (version != "2022-01")
    wrong = raw("2026-01" if version == "2022-01" else "2022-01")
    refused = shop.post(wrong, version)
    assert refused.status_code == (422 if version == "2022-01" else 400)
    assert refused.json().keys() == ({"errors"} if version == "2022-01" else {"code", "message"})
    if version != "2022-01":
        old_keys = raw(version)
        old_keys["order"]["shipping_line"] = {"name": "Free", "shipping_price": "0"}
        assert "shipping_name" in shop.post(old_keys, version).json()["message"]
    assert len(shop.record()) == 1


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("2022-01", ["tax_total", "discount", "currency_code", "line_items", "shipping_line", "shipping_address"]),
        ("2025-06", ["tax_total", "currency_code", "line_items", "shipping_line", "shipping_address"]),
        ("2026-01", ["tax_total", "currency_code", "line_items", "shipping_line", "shipping_address"]),
    ],
)
def test_required_fields(shop: Shop, version: str, names: list[str]) -> None:
    for name in names:
        assert shop.post(raw(version, **{name: None}), version).status_code in (400, 422)
    place = job()["shipping_address"]
    needed = {"2022-01": "country", "2025-06": "address1", "2026-01": "zip"}[version]
    for name in ("last_name", "email", "province", needed):
        short = {**place, name: ""}
        answer = shop.post(raw(version, shipping_address=short), version)
        assert answer.status_code == (422 if version == "2022-01" else 400)
        assert name in answer.text
    assert shop.record() == []


def test_a_field_the_version_wants_is_told_to_the_operator(shop: Shop) -> None:
    place = {**job()["shipping_address"], "zip": None}
    outcome = shop.place(shipping_address=place)
    assert isinstance(outcome, Refused)
    assert "zip" in outcome.reason
    assert "zip" in outcome.fix
    assert isinstance(shop.place("SO-2", "2022-01", shipping_address=place), Accepted)
    assert isinstance(shop.place("SO-3", "2022-01", discount=None), Refused)
    assert isinstance(shop.place("SO-4", discount=None), Accepted)


@pytest.mark.parametrize(
    "changes",
    [
        {"tax_total": 9.99},
        {"tax_total": "9,99"},
        {"discount": "a lot"},
        {"line_items": "none"},
        {"line_items": ["none"]},
        {"line_items": [{"variant_id": 1, "product_id": "p", "quantity": 1}]},
        {"line_items": [{"variant_id": "v", "product_id": "p", "quantity": "1"}]},
        {"line_items": [{"variant_id": "v", "product_id": "p", "quantity": 0}]},
        {"shipping_line": "free"},
        {"tags": "vip"},
        {"note": 7},
        {"discount": "99999.00"},
    ],
)
def test_wrong_types_and_amounts(shop: Shop, changes: dict[str, Any]) -> None:
    assert shop.post(raw("2022-01", **changes), "2022-01").status_code == 422
    assert shop.record() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"order":[]}', b'{"order":7}'])
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_no_order(shop: Shop, body: bytes, version: str) -> None:
    assert shop.post(body, version).status_code in (400, 422)
    call = Call("POST", f"/openapi/{version}/orders", {}, {}, body, 0)
    assert shop.face.key_of(call) == ""


def test_the_door(shop: Shop) -> None:
    for headers in ({"access-token": "wrong"}, {"access-token": ""}):
        answer = shop.post(raw(), **headers)
        assert (answer.status_code, answer.json()) == (401, {"code": "Unauthorized", "message": "Unauthorized"})
    assert shop.post(raw("2022-01"), "2022-01", **{"access-token": "x"}).json() == {"errors": ["Unauthorized"]}
    bearer = shop.http.get("/openapi/2026-01/orders", headers={"authorization": "Bearer sandbox-token"})
    assert bearer.status_code == 401
    assert shop.post(raw(), **{"content-type": "text/plain"}).status_code == 400
    assert shop.post(raw(), "2024-07").status_code == 404
    assert shop.get("/products").status_code == 404
    assert shop.http.put("/openapi/2026-01/orders/1", headers={"access-token": "sandbox-token"}).status_code == 405


def test_accounts_do_not_see_each_other(shop: Shop) -> None:
    reference = shop.place(token="main-token").references[0]
    shop.sync()
    assert isinstance(shop.confirm(reference), Absent)
    for version in VERSIONS:
        assert isinstance(shop.look_up(version=version), Absent)
    assert shop.record()[0]["account"] == "main"


def test_the_tag_filter_is_exact_and_missing_in_old_versions(shop: Shop) -> None:
    for number in range(3):
        shop.place(f"SO-{number}", tags=["vip"])
    shop.sync()
    found = shop.get("/orders", order_tags=token("SO-1")).json()["data"]["orders"]
    assert [f"vip, {token('SO-1')}"] == [shown["tags"] for shown in found]
    assert shop.get("/orders", order_tags=token("SO-1")[:-1]).json()["data"]["orders"] == []
    assert len(shop.get("/orders", order_tags="vip").json()["data"]["orders"]) == 3
    assert len(shop.get("/orders", "2025-06", order_tags=token("SO-1")).json()["data"]["orders"]) == 3
    assert len(shop.get("/orders", "2022-01", order_tags=token("SO-1")).json()["orders"]) == 3


def test_pages_and_cursors(shop: Shop) -> None:
    for number in range(5):
        shop.place(f"SO-{number}")
    shop.sync()
    first = shop.get("/orders", page_size="2").json()["data"]
    assert (len(first["orders"]), first["has_more"]) == (2, True)
    second = shop.get("/orders", page_size="2", cursor=first["cursor"]).json()["data"]
    last = shop.get("/orders", page_size="2", cursor=second["cursor"]).json()["data"]
    assert (len(last["orders"]), last["has_more"]) == (1, False)
    ids = [shown["id"] for page in (first, second, last) for shown in page["orders"]]
    assert len(set(ids)) == 5
    pages = [shop.get("/orders", "2022-01", limit="2", page=str(page)).json()["orders"] for page in (1, 2, 3, 4)]
    assert [shown["id"] for page in pages for shown in page] == ids
    assert pages[3] == []
    assert len(shop.get("/orders", "2022-01", created_at_min="2016-01-18T23:41:00Z").json()["orders"]) == 5
    assert shop.get("/orders", "2022-01", created_at_min="2999-01-18T23:41:00Z").json()["orders"] == []
    for wrong in ({"limit": "251"}, {"page": "x"}, {"created_at_min": "yesterday"}):
        assert shop.get("/orders", "2022-01", **wrong).status_code == 422


def test_a_busy_shop_is_read_to_its_end(shop: Shop) -> None:
    """600 orders of others came after ours: the versions without a filter have to turn pages."""
    placed = shop.place("SO-old").references
    body = raw("2022-01")
    call = Call("POST", "/openapi/2022-01/orders", {}, HEADERS, json.dumps(body).encode(), shop.clock())
    for _ in range(600):
        assert shop.face.handle(call).status == 200
    shop.sync()
    for version in VERSIONS:
        seen = shop.look_up("SO-old", version)
        assert tuple(record.reference for record in seen.records) == placed
        assert isinstance(shop.look_up("SO-none", version), Absent)


HEADERS = {"access-token": "sandbox-token", "content-type": "application/json"}


def test_the_leaky_bucket(shop: Shop) -> None:
    shop.face.limit = (3, 2)
    statuses = [shop.get("/orders").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    outcome = shop.place()
    assert outcome == Throttled("HTTP_429", "called too often", 0.5, True, request_id=outcome.request_id)
    shop.clock.ahead += 1
    assert shop.get("/orders").status_code == 200
    assert shop.record() == []


def test_the_record_holds_nothing_personal(shop: Shop) -> None:
    shop.place(note="for Aunt Petunia")
    kept = json.dumps([made.request for made in shop.face.orders]) + json.dumps(shop.record())
    assert not [word for word in ("Quillfeather", "zq@", "Obscureville", "Petunia", "Rue") if word in kept]


def test_key_of(shop: Shop) -> None:
    def key_of(method: str, path: str, body: object) -> str | None:
        return shop.face.key_of(Call(method, path, {}, {}, json.dumps(body).encode(), 0))

    orders = "/openapi/2026-01/orders"
    note = f"[order X-1 jq-0]\n[order SO-7~empty {token('SO-7~empty')}]"
    assert key_of("POST", orders, {"order": {"note": note}}) == "SO-7~empty"
    assert key_of("POST", "/openapi/2022-01/orders", {"note": note}) == "SO-7~empty"
    assert key_of("POST", orders, {"order": {"note": "hello"}}) == ""
    assert key_of("POST", orders, {"order": {"note": None}}) == ""
    assert key_of("GET", orders, {}) is None
    assert key_of("POST", "/openapi/2026-01/products", {}) is None
    strange = "SO]7[é"
    sent = next(shop.adapter().place(order(), strange))
    call = Call("POST", orders, {}, {}, sent.content, 0)
    assert shop.face.key_of(call) == strange


def test_reset_forgets(shop: Shop) -> None:
    shop.place()
    shop.sync()
    assert shop.http.post("/_sandbox/reset").status_code == 200
    assert shop.record() == []
    assert isinstance(shop.look_up(), Absent)


def test_the_adapter_is_a_marketplace() -> None:
    assert issubclass(Shoplazza, Marketplace)
    assert Shoplazza.name == ShoplazzaFace.name
