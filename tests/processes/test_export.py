"""An export for a spreadsheet, from the ledger to the file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.harness import Shop, job
from worker.cli.export import EXPORT_COLUMNS


def test_an_export_for_a_spreadsheet_keeps_every_id_and_no_formula(tmp_path: Path) -> None:
    with Shop(tmp_path) as shop:
        shop.submit([job("=HYPERLINK(1)"), job("8198352049851315"), job("SO-1")])
        answer = shop.cli("export", "--for", "spreadsheet")
        rows = list(csv.DictReader(io.StringIO(answer.out.removeprefix("\ufeff"))))
        assert answer.out.startswith("\ufeff")
        assert list(rows[0]) == EXPORT_COLUMNS
        assert {row["order_id"] for row in rows} == {"'=HYPERLINK(1)", "'8198352049851315", "SO-1"}
        plain_rows = list(csv.DictReader(io.StringIO(shop.cli("export").out)))
        assert {row["order_id"] for row in plain_rows} == {"=HYPERLINK(1)", "8198352049851315", "SO-1"}
        refused = shop.cli("export", "--for", "spreadsheet", "--json")
        assert (refused.code, refused.out) == (2, "")
