"""The README and the pages of docs/ say nothing the code does not hold true."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from config.secrecy import ENV_FILE, SECRETS
from config.settings import Account, Settings
from worker.app import app
from worker.cli.main import main
from worker.crashpoints import CrashPoint
from worker.ledger import tables
from worker.marketplaces import REGISTRY
from worker.marketplaces.aliexpress.adapter import AliExpress
from worker.marketplaces.shoplazza.adapter import Shoplazza
from worker.marketplaces.xportcn.adapter import Xportcn
from worker.orders.files import jobs
from worker.orders.jobs import Job, Terms, validate
from worker.rules import outcomes
from worker.rules.states import State
from worker.sandbox.fakes import ACCOUNTS as FAKE_ACCOUNTS
from worker.sandbox.faults import FAULTS, MEANINGS, FaultName

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
GUIDE = ROOT / "worker" / "marketplaces" / "README.md"
PAGES = [
    ROOT / "README.md",
    GUIDE,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
]
ACCOUNTS = {"main": Terms(AliExpress, 1000)}


def code(text: str) -> str:
    """Return what stands in fences and between backticks."""
    fences = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*fences, *re.findall(r"`([^`\n]+)`", rest)])


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def examples(name: str) -> list[str]:
    """Return the fenced block behind a marker, from every page that has it."""
    found = [re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", text(page), re.DOTALL) for page in PAGES]
    return [block for blocks in found for block in blocks]


def example(name: str) -> str:
    """Return the one fenced block behind a marker."""
    (found,) = examples(name)
    return found


def rows(page: Path) -> list[str]:
    """Return the first cell of each row of a page's tables, where it is a single word of code."""
    return re.findall(r"^\| `(\w+)` \|", text(page), re.MULTILINE)


def script(name: str) -> ModuleType:
    """Return a script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_tables_are_those_of_the_classes() -> None:
    page = text(DOCS / "configuration.md")
    assert script("settings_table").BEGIN in page
    assert script("settings_table").renewed(page) == page, "run: .venv/bin/python docs/settings_table.py"


def test_the_sandboxs_lists_are_those_it_goes_by() -> None:
    page = text(DOCS / "sandbox.md")
    assert script("sandbox_tables").BEGIN in page
    assert script("sandbox_tables").renewed(page) == page, "run: .venv/bin/python docs/sandbox_tables.py"
    assert set(get_args(FaultName)) == FAULTS
    assert [row for row in rows(DOCS / "sandbox.md") if row in FAULTS] == list(MEANINGS)


def test_the_examples_are_jobs_for_the_accounts_that_the_sandbox_offers() -> None:
    accounts = {name: Terms(REGISTRY[marketplace], 1000) for name, marketplace in FAKE_ACCOUNTS.items()}
    files = sorted((ROOT / "examples").iterdir())
    assert {"aliexpress.jsonl", "xportcn.jsonl", "shoplazza.jsonl", "orders.csv"} < {path.name for path in files}
    taken = [job for path in files for job in jobs(path, accounts)]
    assert [job for job in taken if not isinstance(job, Job)] == []
    ids = [job.order_id for job in taken if isinstance(job, Job)]
    assert len(set(ids)) == len(ids)
    named = {name for page in PAGES for name in re.findall(r"examples/[\w.]+\w", text(page))}
    assert named == {f"examples/{path.name}" for path in files}


def test_every_setting_is_described() -> None:
    for fields in (Settings.model_fields, Account.model_fields):
        assert [name for name, info in fields.items() if not info.description] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_exists(page: Path) -> None:
    used = re.findall(r"(?:^|[\s/;])fulfil ([a-z]+)((?: [^\n|;#]*)?)", code(text(page)))
    for name, rest in used:
        command = main.commands.get(name)
        assert command, f"{page.name}: fulfil {name}"
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"(?<=\s)--[a-z-]+", rest)) <= known | {"--help"}, f"{page.name}: fulfil {name}{rest}"
    assert used or page not in (ROOT / "README.md", DOCS / "operations.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", code(text(page)))) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        url = urlsplit(target)
        if url.scheme:
            continue
        found = (page.parent / url.path) if url.path else page
        assert found.exists(), f"{page.name}: {target}"
        if url.fragment:
            assert url.fragment in anchors(found), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"(?<![\w/.])((?:config|worker|tasks|tests|docs)/[\w./-]*)", code(text(page)))
    assert [name for name in named if not (ROOT / name.rstrip(".")).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_is_a_setting(page: Path) -> None:
    known = {f"FULFIL_{name.upper()}" for name in Settings.model_fields}
    known |= {ENV_FILE, *(f"FULFIL_{name.upper()}_FILE" for name in SECRETS)}
    known |= {"FULFIL_TEST_DATABASE_URL"} | set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    used = re.findall(r"\b(FULFIL_[A-Z0-9_]+[A-Z0-9])", text(page))
    assert {name.partition("__")[0] for name in used} <= known


def test_every_task_is_registered() -> None:
    app.loader.import_default_modules()
    for page in PAGES:
        for name in re.findall(r"(?<![\w/])((?:orders|admin)\.[a-z_]+)\b(?!\()", code(text(page))):
            assert name in app.tasks or name in _COLUMNS, f"{page.name}: {name}"


_COLUMNS = {"orders.jsonl", "orders.csv"} | {f"orders.{column.name}" for column in tables.orders.columns}


def test_the_curl_line_sends_a_task_its_arguments() -> None:
    app.loader.import_default_modules()
    found = re.search(r"^curl .* -d '(.*?)' (http\S+)$", text(DOCS / "operations.md"), re.MULTILINE)
    assert found
    arguments, url = json.loads(found[1]), urlsplit(found[2])
    task = app.tasks[url.path.removeprefix("/api/task/async-apply/")]
    assert task.name == "admin.retry"
    assert url.port == Settings.model_fields["flower_port"].default
    task.__header__(*arguments["args"])  # Celery's own check of the arguments


def test_every_state_and_outcome_stands_in_its_table() -> None:
    assert [row for row in rows(DOCS / "operations.md") if row in list(State)] == list(State)
    named = [row for row in rows(DOCS / "architecture.md") if hasattr(outcomes, row)]
    assert named == [outcome.__name__ for outcome in outcomes.PlaceOutcome.__args__]


def test_the_life_of_an_order_is_one_picture_that_names_every_state_and_task() -> None:
    pictures = examples("life")
    assert len(pictures) == 2, "the README and docs/architecture.md"
    assert len(set(pictures)) == 1
    words = set(re.findall(r"[\w.]+", pictures[0]))
    assert set(State) <= words
    assert {"orders.place", "orders.confirm", "orders.reconcile", "orders.sweep"} <= words


def marked(page: Path, name: str) -> list[str]:
    """Return the first cells of the table behind a marker."""
    found = re.search(rf"<!-- {name} -->\n\|.*\n\|[-|]+\n((?:\|.*\n)+)", text(page))
    assert found, f"{page.name}: {name}"
    return [row.split("|")[1].strip() for row in found[1].splitlines()]


def test_the_floors_are_those_that_the_imports_are_checked_against() -> None:
    contracts = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract.get("exhaustive")]
    assert [re.findall(r"`(\w+)`", floor) for floor in marked(DOCS / "architecture.md", "floors")] == [
        re.findall(r"\w+", layer) for layer in layers
    ]


def test_every_crash_point_is_explained() -> None:
    assert [cell.split("`")[1] for cell in marked(DOCS / "architecture.md", "crashes")] == list(CrashPoint)


def test_the_readme_names_every_command() -> None:
    named = set(re.findall(r"`fulfil ([a-z]+)", text(ROOT / "README.md")))
    assert named | {"accounts"} == set(main.commands)


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


def test_every_fact_of_a_vendor_that_is_cited_stands_on_its_page() -> None:
    cited = 0
    for path in sorted({*ROOT.glob("worker/**/*.py"), *ROOT.glob("tests/**/*.py")}):
        source = re.sub(r"\n\s*(?:# )?", " ", text(path))
        for page, sections in re.findall(r"docs/vendors/(\w+)\.md, (\d(?:(?:, | and | to )\d)*)", source):
            known = set(re.findall(r"^## (\d)\. ", text(DOCS / "vendors" / f"{page}.md"), re.MULTILINE))
            assert set(re.findall(r"\d", sections)) <= known, f"{path.name}: {page}, {sections}"
            cited += 1
    assert cited > 10, "this test no longer finds what it looks for"


def test_contributing_says_what_belongs_into_each_folder() -> None:
    page = text(ROOT / "CONTRIBUTING.md")
    folders = {path.parent.relative_to(ROOT).parts[:2] for path in ROOT.glob("tests/*/**/*.py")}
    assert {"/".join(parts) for parts in folders} == set(re.findall(r"^\| `(tests/\w+)/`", page, re.MULTILINE))
    rooms = [path.name for path in (ROOT / "worker").iterdir() if path.is_dir() and list(path.glob("*.py"))]
    assert [room for room in rooms if room != "demo" and f"`worker/{room}/" not in page] == []
