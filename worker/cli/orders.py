"""The commands of `fulfil` that hand orders in and show them: submit, status, list, show, why, orphans, export."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import as_json, doorbell, main, out, parts
from worker.cli.selection import filter_of, selection
from worker.errors import FulfilError, InputError, Unavailable
from worker.rules.plain import escaped, plain, plain_value
from worker.terminal.screen import console, print_json

if TYPE_CHECKING:
    from worker.intake import Batch
    from worker.rules.views import OrderView

PAGE = 200


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--wait", is_flag=True, help="Wait until every order is final or needs a person.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Longest wait with --wait.")
@click.option(
    "--allow-repeat", is_flag=True, help="Orders with the same content are intended: print no notice about them."
)
@as_json
def submit(files: tuple[str, ...], wait: bool, timeout: float | None, allow_repeat: bool, json_: bool) -> None:
    """Submit files of jobs: JSON lines, JSON or CSV; `-` is standard input."""
    batches: list[Batch] = []
    failures: list[InputError] = []
    with doorbell():
        for path in files:
            try:
                batches.append(parts().intake.submit_file(path, allow_repeat=allow_repeat))
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
        click.echo(f"fulfil: {plain(said)}", err=True)
    troubled = any(batch.rejected_number for batch in batches) or not all(finished)
    needed = troubled or (wait and any(parts().queries.attention_count(batch.batch) for batch in batches))
    raise SystemExit(InputError.exit_code if failures else Unavailable.exit_code if unrung else int(needed))


@main.command()
@click.argument("batch", required=False)
@as_json
def status(batch: str | None, json_: bool) -> None:
    """Show how many orders stand in each state: of one batch, or of all."""
    queries = parts().queries
    batches, counts, attention = queries.batches(batch), queries.counts(batch), queries.attention_count(batch)
    paused = parts().pauses.standing()
    if json_:
        told = {account: pause.as_json() for account, pause in paused.items()}
        print_json(
            {"batches": [b.as_json() for b in batches], "states": counts, "attention": attention, "paused": told}
        )
    else:
        for row in batches:
            taken = f"{row.accepted} accepted, {row.duplicates} duplicates, {row.rejected} rejected"
            out().print(f"{row.batch_id}  {row.source}: {taken}")
        out().print("  ".join(f"{state} {number}" for state, number in sorted(counts.items())) or "no orders")
        for account, pause in paused.items():
            out().print(f"account {account} is paused: {pause.reason}")
        if attention:
            out().print(f"{attention} need a person: fulfil list --attention")
    raise SystemExit(1 if attention else 0)


@main.command()
@click.argument("batch")
@as_json
def rejections(batch: str, json_: bool) -> None:
    """List what a batch's intake did not take, and why; with --json an object a line."""
    from worker.terminal.tables import rejections_table

    found = parts().queries.rejections(batch)
    while page := list(islice(found, PAGE)):
        if json_:
            click.echo("\n".join(json.dumps(one.as_json(), ensure_ascii=False) for one in page))
        else:
            out().print(rejections_table(page))


@main.command("list")
@selection
@as_json
def list_(json_: bool, **asked: Any) -> None:
    """List orders."""
    orders = _select(**asked)
    if json_:
        print_json([order.as_json() for order in orders])
        return
    while page := list(islice(orders, PAGE)):
        _print_orders(page)


@main.command()
@click.argument("order")
@as_json
def show(order: str, json_: bool) -> None:
    """Show one order: how it stands, every attempt, every move, and what was read back."""
    from worker.terminal.tables import history

    story = parts().queries.order(order)
    if json_:
        print_json(story.as_json())
        return
    _print_orders([story.order])
    out().print(history(story))
    for attempt in story.attempts:
        told = attempt.as_json()
        words = [told[name] for name in ("outcome", "code", "cause", "request_id") if told[name]]
        out().print(f"attempt {attempt.number} {told['sent_at']} {attempt.duration_ms} ms", *words)


@main.command()
@click.argument("order")
@as_json
def why(order: str, json_: bool) -> None:
    """Say in plain words how an order stands, what happens next, and what a person can do."""
    from worker.marketplaces import REGISTRY
    from worker.rules.words import why as sentences

    found = parts().queries.order(order).order
    known = REGISTRY.get(found.marketplace)
    pause = parts().pauses.standing().get(found.account)
    text = sentences(found, pause, takes_pushes=known is not None and known.takes_pushes)
    if json_:
        print_json({"order_id": found.order_id, "why": text})
    else:
        out().print(text)


@main.command()
@selection
@as_json
def failures(json_: bool, **asked: Any) -> None:
    """Say what keeps orders from going on: each trouble once, with how many, since when, what to do, an example."""
    from worker.terminal.tables import failures_table

    found = parts().queries.failures(filter_of(asked))
    if json_:
        print_json([failure.as_json() for failure in found])
    elif found:
        out().print(failures_table(found))
        out().print("all of a kind at once: fulfil retry --code CODE --account ACCOUNT, or close, or amend")
    else:
        out().print("nothing keeps any order from going on")
    raise SystemExit(1 if found else 0)


@main.command()
@as_json
def orphans(json_: bool) -> None:
    """List orders of the marketplace that push messages report and that fit none of your orders."""
    from worker.terminal.tables import orphans_table

    found = parts().pushes.orphans()
    if json_:
        print_json([orphan.as_json() for orphan in found])
    elif found:
        out().print(orphans_table(found))
        out().print("if you know which order it belongs to: fulfil adopt ORDER --reference REFERENCE")
    else:
        out().print("no orphans: every push message has found its order")
    raise SystemExit(1 if found else 0)


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
def export(form: str, output: Any, json_: bool, reader: str, **asked: Any) -> None:
    """Export orders with what was read back: a row for each order and marketplace id."""
    from worker.cli.spreadsheet import BYTE_ORDER_MARK, as_text

    rows = _export_rows(_select(**asked))
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
]
_OF_THE_ORDER = ("order_id", "account", "marketplace", "state", "attempts", "code", "reason", "fix")


def _export_rows(orders: Iterator[OrderView]) -> Iterator[dict[str, Any]]:
    while page := list(islice(orders, PAGE)):
        results = parts().queries.results([order.order_id for order in page])
        for order in page:
            known = {name: getattr(order, name) for name in _OF_THE_ORDER}
            read = {result.reference: result.as_json() for result in results.get(order.order_id, [])}
            for reference in [*order.references, *(r for r in read if r not in order.references)] or [""]:
                yield known | read.get(reference, {}) | {"reference": reference or None}


def _select(**asked: Any) -> Iterator[OrderView]:
    return parts().queries.orders(filter_of(asked))


def _print_orders(page: list[OrderView]) -> None:
    from worker.terminal.tables import orders_table

    out().print(orders_table(page, parts().queries.results([order.order_id for order in page])))


def _watch(batch: str, timeout: float | None, quiet: bool) -> bool:
    from worker.app import app
    from worker.broker.listeners import pinged
    from worker.terminal.tables import watch_batch

    @functools.cache
    def hint() -> str | None:
        try:
            return None if pinged(app) else "no worker answers; start one: fulfil up"
        except FulfilError as error:
            return str(error)

    return watch_batch(console(stderr=True, quiet=quiet), parts().queries, batch, timeout, hint)


def _answer(batch: Batch, wait: bool) -> dict[str, Any]:
    answer = batch.as_json()
    if wait:
        answer["states"] = parts().queries.counts(batch.batch)
    return answer


def _tell(batch: Batch, wait: bool) -> None:
    from worker.ledger.selection import Filter
    from worker.rules.views import RejectionView
    from worker.terminal.tables import rejections_table

    told = f"{batch.accepted} accepted, {batch.duplicates_number} duplicates, {batch.rejected_number} rejected"
    out().print(f"batch {batch.batch}: {told}")
    for order_id, state in batch.duplicates[:PAGE]:
        out().print(f"  {order_id}: duplicate, state {state}")
    for notice, number in batch.notices.items():
        out().print(f"  {notice} ({number} orders)")
    if batch.rejected:
        out().print(rejections_table([RejectionView.of(rejection) for rejection in batch.rejected]))
    if batch.rejected_number > len(batch.rejected):
        rest = f"the rest: fulfil rejections {batch.batch}"
        out().print(f"the first {len(batch.rejected)} of {batch.rejected_number}; {rest}")
    if wait:
        _print_orders(list(islice(parts().queries.orders(Filter(batch=batch.batch)), PAGE)))
        if batch.accepted > PAGE:
            out().print(f"the first {PAGE} of {batch.accepted}; the rest: fulfil list --batch {batch.batch}")
