"""The commands of `fulfil` that hand orders in and show them: submit, status, list, show, why, orphans, export."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import click

from worker.cli.group import as_json, doorbell, main, out, print_json
from worker.cli.screen import console
from worker.errors import InputError

PAGE = 200


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--wait", is_flag=True, help="Wait until every order is final or needs a person.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Longest wait with --wait.")
@click.option("--allow-repeat", is_flag=True, help="Orders of the same content are meant: no notice of them.")
@as_json
def submit(files: tuple[str, ...], wait: bool, timeout: float | None, allow_repeat: bool, json_: bool) -> None:
    """Submit files of jobs: JSON lines, JSON or CSV; `-` is standard input."""
    from tasks.submit import Batch, submit_file

    batches: list[Batch] = []
    failures: list[InputError] = []
    with doorbell():
        for path in files:
            try:
                batches.append(submit_file(path, allow_repeat=allow_repeat))
            except InputError as error:  # the other files are taken all the same
                failures.append(error)
        finished = [_watch(batch.batch, timeout, json_) for batch in batches] if wait else []
    if json_ and batches:
        answers = [_answer(batch, wait) for batch in batches]
        print_json(answers[0] if len(files) == 1 else answers)
    elif not json_:
        for batch in batches:
            _tell(batch, wait)
    unrung = next((batch.unrung for batch in batches if batch.unrung), None)
    for said in [*map(str, failures), *([f"the orders are kept, but {unrung}"] if unrung else [])]:
        click.echo(f"fulfil: {said}", err=True)
    troubled = bool(unrung) or any(batch.rejected for batch in batches) or not all(finished)
    needed = troubled or (wait and any(map(_needs_person, batches)))
    raise SystemExit(2 if failures else int(needed))


@main.command()
@click.argument("batch", required=False)
@as_json
def status(batch: str | None, json_: bool) -> None:
    """Show how many orders stand in each state: of one batch, or of all."""
    from worker.ledger import queries as reports
    from worker.ledger.engine import ledger

    found: dict[str, Any] = {
        "batches": reports.batch_rows(ledger(), batch),
        "states": reports.counts(ledger(), batch),
        "attention": reports.attention_count(ledger(), batch),
        "paused": reports.paused_accounts(ledger()),
    }
    if json_:
        print_json(found)
    else:
        for row in found["batches"]:
            taken = f"{row['accepted']} accepted, {row['duplicates']} duplicates, {row['rejected']} rejected"
            out.print(f"{row['batch_id']}  {row['source']}: {taken}")
        out.print("  ".join(f"{state} {number}" for state, number in sorted(found["states"].items())) or "no orders")
        for account, pause in found["paused"].items():
            out.print(f"account {account} is held: {pause['reason']}")
        if found["attention"]:
            out.print(f"{found['attention']} need a person: fulfil list --attention")
    raise SystemExit(1 if found["attention"] else 0)


def _selection(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option("--state", help="Only orders in this state."),
            click.option("--account", help="Only orders of this account."),
            click.option("--batch", help="Only orders of this batch."),
            click.option("--attention", is_flag=True, help="Only orders that need a person."),
        )
    ):
        command = option(command)
    return command


@main.command("list")
@_selection
@as_json
def list_(json_: bool, **selection: Any) -> None:
    """List orders."""
    from worker.cli.tables import orders_table

    orders = _select(**selection)
    if json_:
        print_json(list(orders))
        return
    while page := list(islice(orders, PAGE)):
        out.print(orders_table(page, _results(page)))


@main.command()
@click.argument("order")
@as_json
def show(order: str, json_: bool) -> None:
    """Show one order: how it stands, every attempt, every move, and what was read back."""
    from worker.cli.tables import orders_table, story
    from worker.ledger import queries as reports
    from worker.ledger.engine import ledger

    found = reports.show_order(ledger(), order)
    if json_:
        print_json(found)
        return
    out.print(orders_table([found | {"attempts": len(found["attempts"])}], _results([found])))
    out.print(story(found))
    for attempt in found["attempts"]:
        told = [attempt[name] for name in ("outcome", "code", "cause", "request_id") if attempt[name]]
        out.print(f"attempt {attempt['number']} {attempt['sent_at']} {attempt['duration_ms']} ms", *told)


@main.command()
@click.argument("order")
@as_json
def why(order: str, json_: bool) -> None:
    """Say in plain words how an order stands, what happens next, and what a person can do."""
    from worker.cli import tables
    from worker.ledger import queries as reports
    from worker.ledger.engine import ledger

    found = reports.show_order(ledger(), order)
    text = tables.why(found, reports.paused_accounts(ledger()))
    if json_:
        print_json({"order_id": found["order_id"], "why": text})
    else:
        out.print(text)


@main.command()
@as_json
def orphans(json_: bool) -> None:
    """List the marketplace's orders that push messages told of and that no order of ours could be found for."""
    from tasks.match import pushes
    from worker.cli.tables import orphans_table
    from worker.ledger.queries import utc

    found = [row | {"at": utc(row["at"])} for row in pushes().orphans()]
    if json_:
        print_json(found)
    elif found:
        out.print(orphans_table(found))
        out.print("where you know the order it belongs to: fulfil adopt ORDER --reference REFERENCE")
    else:
        out.print("no orphans: every push message has found its order")
    raise SystemExit(1 if found else 0)


@main.command()
@_selection
@click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="A file; `-`: here.")
@click.option("--json", "json_", is_flag=True, help="The same as --format json.")
def export(form: str, output: Any, json_: bool, **selection: Any) -> None:
    """Export orders with what was read back: a row for each order and marketplace id."""
    rows = _export_rows(_select(**selection))
    if json_ or form == "json":
        output.write("[\n")
        for number, row in enumerate(rows):
            output.write((",\n" if number else "") + json.dumps(row, ensure_ascii=False))
        output.write("\n]\n")
        return
    writer = csv.DictWriter(output, EXPORT_COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)


EXPORT_COLUMNS = [
    *("order_id", "account", "marketplace", "state", "reference", "status", "fulfilment_status"),
    *("amount", "currency", "paid_amount", "paid_currency", "attempts", "code", "reason", "fix", "alert", "read_at"),
]


def _export_rows(orders: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while page := list(islice(orders, PAGE)):
        results = _results(page)
        for order in page:
            known = {name: order[name] for name in ("order_id", "account", "marketplace", "state", "attempts")}
            known |= {name: order[name] for name in ("code", "reason", "fix")}
            read = {entry["reference"]: entry for entry in results.get(order["order_id"], [])}
            for reference in [*order["references"], *(r for r in read if r not in order["references"])] or [None]:
                yield known | read.get(reference, {}) | {"reference": reference}


def _select(**selection: Any) -> Iterator[dict[str, Any]]:
    from worker.ledger import queries as reports
    from worker.ledger.engine import ledger
    from worker.rules.states import State

    state = selection.get("state")
    if state is not None and state not in list(State):
        raise InputError(f"no state {state!r}; there are {', '.join(State)}")
    return reports.list_orders(ledger(), reports.Filter(**selection))


def _results(orders: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    from worker.ledger import queries as reports
    from worker.ledger.engine import ledger

    with ledger().reading() as connection:
        return reports.results_of(connection, [order["order_id"] for order in orders])


def _watch(batch: str, timeout: float | None, quiet: bool) -> bool:
    from worker.app import app
    from worker.cli.tables import watch_batch
    from worker.ledger.engine import ledger

    @functools.cache
    def hint() -> str | None:
        return None if app.control.ping(timeout=1) else "no worker answers; start one: fulfil up"

    return watch_batch(console(stderr=True, quiet=quiet), ledger(), batch, timeout, hint)


def _needs_person(batch: Any) -> bool:
    from worker.ledger import queries as reports
    from worker.ledger.engine import ledger

    return reports.attention_count(ledger(), batch.batch) > 0


def _answer(batch: Any, wait: bool) -> dict[str, Any]:
    from worker.ledger import queries as reports
    from worker.ledger.engine import ledger

    answer: dict[str, Any] = batch.as_json()
    if wait:
        answer["states"] = reports.counts(ledger(), batch.batch)
    return answer


def _tell(batch: Any, wait: bool) -> None:
    from worker.cli.tables import orders_table, rejections_table

    told = f"{batch.accepted} accepted, {len(batch.duplicates)} duplicates, {len(batch.rejected)} rejected"
    out.print(f"batch {batch.batch}: {told}")
    for order_id, state in batch.duplicates[:PAGE]:
        out.print(f"  {order_id}: duplicate, state {state}")
    for notice, number in batch.notices.items():
        out.print(f"  {notice} ({number} orders)")
    if batch.rejected:
        out.print(rejections_table([{"line": r.line, "field": r.field, "reason": r.reason} for r in batch.rejected]))
    if wait:
        page = list(islice(_select(batch=batch.batch), PAGE))
        out.print(orders_table(page, _results(page)))
        if batch.accepted > PAGE:
            out.print(f"the first {PAGE} of {batch.accepted}; the rest: fulfil list --batch {batch.batch}")
