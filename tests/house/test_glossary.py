"""The glossary has every word of the program once, and words that were given up do not come back."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from config.queues import celery_config
from config.settings import Settings
from tests.house.test_house import name, tracked
from worker.app import app
from worker.ledger import life_tables as _second_life  # noqa: F401 (its tables join the others)
from worker.ledger.tables import metadata
from worker.rules import outcomes
from worker.rules.codes import CODES
from worker.rules.follow import LifeEvent
from worker.rules.foreseen import Standing
from worker.rules.life import Stage
from worker.rules.parcels import ParcelEvent
from worker.rules.states import Event, State
from worker.rules.values import PushState

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "glossary.md"
KEPT = {
    "`orders.canary`",  # messages of an older version name the task so
    '"orders.canary"',
    'home / "journal"',  # a folder an older version left is replayed as well
    "folder `journal`",
    "journal_mode",  # SQLite's own word
    '== "Throttled"',  # attempts an older version wrote
}
"""Where a word that was given up is the name of a door."""


@cache
def sections() -> dict[str, list[list[str]]]:
    """Return the rows of each section's table."""
    parts = re.split(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {title: rows(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


def rows(text: str) -> list[list[str]]:
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def words(title: str) -> list[str]:
    return [row[0].strip("`") for row in sections()[title]]


def queues() -> set[str]:
    settings = Settings(_env_file=None, accounts={"account": {"marketplace": "shoplazza"}})
    names = (queue.name for queue in celery_config(settings, "redis://127.0.0.1:1/0")["task_queues"])
    return {name.replace(".account", ".ACCOUNT") for name in names}


def tasks() -> set[str]:
    app.loader.import_default_modules()
    return {task for task in app.tasks if not task.startswith("celery.")}


def named(*kinds: type) -> list[str]:
    return [kind.__name__ for kind in kinds]


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("States", list(State)),
        ("Moves", list(Event)),
        (
            "Outcomes",
            list(dict.fromkeys(named(*outcomes.PlaceOutcome.__args__, outcomes.Found, outcomes.Absent))),
        ),
        ("Why a request is declined", list(outcomes.Decline)),
        ("Codes of our own", list(CODES)),
        ("Tables", list(metadata.tables)),
        ("Stages", list(Stage)),
        ("Verdicts", list(Standing)),
        ("What happens in the second life", [*LifeEvent, *ParcelEvent]),
    ],
)
def test_every_word_of_a_closed_set_stands_in_its_section_and_no_other_does(title: str, known: list[str]) -> None:
    assert sorted(words(title)) == sorted(known)


def test_outcomes_of_reads_are_among_them_too() -> None:
    assert set(named(*outcomes.ReadOutcome.__args__)) <= set(words("Outcomes"))


def test_every_task_and_queue_and_state_of_a_push_message_stands_there() -> None:
    assert sorted(words("Tasks")) == sorted(tasks())
    assert sorted(words("Queues")) == sorted(queues())
    assert set(PushState) <= set(words("Push messages"))


def test_a_code_means_what_the_program_says_it_means() -> None:
    told = {row[0].strip("`"): row[1] for row in sections()["Codes of our own"]}
    assert told == {code: entry.meaning for code, entry in CODES.items()}


def test_each_word_has_a_meaning_and_a_place() -> None:
    thin = [row for title, table in sections().items() if title != "Words given up" for row in table if not all(row)]
    assert thin == []
    assert {len(row) for title, table in sections().items() if title != "Words given up" for row in table} == {3}


def test_no_word_has_two_meanings() -> None:
    open_sections = ["Who and what", "Orders coming in", "An order's life", "Sending and Redis", "Push messages"]
    counted = Counter(word for title in open_sections for word in words(title))
    assert [word for word, times in counted.items() if times > 1] == []


def test_no_meaning_has_two_words() -> None:
    meant = Counter(row[1] for title, table in sections().items() if title != "Words given up" for row in table)
    assert [meaning for meaning, times in meant.items() if times > 1] == []


def prose() -> list[Path]:
    """Return the product and its pages; tests and the change log may speak of what was."""
    folders = ("config/", "worker/", "tasks/", "docs/", "README.md", "CONTRIBUTING.md", "pyproject.toml")
    kinds = (".py", ".md", ".toml")
    about_the_words = (PAGE, ROOT / "docs" / "decisions" / "0012-one-house.md")
    return [
        path
        for path in tracked()
        if name(path).startswith(folders) and path.suffix in kinds and path not in about_the_words
    ]


@pytest.mark.parametrize("word", words("Words given up"))
def test_a_word_that_was_given_up_does_not_come_back(word: str) -> None:
    pattern = re.compile(rf"(?<![A-Za-z]){re.escape(word)}", re.IGNORECASE)
    found = []
    for path in prose():
        text = path.read_text(encoding="utf-8")
        for kept in KEPT:
            text = text.replace(kept, "")
        found += [f"{name(path)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []
