"""Which programs `fulfil up` runs, by which command, and what each is told: no secret it has no use for."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from config.process import private_folder
from config.queues import ADMIN_QUEUE, CONFIRM_QUEUE, FOLLOW_QUEUE
from config.secrecy import ENV_FILE, PREFIX, in_effect, is_secret
from config.settings import Account, Settings
from worker.broker.embedded import redis_url
from worker.marketplaces import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
CELERY_OPTION_VARIABLES = frozenset({"BROKER_URL", "RESULT_BACKEND", "LOADER", "CONFIG_MODULE"})
"""Variables of other programs that Celery's command line would take for options, over our settings."""
KEYED = frozenset({"place", "confirm", "hooks"})
"""The programs that use the accounts' keys and the ledger: they send, read, or check what is signed with a key."""
FLOWER_OPTIONS = (
    "--max-tasks=20000",
    "--tasks_columns=received,name,args,result,state",
    # Its questions to workers that are still starting are no warning to anybody.
    "--logging=error",
)
_REPLACED = frozenset(
    {
        *(
            f"{PREFIX}{name}{end}"
            for name in ("REDIS_URL", "REDIS_PASSWORD", "FLOWER_BASIC_AUTH")
            for end in ("", "_FILE")
        ),
        "FLOWER_BASIC_AUTH",
        ENV_FILE,
    }
)
"""Variables each program is told anew, or has no use for."""


def commands(settings: Settings) -> dict[str, list[str]]:
    """Return the command of each program.

    Sends and reads are processes apart, so that neither waits for the other. Push messages are received where an
    account's marketplace sends them.
    """
    celery = [sys.executable, "-m", "celery", "-q", "-A", "worker.app"]
    worker = [*celery, "worker", "--without-gossip", "--without-mingle"]
    pushed = any(_takes_pushes(account) for account in settings.accounts.values())
    return {
        "place": [*worker, "-n", "place@%h", "-X", f"{CONFIRM_QUEUE},{FOLLOW_QUEUE},{ADMIN_QUEUE}"],
        "confirm": [*worker, "-n", "confirm@%h", "-Q", f"{CONFIRM_QUEUE},{FOLLOW_QUEUE},{ADMIN_QUEUE}"],
        "beat": [*celery, "beat"],
        "flower": [
            *celery,
            "flower",
            f"--address={settings.flower_address}",
            f"--port={settings.flower_port}",
            *FLOWER_OPTIONS,
        ],
        **({"hooks": [sys.executable, "-m", "worker.cli", "hooks"]} if pushed else {}),
    }


def _takes_pushes(account: Account) -> bool:
    known = REGISTRY.get(account.marketplace)
    return known is not None and known.takes_pushes


def flower_login(settings: Settings) -> str:
    """Return `user:password` of Flower: the setting, or a password made once for this home."""
    if settings.flower_basic_auth:
        return settings.flower_basic_auth
    path = settings.home / "flower-login"
    if not path.exists():
        private_folder(path.parent)
        path.touch(mode=0o600)
        path.write_text(f"fulfil:{secrets.token_urlsafe(12)}")
    return path.read_text().strip()


def environment(settings: Settings, program: str, more: Mapping[str, str]) -> dict[str, str]:
    """Return a program's environment: the settings in effect, and of the secrets only those it has a use for.

    `more`: variables that come on top.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in CELERY_OPTION_VARIABLES} | dict(more)
    others = {name: value for name, value in inherited.items() if not name.upper().startswith(PREFIX)}
    told = {**others, **in_effect(), **more}
    known = {name: value for name, value in told.items() if _is_for(program, name)}
    paths = [str(ROOT), *filter(None, [inherited.get("PYTHONPATH")])]
    # In the environment, not on the command line, where every user of the machine could read it.
    login = {"FLOWER_BASIC_AUTH": flower_login(settings)} if program == "flower" else {}
    return known | {
        "PYTHONPATH": os.pathsep.join(paths),
        # All is told here: who reads the file of settings has every secret in it.
        ENV_FILE: "",
        # Told, so that none of them starts a Redis of its own while ours is being started again.
        "FULFIL_REDIS_URL": redis_url(settings),
        # Celery's advice about root and groups: who may run this is the operator's decision.
        "PYTHONWARNINGS": "ignore:::celery.platforms",
        **login,
    }


def _is_for(program: str, variable: str) -> bool:
    if variable in _REPLACED or not is_secret(variable, frozenset(Account.model_fields)):
        return variable not in _REPLACED
    return program in KEYED or variable.startswith(f"{PREFIX}MESSAGE_KEY")
