"""`--help`: each command stands in a group, each argument is described, nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from worker.cli.help import GROUPS
from worker.cli.main import main
from worker.marketplaces import REGISTRY
from worker.rules.states import State


def every() -> Iterator[tuple[list[str], click.Command]]:
    for name, command in main.commands.items():
        yield [name], command
        if isinstance(command, click.Group):
            yield from (([name, inner], one) for inner, one in command.commands.items())


def told(*names: str, columns: int = 80) -> str:
    """Return the page of help; nothing is run, as the group itself would change this process's rights."""
    command: click.Command = main
    context = click.Context(main, info_name="fulfil", terminal_width=columns)
    for name in names:
        assert isinstance(command, click.Group)
        command = command.commands[name]
        context = click.Context(command, info_name=name, parent=context)
    return command.get_help(context)


def test_each_command_stands_in_one_group_of_the_help() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    missing = sorted(main.commands.keys() - set(grouped))
    assert missing == [], f"give {missing} a group in GROUPS of worker/cli/help.py"
    assert sorted(set(grouped)) == sorted(grouped), "a command stands in one group"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_summary_is_cut(columns: int) -> None:
    page = told(columns=columns)
    assert "..." not in page.partition("Run:")[2]
    whole = " ".join(page.split())
    for command in main.commands.values():
        assert " ".join(command.get_short_help_str(10_000).split()) in whole
    assert max(map(len, page.splitlines())) <= columns
    assert "..." not in told("accounts", columns=columns).partition("Commands:")[2]


@pytest.mark.parametrize("names", [names for names, _ in every()], ids=" ".join)
def test_each_argument_and_option_is_described(names: list[str]) -> None:
    command: click.Command = main
    for name in names:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    page = told(*names)
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{parameter.name}: describe it in KINDS of worker/cli/help.py"
    assert not re.search(r"--(?!text|note)[a-z-]+ TEXT", page), "a placeholder that says nothing: see KINDS"


def test_states_and_marketplaces_are_named() -> None:
    page = " ".join(told("list").split())
    assert f"[{', '.join(State)}]" in page
    assert f"[{', '.join(REGISTRY)}]" in told("template")
