"""Lesson 7. The same order again is a duplicate, however often; the same order_id with other content is rejected."""

from __future__ import annotations

import json
from typing import Any

from tests.harness import Answer, Shop, job

ORDER = "SO-701"


def begin(shop: Shop) -> dict[str, Any]:
    first = shop.submit([job(ORDER), job(ORDER)])
    again = shop.submit([job(ORDER)])
    changed = shop.cli("submit", "-", "--json", stdin=json.dumps(job(ORDER, city="Dayton")).encode())
    return {"first": first, "again": again, "changed": changed}


def test_twice_in_one_file_is_taken_once(begun: dict[str, Any]) -> None:
    assert (begun["first"]["accepted"], begun["first"]["duplicates"]) == (1, 1)


def test_in_a_later_file_it_is_a_duplicate_and_its_state_is_told(begun: dict[str, Any]) -> None:
    again = begun["again"]
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (0, 1, [])
    assert again["duplicate_orders"] == [{"order_id": ORDER, "state": "queued"}]


def test_with_other_content_it_is_rejected_in_words_that_say_so(begun: dict[str, Any]) -> None:
    changed: Answer = begun["changed"]
    (rejected,) = changed.json()["rejected"]
    assert (changed.code, rejected["field"]) == (1, "order_id")
    assert "taken before with other content" in rejected["reason"]
    assert rejected["reason"].endswith(f"fulfil show {ORDER}")


def test_after_it_is_confirmed_it_is_still_a_duplicate_and_was_made_once(shop: Shop) -> None:
    shop.wait_for(ORDER, "confirmed")
    assert shop.submit([job(ORDER)])["duplicate_orders"] == [{"order_id": ORDER, "state": "confirmed"}]
    (made,) = shop.sandbox_orders(ORDER)
    assert len(made["creates"]) == 1
