"""Manual acts are kept with who, host, door and note, in the transaction that did them."""

from __future__ import annotations

import socket

import pytest

from tests.ledger.ledger_kit import ACCOUNT, ordered, place_one, submit
from worker.errors import NotAllowed
from worker.ledger.acts import Acts
from worker.ledger.audit import Audit
from worker.ledger.engine import Ledger
from worker.ledger.intake import open_batch
from worker.ledger.operators import Operator
from worker.ledger.queries import Queries
from worker.ledger.selection import Filter
from worker.rules.acts import ActKind
from worker.rules.audit import AuditView
from worker.rules.outcomes import Accepted

HOST = socket.gethostname()


def kept(ledger: Ledger, **wanted: str | float) -> list[AuditView]:
    return Audit(ledger).newest(100, **wanted)  # type: ignore[arg-type]


def test_an_act_on_an_order_is_kept_with_its_person_and_note(ledger: Ledger) -> None:
    batch = submit(ledger, "SO-1", "SO-2")
    ordered(ledger, "cancel", note="no more")
    submitted, act = kept(ledger)
    assert (submitted.what, submitted.batch_id, submitted.note, submitted.door) == (
        "submit",
        batch,
        "orders.jsonl",
        "python",
    )
    assert (act.what, act.actor, act.host, act.door) == ("cancel", "anna", HOST, "cli")
    assert (act.order_id, act.account, act.note) == ("SO-1", ACCOUNT, "no more")
    assert [one.what for one in Queries(ledger).order("SO-1").acts] == ["submit", "cancel"]


def test_what_was_not_allowed_is_no_act(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    place_one(ledger, Accepted(()))
    with pytest.raises(NotAllowed):
        ordered(ledger, "cancel")
    assert [one.what for one in kept(ledger)] == ["submit"]


def test_an_adoption_names_the_id_and_only_a_persons_counts(ledger: Ledger) -> None:
    submit(ledger, "SO-1", "SO-2")
    for order_id in ("SO-1", "SO-2"):
        place_one(ledger, Accepted(()), order_id)
    Operator(ledger, "cli:anna").adopt("SO-1", "8190000000000001")
    Operator(ledger, "worker").adopt("SO-2", "8190000000000002", "a push message", replaces=False)
    assert [(one.what, one.order_id, one.note) for one in kept(ledger)[1:]] == [
        ("adopt", "SO-1", "id 8190000000000001")
    ]


def test_pauses_and_resumes_are_kept_and_a_resume_of_nothing_is_not(ledger: Ledger) -> None:
    person = Operator(ledger, "task:flower@web-3")
    person.pause(ACCOUNT, note="holiday")
    person.resume(ACCOUNT, "back")
    person.resume(ACCOUNT)
    assert [(one.what, one.account, one.actor, one.host, one.door, one.note) for one in kept(ledger)] == [
        ("pause", ACCOUNT, "flower", "web-3", "flower", "holiday"),
        ("resume", ACCOUNT, "flower", "web-3", "flower", "back"),
    ]


def test_an_act_on_many_is_kept_once_when_it_begins_with_who_began_it(ledger: Ledger) -> None:
    submit(ledger, "SO-1")
    submit(ledger, "SO-2", account="other")
    acts = Acts(ledger)
    act_id = acts.freeze(ActKind.CANCEL, Filter(account="other"), "cli:anna", "desk", "why")
    assert [one.what for one in kept(ledger)] == ["submit", "submit"]
    acts.begin(act_id, "cli:bert")
    acts.begin(act_id, "cli:carl")
    *_, last = kept(ledger)
    assert (last.what, last.actor, last.act_id, last.note) == ("cancel", "bert", act_id, "why")
    assert [one.what for one in kept(ledger, order_id="SO-2")] == ["submit", "cancel"]
    assert [one.what for one in kept(ledger, order_id="SO-1")] == ["submit"]
    assert [one.what for one in kept(ledger, account="other")] == ["submit", "cancel"]


def test_the_newest_come_last_and_a_time_narrows_them(ledger: Ledger) -> None:
    batches = [open_batch(ledger, f"{n}.csv", "cli:anna") for n in range(5)]
    assert [one.batch_id for one in Audit(ledger).newest(2)] == batches[-2:]
    assert kept(ledger, since=9e9) == []
