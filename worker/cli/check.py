"""The command `fulfil check`: how the orders of files would fare, before anything is spent."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from worker.cli.group import as_json, main, parts
from worker.errors import InputError, Unavailable
from worker.rules.plain import plain, plain_value
from worker.terminal.screen import print_json

if TYPE_CHECKING:
    from worker.orders.jobs import Job, Rejection
    from worker.preflight import Preflights
    from worker.rules.checked import Checked

GROUP = 10_000
"""Orders that are asked about together: each question once."""


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--csv",
    "mend",
    type=click.File("w", encoding="utf-8", lazy=True),
    metavar="FILE",
    help="Write there what is to be mended, a row for each finding; `-`: here.",
)
@as_json
def check(files: tuple[str, ...], mend: TextIO | None, json_: bool) -> None:
    """Say how the orders of files would fare, without placing or taking in any.

    AliExpress: product, SKU, stock, limits, delivery and its price, names of the address, split into stores. Xportcn:
    its preview. Shoplazza offers nothing to ask. Exit codes: 1 some are doomed, 3 a marketplace could not be asked.
    """
    told: list[Checked] = []
    failures: list[InputError] = []
    with parts().embedded:  # a check needs no ledger, and makes none
        preflights = parts().preflights()
        for path in files:
            try:
                told.append(_check(preflights, path))
            except InputError as error:
                failures.append(error)
    if mend is not None:
        _write(told, mend)
    if json_:
        print_json([one.as_json() for one in told] if len(files) > 1 else told[0].as_json() if told else [])
    elif mend is None or mend.name != "-":
        _tell(told)
    away = sorted(preflights.away.items())
    for said in [*map(str, failures), *(f"{account}: {why}" for account, why in away)]:
        click.echo(f"fulfil: {plain(said)}", err=True)
    doomed = any(one.is_doomed for one in told)
    raise SystemExit(InputError.exit_code if failures else Unavailable.exit_code if away else int(doomed))


def _check(preflights: Preflights, path: str) -> Checked:
    from worker.orders.files import jobs as read_jobs
    from worker.rules.checked import Checked

    entries = read_jobs(path, parts().accounts.terms(), None)
    told = Checked(Path(path).name)
    while group := list(islice(entries, GROUP)):
        _add(preflights, told, group)
    return told


def _add(preflights: Preflights, told: Checked, group: Iterable[Job | Rejection]) -> None:
    from worker.orders.jobs import Job
    from worker.rules.checked import CheckedLine

    entries = list(group)
    seen = iter(preflights.look([entry for entry in entries if isinstance(entry, Job)]))
    for entry in entries:
        if isinstance(entry, Job):
            one = next(seen)
            told.add(CheckedLine(entry.line, entry.order_id, entry.account, one.verdict, one.read_at))
        else:
            told.reject(entry.line, entry.order_id, entry.field, entry.reason)


def _write(told: Iterable[Checked], mend: TextIO) -> None:
    from worker.rules.checked import COLUMNS

    rows: Iterator[dict[str, Any]] = (row for one in told for row in one.to_mend())
    writer = csv.DictWriter(mend, COLUMNS)
    writer.writeheader()
    writer.writerows(map(plain_value, rows))
    mend.flush()


def _tell(told: Iterable[Checked]) -> None:
    from worker.rules.checked import checked_lines

    for one in told:
        for line in checked_lines(one):
            click.echo(plain(line))
