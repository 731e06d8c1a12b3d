"""Sheets as programs write them: headers of another case, byte order marks, a line that names the separator."""

from __future__ import annotations

import io

import pytest

from tests.unit.test_intake_values import ACCOUNTS, ADDRESS, ITEM
from worker.errors import InputError
from worker.orders.files import jobs
from worker.orders.jobs import Job, Rejection

ROW = {"order_id": "SO-7", "account": "main", **ADDRESS, **ITEM}
NAMES, CELLS = list(ROW), list(ROW.values())


def taken(text: str, name: str = "x.csv") -> list[Job | Rejection]:
    return list(jobs(io.BytesIO(text.encode()), ACCOUNTS, name))


def sheet(names: list[str], cells: list[str], sign: str = ",", end: str = "\n") -> str:
    return sign.join(names) + end + sign.join(cells) + end


@pytest.mark.parametrize("name", ["x.csv", "-"])
@pytest.mark.parametrize(
    "text",
    [
        sheet([name.upper() for name in NAMES], CELLS),
        sheet([name.replace("_", " ").title() for name in NAMES], CELLS),
        sheet([f" {name} " for name in NAMES], CELLS),
        "\ufeff\ufeff" + sheet(NAMES, CELLS),
        "\ufeff\n\ufeff" + sheet(NAMES, CELLS),
        "sep=;\r\n" + sheet(NAMES, CELLS, ";", "\r\n"),
        '\ufeff"sep=,"\n' + sheet(NAMES, CELLS),
        "SEP=|\n" + sheet(NAMES, CELLS, "|"),
        sheet(NAMES, ['"=""SO-7"""', "'main", *CELLS[2:]]),
        sheet(NAMES, ["SO-7\u200b", "main\u200b", *CELLS[2:]]),
    ],
)
def test_a_sheet_is_read_however_its_head_is_written(text: str, name: str) -> None:
    (job,) = taken(text, name)
    (plain,) = taken(sheet(NAMES, CELLS))
    assert isinstance(job, Job), job
    assert isinstance(plain, Job)
    assert (job.order_id, job.body) == ("SO-7", plain.body)


def test_rows_that_are_one_quoted_cell_each_are_told() -> None:
    text = "".join(f'"{",".join(row)}"\n' for row in (NAMES, CELLS))
    for name in ("x.csv", "-"):
        with pytest.raises(InputError, match="each row is one quoted cell"):
            taken(text, name)


@pytest.mark.parametrize(("account", "near"), [("main", "city"), ("wholesale", "cityText")])
def test_the_column_of_the_sheet_s_own_marketplace_is_named(account: str, near: str) -> None:
    names = [name if name != "city" else "cityy" for name in NAMES]
    cells = [cell if cell != "main" else account for cell in CELLS]
    with pytest.raises(InputError) as caught:
        taken(sheet(names, cells))
    assert str(caught.value).endswith(f"nearest known column: {near}")


def test_a_column_that_stands_twice_in_two_cases_is_told() -> None:
    for name in ("City", "ORDER_ID"):
        with pytest.raises(InputError, match="twice"):
            taken(sheet([*NAMES, name], [*CELLS, "x"]))
