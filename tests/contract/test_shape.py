"""Marketplace folders have one shape, and a kind of answer means the same in each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.marketplaces import REGISTRY
from worker.marketplaces.codes import Kind, KnownCode, outcome, read_outcome, too_many
from worker.marketplaces.doubts import DOOR, LIMIT, ORDER, ORDER_OR_DOOR
from worker.rules.outcomes import Absent, Accepted, Decline, Declined, Refused, Unknown

ROOT = Path(__file__).resolve().parent.parent.parent
MARKETPLACES = ROOT / "worker" / "marketplaces"
REQUIRED = {"adapter", "models", "credentials", "signing", "codes", "statuses", "envelope", "create", "read"}
OPTIONAL = {"look_up", "preview", "goods", "tracking", "tokens", "pushes", "countries", "preflight", "offers"}


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir() if path.suffix == ".py"} - {"__init__"}


def folders() -> list[str]:
    return sorted(path.parent.name for path in MARKETPLACES.glob("*/__init__.py"))


def test_every_folder_is_a_marketplace_of_the_registry() -> None:
    assert folders() == sorted(REGISTRY)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_folder_has_the_same_file_names(name: str) -> None:
    found = names(MARKETPLACES / name)
    assert found >= REQUIRED
    assert found <= REQUIRED | OPTIONAL


def test_the_template_of_a_fourth_one_has_that_shape_too() -> None:
    found = names(ROOT / "tests/contract/template") - {"template_fake", "template_samples"}
    assert found == REQUIRED | {"goods"}


def test_the_guide_names_every_file_of_the_shape() -> None:
    guide = (MARKETPLACES / "README.md").read_text("utf-8")
    assert [name for name in sorted(REQUIRED | OPTIONAL) if f"`{name}.py`" not in guide] == []


# Kinds


OUTCOMES = {
    Kind.REPEATED: Accepted((), "C", "said", "r"),
    Kind.REFUSED: Refused("C", "said", "fix", request_id="r"),
    Kind.REFUSED_BY_CONTENT: Refused("C", "said", "fix", from_body=True, request_id="r"),
    Kind.REFUSED_FOR_NOW: Refused("C", "said", "fix", retryable=True, request_id="r"),
    Kind.REFUSED_TO_ACCOUNT: Refused("C", "said", "fix", stops_account=True, request_id="r"),
    Kind.RATE: Declined("C", "said", 7.0, True, None, "r", Decline.RATE),
    Kind.TOKEN: Declined("C", "said", 60.0, True, "fix", "r", Decline.TOKEN),
    Kind.CLOCK: Declined("C", "said", 60.0, True, "fix", "r", Decline.CLOCK),
    Kind.SETUP: Declined("C", "said", 60.0, True, "fix", "r", Decline.SETUP),
    Kind.NOT_SHOWN: Declined("C", "said", 60.0, True, "fix", "r", Decline.SETUP),
    Kind.EXISTS: Unknown("said", "C", (), "r"),
    Kind.MAY_EXIST: Unknown("said", "C", (), "r"),
}


def known(kind: Kind) -> KnownCode:
    return KnownCode("C", kind, "meaning", "fix", "source")


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_has_one_outcome(kind: Kind) -> None:
    assert outcome(known(kind), "said", "r", 7.0) == OUTCOMES[kind]


@pytest.mark.parametrize("kind", Kind)
def test_without_words_of_its_own_an_answer_is_told_by_its_meaning(kind: Kind) -> None:
    found = outcome(known(kind))
    assert (found.cause if isinstance(found, Unknown) else found.reason) == "meaning"


@pytest.mark.parametrize("kind", Kind)
def test_a_read_refuses_and_accepts_nothing(kind: Kind) -> None:
    found, created = read_outcome(known(kind), "said", "r", 7.0), OUTCOMES[kind]
    if kind is Kind.NOT_SHOWN:
        assert found == Absent("said", "C")
    elif isinstance(created, Declined):
        assert found == created
    else:
        assert found == Unknown("said", "C", (), "r")


def test_only_a_refusing_kind_is_a_no() -> None:
    noes = {kind for kind in Kind if isinstance(outcome(known(kind)), Refused)}
    assert noes == {kind for kind in Kind if kind.name.startswith("REFUSED")}


def test_every_kind_is_some_marketplaces() -> None:
    assert {entry.kind for marketplace in REGISTRY.values() for entry in marketplace.codes} == set(Kind)


def test_what_the_words_beside_a_code_may_be_about_follows_from_its_kind() -> None:
    assert known(Kind.RATE).topics == LIMIT
    assert known(Kind.REFUSED).topics == known(Kind.REFUSED_FOR_NOW).topics == ORDER
    assert known(Kind.REFUSED_TO_ACCOUNT).topics == ORDER_OR_DOOR
    assert {known(kind).topics for kind in Kind if kind.decline and kind is not Kind.RATE} == {DOOR}


def test_a_marketplace_is_obeyed_for_a_day_at_most() -> None:
    assert too_many(10.0**6).retry_after_seconds == 86400
    assert too_many(None).retry_after_seconds is None
    found = outcome(known(Kind.RATE), wait_seconds=10.0**6)
    assert isinstance(found, Declined)
    assert found.retry_after_seconds == 86400
