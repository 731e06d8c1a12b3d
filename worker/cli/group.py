"""The command `fulfil` itself: its group, what every command shares, and how failures are printed."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from config.logs import configure_logs
from config.process import harden, user
from config.settings import BadSettingError, settings
from worker.cli.help import Grouped
from worker.errors import FulfilError
from worker.rules.plain import plain
from worker.terminal.screen import console

if TYPE_CHECKING:
    from rich.console import Console

    from worker.broker.embedded import EmbeddedRedis
    from worker.parts import Parts

PAGE = 200
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120}

MAKES_LEDGER = frozenset({"up", "submit", "hooks", "migrate", "demo", "accounts login"})
"""The commands that make a ledger where there is none; all others say that there is none."""

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")


class _Commands(Grouped):
    """Turns our own failures into one sentence and an exit code; a defect of ours keeps its traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (FulfilError, BadSettingError) as error:
            click.echo(f"fulfil: {plain(str(error))}", err=True)
            context.exit(getattr(error, "exit_code", 2))
        except BrokenPipeError:
            _mute()
            context.exit(0)
        except OSError as error:
            click.echo(f"fulfil: {error.filename or 'the output'}: {error.strerror}", err=True)
            _mute()
            context.exit(1)


def _mute() -> None:
    """Send what is still buffered nowhere, or Python complains at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@click.group(cls=_Commands, context_settings=CONTEXT)
@click.version_option(package_name="fulfil")
@click.pass_context
def main(context: click.Context) -> None:
    """Place bulk supplier orders and prove how each one ended.

    Start with `fulfil demo`; with accounts of your own: `fulfil up`, `fulfil doctor`, `fulfil submit FILE --wait`.
    `fulfil COMMAND --help` tells what a command takes.

    Exit codes: 0 all well, 1 some orders need a person, 2 usage or configuration, 3 something is away.
    """
    harden()
    if context.invoked_subcommand != "demo":  # which reads settings of its own, never the user's
        configure_logs(settings().log_level)


@cache
def out() -> Console:
    """Return the console that a command prints on."""
    return console()


def parts() -> Parts:
    """Return the process's parts. Imported at the first use: `fulfil --help` answers half a second sooner so."""
    from worker.parts import parts as process_parts

    found, context = process_parts(), click.get_current_context(silent=True)
    if context is not None:  # there is none in a thread of `fulfil hooks`
        found.makes_ledger = _command(context) in MAKES_LEDGER
    return found


def _command(context: click.Context) -> str:
    """Return which command runs, with its group's name."""
    names: list[str] = []
    while context.parent is not None:
        names.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(names) or context.invoked_subcommand or ""


def doorbell() -> EmbeddedRedis:
    """Return the broker, started for the time of the command where it is embedded and not running."""
    found = parts()
    if not found.makes_ledger:
        _ = found.ledger  # in a wrong folder nothing is started, and nothing is left behind
    return found.embedded


def person() -> str:
    """Return who is at the keyboard, as events name them."""
    name = user()
    return f"cli:{name}" if name else "cli"
