"""Natural order of ids."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.rules.sorting import natural


def test_numbers_inside_ids_count_as_numbers() -> None:
    ids = ["SO-10", "SO-2", "SO-1", "A-9-10", "A-9-9", "7", "SO-010", "SO"]
    assert sorted(ids, key=natural) == ["7", "A-9-9", "A-9-10", "SO", "SO-1", "SO-2", "SO-10", "SO-010"]


@given(st.lists(st.text(max_size=12), max_size=12))
def test_any_texts_can_be_compared(texts: list[str]) -> None:
    assert len(sorted(texts, key=natural)) == len(texts)
