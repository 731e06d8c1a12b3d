"""Lesson 11. Flower shows what happened, a line an order; a retry can be sent through its API, with its password."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.fundamentals.other_fake import SOLD_OUT_ONCE as ORDER
from tests.harness import Shop, job

RETRY = "/api/task/async-apply/admin.retry"


def begin(shop: Shop) -> None:
    shop.submit([job(ORDER, "soldout")])


def go_on(shop: Shop) -> httpx.Response:
    """Retry the refused order through Flower, as the curl line of docs/operations.md does."""
    shop.wait_for(ORDER, "refused")
    with shop.flower() as flower:
        return flower.post(RETRY, json={"args": [ORDER]})


@pytest.fixture
def flower(shop: Shop) -> Iterator[httpx.Client]:
    with shop.flower() as client:
        yield client


def lines(shop: Shop, flower: httpx.Client, name: str, wanted: str) -> str:
    """Wait until Flower shows a result of this task that holds the wanted words, and return it."""

    def found() -> str | None:
        tasks = flower.get("/api/tasks", params={"taskname": name}).json().values()
        return next((task["result"] for task in tasks if wanted in (task["result"] or "")), None)

    return shop.until(f"{name} to show {wanted!r} in Flower", found)


@pytest.mark.parametrize("path", ["/", "/tasks", "/api/tasks", "/api/workers", "/broker"])
def test_without_its_password_flower_shows_nothing(shop: Shop, path: str) -> None:
    with shop.flower(auth=None) as stranger:
        assert stranger.get(path).status_code == 401


@pytest.mark.parametrize("login", [None, ("fulfil", "wrong")])
def test_without_its_password_nobody_retries_anything(shop: Shop, login: tuple[str, str] | None) -> None:
    with shop.flower(auth=login) as stranger:
        assert stranger.post(RETRY, json={"args": ["SO-1"]}).status_code == 401


def test_a_retry_sent_through_flower_really_places_the_refused_order(shop: Shop, gone_on: httpx.Response) -> None:
    assert gone_on.status_code == 200, gone_on.text
    order = shop.wait_for(ORDER, "placed", "confirmed")
    assert [attempt["outcome"] for attempt in order["attempts"]] == ["Refused", "Accepted"]
    by_person = next(event for event in order["events"] if event["from"] == "refused")
    assert (by_person["event"], by_person["to"], by_person["actor"]) == ("retry", "queued", "task:flower")
    (made,) = shop.sandbox_orders(ORDER)
    assert order["references"] == made["references"]


def test_flower_shows_a_line_for_each_order_a_task_had(shop: Shop, flower: httpx.Client) -> None:
    (reference,) = shop.wait_for(ORDER, "confirmed")["references"]
    lines(shop, flower, "orders.place", f"{ORDER} refused DELIVERY_METHOD_NOT_EXIST")
    lines(shop, flower, "admin.retry", f"{ORDER} due ")
    lines(shop, flower, "orders.place", f"{ORDER} placed {reference}")
    lines(shop, flower, "orders.confirm", f"{ORDER} confirmed {reference}")


def test_a_line_above_says_how_many_of_a_task_need_a_person_as_its_count_of_failures_never_does(
    shop: Shop, flower: httpx.Client
) -> None:
    lines(shop, flower, "orders.place", "1 of 1 need a person: fulfil list --attention")
    failed = flower.get("/api/tasks", params={"state": "FAILURE"}).json().values()
    assert [task for task in failed if task["name"] == "orders.place"] == []


def test_the_page_shows_what_came_for_which_orders_and_what_became_of_them(flower: httpx.Client) -> None:
    page = flower.get("/tasks").text
    assert re.findall('data-column="([a-z]+)"', page) == ["received", "name", "args", "result", "state"]


def test_the_sweeps_are_not_among_the_tasks(shop: Shop, flower: httpx.Client) -> None:
    shop.wait_for(ORDER, "confirmed")  # a sweep a second ran meanwhile
    names = {task["name"] for task in flower.get("/api/tasks").json().values()}
    assert "orders.place" in names
    assert not names & {"orders.sweep", "orders.canary"}


def test_a_retry_that_is_not_allowed_says_so_in_flower(shop: Shop, flower: httpx.Client) -> None:
    answer = flower.post(RETRY, json={"args": ["SO-no-such-order"]})
    assert answer.status_code == 200, answer.text
    lines(shop, flower, "admin.retry", "no order SO-no-such-order in the ledger")


def test_flower_knows_both_workers(shop: Shop, flower: httpx.Client) -> None:
    def both() -> bool:
        found = flower.get("/api/workers", params={"refresh": 1}).json()
        return {name.partition("@")[0] for name in found} == {"place", "confirm"}

    shop.until("both workers to be in Flower", both)
