"""Which settings are secret, where else they may stand (`FULFIL_…_FILE`), and who may read or write what holds them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsError

PREFIX = "FULFIL_"
ACCOUNTS = "FULFIL_ACCOUNTS__"
SECRETS = frozenset(
    {
        "database_url",
        "redis_url",
        "redis_password",
        "flower_basic_auth",
        "message_key",
        "message_key_also",
        "token_keys",
    }
)
"""Settings that are secret, or may hold a secret; of an account's, whatever is its marketplace's own."""
OF_THE_DRIVER = frozenset({"PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE", "PGSSLKEY"})
"""Variables by which PostgreSQL's driver itself finds secrets."""
ENV_FILE = "FULFIL_ENV_FILE"


def env_file() -> Path | None:
    """Return the file the settings are read from, beside the environment; None where it is set to nothing."""
    name = os.environ.get(ENV_FILE, ".env")
    return Path(name) if name else None


def in_effect() -> dict[str, str]:
    """Return every variable of ours that is set, by the environment or else by the file. Raises OSError, ValueError."""
    path = env_file()
    written = dotenv_values(path) if path is not None and path.is_file() else {}
    merged = {**{name.upper(): value for name, value in written.items()}, **_upper(os.environ)}
    return {name: value for name, value in merged.items() if name.startswith(PREFIX) and value}


def _upper(variables: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in variables.items()}


def is_secret(variable: str, open_account_keys: frozenset[str]) -> bool:
    """Tell whether a variable holds a secret or names its file. `open_account_keys`: an account's that are none."""
    name = variable.upper()
    if name.startswith(ACCOUNTS):
        return name.removeprefix(ACCOUNTS).partition("__")[2].lower() not in open_account_keys
    return name.removeprefix(PREFIX).removesuffix("_FILE").lower() in SECRETS or name in OF_THE_DRIVER


def read_secret(variable: str, path: str) -> str:
    """Return what a file holds, without the line's end. Raises ValueError with a sentence that names the variable."""
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"the file {variable} names cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"the file {variable} names is not UTF-8 text") from None


def key_list(text: str) -> list[str]:
    """Return the keys in a setting or a file: with commas, blanks or lines between them."""
    return [key for key in re.split(r"[,\s]+", text) if key]


def checked_keys(text: str) -> str:
    """Return keys that encrypt tokens as they came. Raises ValueError, which repeats none, for what is no key."""
    for number, key in enumerate(key_list(text), 1):
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}=", key, re.ASCII):
            raise ValueError(f"key {number} of them is no key; `fulfil accounts key` prints one")
    return text


def with_files_read(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an account's keys with each `x_file` replaced by `x`, which it holds. Raises ValueError."""
    found = dict(values)
    for name in [name for name in found if name.endswith("_file") and isinstance(found[name], str)]:
        plain = name.removesuffix("_file")
        if plain in found:
            raise ValueError(f"{plain.upper()} and {name.upper()} are both set; keep one")
        found[plain] = read_secret(name.upper(), found.pop(name))
    return found


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `FULFIL_X_FILE` for each secret setting X."""

    def __init__(self, settings_cls: type[BaseSettings], *variables: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._variables = [source.env_vars for source in variables if isinstance(source, EnvSettingsSource)]

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Not asked: the source gives all at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the settings whose files are named. Raises SettingsError."""
        return dict(self._found())

    def _found(self) -> Iterator[tuple[str, str]]:
        for name in sorted(SECRETS):
            variable = f"{PREFIX}{name}".upper()
            path = self._get(f"{variable}_FILE")
            if not path:
                continue
            if self._get(variable):
                raise SettingsError(f"{variable} and {variable}_FILE are both set; keep one")
            try:
                yield name, read_secret(f"{variable}_FILE", path)
            except ValueError as error:
                raise SettingsError(str(error)) from None

    def _get(self, variable: str) -> str | None:
        return next((found for known in self._variables if (found := known.get(variable.lower()))), None)


def written_by_others(path: Path) -> str | None:
    """Return what is wrong with the modes of a file of settings: who writes it chooses where orders go."""
    try:
        found = path.stat()
    except OSError:
        return None
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"the file {path} may be written by others (mode {stat.S_IMODE(found.st_mode):o}): chmod go-w {path}"
    if os.geteuid() != 0 and found.st_uid not in (os.geteuid(), 0):
        return f"the file {path} belongs to another user of this machine: chown it to the one who runs this program"
    return None


def read_by_others(home: Path) -> list[str]:
    """Return what others of the machine may read of the home's content and of the file of settings; a sentence each."""
    wrong = []
    path = env_file()
    for place, open_bits in ((home, 0o077), *([(path, 0o044)] if path is not None else [])):
        mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0
        if mode & open_bits:
            wrong.append(f"{place} is open to others of this machine (mode {mode:o}): chmod go= {place}")
    return wrong
