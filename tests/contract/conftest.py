"""Gives each contract test its marketplace: every name in its module's `SUBJECTS`."""

from __future__ import annotations

import pytest

from tests.contract.contract_kit import Subject, subject_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "subject" in metafunc.fixturenames:
        metafunc.parametrize("subject", metafunc.module.SUBJECTS, indirect=True, scope="module")


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Subject:
    return subject_of(request.param)
