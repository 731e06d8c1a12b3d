"""What `--help` and shell completion tell of every command: its group, its arguments, the values an option knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

GROUPS: dict[str, tuple[str, ...]] = {
    "Run": ("up", "doctor", "logs", "hooks", "migrate", "demo", "sandbox", "completion"),
    "Submit": ("check", "submit", "wait", "template", "marketplaces"),
    "Watch": (
        "status",
        "list",
        "show",
        "why",
        "failures",
        "rejections",
        "orphans",
        "track",
        "unpaid",
        "export",
        "spend",
        "acts",
        "audit",
    ),
    "Act": ("retry", "cancel", "reconcile", "amend", "close", "adopt", "refresh", "act", "pause", "resume", "accounts"),
}
"""Under which heading each command stands in `fulfil --help`, in the order in which a person needs them."""


class Kind(NamedTuple):
    """A kind of value that commands take. `choices`: every value there is, or what is known of them at this place."""

    placeholder: str
    meaning: str
    choices: Callable[[], Iterable[str]] | None = None


def _states() -> Iterable[str]:
    from worker.rules.states import State

    return list(State)


def _stages() -> Iterable[str]:
    from worker.rules.life import Stage

    return list(Stage)


def _accounts() -> Iterable[str]:
    from config.settings import BadSettingError, settings

    try:
        return list(settings().accounts)
    except BadSettingError:
        return ()


def _marketplaces() -> Iterable[str]:
    from worker.marketplaces import REGISTRY

    return list(REGISTRY)


KINDS: dict[str, Kind] = {
    "order": Kind("ORDER", "Your order_id."),
    "orders": Kind("ORDER", "Your order_ids; without any, the options choose."),
    "account": Kind("ACCOUNT", "An account's name, as in FULFIL_ACCOUNTS__<NAME>__….", _accounts),
    "batch": Kind("BATCH", "A batch, as `fulfil submit` and `fulfil status` name it."),
    "limit": Kind("N", "At most so many."),
    "files": Kind("FILE", "JSON lines (.jsonl), JSON or CSV; `-` is standard input."),
    "act_id": Kind("ACT", "An act, as `fulfil acts` names it."),
    "marketplace": Kind("MARKETPLACE", "A marketplace.", _marketplaces),
    "shell": Kind("SHELL", "Your shell."),
    "program": Kind("PROGRAM", "One of the programs; all of them where none is named."),
    "state": Kind("STATE", "Only orders in this state.", _states),
    "grant": Kind("GRANT", "The address the browser came back to, or its code; without it, it is read from the input."),
    "stage": Kind("STAGE", "Only confirmed orders of which a part stands in this stage.", _stages),
    "code": Kind("CODE", "A code, as `fulfil list` shows it."),
    "address": Kind("ADDRESS", "An address of this machine."),
    "port": Kind("PORT", "A port."),
    "form": Kind("", "How it is written."),
}
"""By the name of the argument or the option."""
_FILES = frozenset({"files", "output", "record", "svg"})
"""Arguments and options of which the shell itself knows the values."""


class Described(click.Command):
    """A command whose arguments are described, and whose values a shell completes, by the kind of each."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for parameter in self.params:
            kind = KINDS.get(parameter.name or "")
            if parameter.name in _FILES:
                parameter._custom_shell_complete = _files
            elif kind is not None and kind.choices is not None:
                parameter._custom_shell_complete = _completing(kind.choices)
            if kind is not None and parameter.metavar is None and isinstance(parameter, click.Option):
                parameter.metavar = kind.placeholder or None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help, with every argument described and every state named."""
        for parameter in self.params:
            if (kind := KINDS.get(parameter.name or "")) is not None:
                _describe(parameter, kind)
        super().format_help(ctx, formatter)


class Grouped(click.Group):
    """A group that shows its commands under the headings of GROUPS, each with its whole first sentence."""

    command_class = Described

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands; those without a group come last."""
        waiting = {name: command for name, command in self.commands.items() if not command.hidden}
        for heading, names in GROUPS.items():
            _write(formatter, heading, {name: waiting.pop(name) for name in names if name in waiting})
        _write(formatter, "Commands", waiting)


Grouped.group_class = Grouped  # a group within the group looks the same


def _describe(parameter: click.Parameter, kind: Kind) -> None:
    """Give a parameter what it does not say itself: what it means, and which values there are."""
    said = parameter.help or kind.meaning
    named = ", ".join(kind.choices()) if kind.choices is not None else ""
    parameter.help = f"{said}  [{named}]" if named and f"[{named}]" not in said else said


def _write(formatter: click.HelpFormatter, heading: str, commands: dict[str, click.Command]) -> None:
    if not commands:
        return
    with formatter.section(heading):
        # A limit longer than any sentence: what does not fit on the line goes on in the next one.
        formatter.write_dl([(name, command.get_short_help_str(10_000)) for name, command in commands.items()])


def _completing(choices: Callable[[], Iterable[str]]) -> Callable[..., list[CompletionItem]]:
    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in choices() if choice.startswith(incomplete)]

    return complete


def _files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]
