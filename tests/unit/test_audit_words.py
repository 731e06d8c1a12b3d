"""Who an actor is, by which door, and how a manual act is told."""

from __future__ import annotations

import pytest

from worker.rules.audit import AuditView, Door, Who, audit_line, who_of


@pytest.mark.parametrize(
    ("actor", "who"),
    [
        ("cli:anna", Who("anna", "here", Door.CLI)),
        ("cli", Who("unknown", "here", Door.CLI)),
        ("task:flower", Who("flower", "here", Door.FLOWER)),
        ("task:flower@web-3", Who("flower", "web-3", Door.FLOWER)),
        ("task:anna@desk", Who("anna", "desk", Door.MESSAGE)),
        ("task:producer", Who("producer", "here", Door.MESSAGE)),
        ("python:batch", Who("batch", "here", Door.PYTHON)),
        ("python:", Who("unknown", "here", Door.PYTHON)),
        ("somebody", Who("somebody", "here", Door.PYTHON)),
    ],
)
def test_an_actor_names_a_person_a_host_and_a_door(actor: str, who: Who) -> None:
    assert who_of(actor, "here") == who


def test_an_act_is_told_with_who_where_from_where_and_why() -> None:
    entry = AuditView(0.0, "cancel", "anna", "desk", "cli", "main", "SO-2", None, None, "no more")
    assert audit_line(entry) == "1970-01-01T00:00:00.000Z cancel SO-2 of main by anna on desk (cli): no more"
    many = AuditView(0.0, "retry", "anna", "desk", "cli", None, None, None, "A-1", None)
    assert audit_line(many) == "1970-01-01T00:00:00.000Z retry the orders of A-1 by anna on desk (cli)"
