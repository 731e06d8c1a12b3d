"""What is no id, told to an admin task, is not repeated: the answer stays in Flower and the logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from personal import personal

from config.settings import settings
from tasks.admin import adopt_task, cancel_task, pause_task, reconcile_task, resume_task, retry_task
from worker.parts import forget

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
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    keys = {"MARKETPLACE": "aliexpress", "APP_KEY": "1", "APP_SECRET": "s", "ACCESS_TOKEN": "t"}
    for name, value in keys.items():
        monkeypatch.setenv(f"FULFIL_ACCOUNTS__MAIN__{name}", value)
    monkeypatch.setenv("FULFIL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FULFIL_REDIS_URL", "redis://127.0.0.1:1/0")
    forget()
    yield
    forget()
    settings.cache_clear()


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
