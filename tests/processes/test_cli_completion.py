"""Shell completion: what the shells ask the program, and what it answers; it writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def fulfil(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "worker.cli", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not any(folder.iterdir()), "completing writes nothing"
    return done.stdout


def complete(line: str, folder: Path) -> list[str]:
    asked = {"_FULFIL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    told = fulfil(folder, **asked, FULFIL_ACCOUNTS__WHOLESALE__MARKETPLACE="xportcn")
    return [entry.partition(",")[2] for entry in told.splitlines()]


def test_a_shell_completes_commands_states_accounts_and_marketplaces(tmp_path: Path) -> None:
    assert {"retry", "resume", "reconcile"} <= set(complete("fulfil re", tmp_path))
    assert complete("fulfil list --state un", tmp_path) == ["unknown", "unmatched"]
    assert complete("fulfil pause wh", tmp_path) == ["wholesale"]
    assert complete("fulfil template s", tmp_path) == ["shoplazza"]
    assert complete("fulfil submit ord", tmp_path) == ["ord"], "left to the shell, which knows the files"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_asks_this_program(shell: str, tmp_path: Path) -> None:
    script = fulfil(tmp_path, "completion", shell)
    assert f"_FULFIL_COMPLETE={shell}_complete" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)
