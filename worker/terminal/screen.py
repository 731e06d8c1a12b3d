"""The terminal: consoles that print texts as they are, and a picture of what a program showed."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent
from typing import Any

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.terminal_theme import MONOKAI

from worker.errors import InputError
from worker.rules.plain import escaped, plain_lines

PIPED_COLUMNS = 120
PICTURE_COLUMNS = 112

# An order's id or a vendor's words may look like rich's markup, its emoji codes or its numbers.
_VERBATIM: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False}


def console(stderr: bool = False, quiet: bool = False) -> Console:
    """Return a console; away from a terminal its tables are 120 columns wide unless COLUMNS says otherwise."""
    stream = sys.stderr if stderr else sys.stdout
    piped = not stream.isatty() and "COLUMNS" not in os.environ
    made = _PlainConsole(stderr=stderr, quiet=quiet, width=PIPED_COLUMNS if piped else None, **_VERBATIM)
    made.soft_wrap = piped  # a program reads lines; a sentence, or a command in it, stays on one
    return made


class _PlainConsole(Console):
    """A console whose texts cannot command the terminal, whoever wrote them."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as rich does, each text made plain; rich's own colours and moves are not part of a text."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(plain_lines(segment.text), segment.style)


def print_json(value: object) -> None:
    """Print a value as JSON, one document."""
    click.echo(escaped(json.dumps(value, indent=2, ensure_ascii=False, default=str)))


def print_json_list(values: Iterable[object]) -> None:
    """Print a list of any length as one JSON document, each value as it comes."""
    begun = False
    for value in values:
        text = escaped(json.dumps(value, indent=2, ensure_ascii=False, default=str))
        click.echo((",\n" if begun else "[\n") + indent(text, "  "), nl=False)
        begun = True
    click.echo("\n]" if begun else "[]")


class Screen:
    """A console that remembers what it printed, so that a picture of it can be made."""

    def __init__(self, quiet: bool = False) -> None:
        self.console = console(quiet=quiet)
        self._printed: list[RenderableType] = []

    def print(self, *what: RenderableType) -> None:
        """Print, each on a line of its own."""
        for part in what:
            self._printed.append(part)
            self.console.print(part)

    def picture(self, path: Path, title: str) -> None:
        """Save all that was printed as an SVG that fetches nothing. Raises InputError when it cannot be written."""
        recorder = _PlainConsole(
            record=True, file=io.StringIO(), width=PICTURE_COLUMNS, force_terminal=True, color_system="truecolor",
            **_VERBATIM,
        )  # fmt: skip
        for part in self._printed:
            recorder.print(part)
        try:
            path.write_text(recorder.export_svg(title=title, theme=MONOKAI, code_format=_svg_format()), "utf-8")
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}") from None


def _svg_format() -> str:
    """Return rich's SVG template without the fonts it would fetch and the comment that links to its makers."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    plain = re.sub(r"\s*@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return re.sub(r"\s*<!--.*?-->", "", plain, flags=re.DOTALL)
