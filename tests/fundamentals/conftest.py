"""Opens one shop for all lessons: real Redis, real workers, sandboxes over real HTTP.

An order takes ten seconds and more, because it is read back no sooner. So that the lessons wait together, each
begins in its function `begin(shop)`, called before any worker runs; then the workers start, `go_on(shop)` does what a
person does meanwhile, and the tests look at what became of it. What `begin` returned is the fixture `begun`, what
`go_on` returned is `gone_on`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fundamentals.other_fake import UNUSUAL, OtherFake
from tests.harness import Shop
from worker.sandbox.server import background

HERE = Path(__file__).parent

Opened = tuple[Shop, dict[ModuleType, Any], dict[ModuleType, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the lessons time on a machine that is busy: the first of them opens the shop for all."""
    for item in items:
        if item.path.parent == HERE and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    modules = dict.fromkeys(item.getparent(pytest.Module).obj for item in request.session.items)
    lessons = [module for module in modules if Path(module.__file__).parent == HERE and hasattr(module, "begin")]
    with background([OtherFake()]) as other:
        addresses = dict.fromkeys(UNUSUAL, f"{other.url}/sync")
        # The most talkative log level, because a lesson looks for what must never be in a log.
        with Shop(
            tmp_path_factory.mktemp("shop"), ("main", "bulk", "lost", *UNUSUAL), addresses, log_level="DEBUG"
        ) as shop:
            shop.environment["FULFIL_ACCOUNTS__THROTTLED__RATE_PER_SECOND"] = "0.5"
            shop.start_redis()
            shop.start_sandbox()
            shop.start("flower")
            begun = {lesson: _call(lesson, "begin", shop) for lesson in lessons}
            shop.until("Flower to answer", shop.flower_answers, 60)
            shop.start("place", "confirm", "beat")
            gone_on = {lesson: _call(lesson, "go_on", shop) for lesson in lessons}
            yield shop, begun, gone_on


def _call(lesson: ModuleType, name: str, shop: Shop) -> Any:
    """Call a lesson's function, if it has it; a failure is kept for that lesson's own tests."""
    try:
        return getattr(lesson, name)(shop) if hasattr(lesson, name) else None
    except (Exception, pytest.fail.Exception) as error:
        return error


def _returned(module: ModuleType, returned: dict[ModuleType, Any]) -> Any:
    answer = returned.get(module)
    if isinstance(answer, BaseException):
        raise answer
    return answer


@pytest.fixture
def begun(opened: Opened, request: pytest.FixtureRequest) -> Any:
    return _returned(request.module, opened[1])


@pytest.fixture
def gone_on(opened: Opened, request: pytest.FixtureRequest) -> Any:
    return _returned(request.module, opened[2])


@pytest.fixture
def shop(opened: Opened, begun: Any, gone_on: Any) -> Shop:
    return opened[0]
