"""The configured accounts as marketplace adapters, their credentials checked."""

from __future__ import annotations

import difflib
from decimal import Decimal
from functools import cache

from pydantic import ValidationError

from config.settings import Account, settings
from worker.errors import ConfigError, UnknownAccount
from worker.ledger.ceilings import Ceilings
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace, Rate
from worker.orders.jobs import Terms
from worker.rules.binding import Binding
from worker.rules.reconcile import Ability


@cache
def marketplaces() -> dict[str, type[Marketplace]]:
    """Return each account's marketplace. Raises ConfigError for a marketplace nobody knows."""
    return {name: _marketplace(name, account) for name, account in settings().accounts.items()}


def terms() -> dict[str, Terms]:
    """Return what each account's jobs are held against at intake. Raises ConfigError as `marketplaces` does."""
    accounts = settings().accounts
    return {name: Terms(kind, accounts[name].max_quantity) for name, kind in marketplaces().items()}


@cache
def adapter(account: str) -> Marketplace:
    """Return an account's adapter. Raises UnknownAccount, and ConfigError when its credentials are incomplete."""
    known = marketplaces()
    if account not in known:
        raise UnknownAccount(unknown_account(account, known))
    configured = settings().accounts[account]
    kind = known[account]
    try:
        credentials = kind.credentials_model.model_validate(configured.extras())
    except ValidationError as error:
        wrong = "; ".join(
            f"FULFIL_ACCOUNTS__{account.upper()}__{'__'.join(str(part) for part in e['loc']).upper()}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        )
        raise ConfigError(f"the account {account} ({kind.title}) is not complete: {wrong}") from None
    limit = configured.max_order_amount
    return kind(
        account, credentials, configured.base_url, max_order_amount=None if limit is None else Decimal(str(limit))
    )


@cache
def binding(marketplace: Marketplace) -> Binding:
    """Return what an account sends with."""
    return Binding(marketplace.account, {"marketplace": marketplace.name, **marketplace.sent_with()})


@cache
def taken_for(account: str) -> str | None:
    """Return the fingerprint of where an account sends; None where its credentials are not complete here."""
    try:
        return binding(adapter(account)).taken_for
    except ConfigError:
        return None


def ability(account: str) -> Ability:
    """Return what may be done about the unknown orders of an account. Raises UnknownAccount, ConfigError."""
    marketplace = adapter(account)
    window = marketplace.resend_window
    return Ability(
        marketplace.can_look_up,
        window.total_seconds() if window else None,
        settings().accounts[account].recreate_after_seconds,
    )


def ceilings(account: str) -> Ceilings | None:
    """Return what an account may spend in a day; None: it has no limit."""
    configured = settings().accounts[account]
    found = Ceilings(configured.max_orders_per_day, configured.max_amount_per_day)
    return None if found == Ceilings() else found


def rate(account: str) -> Rate:
    """Return how fast an account may call: its settings over its marketplace's default."""
    configured, default = settings().accounts[account], marketplaces()[account].default_rate
    return Rate(
        configured.rate_per_second or default.per_second, configured.rate_burst or default.burst, default.shared
    )


def unknown_account(account: str, known: object) -> str:
    """Return the sentence for an account that is not configured; names the nearest one."""
    names = sorted(str(name) for name in known)  # type: ignore[attr-defined]
    near = difflib.get_close_matches(account, names, 1)
    hint = f"; nearest: {near[0]}" if near else f"; configured: {', '.join(names) or 'none'}"
    return f"no account {account!r}{hint}"


def _marketplace(name: str, account: Account) -> type[Marketplace]:
    try:
        return REGISTRY[account.marketplace]
    except KeyError:
        raise ConfigError(
            f"FULFIL_ACCOUNTS__{name.upper()}__MARKETPLACE: no marketplace {account.marketplace!r};"
            f" there are {', '.join(REGISTRY)}"
        ) from None
