"""The commands of `fulfil` that take orders in: submit, and rejections."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from worker.cli.group import PAGE, as_json, doorbell, main, out, parts, person
from worker.cli.orders import print_orders
from worker.cli.waiting import interrupted, watched
from worker.errors import InputError, Unavailable
from worker.rules.plain import plain
from worker.terminal.screen import print_json

if TYPE_CHECKING:
    from worker.intake import Batch

WATCHED = 1_000_000
"""Orders that were known already and that `--wait` waits for too."""


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--wait", is_flag=True, help="Wait until every order is final or needs a person.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Longest wait with --wait.")
@click.option("--dry-run", is_flag=True, help="Only say what would be taken and what refused; nothing is taken in.")
@click.option(
    "--allow-repeat", is_flag=True, help="Orders with the same content are intended: print no notice about them."
)
@click.option(
    "--replace", is_flag=True, help="A known order with other content is changed to it, where it surely does not exist."
)
@as_json
def submit(
    files: tuple[str, ...],
    wait: bool,
    timeout: float | None,
    dry_run: bool,
    allow_repeat: bool,
    replace: bool,
    json_: bool,
) -> None:
    """Submit files of jobs: JSON lines, JSON or CSV; `-` is standard input.

    Exit codes: 0 all was taken (and with --wait needs nobody), 1 something was rejected or needs a person, 2 a file
    cannot be read, 3 something is away, 130 Ctrl-C.
    """
    if dry_run:
        from worker.cli.rehearsing import rehearse

        if wait:
            raise InputError("--dry-run takes nothing in, so that there is nothing to --wait for; leave one out")
        raise SystemExit(rehearse(files, json_))
    batches: list[Batch] = []
    failures: list[InputError] = []
    with doorbell():
        with interrupted(lambda: f"what was taken in is kept; the rest: fulfil submit {' '.join(files)}"):
            for path in files:
                try:
                    batches.append(_taken(path, allow_repeat, replace, wait))
                except InputError as error:  # the other files are taken all the same
                    failures.append(error)
        waits = [one for batch in batches for one in _watches(batch)] if wait else []
        finished = watched(waits, timeout, json_)
    _print(batches, wait, json_, several=len(files) > 1)
    unrung = next((batch.unrung for batch in batches if batch.unrung), None)
    for said in [*map(str, failures), *([f"the orders are kept, but {unrung}"] if unrung else [])]:
        click.echo(f"fulfil: {plain(said)}", err=True)
    troubled = any(batch.rejected_number for batch in batches) or not finished
    needed = troubled or any(parts().queries.attention_count(batch, ids) for batch, ids in waits)
    raise SystemExit(InputError.exit_code if failures else Unavailable.exit_code if unrung else int(needed))


def _taken(path: str, allow_repeat: bool, replace: bool, wait: bool) -> Batch:
    from worker.intake import KEPT

    kept = WATCHED if wait else KEPT
    return parts().intake.submit_file(path, allow_repeat=allow_repeat, actor=person(), replace=replace, kept=kept)


def _watches(batch: Batch) -> list[tuple[str | None, Sequence[str] | None]]:
    """Return what to wait for: the batch's own orders, and those that were known before."""
    known = [order_id for order_id, _ in batch.duplicates] + batch.amended
    return [(batch.batch, None), *([(None, known)] if known else [])]


@main.command()
@click.argument("batch")
@as_json
def rejections(batch: str, json_: bool) -> None:
    """List what a batch's intake did not take, and why; with --json an object a line."""
    from worker.terminal.tables import rejection_row, rejections_grid

    found, grid = parts().queries.rejections(batch), rejections_grid()
    while page := list(islice(found, PAGE)):
        if json_:
            click.echo("\n".join(json.dumps(one.as_json(), ensure_ascii=False) for one in page))
        else:
            out().print(grid.page(map(rejection_row, page)))


def _print(batches: Sequence[Batch], wait: bool, json_: bool, several: bool) -> None:
    if json_ and batches:
        answers = [_answer(batch, wait) for batch in batches]
        print_json(answers if several else answers[0])
    elif not json_:
        for batch in batches:
            _tell(batch)
            if wait:
                _tell_how_they_stand(batch)


def _answer(batch: Batch, wait: bool) -> dict[str, Any]:
    answer = batch.as_json()
    if wait:
        answer["states"] = parts().queries.counts(batch.batch)
        if batch.duplicates:
            answer["duplicate_states"] = parts().queries.counts(ids=[order_id for order_id, _ in batch.duplicates])
    return answer


def _tell(batch: Batch) -> None:
    told = f"{batch.accepted} accepted, {batch.duplicates_number} duplicates, {batch.rejected_number} rejected"
    out().print(f"batch {batch.batch}: {told}" + (f", {batch.amended_number} amended" if batch.amended_number else ""))
    for order_id in batch.amended[:PAGE]:
        out().print(f"  {order_id}: amended; it goes again under its own id")
    for order_id, state in batch.duplicates[:PAGE]:
        out().print(f"  {order_id}: duplicate, state {state}")
    if batch.duplicates_number > PAGE:
        out().print(f"  the first {PAGE} of {batch.duplicates_number} duplicates")
    for notice, number in batch.notices.items():
        out().print(f"  {notice} ({number} orders)")
    if batch.rejected_number:
        tell_rejections(batch.batch)


def tell_rejections(batch: str) -> None:
    """Print what a batch's intake did not take: each reason once; and how to mend it."""
    from worker.rules.rejected import mending, reasons
    from worker.terminal.tables import reasons_table

    found = reasons(parts().queries.rejections(batch))
    if found:
        out().print(reasons_table(found[:PAGE]))
        if len(found) > PAGE:
            out().print(f"the {PAGE} most frequent of {len(found)} reasons")
        out().print(mending(batch), style="dim")


def _tell_how_they_stand(batch: Batch) -> None:
    from worker.ledger.selection import Filter

    known = (*(order_id for order_id, _ in batch.duplicates), *batch.amended)
    for wanted, number, rest in (
        (Filter(batch=batch.batch), batch.accepted, f"fulfil list --batch {batch.batch}"),
        (Filter(ids=known), len(known), "fulfil list --attention"),
    ):
        if number:
            print_orders(parts().queries.orders(wanted, limit=PAGE))
        if number > PAGE:
            out().print(f"the first {PAGE} of {number}; the rest: {rest}")
