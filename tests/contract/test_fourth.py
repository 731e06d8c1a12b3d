"""A fourth marketplace, made as the guide says from the template it names, keeps the contract by the same tests."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import worker.marketplaces
import worker.sandbox
from tests.contract import contract_kit
from tests.contract.contract_kit import Subject, create, subject_of
from tests.contract.test_contract import *  # noqa: F403  (every test of the contract, run here for the fourth)
from tests.contract.test_declared import *  # noqa: F403
from tests.contract.test_fuzz import *  # noqa: F403
from tests.contract.test_goods import *  # noqa: F403
from tests.contract.test_lateness import *  # noqa: F403
from tests.contract.test_life import *  # noqa: F403
from tests.contract.test_never_called import *  # noqa: F403
from tests.contract.test_parcels import *  # noqa: F403
from tests.contract.test_shape import REQUIRED
from tests.contract.test_words import *  # noqa: F403
from worker.marketplaces import REGISTRY
from worker.rules.outcomes import Accepted
from worker.sandbox.fakes import FAKES

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = ROOT / "worker" / "marketplaces" / "README.md"
SUBJECTS = ["acme"]


def block() -> str:
    """Return the commands of the guide."""
    found = re.search(r"<!-- guide: .* -->\n```sh\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def fourth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tree in which the guide was followed, joined to this process for as long as the module runs."""
    root = tmp_path_factory.mktemp("fourth")
    shutil.copytree(ROOT / "tests/contract/template", root / "tests/contract/template")
    (root / "worker/marketplaces").mkdir(parents=True)
    subprocess.run(["sh", "-euc", block()], cwd=root, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            worker.marketplaces, "__path__", [*worker.marketplaces.__path__, str(root / "worker/marketplaces")]
        )
        patch.setattr(worker.sandbox, "__path__", [*worker.sandbox.__path__, str(root / "worker/sandbox")])
        patch.setattr(contract_kit, "SAMPLES", [root / "tests/marketplaces"])
        importlib.invalidate_caches()
        patch.setitem(REGISTRY, "acme", importlib.import_module("worker.marketplaces.acme.adapter").Acme)
        patch.setitem(FAKES, "acme", importlib.import_module("worker.sandbox.acme").AcmeFake)
        yield root
    for name in [name for name in sys.modules if "acme" in name]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def subject(fourth: Path, request: pytest.FixtureRequest) -> Subject:
    return subject_of(request.param)


def test_the_guide_leaves_nothing_of_the_template(fourth: Path) -> None:
    files = [
        path
        for path in [*fourth.glob("worker/**/*"), *fourth.glob("tests/marketplaces/**/*")]
        if path.suffix != ".pyc" and path.is_file()
    ]
    assert sorted(path.name for path in files) == sorted(
        ["__init__.py", "acme.py", "acme_samples.py", "goods.py", *(f"{name}.py" for name in REQUIRED)]
    )
    assert not [path.name for path in files if "template" in path.read_text("utf-8").lower()]


def test_the_guide_names_files_that_exist() -> None:
    text = GUIDE.read_text("utf-8")
    for name in re.findall(r"`(\w+\.py)`", text):
        assert (GUIDE.parent / name).exists() or [*GUIDE.parent.glob(f"*/{name}")], name
    assert all(f"    {kind}.name: {kind}," in text for kind in ("Acme", "AcmeFake"))
    assert "Marketplaces know nothing of one another" in (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_contract_bites(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that believes every 200 is found out."""
    monkeypatch.setattr("worker.marketplaces.acme.adapter.read_create", lambda *_: Accepted(()))
    with pytest.raises(AssertionError, match="accepted without an id"):
        contract_kit.check(subject, create(subject, subject.samples.created("null")))
    with pytest.raises(AssertionError):
        test_what_nobody_can_read_is_neither_a_yes_nor_a_no(subject, 200)  # noqa: F405
