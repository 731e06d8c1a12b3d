"""Rows of one order that lie apart: found out before the first order is given, in little memory, from any stream."""

from __future__ import annotations

import io
import os
import tempfile
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sheet_kit import ACCOUNTS, HEADER, sheet, summary
from worker.errors import InputError
from worker.orders.files import jobs, read
from worker.orders.jobs import Job, Rejection
from worker.orders.places import Places

A, B, C = (f"{name}-1,main,Ann,Oslo,1,2,a" for name in "ABC")
TOGETHER = "put all rows of an order one after the other"


def test_an_order_whose_rows_lie_apart_is_refused_once_with_its_lines() -> None:
    assert summary(sheet(A, B, A, C, A, A)) == [
        (2, f"order_id: its rows lie apart, on lines 2, 4 and 6: {TOGETHER}"),
        (3, "B-1"),
        (5, "C-1"),
    ]


def test_many_places_are_counted() -> None:
    found = summary(sheet(*[A, B] * 20))
    assert found == [
        (2, f"order_id: its rows lie apart, on lines 2, 4, 6, 8, 10 and 15 more: {TOGETHER}"),
        (3, f"order_id: its rows lie apart, on lines 3, 5, 7, 9, 11 and 15 more: {TOGETHER}"),
    ]


def test_its_words_lead_to_no_second_parcel() -> None:
    assert "new order_id" not in str(summary(sheet(A, B, A)))


def test_rows_that_lie_apart_matter_more_than_what_is_wrong_with_them() -> None:
    (first, *_) = summary(sheet(A, B, "A-1,other,Ann,Rome,,,"))
    assert first == (2, f"order_id: its rows lie apart, on lines 2 and 4: {TOGETHER}")


def test_ids_are_compared_as_they_are_known() -> None:
    composed, decomposed = (f"{name},main,Ann,Oslo,1,2,a" for name in ("\u00e9-1", "e\u0301-1"))
    assert summary(sheet(composed, B, decomposed))[0] == (
        2,
        f"order_id: its rows lie apart, on lines 2 and 4: {TOGETHER}",
    )


def test_blank_rows_and_rows_without_id_between_do_not_part_an_order() -> None:
    assert summary(sheet(A, "", ",,,,,,", A, B)) == [(2, "A-1"), (6, "B-1")]
    assert summary(sheet(A, ",main,Ann,Oslo,1,2,a", A, B)) == [(2, "order_id: missing on line 3"), (5, "B-1")]


# Memory


def rows(orders: int, apart: bool = False) -> Iterator[bytes]:
    yield HEADER.encode()
    for number in range(orders):
        yield f"SO-{number % (orders // 2) if apart else number},main,Ann,Oslo,1,2,a\n".encode()


@pytest.mark.parametrize("apart", [False, True])
def test_memory_is_small_over_100_000_orders(tmp_path: Path, apart: bool) -> None:
    path = tmp_path / "many.csv"
    with path.open("wb") as file:
        file.writelines(rows(100_000, apart))
    list(jobs(io.BytesIO(sheet(A)), ACCOUNTS, "x.csv"))
    tracemalloc.start()
    kinds = [0, 0]
    for result in jobs(path, ACCOUNTS):
        kinds[isinstance(result, Job)] += 1
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kinds == ([50_000, 0] if apart else [0, 100_000])
    assert kept < 200_000
    assert peak < 3_000_000


def test_places_are_found_whatever_their_number() -> None:
    places = Places()
    for line in range(2, 5002):
        places.note(f"SO-{line % 2500}", line)
    places.close(5001)
    assert [[run.line for run in places.of(f"SO-{number}")] for number in (2, 1700)] == [[2, 2502], [1700, 4200]]
    assert places.of("SO-2500") == []


# Streams


class Pipe(io.BytesIO):
    """A stream that cannot go back."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise io.UnsupportedOperation("seek")

    def tell(self) -> int:
        raise io.UnsupportedOperation("tell")


def files() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).iterdir()}


def test_a_stream_that_cannot_go_back_is_read_the_same_and_leaves_nothing_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stream = jobs(Pipe(sheet(*[A, B, A, C] + [f"D-{n},main,Ann,Oslo,1,2,a" for n in range(5000)])), ACCOUNTS, "x.csv")
    first = next(stream)
    assert isinstance(first, Rejection)
    assert first.reason == f"its rows lie apart, on lines 2 and 4: {TOGETHER}"
    assert files() == set(), "the copy has no name"
    assert sum(isinstance(one, Job) for one in stream) == 5002


def test_a_real_pipe_under_a_path(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(sheet(A, B, A)))
    writer.start()
    found = list(jobs(path, ACCOUNTS))
    writer.join(10)
    assert [type(one) for one in found] == [Rejection, Job]


def test_a_stream_is_read_from_where_it_stands() -> None:
    stream = io.BytesIO(b"a line of another program's\n" + sheet(A, B))
    stream.readline()
    assert [one.order_id for one in jobs(stream, ACCOUNTS, "x.csv")] == ["A-1", "B-1"]


def test_a_stream_that_fails_while_it_is_copied_gives_nothing() -> None:
    class Breaking(Pipe):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(InputError, match=r"x\.csv cannot be read: Input/output error"):
        read(Breaking(sheet(A, B)), ACCOUNTS, "x.csv")


def test_a_temporary_folder_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/away")
    with pytest.raises(InputError, match=r"its copy cannot be kept in /dev/null/away: .*; set TMPDIR to a folder"):
        read(Pipe(sheet(A, B)), ACCOUNTS, "x.csv")


def test_a_file_that_grows_while_it_is_read_is_read_to_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(sheet(A, B))
    stream = jobs(path, ACCOUNTS)
    with path.open("ab") as file:
        file.write(f"{B}\n{C}\n{A}\n".encode())
    assert summary_of(stream) == [
        (2, "A-1"),
        (3, "order: the file could not be read to the end of this order"),
        (4, "file: nothing was read from here on: the file changed while it was read"),
    ]


def test_a_file_that_becomes_another_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(sheet(A, B, C))
    stream = jobs(path, ACCOUNTS)
    path.write_bytes(sheet(A, C, B))
    assert summary_of(stream) == [
        (2, "order: the file could not be read to the end of this order"),
        (3, "file: nothing was read from here on: the file changed while it was read"),
    ]


def summary_of(stream: Iterator[Job | Rejection]) -> list[tuple[int, str]]:
    return [(one.line, one.order_id if isinstance(one, Job) else f"{one.field}: {one.reason}") for one in stream]
