"""The names of the variables FULFIL_…: which ones mean anything, and the nearest of them to one that means nothing."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values

from config.secrecy import ACCOUNTS, ENV_FILE, PREFIX, SECRETS

READ_ELSEWHERE = frozenset(
    {
        ENV_FILE,
        "FULFIL_POSTGRES_PASSWORD",  # docker-compose.yml reads it from the same .env
        "FULFIL_TEST_CRASH",
        "FULFIL_TEST_CRASH_LOG",
        "FULFIL_TEST_DATABASE_URL",
        "FULFIL_TEST_FREEZE",
        "FULFIL_TEST_SIMULATIONS",
    }
)
"""Variables with our prefix that are no settings, and mean something all the same."""
_DOUBLED = "FULFILL_"
"""Our prefix as many write it."""
_WRONG_ACCOUNTS = ("FULFIL_ACCOUNT__", "FULFIL_ACCOUNTS_", "FULFIL_ACCOUNT_")
_NEAR = 0.6
"""How alike two names must be to be told as the nearest."""


def known_names(fields: Iterable[str]) -> frozenset[str]:
    """Return every name that means something, those of accounts excepted. `fields`: the settings' names."""
    names = {f"{PREFIX}{name}".upper() for name in fields}
    files = {f"{PREFIX}{name}_FILE".upper() for name in SECRETS}
    return frozenset(names | files | READ_ELSEWHERE)


def set_names(path: Path | None) -> dict[str, str]:
    """Return every variable that may be meant for us, with where it stands. Raises OSError, UnicodeDecodeError."""
    written = dotenv_values(path) if path is not None and path.is_file() else {}
    found = {name.upper(): str(path) for name in written} | {name.upper(): "the environment" for name in os.environ}
    return {name: where for name, where in found.items() if name.startswith((PREFIX, _DOUBLED))}


def misspelt(found: Mapping[str, str], known: frozenset[str]) -> list[str]:
    """Return a sentence for each variable that means nothing, with the nearest name that does.

    `found`: names and where each stands. The keys of an account are for whoever knows its marketplace to judge.
    """
    return [
        f"{name} (in {found[name]}) is no setting" + (f"; nearest: {near}" if near else "; see docs/configuration.md")
        for name in sorted(found)
        if name not in known and not _is_of_an_account(name)
        for near in [_nearest(name, known)]
        if near or name.startswith(PREFIX)
    ]


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like another one, where any is like it."""
    return next(iter(difflib.get_close_matches(name, sorted(names), 1, _NEAR)), None)


def _is_of_an_account(name: str) -> bool:
    account, _, key = name.removeprefix(ACCOUNTS).partition("__")
    return name.startswith(ACCOUNTS) and bool(account and key)


def _nearest(name: str, known: frozenset[str]) -> str | None:
    """Return the name that was probably meant. One that only doubles our L may be another program's: it must fit."""
    if name.startswith(_DOUBLED):
        meant = PREFIX + name.removeprefix(_DOUBLED)
        return meant if meant in known or _is_of_an_account(meant) else None
    for wrong in _WRONG_ACCOUNTS:
        account, _, key = name.removeprefix(wrong).partition("__")
        if name.startswith(wrong) and account and key:
            return f"{ACCOUNTS}{account}__{key}"
    head, _, rest = name.partition("__")
    account, _, key = rest.partition("__")
    if account and key and nearest(f"{head}__", [ACCOUNTS]):
        return f"{ACCOUNTS}{rest}"
    return nearest(name, known)
