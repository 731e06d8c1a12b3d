"""The note that a message went into a queue, and what tells that none came out."""

from __future__ import annotations

import time

import pytest
import redis

from worker.broker.passage import Passage


def test_a_queue_is_stuck_when_nothing_came_out_for_long(
    real_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    passage = Passage(real_redis)
    assert passage.stuck(["place.main", "confirm"], 100) == []
    passage.asked("place.main")
    passage.asked("confirm")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 99)
    passage.asked("place.main")
    passage.came("confirm")
    assert passage.stuck(["place.main", "confirm"], 100) == []
    monkeypatch.setattr(time, "time", lambda: now + 101)
    assert passage.stuck(["place.main", "confirm"], 100) == ["place.main"], "the first note stands"
    passage.came("place.main")
    assert passage.stuck(["place.main", "confirm"], 100) == []
