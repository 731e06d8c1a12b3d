"""The commands of `fulfil` that take orders in: submit, and rejections."""

from __future__ import annotations

import functools
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import PAGE, as_json, doorbell, main, out, parts, person
from worker.cli.orders import print_orders
from worker.errors import FulfilError, InputError, Unavailable
from worker.rules.plain import plain
from worker.terminal.screen import console, print_json

if TYPE_CHECKING:
    from worker.intake import Batch


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--wait", is_flag=True, help="Wait until every order is final or needs a person.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Longest wait with --wait.")
@click.option(
    "--allow-repeat", is_flag=True, help="Orders with the same content are intended: print no notice about them."
)
@click.option(
    "--replace", is_flag=True, help="A known order with other content is changed to it, where it surely does not exist."
)
@as_json
def submit(
    files: tuple[str, ...], wait: bool, timeout: float | None, allow_repeat: bool, replace: bool, json_: bool
) -> None:
    """Submit files of jobs: JSON lines, JSON or CSV; `-` is standard input."""
    batches: list[Batch] = []
    failures: list[InputError] = []
    with doorbell():
        for path in files:
            try:
                batches.append(
                    parts().intake.submit_file(path, allow_repeat=allow_repeat, actor=person(), replace=replace)
                )
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
    from worker.rules.troubles import RejectionView
    from worker.terminal.tables import rejections_table

    told = f"{batch.accepted} accepted, {batch.duplicates_number} duplicates, {batch.rejected_number} rejected"
    out().print(f"batch {batch.batch}: {told}" + (f", {batch.amended_number} amended" if batch.amended_number else ""))
    for order_id in batch.amended[:PAGE]:
        out().print(f"  {order_id}: amended; it goes again under its own id")
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
        print_orders(list(islice(parts().queries.orders(Filter(batch=batch.batch)), PAGE)))
        if batch.accepted > PAGE:
            out().print(f"the first {PAGE} of {batch.accepted}; the rest: fulfil list --batch {batch.batch}")
