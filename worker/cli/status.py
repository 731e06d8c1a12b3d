"""The command `fulfil status`: how all orders, or one batch, stand."""

from __future__ import annotations

import click

from worker.cli.group import as_json, main, out, parts
from worker.cli.submit import tell_rejections
from worker.rules.rejected import reasons
from worker.terminal.screen import print_json


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
            {
                "batches": [b.as_json() for b in batches],
                "states": counts,
                "attention": attention,
                "paused": told,
                "rejections": [] if batch is None else [one.as_json() for one in reasons(queries.rejections(batch))],
            }
        )
    else:
        for row in batches:
            taken = f"{row.accepted} accepted, {row.duplicates} duplicates, {row.rejected} rejected"
            out().print(f"{row.batch_id}  {row.source}: {taken}")
        if batch is not None:
            tell_rejections(batch)
        out().print("  ".join(f"{state} {number}" for state, number in sorted(counts.items())) or "no orders")
        for account, pause in paused.items():
            out().print(f"account {account} is paused: {pause.reason}")
        if attention:
            out().print(f"{attention} need a person: fulfil list --attention")
    raise SystemExit(1 if attention else 0)
