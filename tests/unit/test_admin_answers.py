"""What is no id, told to an admin task, is not repeated: the answer stays in Flower and the logs."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.admin import adopt_task, cancel_task, pause_task, reconcile_task, resume_task, retry_task
from tests.personal import personal

NO_IDS: list[Any] = [
    {"contact_person": "Philippa Quillfeather"},
    {"a": "Philippa"},
    [["Philippa"], {"mobile_no": "6505550142"}],
    "Philippa Quillfeather",
    "philippa@larkspur.example",
    "+16505550142",
    "{'a':'Philippa'}",
    "Philippa\x1b[31m",
    "Philippa" * 20,
    None,
    5.5,
    True,
]


@pytest.fixture(autouse=True)
def home(fresh_settings: pytest.MonkeyPatch) -> None:
    keys = {"MARKETPLACE": "aliexpress", "APP_KEY": "1", "APP_SECRET": "s", "ACCESS_TOKEN": "t"}
    for name, value in keys.items():
        fresh_settings.setenv(f"FULFIL_ACCOUNTS__MAIN__{name}", value)
    fresh_settings.setenv("FULFIL_REDIS_URL", "redis://127.0.0.1:1/0")


@pytest.mark.parametrize("value", NO_IDS, ids=repr)
@pytest.mark.parametrize("task", [retry_task, cancel_task, reconcile_task, pause_task, resume_task])
def test_what_is_no_id_is_not_repeated(task: Any, value: Any) -> None:
    answer = task.run(value)
    assert answer
    assert personal({"answer": answer}) == {}
    assert "\x1b" not in answer


@pytest.mark.parametrize("value", NO_IDS, ids=repr)
def test_neither_is_a_reference_that_is_none(value: Any) -> None:
    assert personal({"answer": adopt_task.run("SO-NONE", value)}) == {}


def test_an_id_that_looks_like_one_is_repeated() -> None:
    told = retry_task.run("SO-NONE", ["x"], "a@b").splitlines()
    assert told == ["no order SO-NONE in the ledger", "order_id: must be a text", "no such order (argument 3)"]
