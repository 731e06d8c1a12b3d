"""What `fulfil export --rejected` does: what intake did not take, as a list or as rows to mend and submit again."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import Any, TextIO

import click

from worker.cli.group import parts
from worker.errors import InputError
from worker.rules.plain import escaped, plain, plain_value
from worker.rules.troubles import RejectionView

COLUMNS = ("batch", "line", "order_id", "field", "reason")


def export_rejected(rejected: bool, source: str | None, output: TextIO, as_json: bool, asked: dict[str, Any]) -> None:
    """Write what was rejected; with `source`, a batch's rejected rows themselves. Raises InputError, UnknownOrder."""
    batch = asked["batch"]
    if not rejected:
        raise InputError("--from goes with --rejected --batch BATCH")
    if any(value for name, value in asked.items() if name != "batch"):
        raise InputError("--rejected goes with --batch alone: what was not taken has no state and no code")
    if source is not None:
        if batch is None or as_json:
            raise InputError("--from goes with --rejected --batch BATCH, and writes the form of FILE")
        _rows(batch, source, output)
        return
    every = parts().queries.every_rejection() if batch is None else _of(batch)
    rows = ({"batch": of, **one.as_json()} for of, one in every)
    if as_json:
        output.write("[\n")
        for number, row in enumerate(rows):
            output.write((",\n" if number else "") + escaped(json.dumps(row, ensure_ascii=False)))
        output.write("\n]\n")
        return
    writer = csv.DictWriter(output, COLUMNS)
    writer.writeheader()
    writer.writerows(map(plain_value, rows))


def _of(batch: str) -> Iterable[tuple[str, RejectionView]]:
    return ((batch, one) for one in parts().queries.rejections(batch))


def _rows(batch: str, source: str, output: TextIO) -> None:
    from worker.orders.mending import pick

    picked = pick(source, list(parts().queries.rejections(batch)), parts().accounts.terms())
    output.write(picked.text)
    if picked.unread:
        lines = ", ".join(map(str, picked.unread))
        told = "mend in it what cannot be read as an order, and submit it again: what was taken is a duplicate there"
        click.echo(f"fulfil: {plain(source)}, lines {lines}: {told}", err=True)
