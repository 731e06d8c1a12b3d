"""Lesson 3. A bad line: it is rejected with its line, its field and a reason; the rest of the file goes on."""

from __future__ import annotations

import json

from tests.harness import Answer, Shop, job


def begin(shop: Shop) -> Answer:
    misspelt = job("SO-302")
    misspelt["order"]["logistics_address"]["citty"] = misspelt["order"]["logistics_address"].pop("city")
    lines = [
        json.dumps(job("SO-301")),
        json.dumps(misspelt),
        '{"order_id": "SO-303", "account": ',
        json.dumps(job("SO-304", account="mian")),
        json.dumps(job("SO-305", mobile_no="650-555-0142")),
        json.dumps(job("SO-306")),
    ]
    return shop.cli("submit", "-", "--json", stdin="\n".join(lines).encode())


def test_the_good_lines_are_taken_and_confirmed(shop: Shop, begun: Answer) -> None:
    assert begun.json()["accepted"] == 2
    assert shop.wait_for("SO-301", "confirmed")["line"] == 1
    assert shop.wait_for("SO-306", "confirmed")["line"] == 6


def test_each_bad_line_is_told_with_its_field_and_a_reason(begun: Answer) -> None:
    rejected = {entry["line"]: (entry["field"], entry["reason"]) for entry in begun.json()["rejected"]}
    assert sorted(rejected) == [2, 3, 4, 5]
    assert rejected[2][0] == "order.logistics_address.citty"
    assert "nearest known name: city" in rejected[2][1]
    assert rejected[3][0] == "job"
    assert rejected[3][1].startswith("not JSON")
    assert rejected[4] == ("account", "unknown account; nearest known account: main")
    assert rejected[5][0] == "order.logistics_address.mobile_no"
    assert "digits only" in rejected[5][1]


def test_a_reason_never_repeats_the_value(begun: Answer) -> None:
    assert "555-0142" not in begun.out


def test_the_exit_code_says_that_a_person_is_needed(begun: Answer) -> None:
    assert begun.code == 1
    assert begun.err == ""


def test_nothing_of_a_bad_line_reaches_the_marketplace(shop: Shop) -> None:
    shop.wait_for("SO-306", "placed", "confirmed")
    assert not [made for key in ("SO-302", "SO-303", "SO-304", "SO-305") for made in shop.sandbox_orders(key)]
