"""What is supported: the matrix `fulfil marketplaces` prints, and the accounts `fulfil sandbox` offers."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from config.settings import Settings
from tests.contract.contract_kit import over_http, subject_of
from worker.cli.main import main
from worker.marketplaces import REGISTRY
from worker.orders.fields import paths
from worker.rules.outcomes import Accepted
from worker.sandbox.fakes import ACCOUNTS, FAKES
from worker.sandbox.server import background, lines_to_paste


def test_the_lines_the_sandbox_prints_make_accounts_that_work_side_by_side_on_one_port() -> None:
    with background([fake({}, 0.0) for fake in FAKES.values()]) as sandbox:
        variables = dict(line.removeprefix("export ").split("=", 1) for line in lines_to_paste(sandbox))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            accounts = Settings(_env_file=None).accounts
        assert {name: account.marketplace for name, account in accounts.items()} == ACCOUNTS
        for account in accounts.values():
            name = account.marketplace
            kind = REGISTRY[name]
            adapter = kind(name, kind.credentials_model.model_validate(account.extras()), account.base_url)
            order = subject_of(name).order
            (placed,) = over_http(partial(adapter.place, order, "SO-1"))
            assert isinstance(placed, Accepted), placed
        made = httpx.get(f"{sandbox.url}/_sandbox/orders", trust_env=False).json()
    assert sorted((order["marketplace"], order["account"]) for order in made) == [
        (name, "sandbox") for name in sorted(REGISTRY)
    ]


def matrix() -> dict[str, dict[str, Any]]:
    told = CliRunner().invoke(main, ["marketplaces", "--json"])
    assert told.exit_code == 0, told.output
    return {row["name"]: row for row in json.loads(told.stdout)}


def test_every_marketplace_of_the_registry_is_in_the_matrix_and_has_a_face() -> None:
    assert list(matrix()) == list(REGISTRY) == list(FAKES) == ["aliexpress", "xportcn", "shoplazza"]


def test_the_matrix_is_what_the_classes_say() -> None:
    for name, row in matrix().items():
        known = subject_of(name).marketplace
        window = known.resend_window
        assert row["title"] == known.title
        assert row["resend_window_seconds"] == (window.total_seconds() if window else None)
        assert bool(row["look_up_by"]) == subject_of(name).adapter().can_look_up
        assert row["pushes"] == known.takes_pushes
        assert (row["rate_per_second"], row["rate_burst"]) == (known.default_rate.per_second, known.default_rate.burst)
        assert row["calls_to_place"] == known.calls_to_place
        assert row["fields"] == len(paths(known.order_model))
        assert (row["codes"], row["statuses"]) == (len(known.codes), len(known.statuses))
        assert {*row["credentials"], *row["settings"]} == set(known.credentials_model.model_fields)


def test_a_person_reads_the_same_as_a_table() -> None:
    told = CliRunner().invoke(main, ["marketplaces"]).stdout
    assert all(row["title"] in told for row in matrix().values())
    assert "safe for 22 hours" in told
    assert told.count("not safe") == 2


def test_a_marketplace_nobody_knows_has_no_template() -> None:
    told = CliRunner().invoke(main, ["template", "amazon"])
    assert told.exit_code == 2
    assert told.stderr == "fulfil: no marketplace 'amazon'; there are aliexpress, xportcn, shoplazza\n"
