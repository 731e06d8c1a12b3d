"""The command that shows what the programs of `fulfil up` wrote to their logs."""

from __future__ import annotations

import contextlib
import json

import click

from config import log_files
from config.settings import settings
from worker.cli.group import as_json, main
from worker.rules.plain import plain


@main.command()
@click.argument("program", required=False)
@click.option("--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option(
    "--lines", type=click.IntRange(0), default=50, show_default=True, metavar="N", help="How many to begin with."
)
@as_json
def logs(program: str | None, follow: bool, lines: int, json_: bool) -> None:
    """Show what the programs of `fulfil up` said last, all together in the order of time, or one of them.

    With --json an object a line.
    """
    from worker.errors import InputError

    home = settings().home
    known = log_files.programs(home)
    if not known:
        raise InputError(
            f"there are no logs in {home}; `fulfil up` writes them, under systemd and Docker see their own"
        )
    if program is not None and program not in known:
        raise InputError(f"no log of {program!r} in {home}; there are {', '.join(known)}")
    chosen = known if program is None else {program: known[program]}
    width = 0 if program is not None else max(map(len, known))
    places = log_files.ends(chosen)
    for line in log_files.last(chosen, lines):
        _print(line, width, json_)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for line in log_files.follow(chosen, places, lambda: False):
                _print(line, width, json_)


def _print(line: log_files.Line, width: int, json_: bool) -> None:
    text = plain(line.text)
    if json_:
        click.echo(json.dumps({"program": line.program, "line": text}))
    else:
        click.echo(f"{line.program:{width}}  {text}" if width else text)
