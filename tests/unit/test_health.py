"""What is wrong follows from what was seen, and nothing else: each trouble with its sentence, command and exit code."""

from __future__ import annotations

import pytest

from worker.rules.codes import Code
from worker.rules.health import TroubleKind, exit_code, pace, troubles, verdict
from worker.rules.snapshot import Disk, Held, Snapshot, Still, Unreached
from worker.rules.tokens import TokenTrouble
from worker.rules.troubles import PauseView

NOW = 1_800_000_000.0
GB = 1024**3


def seen(**changes: object) -> Snapshot:
    return Snapshot(now=NOW, **changes)  # type: ignore[arg-type]


def pause(code: str, until: float | None, fix: str | None = None) -> PauseView:
    return PauseView("main", NOW - 100, until, code, "why it is so", fix, "worker")


ENDING = TokenTrouble("main", Code.TOKEN_ENDS_SOON, "its tokens end in 6 days", "fulfil accounts login main")


def told(snapshot: Snapshot) -> list[tuple[str, int, str]]:
    found = troubles(snapshot)
    return [(one.kind, exit_code([one]), one.command) for one in found]


def test_nothing_wrong_is_one_line_and_exit_code_0() -> None:
    assert troubles(seen(moving=3)) == []
    assert exit_code([]) == 0
    assert verdict(seen(moving=3), []) == "all well: 3 orders on the way, nothing needs a person"
    assert verdict(seen(batch="B-1"), []).startswith("batch B-1: all well")


@pytest.mark.parametrize(
    ("snapshot", "kind", "code", "command"),
    [
        (seen(redis="Redis is full", moving=2), TroubleKind.REDIS_AWAY, 3, "fulfil doctor"),
        (seen(redis="it does not run", redis_is_ours=True), TroubleKind.REDIS_AWAY, 3, "fulfil up"),
        (seen(ledger_moved_age=3.0, sweep_age=20.0), TroubleKind.LEDGER_MOVED, 3, "fulfil up"),
        (seen(sweep_age=61.0), TroubleKind.SWEEP_SILENT, 3, "fulfil up"),
        (seen(moving=1, waiting_since=NOW - 61), TroubleKind.SWEEP_SILENT, 3, "fulfil up"),
        (seen(sweep_age=1.0, deaf={"place.main": 10_011}), TroubleKind.NO_WORKER, 3, "fulfil up"),
        (seen(hooks_expected=("main",), hooks_age=None), TroubleKind.HOOKS_SILENT, 3, "fulfil hooks"),
        (seen(hooks_expected=("main",), hooks_age=999.0), TroubleKind.HOOKS_SILENT, 3, "fulfil hooks"),
        (
            seen(unreached=(Unreached("main", 4, NOW - 5, "no connection"),)),
            TroubleKind.UNREACHABLE,
            3,
            "fulfil doctor",
        ),
        (seen(held=(Held(pause("PAUSED", None), 0),)), TroubleKind.HELD, 1, "fulfil resume main"),
        (
            seen(held=(Held(pause("TOKEN_ENDED", None, "fulfil accounts login main"), 2),), tokens=(ENDING,)),
            TroubleKind.HELD,
            1,
            "fulfil accounts login main",
        ),
        (
            seen(held=(Held(pause("TOKEN_RENEWAL", NOW + 5), 2),), tokens=(ENDING,)),
            TroubleKind.TOKENS,
            1,
            "fulfil accounts login main",
        ),
        (seen(held=(Held(pause("DAY_LIMIT", NOW + 9, "x"), 0),)), TroubleKind.HELD, 1, "fulfil resume main"),
        (seen(held=(Held(pause("NO_STOCK", None, "pay the bill"), 2),)), TroubleKind.HELD, 1, "fulfil resume main"),
        (seen(held=(Held(pause("BREAKER_OPEN", NOW + 9), 1),)), TroubleKind.HELD, 3, "fulfil doctor"),
        (seen(held=(Held(pause("HTTP_429", NOW + 9), 1),)), TroubleKind.HELD, 3, "fulfil doctor"),
        (
            seen(held=(Held(pause("IllegalAccessToken", NOW + 9, "renew"), 1),)),
            TroubleKind.DECLINED,
            1,
            "fulfil doctor",
        ),
        (
            seen(held=(Held(pause("IllegalAccessToken", NOW - 9, "renew"), 1),)),
            TroubleKind.DECLINED,
            1,
            "fulfil doctor",
        ),
        (seen(not_configured={"old": 2}), TroubleKind.NO_ACCOUNT, 1, "fulfil list --account old"),
        (seen(needs_person=2), TroubleKind.NEEDS_PERSON, 1, "fulfil failures"),
        (seen(needs_person=2, batch="B-1"), TroubleKind.NEEDS_PERSON, 1, "fulfil failures --batch B-1"),
        (seen(overdue=2), TroubleKind.OVERDUE, 1, "fulfil list --attention"),
        (seen(orphans=1), TroubleKind.ORPHANS, 1, "fulfil orphans"),
        (seen(acts=(Still("A-1", 7, NOW - 121),)), TroubleKind.ACT_STILL, 1, "fulfil act A-1 --yes"),
        (seen(disks=(Disk("/srv/x", 100 * 1024**2, 900 * GB),)), TroubleKind.DISK, 1, "du -sh /srv/x/*"),
        (seen(disks=(Disk("/srv/x", GB, 100 * GB),)), TroubleKind.DISK, 1, "du -sh /srv/x/*"),
    ],
)
def test_each_trouble_has_its_exit_code_and_command(snapshot: Snapshot, kind: str, code: int, command: str) -> None:
    assert told(snapshot) == [(kind, code, command)]


@pytest.mark.parametrize(
    "snapshot",
    [
        seen(ledger_moved_age=30.0, sweep_age=2.0),
        seen(ledger_moved_age=61.0, sweep_age=None),
        seen(sweep_age=None),
        seen(moving=1, waiting_since=NOW - 5),
        seen(hooks_expected=("main",), hooks_age=5.0),
        seen(hooks_expected=(), hooks_age=None),
        seen(acts=(Still("A-1", 7, NOW - 30),)),
        seen(disks=(Disk("/srv/x", 5 * GB, 4000 * GB), Disk("/tmp/y", GB, 4 * GB))),
    ],
)
def test_what_is_no_trouble_is_not_told(snapshot: Snapshot) -> None:
    assert troubles(snapshot) == []


def test_nothing_is_said_of_what_only_redis_knows_while_it_is_away() -> None:
    found = told(seen(redis="away", moving=1, waiting_since=NOW - 999, hooks_expected=("main",)))
    assert [kind for kind, _, _ in found] == [TroubleKind.REDIS_AWAY]


def test_a_breaker_says_it_already_that_the_marketplace_is_not_reached() -> None:
    both = seen(
        held=(Held(pause(Code.BREAKER_OPEN, NOW + 9), 1),), unreached=(Unreached("main", 4, NOW - 5, "no connection"),)
    )
    assert [kind for kind, _, _ in told(both)] == [TroubleKind.HELD]


def test_what_is_away_wins_and_comes_first() -> None:
    both = seen(needs_person=1, sweep_age=99.0)
    found = troubles(both)
    assert [one.kind for one in found] == [TroubleKind.SWEEP_SILENT, TroubleKind.NEEDS_PERSON]
    assert exit_code(found) == 3
    assert verdict(both, found) == "something is away (the sweep); a person is needed (orders)"


def test_an_account_that_is_not_accepted_is_told_with_its_fix() -> None:
    (one,) = troubles(seen(held=(Held(pause("IllegalAccessToken", NOW - 9, "set the new access_token"), 3),)))
    assert "the account main is not accepted: why it is so; 3 orders wait; set the new access_token" in one.sentence
    assert "until" not in one.sentence, "a time in the past says nothing"


def test_the_pace_tells_rate_end_and_oldest() -> None:
    before = Snapshot(now=NOW - 10, moving=30)
    now = seen(moving=10, oldest=NOW - 90)
    assert pace(now, {"confirmed": 20}, (before, {})) == (
        "2.0 orders a second; the last ends at about 2027-01-15T08:00:05.000Z;"
        " the oldest of 10 orders on the way was submitted 90 s ago"
    )
    assert pace(seen(), {}, None) == "no order is on the way"
