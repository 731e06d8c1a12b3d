"""The sandbox server: mounting, faults, its record and its control paths, over real HTTP with a fake of three lines."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.settings import Account
from worker.errors import ConfigError
from worker.sandbox.fake import Answer, Call, Fake, SandboxOrder
from worker.sandbox.server import Running, background, fakes_for

HANG = 0.3


class Toy(Fake):
    """Creates an order for every POST (`key` in the form), answers ok to every GET."""

    name = "toy"
    paths = ("/toy",)
    built_in = {"token": "t"}  # noqa: RUF012

    def key_of(self, call: Call) -> str | None:
        return call.form.get("key", "") if call.method == "POST" else None

    def handle(self, call: Call) -> Answer:
        if call.method == "POST":
            reference = str(next(self._sequence))
            order = SandboxOrder(self.name, "sandbox", call.form["key"], [reference], call.at, [call.at])
            self.commit(order)
        return Answer(b'{"ok":true}')

    def fault_answer(self, fault: str, call: Call) -> Answer:
        return Answer(f"toy {fault}".encode(), 429)


class Deeper(Toy):
    name = "deeper"
    paths = ("/toy/deeper",)

    def handle(self, call: Call) -> Answer:
        return Answer(b"deeper " + call.path.encode())


@pytest.fixture
def running() -> Iterator[Running]:
    with background([Toy(), Deeper()], hang_seconds=HANG) as server:
        yield server


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=5, trust_env=False) as client:
        yield client


def create(client: httpx.Client, key: str = "SO-1") -> httpx.Response:
    return client.post("/toy/orders", data={"key": key})


def keys(client: httpx.Client) -> list[str]:
    return [order["key"] for order in client.get("/_sandbox/orders").json()]


def set_fault(client: httpx.Client, **fault: Any) -> list[dict[str, Any]]:
    answer = client.post("/_sandbox/faults", json=fault)
    assert answer.status_code == 200, answer.text
    active: list[dict[str, Any]] = answer.json()["faults"]
    return active


def test_health_and_unknown_paths(client: httpx.Client) -> None:
    assert client.get("/_sandbox/health").json() == {"ok": True}
    assert client.get("/nothing").status_code == 404
    assert client.get("/_sandbox/nothing").status_code == 404
    assert client.get("/toys").status_code == 404


def test_the_longest_path_wins(client: httpx.Client) -> None:
    assert client.get("/toy").json() == {"ok": True}
    assert client.get("/toy/orders/1").json() == {"ok": True}
    assert client.get("/toy/deeper/x").text == "deeper /toy/deeper/x"


def test_the_record_has_the_promised_fields(client: httpx.Client) -> None:
    before = time.time()
    assert create(client).json() == {"ok": True}
    [order] = client.get("/_sandbox/orders").json()
    assert set(order) == {"marketplace", "account", "key", "references", "created_at", "creates", "gets"}
    assert (order["marketplace"], order["account"], order["key"]) == ("toy", "sandbox", "SO-1")
    assert (order["references"], order["gets"]) == (["1"], [])
    assert before <= order["created_at"] == order["creates"][0] <= time.time()


def test_reset_forgets_orders_faults_and_spent_suffixes(client: httpx.Client, running: Running) -> None:
    create(client)
    assert create(client, "SO-2~http_500").status_code == 500
    set_fault(client, fault="http_503")
    set_fault(client, fault="repeat_with_ids")
    assert client.post("/_sandbox/reset").status_code == 200
    assert client.get("/_sandbox/orders").json() == []
    assert client.get("/_sandbox/faults").json() == {"faults": []}
    assert not running.sandbox.fakes["toy"].repeat_with_ids
    assert create(client, "SO-2~http_500").status_code == 500


@pytest.mark.parametrize(
    ("fault", "status", "body", "commits"),
    [
        ("http_500", 500, b"upstream error", False),
        ("http_503", 503, b"upstream error", False),
        ("throttle", 429, b"toy throttle", False),
        ("token_expired", 429, b"toy token_expired", False),
        ("empty", 200, b"", True),
        ("slow", 200, b'{"ok":true}', True),
    ],
)
@pytest.mark.parametrize("chosen", ["by plan", "by suffix"])
def test_faults_that_answer(
    client: httpx.Client, fault: str, status: int, body: bytes, commits: bool, chosen: str
) -> None:
    key = "SO-1"
    if chosen == "by plan":
        set_fault(client, fault=fault, latency_ms=1)
    else:
        key = f"SO-1~{fault}"
    answer = create(client, key)
    assert (answer.status_code, answer.content) == (status, body)
    assert keys(client) == ([key] if commits else [])


@pytest.mark.parametrize("key", ["SO-1", "SO-1~garbage"])
def test_garbage_is_no_json_and_was_executed(client: httpx.Client, key: str) -> None:
    if key == "SO-1":
        set_fault(client, fault="garbage")
    answer = create(client, key)
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        json.loads(answer.content)
    assert keys(client) == [key]


@pytest.mark.parametrize(("fault", "commits"), [("timeout_before", False), ("timeout_after_commit", True)])
def test_timeouts_hold_the_connection_and_then_close_it(client: httpx.Client, fault: str, commits: bool) -> None:
    key = f"SO-1~{fault}"
    started = time.monotonic()
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        create(client, key)
    assert HANG <= time.monotonic() - started < HANG + 2
    assert keys(client) == ([key] if commits else [])


def test_a_client_that_does_not_wait_meets_a_read_timeout(client: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post("/toy", data={"key": "SO-1~timeout_after_commit"}, timeout=HANG / 3)
    assert keys(client) == ["SO-1~timeout_after_commit"]


def test_reset_after_commit_sends_rst(running: Running, client: httpx.Client) -> None:
    set_fault(client, fault="reset_after_commit")
    body = b"key=SO-1"
    with socket.create_connection((running.host, running.port), timeout=5) as connection:
        head = f"POST /toy HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        connection.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    assert keys(client) == ["SO-1"]


def test_a_suffix_counts_for_the_first_create_only(client: httpx.Client) -> None:
    assert create(client, "SO-1~http_500").status_code == 500
    assert create(client, "SO-1~http_500").status_code == 200
    assert create(client, "SO-2~http_500").status_code == 500
    assert create(client, "SO-3~not_a_fault").status_code == 200
    assert create(client, "http_500").status_code == 200
    assert create(client, "~http_500").status_code == 200


def test_a_suffix_is_found_however_the_tilde_is_written(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/toy", content=b"key=SO-1%7ehttp_500", headers=headers).status_code == 500
    assert client.post("/toy", content=b"key=SO-2%7Ehttp_500", headers=headers).status_code == 500
    assert client.post("/toy", content=b"key=SO-3~http_500", headers=headers).status_code == 500
    assert client.post("/toy", params={"key": "SO-4~http_500"}).status_code == 500


def test_faults_hit_creates_unless_told_otherwise(client: httpx.Client) -> None:
    set_fault(client, fault="http_500")
    assert client.get("/toy").status_code == 200
    set_fault(client, fault="http_500", probability=0)
    set_fault(client, fault="http_503", operation="get")
    assert client.get("/toy").status_code == 503
    assert create(client).status_code == 200
    set_fault(client, fault="throttle", operation="any")
    assert create(client).status_code == 429


def test_a_fault_can_be_one_marketplaces_own(client: httpx.Client) -> None:
    set_fault(client, fault="http_500", marketplace="deeper", operation="any")
    assert client.get("/toy").status_code == 200
    assert client.get("/toy/deeper").status_code == 500


def test_setting_replaces_and_probability_zero_removes(client: httpx.Client) -> None:
    set_fault(client, fault="empty", probability=0.5, seed=1)
    active = set_fault(client, fault="empty", probability=0.25, seed=2)
    assert [(fault["probability"], fault["seed"]) for fault in active] == [(0.25, 2)]
    set_fault(client, fault="empty", marketplace="toy", operation="get")
    assert len(set_fault(client, fault="slow", probability=0.1)) == 3
    assert len(set_fault(client, fault="empty", marketplace="toy", probability=0)) == 2
    assert [fault["fault"] for fault in set_fault(client, fault="empty", probability=0)] == ["slow"]


def test_a_seed_makes_the_choice_repeatable(client: httpx.Client) -> None:
    def run(seed: int) -> list[int]:
        set_fault(client, fault="http_500", probability=0.4, seed=seed)
        return [create(client, f"SO-{number}").status_code for number in range(40)]

    first = run(7)
    assert first == run(7)
    assert first != run(8)
    assert 4 < first.count(500) < 30


def test_slow_alone_is_a_base_latency(client: httpx.Client) -> None:
    set_fault(client, fault="slow", latency_ms=150)
    started = time.monotonic()
    assert create(client).json() == {"ok": True}
    assert time.monotonic() - started >= 0.15
    set_fault(client, fault="http_503")
    started = time.monotonic()
    assert create(client).status_code == 503
    assert time.monotonic() - started >= 0.15


def test_an_order_with_its_own_fault_keeps_the_base_latency(client: httpx.Client) -> None:
    set_fault(client, fault="slow", latency_ms=150)
    started = time.monotonic()
    assert create(client, "SO-1~http_500").status_code == 500
    assert time.monotonic() - started >= 0.15


def test_repeat_with_ids_is_a_switch(client: httpx.Client, running: Running) -> None:
    fakes = running.sandbox.fakes
    set_fault(client, fault="repeat_with_ids", marketplace="deeper")
    assert (fakes["toy"].repeat_with_ids, fakes["deeper"].repeat_with_ids) == (False, True)
    set_fault(client, fault="repeat_with_ids")
    assert fakes["toy"].repeat_with_ids
    set_fault(client, fault="repeat_with_ids", probability=0)
    assert not fakes["toy"].repeat_with_ids
    assert not fakes["deeper"].repeat_with_ids


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"fault": "gremlins"}', "fault: "),
        (b"{}", "fault: "),
        (b"no json", "the body: "),
        (b'{"fault": "slow", "probability": 2}', "probability: "),
        (b'{"fault": "slow", "latency_ms": -1}', "latency_ms: "),
        (b'{"fault": "slow", "chance": 1}', "chance: "),
        (b'{"fault": "slow", "operation": "delete"}', "operation: "),
        (b'{"fault": "slow", "marketplace": "ebay"}', "marketplace: 'ebay' is unknown"),
    ],
)
def test_a_wrong_fault_is_answered_with_a_sentence(client: httpx.Client, body: bytes, word: str) -> None:
    answer = client.post("/_sandbox/faults", content=body)
    assert answer.status_code == 400
    sentence = answer.json()["error"]
    assert sentence.startswith(word)
    assert sentence.endswith(".")
    assert client.get("/_sandbox/faults").json() == {"faults": []}


def test_the_clock_is_the_sandboxes() -> None:
    with background([Toy()], clock=lambda: 1234.5) as running:
        httpx.post(running.url + "/toy", data={"key": "a"}, trust_env=False)
        assert running.sandbox.fakes["toy"].orders[0].creates == [1234.5]


def test_every_commit_is_appended_to_the_record(tmp_path: Path) -> None:
    record = tmp_path / "commits.jsonl"
    for _ in range(2):
        with background([Toy()], record=record, hang_seconds=0.01) as running:
            with pytest.raises(httpx.HTTPError):
                httpx.post(running.url + "/toy", data={"key": "a~timeout_after_commit"}, trust_env=False)
            httpx.post(running.url + "/toy", data={"key": "b"}, trust_env=False)
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [line["key"] for line in lines] == ["a~timeout_after_commit", "b"] * 2
    assert lines[0]["references"] == ["1"]


def test_a_record_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write its record"), background([Toy()], record=tmp_path):
        pass


def test_the_record_stays_quick_with_100_000_orders() -> None:
    toy = Toy()
    for number in range(100_000):
        toy.commit(SandboxOrder("toy", "sandbox", f"SO-{number}", [str(number)], 1.5, [1.5], [2.5]))
    with background([toy]) as running:
        started = time.monotonic()
        answer = httpx.get(running.url + "/_sandbox/orders", timeout=30, trust_env=False)
        assert time.monotonic() - started < 5
    assert len(answer.json()) == 100_000


def test_closing_does_not_wait_for_held_connections() -> None:
    with background([Toy()], hang_seconds=60) as running:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(running.url + "/toy", data={"key": "a~timeout_before"}, timeout=0.1, trust_env=False)
        connection = socket.create_connection((running.host, running.port))
        connection.sendall(b"POST /toy HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nkey=b~timeout_before")
        time.sleep(0.1)
        started = time.monotonic()
    connection.close()
    assert time.monotonic() - started < 5


def test_a_taken_port_is_one_sentence(running: Running) -> None:
    with pytest.raises(ConfigError, match=rf"Port {running.port} .* is taken"), background([Toy()], port=running.port):
        pass


def test_an_address_that_is_not_ours_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1"), background([Toy()], host="192.0.2.1"):
        pass


def test_every_face_gets_its_own_accounts() -> None:
    accounts = {
        "main": Account.model_validate({"marketplace": "aliexpress", "app_key": "k", "app_secret": "s"}),
        "other": Account.model_validate({"marketplace": "somewhere-else", "token": "t"}),
    }
    fakes = {fake.name: fake for fake in fakes_for(accounts, sync_seconds=1.5)}
    assert set(fakes["aliexpress"].credentials) == {"sandbox", "main"}
    assert fakes["aliexpress"].credentials["main"] == {"app_key": "k", "app_secret": "s"}
    assert fakes["aliexpress"].sync_seconds == 1.5
