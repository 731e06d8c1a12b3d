"""What `fulfil submit --dry-run` does: it tells what would become of the files, and takes nothing in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from config.settings import settings
from worker.cli.group import out, parts
from worker.errors import InputError
from worker.rules.plain import plain
from worker.terminal.screen import print_json

if TYPE_CHECKING:
    from worker.ledger.engine import Ledger
    from worker.rules.rehearsal import Rehearsal


def rehearse(files: Sequence[str], json_: bool) -> int:
    """Print what would become of files; return the exit code `submit` would end with. No ledger is made."""
    from worker.rehearse import Rehearsals

    rehearsals = Rehearsals(_ledger(), parts().accounts)
    told: list[Rehearsal] = []
    failures: list[InputError] = []
    for path in files:
        try:
            told.append(rehearsals.rehearse(path))
        except InputError as error:
            failures.append(error)
    if json_ and told:
        print_json([one.as_json() for one in told] if len(files) > 1 else told[0].as_json())
    elif not json_:
        for one in told:
            _tell(one)
    for said in map(str, failures):
        click.echo(f"fulfil: {plain(said)}", err=True)
    return InputError.exit_code if failures else int(any(one.rejected for one in told))


def _ledger() -> Ledger | None:
    """Return the ledger where there is one; none is made."""
    from worker.ledger.address import is_missing
    from worker.ledger.engine import Ledger

    url = settings().database()
    return None if is_missing(url) or Ledger(url).version() is None else parts().ledger


def _tell(told: Rehearsal) -> None:
    from worker.rules.rehearsal import rehearsal_lines
    from worker.rules.rejected import reasons
    from worker.terminal.tables import reasons_table

    out().print(*rehearsal_lines(told), sep="\n")
    if told.rejected:
        out().print(reasons_table(reasons(told.rejected)))
