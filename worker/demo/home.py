"""A home of the demo's own: nothing of the user's settings, accounts or brokers reaches it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.logs import configure_logs
from config.settings import settings
from worker.errors import ConfigError, InputError
from worker.parts import forget
from worker.programs import CELERY_OPTION_VARIABLES
from worker.sandbox.fakes import ACCOUNTS, FAKES

FOLDER = Path(".fulfil", "demo")
_PREFIXES_LEFT_OUT = ("FULFIL_", "CELERY_", "FLOWER_")


@dataclass(slots=True)
class Home:
    """The demo's folder; `keep` leaves it there at the end."""

    folder: Path
    keep: bool


@contextlib.contextmanager
def own_home(keep: bool) -> Iterator[Home]:
    """Make the demo's folder anew and go there; in the end go back and remove it, unless something went wrong.

    Raises InputError when it cannot be made, ConfigError when another demo is at work in it.
    """
    before = Path.cwd()
    home = Home(before / FOLDER, keep)
    with _alone(home.folder.parent):
        try:
            shutil.rmtree(home.folder, ignore_errors=True)
            home.folder.mkdir()
        except OSError as error:
            raise InputError(f"{FOLDER} cannot be made here: {error.strerror}") from None
        os.chdir(home.folder)  # away from the user's .env, before settings are read
        try:
            yield home
        except BaseException:
            home.keep = True
            raise
        finally:
            os.chdir(before)
            if not home.keep:
                shutil.rmtree(home.folder, ignore_errors=True)
    if not home.keep:
        with contextlib.suppress(OSError):
            home.folder.parent.rmdir()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{folder} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError("a demo is running in this folder already; wait for its end") from None
    finally:
        os.close(handle)


def set_environment(home: Path, sandbox_url: str) -> None:
    """Put the demo's settings in the place of all the user's, for this process and those it starts."""
    for name in list(os.environ):
        if name.upper().startswith(_PREFIXES_LEFT_OUT) or name in CELERY_OPTION_VARIABLES:
            del os.environ[name]
    accounts = {
        f"FULFIL_ACCOUNTS__{account.upper()}__{name.upper()}": value
        for account, marketplace in ACCOUNTS.items()
        for name, value in _account(marketplace, sandbox_url).items()
    }
    os.environ |= {
        "FULFIL_HOME": str(home),
        "FULFIL_REQUEST_TIMEOUT_SECONDS": "4",
        "FULFIL_SWEEP_SECONDS": "1",
        "FULFIL_FLOWER_PORT": str(_free_port()),
        "FULFIL_HOOKS_PORT": "0",
        **accounts,
    }
    forget()
    configure_logs(settings().log_level)


def _account(marketplace: str, sandbox_url: str) -> dict[str, str]:
    fake = FAKES[marketplace]
    address = {"base_url": f"{sandbox_url}{fake.paths[0]}", "rate_per_second": "20"}
    return {"marketplace": marketplace, **fake.built_in, **address}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
