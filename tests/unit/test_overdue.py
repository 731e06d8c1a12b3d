"""When an order is overdue for no stated reason."""

from __future__ import annotations

import pytest

from worker.rules.overdue import WAITING, Line, stands_still
from worker.rules.states import State


@pytest.mark.parametrize("state", WAITING)
def test_what_is_due_for_long_and_free_and_does_not_move_is_overdue(state: State) -> None:
    assert stands_still(Line("main", state, held=False, moving=False))


@pytest.mark.parametrize(("held", "moving"), [(True, False), (False, True), (True, True)])
def test_a_pause_or_a_turn_is_a_reason_to_wait(held: bool, moving: bool) -> None:
    assert not stands_still(Line("main", State.QUEUED, held=held, moving=moving))


@pytest.mark.parametrize("state", [state for state in State if state not in WAITING])
def test_what_no_worker_takes_is_never_overdue(state: State) -> None:
    assert not stands_still(Line("main", state, held=False, moving=False))
