"""The command `fulfil doctor`: looks at every part and says what is wrong and how to mend it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from rich.text import Text

from config.secrecy import read_by_others
from config.settings import settings
from worker.cli.group import as_json, main, out, parts
from worker.errors import ConfigError, FulfilError, LedgerAway, RedisAway, Unavailable, where
from worker.terminal.screen import print_json

if TYPE_CHECKING:
    from worker.marketplaces.base import Marketplace
    from worker.parts import Parts
    from worker.steps.reach import Reach

LONGEST_SECONDS = 10.0
"""Longest wait for one answer of a marketplace."""


@main.command()
@as_json
def doctor(json_: bool) -> None:
    """Check the configuration, the ledger, Redis, the workers and the marketplaces; say how to mend what is wrong.

    Each account's marketplace is asked for an order that cannot exist: a read, which changes nothing.
    Exit codes: 0 all well, 2 something is wrong, 3 nothing is wrong but something is away.
    """
    found = [_check(name, do) for name, do in _checks().items()]
    if json_:
        print_json([{name: value for name, value in one.items() if name != "code"} for one in found])
    else:
        for one in found:
            mark = Text("ok", "green") if one["ok"] else Text("no", "red")
            out().print(mark, f" {one['name']}: {one['said']}")
    codes = {one["code"] for one in found} - {0}
    away = Unavailable.exit_code
    raise SystemExit(0 if not codes else away if codes == {away} else ConfigError.exit_code)


def _checks() -> dict[str, Callable[[], str]]:
    return {
        "home": _home,
        "accounts": _accounts,
        "ledger": _ledger,
        "redis": _redis,
        "workers": _workers,
        "queues": _queues,
        **_marketplaces(),
    }


def _check(name: str, do: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "said": do(), "code": 0}
    except FulfilError as error:
        return {"name": name, "ok": False, "said": str(error), "code": error.exit_code}
    except Exception as error:  # never a traceback: who asks what is wrong is answered, about every part
        return {"name": name, "ok": False, "said": _unexpected(name, error), "code": 2}


def _unexpected(name: str, error: Exception) -> str:
    return f"{name} cannot be checked: {where(error)}; tell those who keep this program"


def _home() -> str:
    home = settings().home
    if wrong := read_by_others(home):
        raise ConfigError("; ".join(wrong))
    return f"{home} and the settings are closed to others of this machine"


def _accounts() -> str:
    configured, adapter = settings(), parts().accounts.adapter
    if not configured.accounts:
        raise ConfigError("none is configured; set FULFIL_ACCOUNTS__<NAME>__MARKETPLACE and its credentials")
    return ", ".join(f"{name} ({adapter(name).title} at {adapter(name).url})" for name in configured.accounts)


def _ledger() -> str:
    ledger = parts().ledger
    if not ledger.takes_writes():
        raise LedgerAway(
            f"the ledger at {ledger.place} is read-only; let FULFIL_DATABASE_URL name the server that takes writes,"
            " or make the file writable"
        )
    if _reached():
        from worker.broker.signs import Sign
        from worker.rules.health import holds_another_file

        ages = parts().signs.ages()
        if holds_another_file(ages.get(Sign.LEDGER_MOVED), ages.get(Sign.SWEEP)):
            raise LedgerAway(f"the workers hold another file than {ledger.place}; put it back, or end them: fulfil up")
    return f"{ledger.place}, schema {ledger.version()}"


def _redis() -> str:
    from worker.broker.address import shown
    from worker.broker.embedded import redis_url, server_binary
    from worker.broker.troubles import probe

    configured = settings()
    if not configured.redis_url and not _reached():
        return f"embedded, not running; starts with fulfil up ({server_binary()})"
    probe(configured)
    return f"answers at {shown(redis_url(configured))}"


def _workers() -> str:
    from worker.app import app
    from worker.broker.listeners import pinged

    found = pinged(app) if _reached() else []
    if not found:
        raise RedisAway("no worker answers; start them: fulfil up")
    return ", ".join(found)


def _queues() -> str:
    from worker.app import app
    from worker.broker.listeners import Listeners, expected

    wanted = expected(settings())
    if not _reached():
        raise RedisAway("nobody can be asked who listens to them: Redis does not answer")
    listeners = Listeners.ask(app)
    if deaf := listeners.deaf(wanted):
        raise RedisAway(f"nobody listens to {', '.join(deaf)}; end that worker, or start it: fulfil up")
    if stuck := parts().stuck(wanted):
        raise RedisAway(f"no message comes through {', '.join(stuck)} though a worker listens: start it again")
    unread = f"; {listeners.dropped} messages that could not be read were dropped" if listeners.dropped else ""
    return f"every one of {len(wanted)} is listened to{unread}"


def _marketplaces() -> dict[str, Callable[[], str]]:
    """Return a check for each account that is complete; all ask at once, so that none waits for another."""
    complete = []
    for name in settings().accounts:
        with contextlib.suppress(FulfilError):  # what is missing is told by the check of the accounts
            complete.append(parts().accounts.adapter(name))
    if not complete:
        return {}
    asking = ThreadPoolExecutor(len(complete))
    checks: dict[str, Callable[[], str]] = {
        f"marketplace {one.account}": asking.submit(_marketplace, one).result for one in complete
    }
    hearing = [one for one in complete if one.lists_webhooks and one.hears]
    return checks | {f"webhooks {one.account}": asking.submit(_webhooks, one).result for one in hearing}


def _marketplace(adapter: Marketplace) -> str:
    from worker.rules.reach import said

    return said(_reach(adapter).ask(adapter.account), adapter.title, adapter.url)


def _webhooks(adapter: Marketplace) -> str:
    from worker.rules.reach import heard, said

    found = _reach(adapter).webhooks(adapter.account)
    if not isinstance(found, tuple):
        return said(found, adapter.title, adapter.url)
    return heard([(one.topic, one.address) for one in found], adapter.account, adapter.title)


def _reach(adapter: Marketplace) -> Reach:
    if not _reached():
        raise RedisAway(f"{adapter.title} is not asked: Redis, where an account's calls are counted, does not answer")
    return _asking().reach


@cache
def _asking() -> Parts:
    """Return parts that wait for no answer for long: who asks what is wrong sits before a screen."""
    from worker.parts import Parts

    configured = settings()
    seconds = min(configured.request_timeout_seconds, LONGEST_SECONDS)
    made = Parts(configured.model_copy(update={"request_timeout_seconds": seconds}))
    made.makes_ledger = False
    return made


def _reached() -> bool:
    from worker.broker.embedded import answers

    configured = settings()
    return bool(configured.redis_url or (configured.home / "redis").is_dir()) and answers(configured)
