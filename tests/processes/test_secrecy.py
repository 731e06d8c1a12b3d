"""What is secret stays with who needs it: files of secrets, modes of what is written, each program's environment."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.process import private_folder
from config.secrecy import in_effect, read_by_others
from config.settings import Account, BadSettingError, Settings, settings
from worker.programs import environment

ROOT = Path(__file__).resolve().parents[2]
SECRET = "q7-Very@Secret/Thing"
ACCOUNT = "FULFIL_ACCOUNTS__MAIN__"
SECRETS = {
    f"{ACCOUNT}APP_SECRET": f"{SECRET}-1",
    f"{ACCOUNT}ACCESS_TOKEN": f"{SECRET}-2",
    "FULFIL_DATABASE_URL": f"postgresql://u:{SECRET}@h/d",
    "FULFIL_FLOWER_BASIC_AUTH": f"u:{SECRET}-3",
    "PGPASSWORD": f"{SECRET}-4",
}


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "REDIS_PASSWORD", "FLOWER_BASIC_AUTH"])
def test_a_secret_may_stand_in_a_file_of_its_own(fresh_settings: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    value = "redis://h:1/0" if name == "REDIS_URL" else SECRET
    (tmp_path / "secret").write_text(f"{value}\n")
    fresh_settings.setenv(f"FULFIL_{name}_FILE", str(tmp_path / "secret"))
    assert getattr(settings(), name.lower()) == value


def test_an_accounts_secret_may_stand_in_a_file_also_when_env_names_it(
    fresh_settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / ".env").write_text(f"{ACCOUNT}MARKETPLACE=aliexpress\n{ACCOUNT}APP_SECRET_FILE={tmp_path}/secret\n")
    assert settings().accounts["main"].extras() == {"app_secret": SECRET}


@pytest.mark.parametrize(("name", "key"), [("FULFIL_DATABASE_URL", ""), (ACCOUNT, "APP_SECRET")])
def test_a_secrets_file_that_cannot_be_had_is_named(fresh_settings: pytest.MonkeyPatch, name: str, key: str) -> None:
    fresh_settings.setenv(f"{ACCOUNT}MARKETPLACE", "aliexpress")
    fresh_settings.setenv(f"{name}{key}_FILE", "/no/such/file")
    with pytest.raises(BadSettingError, match=rf"{key or name}_FILE names cannot be read: No such file"):
        settings()
    settings.cache_clear()
    fresh_settings.setenv(f"{name}{key}", SECRET)
    with pytest.raises(BadSettingError, match="both set") as told:
        settings()
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o666])
def test_settings_others_may_write_are_refused(fresh_settings: pytest.MonkeyPatch, tmp_path: Path, mode: int) -> None:
    """Who writes it sends the orders where he likes."""
    (tmp_path / ".env").write_text("FULFIL_CHUNK=5\n")
    (tmp_path / ".env").chmod(mode)
    with pytest.raises(BadSettingError, match=rf"\.env may be written by others \(mode {mode:o}\): chmod go-w .env"):
        settings()
    (tmp_path / ".env").chmod(0o600)
    assert settings().chunk == 5


def test_another_file_of_settings_may_be_named_or_none(fresh_settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, chunk in {".env": 5, "other": 6}.items():
        (tmp_path / name).write_text(f"FULFIL_CHUNK={chunk}\n")
    fresh_settings.setenv("FULFIL_ENV_FILE", "other")
    assert settings().chunk == 6
    settings.cache_clear()
    fresh_settings.setenv("FULFIL_ENV_FILE", "")
    assert settings().chunk == 100


def test_what_lies_open_is_named_with_its_mend(fresh_settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (tmp_path / ".env").write_text("")
    (tmp_path / ".env").chmod(0o644)
    assert [one.rpartition(": ")[2] for one in read_by_others(home)] == [f"chmod go= {home}", "chmod go= .env"]
    home.chmod(0o700)
    (tmp_path / ".env").chmod(0o600)
    assert read_by_others(home) == []


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        made = private_folder(tmp_path / "home" / "redis")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (made, made.parent)] == [0o700, 0o700]


PROGRAMS = {
    "the command line": "import sys; sys.argv = ['fulfil', 'migrate']\nfrom worker.cli.main import main\n"
    "main(standalone_mode=False)",
    "Celery's programs": "import celery.bin.celery\nfrom worker.app import app\napp.conf.broker_url",
}
SHOW = """
import ctypes, os, resource, sys
def at_exit():
    umask = os.umask(0)
    print(oct(umask), resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
try:
    exec(sys.argv.pop(1))
except SystemExit:
    pass
at_exit()
"""


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_keeps_what_it_writes_and_its_memory_to_itself(tmp_path: Path, program: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FULFIL_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW, PROGRAMS[program]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        preexec_fn=lambda: os.umask(0o022),
    )
    assert done.stdout.splitlines()[-1] == "0o77 0 0", done
    written = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
    assert written
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_a_producer_that_only_imports_us_keeps_its_own_umask(tmp_path: Path) -> None:
    code = "import os; os.umask(0o022)\nfrom worker.app import app\napp.conf.broker_url\nprint(oct(os.umask(0)))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "FULFIL_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "0o22"
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


@pytest.mark.parametrize("source", ["the environment", "the file"])
def test_each_program_is_given_the_secrets_it_needs_and_no_other(
    fresh_settings: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    own = {f"{ACCOUNT}MARKETPLACE": "aliexpress", "FULFIL_SWEEP_SECONDS": "7", "FULFIL_MESSAGE_KEY": "k" * 32}
    driver = {"PGPASSWORD": SECRETS["PGPASSWORD"]}
    if source == "the file":
        written = {name: value for name, value in (SECRETS | own).items() if name not in driver}
        (tmp_path / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in written.items()))
    for name, value in (driver if source == "the file" else SECRETS | own).items():
        fresh_settings.setenv(name, value)
    configured = Settings(_env_file=None, home=tmp_path / "home", redis_url="redis://h/0")
    told = {name: environment(configured, name, {}) for name in ("place", "confirm", "hooks", "beat", "flower")}
    held = {
        name: sorted({n for n, v in env.items() if SECRET in v} - {"FLOWER_BASIC_AUTH"}) for name, env in told.items()
    }
    of_senders = sorted(set(SECRETS) - {"FULFIL_FLOWER_BASIC_AUTH"})
    assert held == {"place": of_senders, "confirm": of_senders, "hooks": of_senders, "beat": [], "flower": []}
    for name, env in told.items():
        assert env["FULFIL_SWEEP_SECONDS"] == "7"
        assert env[f"{ACCOUNT}MARKETPLACE"] == "aliexpress", "queues have the accounts' names"
        assert env["FULFIL_MESSAGE_KEY"] == "k" * 32
        assert env["FULFIL_ENV_FILE"] == ""
        assert ("FLOWER_BASIC_AUTH" in env) == (name == "flower")
        assert "FULFIL_FLOWER_BASIC_AUTH" not in env


def test_every_key_of_a_marketplace_counts_as_secret(fresh_settings: pytest.MonkeyPatch) -> None:
    fresh_settings.setenv("fulfil_accounts__main__anything_new", SECRET)
    assert in_effect() == {f"{ACCOUNT}ANYTHING_NEW": SECRET}
    assert "anything_new" not in Account.model_fields
