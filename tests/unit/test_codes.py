"""Our own codes: one table says what each means, and none is written past it."""

from __future__ import annotations

import ast
from pathlib import Path

from worker.rules.codes import CODES, Code

WORKER = Path(__file__).resolve().parents[2] / "worker"
OTHERS = (WORKER / "marketplaces", WORKER / "sandbox", WORKER / "rules" / "codes.py")
"""Where a marketplace's own codes stand, some of which are called like ours, and the table itself."""


def modules() -> list[tuple[Path, ast.Module]]:
    paths = [path for path in WORKER.rglob("*.py") if not any(path.is_relative_to(other) for other in OTHERS)]
    return [(path, ast.parse(path.read_text())) for path in paths]


def test_every_code_has_a_meaning() -> None:
    assert list(CODES) == list(Code)
    for code, entry in CODES.items():
        assert entry.meaning, code
        assert not entry.meaning.endswith("."), code


def test_no_code_is_written_as_a_bare_string() -> None:
    bare = {
        f"{path.name}:{node.lineno}"
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and node.value in set(Code)
    }
    assert bare == set()


def test_every_code_is_told_by_somebody() -> None:
    everywhere = [ast.parse(path.read_text()) for path in WORKER.rglob("*.py") if path.name != "codes.py"]
    told = {
        node.attr
        for module in everywhere
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Code"
    }
    assert told == {code.name for code in Code}
