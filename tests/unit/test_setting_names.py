"""A misspelt variable is named with the nearest one that means something; what others read is left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import names, settings
from config.settings import Account, BadSettingError, Settings
from worker.accounts import Accounts
from worker.errors import ConfigError

KNOWN = names.known_names(Settings.model_fields)
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("FULFIL_HOEM", "FULFIL_HOME"),
        ("FULFIL_REDISURL", "FULFIL_REDIS_URL"),
        ("FULFIL_DATABASE_URL_FIEL", "FULFIL_DATABASE_URL_FILE"),
        ("FULFIL_ACCOUNT__MAIN__APP_KEY", "FULFIL_ACCOUNTS__MAIN__APP_KEY"),
        ("FULFIL_ACCOUNTS_MAIN__APP_KEY", "FULFIL_ACCOUNTS__MAIN__APP_KEY"),
        ("FULFIL_ACOUNTS__MAIN__RATE_PER_SECOND", "FULFIL_ACCOUNTS__MAIN__RATE_PER_SECOND"),
        ("FULFILL_HOME", "FULFIL_HOME"),
        ("FULFILL_ACCOUNTS__MAIN__APP_KEY", "FULFIL_ACCOUNTS__MAIN__APP_KEY"),
    ],
)
def test_the_nearest_name_is_told_and_no_value(name: str, near: str) -> None:
    (said,) = names.misspelt({name: ".env"}, KNOWN)
    assert said == f"{name} (in .env) is no setting; nearest: {near}"


@pytest.mark.parametrize(
    "name",
    ["FULFIL_HOME", "FULFIL_MESSAGE_KEY_FILE", "FULFIL_ENV_FILE", "FULFIL_ACCOUNTS__MAIN__ANYTHING", "FULFILL_OTHERS"],
)
def test_what_means_something_is_left_alone(name: str) -> None:
    assert names.misspelt({name: "the environment"}, KNOWN) == []


def test_one_that_is_like_nothing_is_named_too() -> None:
    assert names.misspelt({"FULFIL_QQQQQQQQQQ": ".env"}, KNOWN) == [
        "FULFIL_QQQQQQQQQQ (in .env) is no setting; see docs/configuration.md"
    ]


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_the_settings_are_not_made_with_a_misspelt_name(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULFIL_ENV_FILE", str(tmp_path / ".env"))
    if where == ".env":
        (tmp_path / ".env").write_text("fulfil_mesage_key=hush\n")
        (tmp_path / ".env").chmod(0o600)
    else:
        monkeypatch.setenv("FULFIL_MESAGE_KEY", "hush")
    settings.settings.cache_clear()
    try:
        with pytest.raises(BadSettingError, match="nearest: FULFIL_MESSAGE_KEY") as raised:
            settings.settings()
        assert "hush" not in str(raised.value)
    finally:
        settings.settings.cache_clear()


def test_a_misspelt_key_of_an_account_is_told_with_the_nearest_of_its_marketplace() -> None:
    account = Account.model_validate({"marketplace": "aliexpress", "app_secrte": "hush"})
    with pytest.raises(ConfigError) as raised:
        Accounts({"main": account}).check_names()
    assert str(raised.value) == (
        "FULFIL_ACCOUNTS__MAIN__APP_SECRTE is no setting of AliExpress DS; nearest: FULFIL_ACCOUNTS__MAIN__APP_SECRET"
    )


def test_every_name_the_program_and_its_deployment_read_is_known() -> None:
    code = [path for folder in ("config", "worker", "tasks") for path in (ROOT / folder).rglob("*.py")]
    used = {
        name
        for path in [*code, ROOT / "Dockerfile", ROOT / "docker-compose.yml"]
        for name in re.findall(r"(?<!_)FULFIL_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8"))
    }
    plain = {name for name in used if not name.startswith("FULFIL_ACCOUNTS") and name != "FULFIL_X_FILE"}
    assert plain - KNOWN - {"FULFIL_ACCOUNT"} == set()
