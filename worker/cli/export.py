"""The command `fulfil export`: orders with what was read back, as CSV or JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import PAGE, main, parts
from worker.cli.selection import select, selection
from worker.errors import InputError
from worker.rules.plain import escaped, plain_value

if TYPE_CHECKING:
    from worker.rules.life_views import LifeView
    from worker.rules.views import OrderView


@main.command()
@selection
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file; `-`: here.")
@click.option("--json", "json_", is_flag=True, help="The same as --format json.")
@click.option(
    "--for",
    "reader",
    type=click.Choice(["program", "spreadsheet"]),
    default="program",
    show_default=True,
    help="A spreadsheet rounds long ids and runs formulas: for it such cells are marked as text by a '.",
)
@click.option("--rejected", is_flag=True, help="What intake did not take, instead of orders; with --batch, of one.")
@click.option(
    "--from",
    "source",
    type=click.Path(),
    metavar="FILE",
    help="With --rejected --batch: the rejected rows of this file.",
)
def export(form: str, output: Any, json_: bool, reader: str, rejected: bool, source: str | None, **asked: Any) -> None:
    """Export orders with what was read back: a row for each order and marketplace id.

    With --rejected: batch, line, order_id, field and reason of what intake did not take. With --rejected --batch BATCH
    --from FILE, FILE being what that batch was made of: the rejected rows themselves, as they stand in it, with a
    column rejected_because; mend them, and submit the result as it is.
    """
    from worker.cli.mending import export_rejected
    from worker.cli.spreadsheet import BYTE_ORDER_MARK, as_text

    if rejected or source:
        export_rejected(rejected, source, output, json_ or form == "json", asked)
        return
    rows = _export_rows(select(**asked))
    if reader == "spreadsheet":
        if json_ or form == "json":
            raise InputError("--for spreadsheet is a form of CSV; leave --json and --format json out")
        output.write(BYTE_ORDER_MARK)
        rows = map(as_text, rows)
    if json_ or form == "json":
        output.write("[\n")
        for number, row in enumerate(rows):
            output.write((",\n" if number else "") + escaped(json.dumps(row, ensure_ascii=False)))
        output.write("\n]\n")
        return
    writer = csv.DictWriter(output, EXPORT_COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(map(plain_value, rows))


EXPORT_COLUMNS = [
    *("order_id", "account", "marketplace", "state", "reference", "status", "fulfilment_status"),
    *("amount", "currency", "paid_amount", "paid_currency", "attempts", "code", "reason", "fix", "alert", "read_at"),
    *("stage", "paid", "deadline", "end_reason", "parcels"),
]


_OF_THE_ORDER = ("order_id", "account", "marketplace", "state", "attempts", "code", "reason", "fix")


def _export_rows(orders: Iterator[OrderView]) -> Iterator[dict[str, Any]]:
    while page := list(islice(orders, PAGE)):
        ids = [order.order_id for order in page]
        results, lives = parts().queries.results(ids), parts().life_queries.of_orders(ids)
        for order in page:
            known = {name: getattr(order, name) for name in _OF_THE_ORDER}
            after = {one.reference: _after_the_confirm(one) for one in lives.get(order.order_id, [])}
            read = {result.reference: result.as_json() for result in results.get(order.order_id, [])}
            for reference in [*order.references, *(r for r in read if r not in order.references)] or [""]:
                yield known | read.get(reference, {}) | after.get(reference, {}) | {"reference": reference or None}


def _after_the_confirm(one: LifeView) -> dict[str, Any]:
    """Return the columns of a supplier order's second life; the numbers to hand on, those replaced left out."""
    numbers = [parcel.number for parcel in one.parcels if parcel.replaced_by is None]
    told = one.as_json()
    return {
        "stage": told["stage"],
        "paid": told["paid"],
        "deadline": told["deadline"],
        "end_reason": told["end_reason"],
        "parcels": " ".join(numbers),
    }
