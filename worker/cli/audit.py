"""The command `fulfil audit`: who did what by hand."""

from __future__ import annotations

import click

from worker.cli.group import as_json, main, out, parts
from worker.cli.selection import check_account, moment
from worker.terminal.screen import print_json


@main.command()
@click.option("--since", metavar="TIME", help="Only what was done since then: 2026-11-26, …T14:00Z, or 2h.")
@click.option("--account", help="Only what was done with this account or with orders of it.")
@click.option("--order", help="Only what was done with this order, its submission too.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, metavar="NUMBER", help="The newest so many."
)
@as_json
def audit(since: str | None, account: str | None, order: str | None, limit: int, json_: bool) -> None:
    """List what was done by hand: submissions, acts on orders, pauses and resumes; the newest last.

    Each says when, what, who, on which host, by which door (cli, python, message, flower) and the note.
    """
    from worker.rules.audit import audit_line

    check_account(account)
    order_id = None if order is None else parts().queries.order(order).order.order_id
    found = parts().audit.newest(limit, None if since is None else moment(since), account, order_id)
    if json_:
        print_json([entry.as_json() for entry in found])
    else:
        out().print(*([audit_line(entry) for entry in found] or ["nothing was done by hand"]), sep="\n")
