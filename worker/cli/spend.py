"""The command `fulfil spend`: what was ordered, confirmed and paid."""

from __future__ import annotations

import click

from worker.cli.group import as_json, main, out, parts
from worker.cli.selection import moment
from worker.rules.spending import By
from worker.terminal.screen import print_json


@main.command()
@click.option(
    "--by",
    type=click.Choice([one.value for one in By]),
    default=By.ACCOUNT.value,
    show_default=True,
    help="A line for each.",
)
@click.option("--since", metavar="TIME", help="Only orders first sent since then: 2026-11-26, …T14:00Z, or 2h.")
@click.option("--until", metavar="TIME", help="Only orders first sent before then.")
@as_json
def spend(by: str, since: str | None, until: str | None, json_: bool) -> None:
    """Add up what orders cost, by the day (UTC) they were first sent; currencies are never added together.

    ordered: what orders that the marketplace has cost, as read back, else as a preview told. confirmed: the part of it
    that was read back. paid: what the marketplace says was paid. What was refused, called off or never arrived counts
    nowhere; what was cancelled at the marketplace later still counts as ordered.
    """
    from worker.ledger.spending import bought
    from worker.rules.spending import COLUMNS, spending
    from worker.terminal.tables import spending_table

    key = By(by)
    bounds = [None if text is None else moment(text) for text in (since, until)]
    found = spending(bought(parts().ledger, *bounds), key)
    if json_:
        print_json([line.as_json(key) for line in found])
    elif found:
        out().print(spending_table(found, key))
        out().print("", *(f"{name}: {meaning}" for name, meaning in COLUMNS.items()), sep="\n", style="dim")
    else:
        out().print("no order was sent in that time")
