"""The command that prints what a shell needs to complete the commands, options, states and accounts of `fulfil`."""

from __future__ import annotations

from typing import Literal

import click
from click.shell_completion import get_completion_class

from worker.cli.group import as_json, main
from worker.terminal.screen import print_json

VARIABLE = "_FULFIL_COMPLETE"
"""By this the shell asks the program for completions; click derives it from the program's name."""


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@as_json
def completion(shell: Literal["bash", "zsh", "fish"], json_: bool) -> None:
    """Print the script by which your shell completes `fulfil`.

    \b
    bash   eval "$(fulfil completion bash)"      in ~/.bashrc
    zsh    eval "$(fulfil completion zsh)"       in ~/.zshrc, behind compinit
    fish   fulfil completion fish | source       in ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101
    # The template itself: `source()` of click first runs bash, to look at its version.
    filled = kind(main, {}, "fulfil", VARIABLE)
    script = filled.source_template % filled.source_vars()
    if json_:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
