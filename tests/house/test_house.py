"""The house rules: where modules come from, how long they may be, who may write SQL, and what Celery must be told."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from config.queues import COUNTDOWN_LIMIT_SECONDS, VISIBILITY_TIMEOUT_SECONDS, celery_config
from config.settings import Settings
from tests.harness import keys

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES_A_FILE = 400
MOST_LINES_A_FUNCTION = 50
FORBIDDEN_NAMES = {"celery", "logging", "utils", "util", "common", "helpers", "helper", "misc"}
WRITES = {"insert", "update", "delete"}
PRODUCT = ("config", "worker", "tasks")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository, also those not committed yet; without what .gitignore leaves out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def modules() -> tuple[Path, ...]:
    return tuple(path for path in tracked() if path.suffix == ".py")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def product() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the application."""
    for path in modules():
        if path.relative_to(ROOT).parts[0] in PRODUCT:
            yield name(path), tree(path)


@pytest.mark.parametrize("package", PRODUCT)
def test_each_package_is_the_one_of_this_repository(package: str) -> None:
    # Such names are free for anybody to take: a package of the same name in the environment would be imported.
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin).resolve() == ROOT / package / "__init__.py"


def test_no_file_is_longer_than_the_cap() -> None:
    long = {name(path): len(path.read_text().splitlines()) for path in modules() if "/migrations/" not in name(path)}
    assert {path: lines for path, lines in long.items() if lines > MOST_LINES_A_FILE} == {}


def test_no_function_is_longer_than_the_cap() -> None:
    long = {
        f"{name(path)}: {node.name}": length
        for path in modules()
        if "/migrations/" not in name(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_A_FUNCTION
    }
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [name(path) for path in modules() if not ast.get_docstring(tree(path))] == []


def test_no_module_has_a_name_that_says_nothing_or_hides_a_library() -> None:
    assert [name(path) for path in tracked() if FORBIDDEN_NAMES & {path.stem, path.parent.name}] == []


def test_only_the_ledger_writes_sql() -> None:
    writers = {
        module
        for module, parsed in product()
        for node in ast.walk(parsed)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("sqlalchemy")
        and WRITES & {alias.name for alias in node.names}
    }
    assert writers, "this test no longer finds the ledger's own"
    assert {module for module in writers if not module.startswith("worker/ledger/")} == set()


def test_only_the_ledger_knows_its_tables() -> None:
    users = {
        module
        for module, parsed in product()
        for node in ast.walk(parsed)
        if isinstance(node, ast.ImportFrom) and node.module == "worker.ledger.tables"
    }
    assert {module for module in users if not module.startswith("worker/ledger/")} == set()


READS_ANSWERS = "worker/sending/bodies.py"


def test_only_one_module_sends_to_marketplaces() -> None:
    users = {
        module
        for module, parsed in product()
        for node in ast.walk(parsed)
        for imported in _imported(node)
        if imported.partition(".")[0] in ("httpx", "requests", "urllib3", "httpx_aiohttp")
    }
    asks_the_sandbox = "worker/demo/run.py"
    assert users - {asks_the_sandbox} == {"worker/sending/client.py", READS_ANSWERS}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:work|home|root|Users|mnt|private)/\w|(?:\.\./)+shared\b")
REGISTRY = re.compile(r"https?://[^\s\"']*/simple\b|^\s*--?(?:extra-)?(?:index-url|find-links|trusted-host)[ =]", re.M)


def test_no_file_names_a_path_of_somebodys_machine_or_a_package_registry() -> None:
    found = {}
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a picture
        hits = [match[0] for pattern in (MACHINE_PATH, REGISTRY) for match in pattern.finditer(text)]
        if hits or str(ROOT) in text:
            found[name(path)] = hits[:3]
    assert found == {}


# What Celery is told. docs/decisions tells what each of these cost when it was otherwise.


def configured(**settings: Any) -> dict[str, Any]:
    accounts = {account: {"marketplace": "aliexpress", **keys(account)} for account in ("main", "second")}
    return celery_config(Settings(_env_file=None, accounts=accounts, **settings), "redis://127.0.0.1:1/0")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("result_backend", None),
        ("task_ignore_result", True),
        ("task_acks_late", True),
        ("task_acks_on_failure_or_timeout", True),
        ("task_reject_on_worker_lost", False),
        ("worker_prefetch_multiplier", 1),
        ("worker_cancel_long_running_tasks_on_connection_loss", False),
        ("worker_pool", "threads"),
        ("worker_send_task_events", True),
        ("broker_connection_max_retries", None),
        ("broker_connection_retry_on_startup", True),
        ("task_serializer", "json"),
        ("accept_content", ["json"]),
        ("timezone", "UTC"),
        ("enable_utc", True),
    ],
)
def test_celery_option(option: str, value: object) -> None:
    assert configured()[option] == value


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("visibility_timeout", 180),
        ("unacked_restore_interval", 5),
        ("unacked_restore_throttle", 1),
        ("max_connections", 200),
        ("socket_keepalive", True),
    ],
)
def test_broker_option(option: str, value: object) -> None:
    assert configured()["broker_transport_options"][option] == value


def test_a_message_is_never_restored_while_its_task_still_runs_or_waits() -> None:
    longest_task = Settings.model_fields["lease_seconds"].default
    assert COUNTDOWN_LIMIT_SECONDS + longest_task <= VISIBILITY_TIMEOUT_SECONDS


def test_every_account_has_a_queue_of_its_own_and_so_have_reads_and_persons() -> None:
    names = {queue.name for queue in configured()["task_queues"]}
    assert names == {"place.main", "place.second", "confirm", "follow", "admin"}


def test_tasks_go_to_the_lane_that_is_theirs() -> None:
    routes = configured()["task_routes"]
    asked = ("orders.confirm", "orders.reconcile", "orders.follow", "orders.*", "admin.*")
    assert {task: routes[task]["queue"] for task in asked} == {
        "orders.confirm": "confirm",
        "orders.reconcile": "confirm",
        "orders.follow": "follow",
        "orders.*": "admin",
        "admin.*": "admin",
    }


def test_the_sweep_is_scheduled_and_an_old_one_is_worth_nothing() -> None:
    sweep = configured(sweep_seconds=7)["beat_schedule"]["sweep"]
    assert (sweep["task"], sweep["schedule"]) == ("orders.sweep", 7)
    assert sweep["options"]["expires"] >= 7


def test_publishing_gives_up_within_a_second_when_redis_is_away() -> None:
    policy = configured()["task_publish_retry_policy"]
    assert policy["max_retries"] * policy["interval_max"] <= 1
