"""A ledger's file is made only where that is wanted, and one that was moved away is noticed before a write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.ledger.ledger_kit import Place, submit
from worker.errors import LedgerMoved, NoLedger
from worker.ledger.engine import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ho me" / "ledger.sqlite3"


def opened(path: Path) -> Ledger:
    return Ledger(f"sqlite:///{path}")


def test_to_ask_for_a_ledger_makes_neither_file_nor_folder(path: Path) -> None:
    with pytest.raises(NoLedger, match="there is no ledger at"):
        opened(path).require()
    assert opened(path).version() is None
    assert not path.parent.exists()


def test_an_empty_database_is_no_ledger(place: Place) -> None:
    ledger = Ledger(place.url())
    with pytest.raises(NoLedger):
        ledger.require()
    ledger.migrate()
    ledger.require()


def test_an_empty_file_is_no_ledger_and_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with pytest.raises(NoLedger):
        opened(path).require()
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert path.stat().st_size == 0


def test_a_file_moved_away_takes_no_more_and_is_used_again_when_it_is_back(path: Path, tmp_path: Path) -> None:
    ledger = opened(path)
    ledger.migrate()
    away = path.rename(tmp_path / "away.sqlite3")
    before = away.read_bytes()
    for act in (lambda: submit(ledger, "SO-1"), ledger.version, ledger.migrate, ledger.require):
        with pytest.raises(LedgerMoved, match="was moved away"):
            act()
    assert not path.exists(), "no other file is made in its place"
    assert away.read_bytes() == before
    away.rename(path)
    submit(ledger, "SO-1")


def test_a_file_that_was_replaced_takes_nothing(path: Path, tmp_path: Path) -> None:
    ledger = opened(path)
    ledger.migrate()
    ledger.engine.dispose()
    shutil.copy(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)
    with pytest.raises(LedgerMoved, match="was replaced"):
        submit(ledger, "SO-1")
    submit(opened(path), "SO-1")


def test_no_new_ledger_is_made_beside_what_an_open_one_left(path: Path, tmp_path: Path) -> None:
    ledger = opened(path)
    ledger.migrate()
    submit(ledger, "SO-1")
    path.rename(tmp_path / "away.sqlite3")
    for ask in (opened(path).require, opened(path).migrate):
        with pytest.raises(LedgerMoved, match="was moved away while it was open"):
            ask()
    assert not path.exists()
