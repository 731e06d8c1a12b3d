"""The README and the operations page say nothing the code does not hold true."""

from __future__ import annotations

import importlib.util
import io
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.secrecy import ENV_FILE, SECRETS
from config.settings import Account, Settings
from worker.app import app
from worker.cli.main import main
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.orders.files import jobs
from worker.orders.jobs import Job, Terms, validate
from worker.rules import outcomes
from worker.rules.states import State

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = ROOT / "worker" / "marketplaces" / "README.md"
PAGES = [
    ROOT / "README.md",
    GUIDE,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
ACCOUNTS = {"main": Terms(AliExpress, 1000)}


def code(text: str) -> str:
    """Return what stands in fences and between backticks."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*fences, *re.findall(r"`([^`\n]+)`", rest)])


def example(name: str) -> str:
    """Return the fenced block behind a marker."""
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, name
    return found[1]


def settings_table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("settings_table", ROOT / "docs" / "settings_table.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_tables_are_those_of_the_classes() -> None:
    assert settings_table().renewed(README) == README, "run: .venv/bin/python docs/settings_table.py"


def test_every_setting_is_described() -> None:
    for fields in (Settings.model_fields, Account.model_fields):
        assert [name for name, info in fields.items() if not info.description] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_exists(page: Path) -> None:
    used = re.findall(r"(?:^|[\s/;])fulfil ([a-z]+)((?: [^\n|;#]*)?)", code(page.read_text(encoding="utf-8")))
    for name, rest in used:
        command = main.commands.get(name)
        assert command, f"{page.name}: fulfil {name}"
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(?<=\s)--[a-z-]+", rest)) <= known, f"{page.name}: fulfil {name}{rest}"
    assert used or page.name not in ("README.md", "operations.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", code(page.read_text(encoding="utf-8")))) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        url = urlsplit(target)
        if url.scheme:
            continue
        found = (page.parent / url.path) if url.path else page
        assert found.exists(), f"{page.name}: {target}"
        if url.fragment:
            assert url.fragment in anchors(found), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(
        r"(?<![\w/.])((?:config|worker|tasks|tests|docs)/[\w./-]*)", code(page.read_text(encoding="utf-8"))
    )
    assert [name for name in named if not (ROOT / name.rstrip(".")).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_is_a_setting(page: Path) -> None:
    known = {f"FULFIL_{name.upper()}" for name in Settings.model_fields}
    known |= {ENV_FILE, *(f"FULFIL_{name.upper()}_FILE" for name in SECRETS)}
    known |= {"FULFIL_TEST_DATABASE_URL"} | set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    used = re.findall(r"\b(FULFIL_[A-Z0-9_]+[A-Z0-9])", page.read_text(encoding="utf-8"))
    assert {name.partition("__")[0] for name in used} <= known


def test_every_task_is_registered() -> None:
    app.loader.import_default_modules()
    for page in PAGES:
        for name in re.findall(r"\b((?:orders|admin)\.[a-z]+)\b(?!\()", code(page.read_text(encoding="utf-8"))):
            assert name in app.tasks or name in _COLUMNS, f"{page.name}: {name}"


_COLUMNS = ("orders.body", "orders.order_id", "orders.jsonl", "orders.csv")


def test_the_curl_line_sends_a_task_its_arguments() -> None:
    app.loader.import_default_modules()
    found = re.search(r"^curl .* -d '(.*?)' (http\S+)$", README, re.MULTILINE)
    assert found
    arguments, url = json.loads(found[1]), urlsplit(found[2])
    task = app.tasks[url.path.removeprefix("/api/task/async-apply/")]
    assert task.name == "admin.retry"
    assert url.port == Settings.model_fields["flower_port"].default
    task.__header__(*arguments["args"])  # Celery's own check of the arguments


def test_every_state_and_outcome_stands_in_its_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    assert [row for row in rows if row in list(State)] == list(State)
    named = [row for row in rows if hasattr(outcomes, row)]
    assert named == [outcome.__name__ for outcome in outcomes.PlaceOutcome.__args__]


def test_the_example_job_is_taken() -> None:
    assert isinstance(validate(example("job").encode(), 1, ACCOUNTS), Job)


def test_the_example_jobs_of_the_other_marketplaces_are_taken() -> None:
    accounts = {"wholesale": Terms(Xportcn, 1000), "shop": Terms(Shoplazza, 1000)}
    for line in example("jobs").splitlines():
        assert isinstance(found := validate(line.encode(), 1, accounts), Job), found


def test_the_example_sheet_is_taken_as_one_order_of_two_items() -> None:
    found = list(jobs(io.BytesIO(example("sheet").encode()), ACCOUNTS, "sheet.csv"))
    assert len(found) == 1
    assert isinstance(found[0], Job), found
    assert len(json.loads(found[0].body)["product_items"]) == 2


def test_the_example_message_is_a_celery_message() -> None:
    message: dict[str, Any] = json.loads(example("message"))
    positional, named, options = json.loads(message["body"])
    assert (positional, list(named), options) == ([], ["jobs"], {})
    assert {message["headers"]["id"], message["properties"]["correlation_id"]} == {
        message["properties"]["delivery_tag"]
    }
