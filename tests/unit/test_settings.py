"""Settings: read from the environment, held to their bounds, and never quoted in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import Account, BadSettingError, Settings, settings
from worker.accounts import Accounts
from worker.errors import ConfigError, UnknownAccount
from worker.marketplaces.aliexpress.adapter import AliExpress

SECRET = "geheim-4711"
KEYS = {"MARKETPLACE": "aliexpress", "APP_KEY": "12345678", "APP_SECRET": SECRET, "ACCESS_TOKEN": f"{SECRET}-token"}


def account(patch: pytest.MonkeyPatch, name: str = "MAIN", **keys: str) -> None:
    for key, value in {**KEYS, **keys}.items():
        patch.setenv(f"FULFIL_ACCOUNTS__{name}__{key}", value)


def accounts() -> Accounts:
    return Accounts(settings().accounts)


def complaint() -> str:
    with pytest.raises(BadSettingError) as told:
        settings()
    assert "\n" not in str(told.value)
    return str(told.value)


def test_without_any_environment_the_defaults_stand(fresh_settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = settings()
    assert (found.home, found.redis_url, found.chunk, found.accounts) == (Path(".fulfil"), None, 100, {})
    assert found.confirm_delay_seconds >= 10
    assert found.database() == f"sqlite:///{tmp_path}/.fulfil/ledger.sqlite3"


def test_settings_come_from_the_environment(fresh_settings: pytest.MonkeyPatch) -> None:
    for name, value in {"CHUNK": "7", "LEASE_SECONDS": "12.5", "HOME": "/srv/x", "LOG_LEVEL": "debug"}.items():
        fresh_settings.setenv(f"FULFIL_{name}", value)
    found = settings()
    assert (found.chunk, found.lease_seconds, found.home, found.log_level) == (7, 12.5, Path("/srv/x"), "DEBUG")


def test_settings_come_from_a_file_and_the_environment_outweighs_it(
    fresh_settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "FULFIL_CHUNK=5\nFULFIL_IN_FLIGHT=6\nFULFIL_ACCOUNTS__MAIN__MARKETPLACE=aliexpress\n"
    )
    fresh_settings.setenv("FULFIL_CHUNK", "9")
    found = settings()
    assert (found.chunk, found.in_flight, list(found.accounts)) == (9, 6, ["main"])


def test_an_empty_variable_is_one_that_is_not_set(fresh_settings: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "REDIS_URL", "DATABASE_URL", "CHUNK"):
        fresh_settings.setenv(f"FULFIL_{name}", "")
    found = settings()
    assert (found.home, found.redis_url, found.database_url, found.chunk) == (Path(".fulfil"), None, None, 100)


def test_an_account_is_nested_in_the_environment_and_its_name_is_lower_case(
    fresh_settings: pytest.MonkeyPatch,
) -> None:
    account(fresh_settings, "MAIN", BASE_URL="http://127.0.0.1:8900/sync", RATE_PER_SECOND="2.5", RATE_BURST="3")
    account(fresh_settings, "second_shop")
    found = settings().accounts
    assert sorted(found) == ["main", "second_shop"]
    assert (found["main"].base_url, found["main"].rate_per_second) == ("http://127.0.0.1:8900/sync", 2.5)
    assert found["main"].extras() == {
        "app_key": "12345678",
        "app_secret": SECRET,
        "access_token": f"{SECRET}-token",
    }


@pytest.mark.parametrize("key", ["12345678", "0123", "1e5", "true", "null", '"x"', "{}", "[1]", "a#b c"])
def test_a_key_stays_the_text_it_is_whatever_it_looks_like(fresh_settings: pytest.MonkeyPatch, key: str) -> None:
    """AliExpress's app keys are digits only; taken for a number they would be refused."""
    account(fresh_settings, APP_KEY=key, APP_SECRET=key)
    assert settings().accounts["main"].extras()["app_key"] == key
    made = accounts().adapter("main")
    assert isinstance(made, AliExpress)
    assert made.credentials.app_key == key  # type: ignore[attr-defined]
    assert made.credentials.app_secret.get_secret_value() == key  # type: ignore[attr-defined]


def test_a_key_from_the_file_stays_the_text_it_is(fresh_settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = [f"FULFIL_ACCOUNTS__MAIN__{name}={value}" for name, value in KEYS.items()]
    (tmp_path / ".env").write_text("\n".join(lines))
    assert accounts().adapter("main").credentials.app_key == "12345678"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHUNK", "0"),
        ("CHUNK", "1001"),
        ("CHUNK", SECRET),
        ("CONFIRM_DELAY_SECONDS", "9.999"),
        ("CONFIRM_DELAY_SECONDS", "0"),
        ("CONFIRM_DELAY_SECONDS", "-12"),
        ("CONFIRM_DELAY_SECONDS", "nan"),
        ("CONFIRM_DELAY_SECONDS", "inf"),
        ("LEASE_SECONDS", "4"),
        ("SWEEP_SECONDS", "0"),
        ("MAX_ATTEMPTS", "0"),
        ("RETRY_BASE_SECONDS", "-1"),
        ("REQUEST_TIMEOUT_SECONDS", "121"),
        ("IN_FLIGHT", "many"),
        ("FLOWER_PORT", "70000"),
        ("LOG_LEVEL", SECRET),
        ("REDIS_URL", f"http://:{SECRET}@host"),
        ("REDIS_URL", f"redis://host:{SECRET}/0"),
        ("REDIS_URL", SECRET),
        ("ACCOUNTS", SECRET),
        ("ACCOUNTS__MAIN", SECRET),
        ("ACCOUNTS__MAIN__RATE_PER_SECOND", "0"),
        ("ACCOUNTS__MAIN__RATE_PER_SECOND", SECRET),
        ("ACCOUNTS__MAIN__RATE_BURST", "1001"),
        ("ACCOUNTS__MAIN SHOP__MARKETPLACE", SECRET),
    ],
)
def test_a_setting_out_of_bounds_is_named_and_its_value_is_not_shown(
    fresh_settings: pytest.MonkeyPatch, name: str, value: str
) -> None:
    fresh_settings.setenv(f"FULFIL_{name}", value)
    told = complaint()
    assert f"FULFIL_{name.removesuffix('__MARKETPLACE')}" in told
    assert SECRET not in told


def test_ten_seconds_is_the_shortest_wait_before_an_order_is_read_back(fresh_settings: pytest.MonkeyPatch) -> None:
    fresh_settings.setenv("FULFIL_CONFIRM_DELAY_SECONDS", "10")
    assert settings().confirm_delay_seconds == 10


def test_several_wrong_settings_are_named_together(fresh_settings: pytest.MonkeyPatch) -> None:
    fresh_settings.setenv("FULFIL_CHUNK", "x")
    fresh_settings.setenv("FULFIL_LEASE_SECONDS", "x")
    assert all(name in complaint() for name in ("FULFIL_CHUNK", "FULFIL_LEASE_SECONDS"))


def test_a_file_that_is_no_text_is_named(fresh_settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"FULFIL_HOME=\xff\xfe" + SECRET.encode())
    assert complaint() == "the file .env is not UTF-8 text"


def test_an_account_without_a_marketplace_is_named(fresh_settings: pytest.MonkeyPatch) -> None:
    fresh_settings.setenv("FULFIL_ACCOUNTS__MAIN__APP_SECRET", SECRET)
    told = complaint()
    assert "FULFIL_ACCOUNTS__MAIN__MARKETPLACE" in told
    assert SECRET not in told


def test_a_marketplace_nobody_knows_is_said_with_those_there_are(fresh_settings: pytest.MonkeyPatch) -> None:
    account(fresh_settings, MARKETPLACE="alibaba")
    with pytest.raises(ConfigError, match=r"FULFIL_ACCOUNTS__MAIN__MARKETPLACE: no marketplace 'alibaba'.*aliexpress"):
        _ = accounts().marketplaces


@pytest.mark.parametrize(("key", "value"), [("APP_SECRET", None), ("APP_SECRETT", SECRET)])
def test_credentials_that_are_missing_or_misspelt_are_named(
    fresh_settings: pytest.MonkeyPatch, key: str, value: str | None
) -> None:
    account(fresh_settings)
    if value is None:
        fresh_settings.delenv(f"FULFIL_ACCOUNTS__MAIN__{key}")
    else:
        fresh_settings.setenv(f"FULFIL_ACCOUNTS__MAIN__{key}", value)
    with pytest.raises(ConfigError, match=f"FULFIL_ACCOUNTS__MAIN__{key}") as told:
        accounts().adapter("main")
    assert SECRET not in str(told.value)


def test_an_account_nobody_configured_is_told_with_the_nearest_one(fresh_settings: pytest.MonkeyPatch) -> None:
    account(fresh_settings)
    with pytest.raises(UnknownAccount, match="no account 'mian'; nearest: main"):
        accounts().adapter("mian")


def test_a_rate_is_the_accounts_or_its_marketplaces(fresh_settings: pytest.MonkeyPatch) -> None:
    account(fresh_settings, "MAIN", RATE_PER_SECOND="3")
    account(fresh_settings, "OTHER")
    assert accounts().rate("main").per_second == 3
    assert accounts().rate("other") == AliExpress.default_rate


def test_secrets_are_in_no_repr_of_an_account() -> None:
    made = Account(marketplace="aliexpress", app_secret=SECRET)
    assert SECRET not in repr(made)
    assert SECRET not in repr(Settings(accounts={"main": made}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:////srv/x.sqlite3", "sqlite:////srv/x.sqlite3"),
    ],
)
def test_a_database_address_is_given_the_driver_that_is_installed(url: str, expected: str) -> None:
    assert Settings(database_url=url).database() == expected


@pytest.mark.parametrize(("lease", "timeout", "expected"), [(90, 30, 30), (20, 30, 10), (5, 120, 2.5)])
def test_no_answer_is_waited_for_longer_than_half_a_lease(lease: float, timeout: float, expected: float) -> None:
    assert Settings(lease_seconds=lease, request_timeout_seconds=timeout).answer_seconds == expected


def test_settings_are_read_once_and_cannot_be_changed(fresh_settings: pytest.MonkeyPatch) -> None:
    found = settings()
    fresh_settings.setenv("FULFIL_CHUNK", "7")
    assert settings() is found
    with pytest.raises(ValueError, match="frozen"):
        found.chunk = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://api.example/sync",
            "HTTP://api.example",
            "http://192.168.1.7:8900/sync",
            "http://127.0.0.1@api.example",
        ),
        *("http://localhost.example/", "http://[::2]/", "http://[not-an-address"),
    ],
)
def test_plain_http_off_this_machine_is_refused(url: str, fresh_settings: pytest.MonkeyPatch) -> None:
    fresh_settings.setenv("FULFIL_ACCOUNTS__MAIN__MARKETPLACE", "aliexpress")
    fresh_settings.setenv("FULFIL_ACCOUNTS__MAIN__BASE_URL", url)
    with pytest.raises(BadSettingError, match=r"FULFIL_ACCOUNTS__MAIN__BASE_URL .* FULFIL_ALLOW_HTTP=true"):
        settings()
    fresh_settings.setenv("FULFIL_ALLOW_HTTP", "true")
    settings.cache_clear()
    assert settings().accounts["main"].base_url == url


@pytest.mark.parametrize(
    "url", ["https://api.example/sync", "http://127.0.0.1:8900/sync", "http://localhost/", "http://[::1]:1/", ""]
)
def test_https_and_this_machine_are_taken(url: str, fresh_settings: pytest.MonkeyPatch) -> None:
    fresh_settings.setenv("FULFIL_ACCOUNTS__MAIN__MARKETPLACE", "aliexpress")
    fresh_settings.setenv("FULFIL_ACCOUNTS__MAIN__BASE_URL", url)
    assert "main" in settings().accounts
