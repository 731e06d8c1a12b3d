"""The configured accounts as marketplace adapters, their credentials checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from pydantic import ValidationError

from config.names import nearest
from config.settings import Account
from worker.errors import ConfigError, UnknownAccount
from worker.ledger.ceilings import Ceilings
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace, Rate
from worker.orders.jobs import Terms
from worker.rules.alarms import Patience
from worker.rules.binding import Binding
from worker.rules.follow import DAY, HOUR
from worker.rules.reconcile import Ability
from worker.rules.why import Ways


class Accounts:
    """What the settings say of each account, made ready for use. Its adapters are made once."""

    def __init__(self, configured: dict[str, Account]) -> None:
        self.configured = configured
        self._adapters: dict[str, Marketplace] = {}
        self._bindings: dict[str, Binding] = {}
        self._rates: dict[str, Rate] = {}

    @cached_property
    def marketplaces(self) -> dict[str, type[Marketplace]]:
        """Each account's marketplace. Raises ConfigError for a marketplace nobody knows."""
        return {name: _marketplace(name, account) for name, account in self.configured.items()}

    def check(self, account: str) -> None:
        """Raise UnknownAccount, naming the nearest one, when an account is not configured."""
        if account not in self.configured:
            raise UnknownAccount(_unknown(account, self.configured))

    def check_names(self) -> None:
        """Raise ConfigError, naming the nearest one, for a key that no account of its marketplace has."""
        wrong = []
        for name, account in self.configured.items():
            if (kind := REGISTRY.get(account.marketplace)) is None:
                continue  # told by whoever asks for the adapter
            known = {*kind.credentials_model.model_fields, *Account.model_fields}
            for key in sorted(account.extras().keys() - known):
                near = nearest(key, known)
                hint = f"; nearest: {_variable(name, near)}" if near else "; see docs/configuration.md"
                wrong.append(f"{_variable(name, key)} is no setting of {kind.title}{hint}")
        if wrong:
            raise ConfigError("; ".join(wrong))

    def check_all(self) -> None:
        """Make every adapter. Raises ConfigError when the credentials of one are not complete."""
        for account in self.configured:
            self.adapter(account)

    def terms(self) -> dict[str, Terms]:
        """Return what each account's jobs are checked against at intake. Raises ConfigError as `marketplaces` does."""
        return {name: Terms(kind, self.configured[name].max_quantity) for name, kind in self.marketplaces.items()}

    def adapter(self, account: str) -> Marketplace:
        """Return an account's adapter. Raises UnknownAccount, and ConfigError when its credentials are incomplete."""
        made = self._adapters.get(account)
        if made is None:
            made = self._adapters.setdefault(account, self._make(account))
        return made

    def binding(self, account: str) -> Binding:
        """Return what an account sends with. Raises as `adapter` does."""
        found = self._bindings.get(account)
        if found is None:
            marketplace = self.adapter(account)
            parts = {"marketplace": marketplace.name, **marketplace.sent_with()}
            found = self._bindings.setdefault(account, Binding(account, parts))
        return found

    def taken_for(self, account: str) -> str | None:
        """Return the fingerprint of where an account sends; None where its credentials are not complete here."""
        try:
            return self.binding(account).taken_for
        except ConfigError:
            return None

    def ability(self, account: str) -> Ability:
        """Return what may be done about the unknown orders of an account. Raises UnknownAccount, ConfigError."""
        marketplace = self.adapter(account)
        window = marketplace.resend_window
        return Ability(
            marketplace.can_look_up,
            window.total_seconds() if window else None,
            self.configured[account].recreate_after_seconds,
        )

    def ways(self, account: str, marketplace: str) -> Ways:
        """Return what can be done about the orders of an account, configured here or not, in words for a person."""
        kind = REGISTRY.get(marketplace)
        try:
            ability = self.ability(account)
        except ConfigError:
            ability = None
        if kind is None:
            return Ways(marketplace, "the order's page there", ability)
        return Ways(kind.title, kind.order_page, ability, kind.look_up_by, kind.takes_pushes)

    def ceilings(self, account: str) -> Ceilings | None:
        """Return what an account may spend in a day; None: it has no limit."""
        configured = self.configured[account]
        found = Ceilings(configured.max_orders_per_day, configured.max_amount_per_day)
        return None if found == Ceilings() else found

    def patience(self) -> dict[str, Patience]:
        """Return how long each account bears silence about a confirmed order."""
        return {name: _patience(account) for name, account in self.configured.items()}

    def limited(self) -> frozenset[str]:
        """Return the accounts whose orders and money of a day are counted."""
        return frozenset(account for account in self.configured if self.ceilings(account) is not None)

    def rate(self, account: str) -> Rate:
        """Return how fast an account may call: its settings over its marketplace's default."""
        found = self._rates.get(account)
        if found is None:
            configured, default = self.configured[account], self.marketplaces[account].default_rate
            per_second, burst = configured.rate_per_second or default.per_second, configured.rate_burst or default.burst
            found = self._rates.setdefault(account, Rate(per_second, burst, default.shared))
        return found

    def _make(self, account: str) -> Marketplace:
        self.check(account)
        configured, kind = self.configured[account], self.marketplaces[account]
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


def _patience(account: Account) -> Patience:
    days = {"number": account.number_days, "eta": account.eta_days}
    hours = {"movement": account.movement_hours, "held": account.held_hours}
    return Patience.of(
        **{name: None if value is None else value * DAY for name, value in days.items()},
        **{name: None if value is None else value * HOUR for name, value in hours.items()},
    )


def _variable(account: str, key: str) -> str:
    return f"FULFIL_ACCOUNTS__{account.upper()}__{key.upper()}"


def _unknown(account: str, known: Iterable[str]) -> str:
    names = sorted(known)
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
