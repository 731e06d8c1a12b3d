"""Importing a module has no effect: nothing is written, read from the environment, connected or started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WATCHED = """
import importlib, json, os, sys, threading
from collections.abc import MutableMapping

seen = []
OURS = ("config", "tasks", "worker")
THROUGH = ("os", "collections.abc", "_collections_abc", "__main__")


def audit(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, (str, bytes)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            seen.append(f"opened {path!r} to write")
    elif event in ("subprocess.Popen", "socket.connect", "socket.bind", "os.mkdir", "sqlite3.connect", "os.fork"):
        seen.append(f"{event} {arguments!r}")


class Watched(MutableMapping):
    def __init__(self, kept):
        self.kept = kept

    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") in THROUGH:
            frame = frame.f_back
        reader = frame.f_globals.get("__name__", "")
        if name.startswith("FULFIL") or reader.partition(".")[0] in OURS:
            seen.append(f"{reader} read {name}")
        return self.kept[name]

    def __setitem__(self, name, value):
        seen.append(f"set {name}")
        self.kept[name] = value

    def __delitem__(self, name):
        seen.append(f"unset {name}")
        del self.kept[name]

    def __iter__(self):
        return iter(self.kept)

    def __len__(self):
        return len(self.kept)

    def copy(self):
        return dict(self.kept)


for outside in json.loads(sys.argv[2]):
    importlib.import_module(outside)
threads, ours = threading.active_count(), json.loads(sys.argv[1])
os.environ = Watched(os.environ)
sys.addaudithook(audit)
for name in ours:
    importlib.import_module(name)
sys.stdout.write(json.dumps({"seen": seen, "threads": threading.active_count() - threads}))
"""
OUTSIDE = ["aiohttp", "alembic", "celery", "click", "flower", "httpx", "kombu", "pydantic_settings", "redis", "rich"]
"""What other libraries do when they are imported is theirs; they are imported before anybody looks."""


def modules() -> list[str]:
    """Return the name of every module of the program; migrations are scripts that alembic alone runs."""
    found = []
    for package in ("config", "tasks", "worker"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts and parts[-1] != "__main__":
                found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def watch(names: list[str], folder: Path) -> dict[str, object]:
    """Import modules in a process of their own, in an empty folder, and return what was seen."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder / "more")]),
    }
    ran = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps(names), json.dumps(OUTSIDE)],
        cwd=folder, env=environment | {"HOME": str(folder)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told: dict[str, object] = json.loads(ran.stdout)
    return told


def test_importing_every_module_writes_reads_and_starts_nothing(tmp_path: Path) -> None:
    assert len(modules()) > 150
    assert watch(modules(), tmp_path) == {"seen": [], "threads": 0}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        ("import os; os.environ.get('FULFIL_HOME')", "read FULFIL_HOME"),
        ("open('left-behind', 'w')", "left-behind"),
        ("import socket; socket.socket().bind(('127.0.0.1', 0))", "socket.bind"),
        ("import subprocess, sys; subprocess.run([sys.executable, '-V'], capture_output=True)", "subprocess.Popen"),
    ],
)
def test_an_effect_would_be_seen(tmp_path: Path, effect: str, told: str) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "restless.py").write_text(effect)
    assert told in str(watch(["restless"], tmp_path)["seen"])
