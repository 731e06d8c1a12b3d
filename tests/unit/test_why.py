"""`fulfil why`: for every state at every kind of marketplace it says what will happen, when, and why that is safe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from worker.marketplaces import REGISTRY
from worker.rules.codes import CODES, Code, addressed
from worker.rules.reconcile import Ability
from worker.rules.states import State
from worker.rules.story import ItemView, OrderStory
from worker.rules.troubles import PauseView
from worker.rules.views import AttemptView, OrderView
from worker.rules.why import _NEXT, Ways, why

NOW = 1_764_000_000.0  # 2025-11-24 16:00:00 UTC
HOUR = 3600.0
RESENDS = Ways("AliExpress DS", "My Orders", Ability(False, 22 * HOUR), takes_pushes=True)
LOOKS_UP = Ways("Shoplazza", "the shop's admin", Ability(True, None), "our tag")
MAKES_ANEW = Ways("Xportcn KA (1688)", "1688", Ability(True, None, 6 * HOUR), "outOrderId")
NEITHER = Ways("Xportcn KA (1688)", "1688", Ability(False, None))
NOT_CONFIGURED = Ways("AliExpress DS", "My Orders", None)
KINDS = {
    "resends": RESENDS,
    "looks up": LOOKS_UP,
    "makes anew": MAKES_ANEW,
    "neither": NEITHER,
    "not configured": NOT_CONFIGURED,
}


def story(state: State, **changes: Any) -> OrderStory:
    sent_at = changes.get("first_sent_at", NOW - HOUR)
    order = OrderView(
        order_id="SO-1",
        account="main",
        marketplace="aliexpress",
        state=state,
        references=("8198352049851315",) if state in (State.PLACED, State.CONFIRMED) else (),
        attempts=1,
        code=None,
        reason=None,
        fix=None,
        due_at=NOW + 60 if state in (State.QUEUED, State.UNKNOWN, State.PLACED) else None,
        attention=False,
        in_doubt=state is State.UNKNOWN,
        batch="B-1",
        line=1,
        created_at=NOW - 2 * HOUR,
        first_sent_at=sent_at,
        accepted_at=None,
        closed_at=None,
        updated_at=NOW - HOUR,
    )
    attempt = AttemptView(1, sent_at or 0.0, "Unknown", None, "timeout", None, 100)
    items = (ItemView("1005004638293060", "14:365458#Brown", 2),)
    nothing: Any = ()
    return OrderStory(replace(order, **changes), (attempt,), (), (), items, "US", nothing, nothing, None, nothing)


def told(state: State, ways: Ways, **changes: Any) -> str:
    return why(story(state, **changes), ways, None, NOW)


def test_no_state_is_without_a_word() -> None:
    assert _NEXT.keys() == set(State)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", State)
def test_every_state_at_every_kind_says_what_follows(state: State, kind: str) -> None:
    for due_at in (NOW + 60, NOW - 60, None):
        for doubt in (False, True):
            said = told(state, KINDS[kind], due_at=due_at, in_doubt=doubt, attention=doubt)
            first, *rest = said.splitlines()
            assert first.startswith(f"SO-1 is {state}: ")
            assert rest, "something follows, if only that nothing does"
            assert "ORDER" not in said, "every command can be pasted"
            assert "next step" not in said
            if due_at == NOW - 60:
                assert "at 2025-11-24 15:59:00 UTC" not in said, "a time gone by is when nothing happens"


SAME_KEY = [
    "sent again under the same key at 2025-11-24 16:01:00 UTC",
    "safe until 2025-11-25 13:00:00 UTC",
    "one order of",
]
SAFE = "whatever was sent before never arrived or was refused"
CHOICE = ["fulfil adopt SO-1 --reference ID", "fulfil retry SO-1 --absent", "fulfil close SO-1 --note TEXT"]
LOOK = "2 × product 1005004638293060, sku 14:365458#Brown; to US; sent at"


@pytest.mark.parametrize(
    ("state", "kind", "changes", "words", "never"),
    [
        ("queued", "resends", {}, ["It is sent at 2025-11-24 16:01:00 UTC", SAFE], ["same key"]),
        ("queued", "looks up", {}, ["It is sent at 2025-11-24 16:01:00 UTC", SAFE], []),
        ("queued", "resends", {"due_at": NOW - 5}, ["as soon as a worker takes it up (it is due since"], []),
        ("queued", "resends", {"in_doubt": True}, SAME_KEY, ["never sent again", SAFE]),
        (
            "queued",
            "resends",
            {"in_doubt": True, "first_sent_at": NOW - 23 * HOUR},
            ["It is not sent again", "until 2025-11-24 15:00:00 UTC", "hands it to a person"],
            [SAFE],
        ),
        ("placing", "resends", {}, ["Nobody else sends it meanwhile", "settled before anything is sent again"], []),
        ("unknown", "resends", {}, SAME_KEY, ["looked up", *CHOICE]),
        (
            "unknown",
            "looks up",
            {},
            ["looked up at Shoplazza (by our tag) at 2025-11-24 16:01:00 UTC", "nothing is sent without your word"],
            ["same key", *CHOICE],
        ),
        ("unknown", "makes anew", {}, ["by outOrderId", "after 6 hours of look-ups", "RECREATE_AFTER_SECONDS"], []),
        (
            "unknown",
            "looks up",
            {"attention": True},
            ["looked up at Shoplazza", "looked up once more", LOOK, *CHOICE],
            [],
        ),
        ("unknown", "looks up", {"due_at": None, "attention": True}, ["not looked up any more", *CHOICE], []),
        ("unknown", "neither", {"due_at": None}, ["tells no repeat by its key and cannot be asked", LOOK, *CHOICE], []),
        (
            "unknown",
            "resends",
            {"due_at": None, "attention": True, "first_sent_at": NOW - 23 * HOUR, "fix": "an older advice"},
            ["told a repeat by its key until 2025-11-24 15:00:00 UTC", "could make a second order", LOOK, *CHOICE],
            ["an older advice", "safe until"],
        ),
        (
            "unknown",
            "resends",
            {"due_at": None, "attention": True},
            ["fulfil retry SO-1 sends it again under the same key", "2025-11-25 13:00:00 UTC", *CHOICE],
            [],
        ),
        ("unknown", "not configured", {}, ["main is not configured here"], ["same key"]),
        ("unknown", "resends", {"code": "ACCOUNT_CHANGED", "attention": True}, ["its settings back"], CHOICE),
        ("unmatched", "resends", {}, ["never sent again: AliExpress DS has it", "fulfil orphans", LOOK], ["--absent"]),
        ("unmatched", "looks up", {}, ["never sent again"], ["push"]),
        ("placed", "looks up", {}, ["read back at 2025-11-24 16:01:00 UTC", "under 8198352049851315"], []),
        ("confirmed", "resends", {}, ["Nothing more happens by itself"], ["close"]),
        ("confirmed", "resends", {"attention": True}, ["fulfil close SO-1 --note TEXT"], []),
        (
            "refused",
            "resends",
            {"first_sent_at": NOW - 90 * HOUR},
            ["however long ago", "fulfil amend SO-1 --set FIELD=VALUE", "fulfil retry SO-1", "fulfil cancel SO-1"],
            ["safe until", "new order_id"],
        ),
        ("dead", "looks up", {}, ["Nothing of it arrived at Shoplazza", "fulfil retry SO-1", "fulfil amend SO-1"], []),
        ("cancelled", "resends", {}, ["Nothing more happens"], ["fulfil"]),
    ],
)
def test_what_it_says(state: str, kind: str, changes: dict[str, Any], words: list[str], never: list[str]) -> None:
    said = told(State(state), KINDS[kind], **changes)
    assert [word for word in words if word not in said] == []
    assert [word for word in never if word in said] == []


def test_a_paused_account_is_told_before_the_sending() -> None:
    pause = PauseView("main", NOW - 60, None, "PAUSED", "paused by a person", "fulfil resume ACCOUNT", "cli:anna")
    said = why(story(State.QUEUED), RESENDS, pause, NOW)
    assert "paused until a person resumes it" in said
    assert "fulfil resume main" in said
    assert "Then it is sent when its turn comes" in said


def test_a_closed_order_has_nothing_more_to_say() -> None:
    closed = {"closed_at": NOW, "reason": "closed by a person: refunded", "due_at": None}
    said = told(State.UNKNOWN, RESENDS, **closed)
    assert said.splitlines()[1:] == [
        "A person closed it at 2025-11-24 16:00:00 UTC: refunded. Nothing more is done about it."
    ]


def test_advice_is_addressed_to_its_order_and_account() -> None:
    assert (
        addressed("fulfil retry ORDER; fulfil resume ACCOUNT", "SO 1", "main")
        == "fulfil retry 'SO 1'; fulfil resume main"
    )
    assert addressed("fulfil show ORDER", "-7", "main") == "fulfil show -- -7"
    assert addressed("REORDER my ORDERS", "SO-1", "main") == "REORDER my ORDERS"


@pytest.mark.parametrize("code", [Code.WINDOW_CLOSED, Code.CANNOT_TELL, Code.NOT_FOUND])
def test_the_codes_of_what_only_a_person_knows_name_the_whole_choice(code: Code) -> None:
    fix = addressed(CODES[code].fix or "", "SO-1", "main")
    assert [command for command in ("fulfil why SO-1", *CHOICE) if command not in fix] == []


def test_every_marketplace_says_where_its_orders_go_or_has_no_country() -> None:
    aliexpress = {"logistics_address": {"country": "US", "contact_person": "somebody"}}
    assert REGISTRY["aliexpress"].country(aliexpress) == "US"
    assert REGISTRY["shoplazza"].country({"shipping_address": {"country_code": "CA"}}) == "CA"
    assert REGISTRY["xportcn"].country({"addressParam": {"fullName": "somebody"}}) == ""
    assert REGISTRY["aliexpress"].country({}) == ""
