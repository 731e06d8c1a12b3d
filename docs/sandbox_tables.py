"""Writes the tables of docs/sandbox.md from what the sandbox knows: `python docs/sandbox_tables.py`."""

from __future__ import annotations

import sys
from pathlib import Path

from worker.sandbox.guide import sections

PAGE = Path(__file__).resolve().parent / "sandbox.md"
BEGIN = "<!-- lists: written by docs/sandbox_tables.py -->"
END = "<!-- /lists -->"


def tables() -> str:
    """Return every list as a table of Markdown."""
    parts: list[str] = []
    for title, rows in sections():
        parts += ["", f"### {title}", "", "| what | what happens |", "|---|---|"]
        parts += [f"| {what if '`' in what else f'`{what}`'} | {then} |" for what, then in rows.items()]
    return "\n".join(parts).strip()


def renewed(page: str) -> str:
    """Return the page's text with the tables as they are now."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
