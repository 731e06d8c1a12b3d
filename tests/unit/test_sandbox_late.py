"""Faults of time over real HTTP: commits that come late, lists that lag, answers with a wrong date."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.running import until
from worker.sandbox.fake import Answer, Call, Fake, SandboxOrder
from worker.sandbox.faults import DEFAULT_MS, Fault, FaultPlan
from worker.sandbox.server import Running, background

HANG = 0.2


class Keyed(Fake):
    """Makes an order for every POST (`key` in the form) unless its key has made one; a GET tells the keys it shows."""

    name = "keyed"
    paths = ("/keyed",)
    built_in = {"token": "t"}  # noqa: RUF012

    def key_of(self, call: Call) -> str | None:
        return call.form.get("key", "") if call.method == "POST" else None

    def handle(self, call: Call) -> Answer:
        if call.method == "GET":
            return Answer(json.dumps([one.key for one in self.orders if self.shows(one, call.at)]).encode())
        key = call.form["key"]
        first = self.first_under("sandbox", key, call.at)
        if first is not None:
            first.creates.append(call.at)
        else:
            self.commit(SandboxOrder(self.name, "sandbox", key, [str(next(self._sequence))], call.at, [call.at]))
        return Answer(b'"done"')

    def first_under(self, account: str, key: str, at: float) -> SandboxOrder | None:
        return next((one for one in self.orders if one.key == key), None)

    def fault_answer(self, fault: str, call: Call) -> Answer:
        return Answer(b"", 429)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with background([Keyed(sync_seconds=0)], hang_seconds=HANG, record=tmp_path / "record") as server:
        yield server


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=5, trust_env=False) as client:
        yield client


def create(client: httpx.Client, key: str = "SO-1") -> httpx.Response:
    return client.post("/keyed", data={"key": key})


def unanswered(client: httpx.Client, key: str = "SO-1") -> None:
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        create(client, key)


def switch_on(client: httpx.Client, fault: str, **more: Any) -> None:
    answer = client.post("/_sandbox/faults", json={"fault": fault, **more})
    assert answer.status_code == 200, answer.text


def shown(client: httpx.Client) -> list[str]:
    keys: list[str] = client.get("/keyed").json()
    return keys


def record(client: httpx.Client) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = client.get("/_sandbox/orders").json()
    return orders


def due(client: httpx.Client) -> list[dict[str, Any]]:
    late: list[dict[str, Any]] = client.get("/_sandbox/late").json()["late"]
    return late


def test_a_late_commit_is_held_without_an_answer_and_executed_later(client: httpx.Client, tmp_path: Path) -> None:
    switch_on(client, "late_commit", latency_ms=700)
    begun, came = time.monotonic(), time.time()
    unanswered(client)
    assert HANG <= time.monotonic() - begun < 0.7
    assert (record(client), shown(client)) == ([], [])
    (waiting,) = due(client)
    assert (waiting["marketplace"], waiting["account"], waiting["key"]) == ("keyed", "sandbox", "SO-1")
    assert waiting["due_at"] == pytest.approx(came + 0.7, abs=0.3)
    assert (tmp_path / "record").read_bytes() == b""
    until("the order", lambda: bool(shown(client)), 5, every=0.02)
    (order,) = record(client)
    assert order["creates"][0] == pytest.approx(came, abs=0.3), "when it came"
    assert order["created_at"] >= order["creates"][0] + 0.7
    assert due(client) == []
    assert json.loads((tmp_path / "record").read_text()) == order


def test_an_order_chooses_how_late_its_commit_is_and_its_next_create_is_answered(client: httpx.Client) -> None:
    key = "SO-1~late_commit:600"
    unanswered(client, key)
    assert create(client, key).text == '"done"'
    (first,) = record(client)
    until("the commit", lambda: not due(client), 5, every=0.02)
    (order,) = record(client)
    assert order["created_at"] == first["created_at"], "under a key that exists by then a commit makes nothing"
    assert len(order["creates"]) == 2


def test_it_is_executed_although_the_client_is_long_gone(client: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post("/keyed", data={"key": "SO-1~late_commit:300"}, timeout=HANG / 4)
    until("the order", lambda: bool(shown(client)), 5, every=0.02)


def test_a_read_commits_nothing_late(client: httpx.Client) -> None:
    switch_on(client, "late_commit", operation="any")
    assert shown(client) == []


def test_a_reset_and_an_end_forget_what_was_to_come(running: Running, client: httpx.Client) -> None:
    unanswered(client, "SO-1~late_commit:300")
    assert client.post("/_sandbox/reset").status_code == 200
    assert due(client) == []
    unanswered(client, "SO-2~late_commit:300")
    until("an order that was due after the forgotten one", lambda: not due(client), 5, every=0.02)
    assert [order["key"] for order in record(client)] == ["SO-2~late_commit:300"]
    fake = Keyed()
    with background([fake], hang_seconds=0.05) as other, pytest.raises(httpx.HTTPError):
        httpx.post(f"{other.url}/keyed", data={"key": "SO-3~late_commit:200"}, trust_env=False)
    assert other.sandbox.late.public() == []
    assert fake.orders == []


@pytest.mark.parametrize(
    "suffix", ["late_commit:", "late_commit:-5", "late_commit:1.5", "late_commit:x", "late_commit :1"]
)
def test_a_suffix_that_tells_no_whole_milliseconds_is_no_fault_or_has_the_usual_time(suffix: str) -> None:
    call = Call("POST", "/keyed", {}, {}, f"key=SO-1~{suffix}".encode(), 0.0)
    met = FaultPlan().choose(Keyed(), call)
    assert (met.fault, met.late) == (("late_commit", 130.0) if suffix == "late_commit:" else (None, 0.0))


@pytest.mark.parametrize(
    ("fault", "seconds"), [("slow", 2), ("late_commit", 130), ("lagging_list", 130), ("wrong_date", 3 * 3600)]
)
def test_the_usual_times(fault: str, seconds: float) -> None:
    assert Fault.model_validate({"fault": fault}).latency_seconds == seconds == DEFAULT_MS[fault] / 1000


def test_what_a_create_made_under_a_lagging_list_is_shown_later(client: httpx.Client) -> None:
    create(client, "SO-1~lagging_list:600")
    create(client, "SO-2")
    assert shown(client) == ["SO-2"]
    assert len(record(client)) == 2, "the record tells the truth at once"
    until("both", lambda: shown(client) == ["SO-1~lagging_list:600", "SO-2"], 5, every=0.02)


def test_a_read_under_a_lagging_list_sees_nothing_that_young(client: httpx.Client) -> None:
    create(client)
    switch_on(client, "lagging_list", operation="get", latency_ms=600)
    assert shown(client) == []
    until("the order", lambda: bool(shown(client)), 5, every=0.02)
    create(client, "SO-2")
    assert shown(client) == ["SO-1"]
    switch_on(client, "lagging_list", operation="get", probability=0)
    assert shown(client) == ["SO-1", "SO-2"]


def test_a_lagging_list_comes_beside_another_fault(client: httpx.Client) -> None:
    switch_on(client, "lagging_list", latency_ms=500)
    switch_on(client, "reset_after_commit")
    unanswered(client)
    assert (shown(client), len(record(client))) == ([], 1)
    until("the order", lambda: bool(shown(client)), 5, every=0.02)
    switch_on(client, "reset_after_commit", probability=0)
    switch_on(client, "late_commit", latency_ms=100)
    unanswered(client, "SO-2")
    until("the second order", lambda: len(record(client)) == 2, 5, every=0.02)
    assert shown(client) == ["SO-1"], "what is made late is shown late too"
    until("it to be shown", lambda: len(shown(client)) == 2, 5, every=0.02)


@pytest.mark.parametrize(("told", "hours"), [({}, 3), ({"latency_ms": 7_200_000}, 2), ({"latency_ms": -3_600_000}, -1)])
def test_a_wrong_date_is_off_by_so_much_and_nothing_else_is_wrong(
    client: httpx.Client, told: dict[str, float], hours: int
) -> None:
    assert off(client.get("/keyed")) == pytest.approx(0, abs=2)
    switch_on(client, "wrong_date", operation="any", **told)
    for answer in (create(client), client.get("/keyed")):
        assert answer.status_code == 200
        assert off(answer) == pytest.approx(hours * 3600, abs=2)
    assert len(record(client)) == 1


def test_an_order_chooses_a_wrong_date_for_the_answer_to_its_create(client: httpx.Client) -> None:
    assert off(create(client, "SO-1~wrong_date")) == pytest.approx(3 * 3600, abs=2)
    assert off(create(client, "SO-1~wrong_date")) == pytest.approx(0, abs=2)


def test_a_refusal_of_the_gateway_can_have_a_wrong_date_too(client: httpx.Client) -> None:
    switch_on(client, "wrong_date")
    switch_on(client, "http_503")
    answer = create(client)
    assert answer.status_code == 503
    assert off(answer) == pytest.approx(3 * 3600, abs=2)


def test_only_a_date_may_be_off_to_either_side(client: httpx.Client) -> None:
    for fault in ("late_commit", "lagging_list", "slow"):
        answer = client.post("/_sandbox/faults", json={"fault": fault, "latency_ms": -1})
        assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (400, "latency_ms")


def off(answer: httpx.Response) -> float:
    """Return how far an answer's date is off, in seconds."""
    return parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
