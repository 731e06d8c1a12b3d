"""What a marketplace's class says of itself is so, and its fake is a witness that shares no code with it."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
from pathlib import Path

from tests.contract.contract_kit import Subject
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace
from worker.marketplaces.codes import Kind

SUBJECTS = list(REGISTRY)


def test_its_names_agree(subject: Subject) -> None:
    known = subject.marketplace
    assert (known.name, subject.fake_class.name) == (subject.name, subject.name)
    assert known.title
    assert known.base_url.startswith("https://")
    assert set(known.personal_fields) <= set(known.order_model.model_fields)
    assert known.default_rate.per_second > 0


def test_every_known_answer_has_its_class_meaning_and_fix(subject: Subject) -> None:
    assert subject.marketplace.codes
    for entry in subject.marketplace.codes:
        name = entry.code.strip() or entry.words.strip()
        assert name, "known by neither a code nor words"
        assert isinstance(entry.kind, Kind), name
        assert entry.meaning.strip(), name
        assert entry.fix.strip(), name
        assert entry.source.strip(), f"{name}: who documents it?"
    names = [entry.code or entry.words for entry in subject.marketplace.codes]
    assert len(set(names)) == len(names)


def test_every_status_has_its_meaning(subject: Subject) -> None:
    assert subject.marketplace.statuses
    assert all(word.strip() and meaning.strip() for word, meaning in subject.marketplace.statuses.items())


def test_what_it_declares_it_implements(subject: Subject) -> None:
    known, adapter = subject.marketplace, subject.adapter()
    overridden = known.look_up is not Marketplace.look_up
    assert overridden == bool(known.look_up_by)
    assert not adapter.can_look_up or overridden
    assert (known.takes_pushes or known.takes_hints) == (known.read_push is not Marketplace.read_push)
    assert not (known.takes_pushes and known.takes_hints)
    assert bool(subject.samples.LOOK_UP) == overridden


def test_its_face_shares_no_code_with_it(subject: Subject) -> None:
    """The fake is the independent witness of what was made: it knows the sandbox alone, the adapter nothing of it."""
    fake = importlib.util.find_spec(subject.fake_class.__module__)
    package = importlib.util.find_spec(f"worker.marketplaces.{subject.name}")
    assert fake
    assert fake.origin
    assert package
    imported = [name for name in _imports(Path(fake.origin)) if name.startswith(("worker", "tasks", "config"))]
    assert imported
    assert all(name.startswith("worker.sandbox.") for name in imported)
    for found in pkgutil.iter_modules(package.submodule_search_locations):
        module = importlib.util.find_spec(f"{package.name}.{found.name}")
        assert module
        assert module.origin
        knows = [name for name in _imports(Path(module.origin)) if "sandbox" in name]
        assert not knows, f"{found.name} knows of the sandbox"


def _imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    froms = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return froms | {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
