"""The configured accounts as marketplace adapters, their credentials checked."""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cached_property

from pydantic import ValidationError

from config.names import nearest
from config.settings import Account
from worker.errors import ConfigError, FulfilError, LedgerRefused, NoLedger, Unavailable, UnknownAccount
from worker.ledger.accounts import Tokens
from worker.ledger.ceilings import Ceilings
from worker.marketplaces import REGISTRY
from worker.marketplaces.base import Marketplace, Rate
from worker.marketplaces.grants import TokenCalls, token_calls
from worker.marketplaces.models import setting, wrong_settings
from worker.orders.jobs import Terms
from worker.rules.alarms import Patience
from worker.rules.binding import Binding
from worker.rules.follow import DAY, HOUR
from worker.rules.reconcile import Ability
from worker.rules.why import Ways

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often a process looks whether another pair of tokens was stored."""
AWAITED_SECONDS = 0.25
"""How often it looks while a pair was refused and another one is awaited."""
BUYER_KEY = "buyer_id"
"""The key under which an account names its buyer."""


class Accounts:
    """What the settings and the stored tokens say of each account, made ready for use.

    An adapter is made once, and anew when another pair of tokens is stored: `tokens` is asked for the versions at most
    every few seconds, which is all that a renewal costs those who send.
    """

    def __init__(self, configured: dict[str, Account], tokens: Callable[[], Tokens] | None = None) -> None:
        """`tokens`: returns where tokens are stored; None: only the settings count."""
        self.configured = configured
        self._tokens = tokens
        self._failed: dict[str, int | None] = {}
        self._look_at = 0.0
        self._awaited: set[str] = set()
        self._adapters: dict[str, Marketplace] = {}
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
                hint = f"; nearest: {setting(name, near)}" if near else "; see docs/configuration.md"
                wrong.append(f"{setting(name, key)} is no setting of {kind.title}{hint}")
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
        if time.monotonic() >= self._look_at:
            self._look()
        made = self._adapters.get(account)
        if made is None:
            made = self._adapters.setdefault(account, self._make(account))
        return made

    def look_soon(self, account: str) -> None:
        """Look for another pair of this account at once, and often until it is there: the present one was refused."""
        self._awaited.add(account)
        self._look_at = 0.0

    def _look(self) -> None:
        """Make the adapters anew whose stored pair is another one by now.

        Where one cannot be made, the one there was stays: the marketplace refuses its token, which executes nothing,
        while an account without an adapter would stop all others.
        """
        self._look_at = time.monotonic() + (AWAITED_SECONDS if self._awaited else LOOK_SECONDS)
        try:
            tokens = self._stored()
            found = {} if tokens is None else tokens.versions()
        except (Unavailable, LedgerRefused):
            return
        for account, present in list(self._adapters.items()):
            version = found.get(account)
            if version == present.token_version or version == self._failed.get(account, present.token_version):
                continue
            self._awaited.discard(account)
            try:
                made = self._make(account)
            except FulfilError as error:
                self._failed[account] = version
                log.error("%s goes on with the tokens it had: %s", account, error)
                continue
            self._failed.pop(account, None)
            self._adapters[account] = made

    def binding(self, account: str) -> Binding:
        """Return what an account sends with now; a send asks its own adapter. Raises as `adapter` does."""
        return self.adapter(account).binding

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
        keys, version = self._keys(account, kind)
        try:
            credentials = kind.credentials_model.model_validate(keys)
        except ValidationError as error:
            wrong = wrong_settings(account, error)
            hint = (
                f"; or get one: fulfil accounts login {account}" if kind.token_calls and "ACCESS_TOKEN" in wrong else ""
            )
            raise ConfigError(f"the account {account} ({kind.title}) is not complete: {wrong}{hint}") from None
        limit = configured.max_order_amount
        made = kind(
            account, credentials, configured.base_url, max_order_amount=None if limit is None else Decimal(str(limit))
        )
        made.token_version = version
        return made

    def _keys(self, account: str, kind: type[Marketplace]) -> tuple[dict[str, str], int | None]:
        """Return what an account sends with: its settings, and over them its stored token and whose that is."""
        keys = self.configured[account].extras()
        tokens = self._stored() if kind.token_calls else None
        stored = None if tokens is None else tokens.sending(account)
        if stored is None:
            return keys, None
        keys["access_token"] = stored.access
        if stored.buyer is not None and BUYER_KEY in kind.credentials_model.model_fields:
            keys[BUYER_KEY] = stored.buyer
        return keys, stored.version

    def _stored(self) -> Tokens | None:
        """Return where tokens are stored; None where no ledger was made yet, so that there are none."""
        try:
            return None if self._tokens is None else self._tokens()
        except NoLedger:
            return None

    def token_calls(self, account: str) -> TokenCalls | None:
        """Return the calls that get an account's tokens; None: its marketplace has none.

        Raises UnknownAccount, and ConfigError when the app's keys are not complete.
        """
        self.check(account)
        configured, kind = self.configured[account], self.marketplaces[account].token_calls
        return None if kind is None else token_calls(kind, account, configured.extras(), configured.base_url)

    def own_buyer(self, account: str) -> str | None:
        """Return the buyer that the settings name for an account."""
        return self.configured[account].extras().get(BUYER_KEY)


def _patience(account: Account) -> Patience:
    days = {"number": account.number_days, "eta": account.eta_days}
    hours = {"movement": account.movement_hours, "held": account.held_hours}
    return Patience.of(
        **{name: None if value is None else value * DAY for name, value in days.items()},
        **{name: None if value is None else value * HOUR for name, value in hours.items()},
    )


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
            f"{setting(name, 'marketplace')}: no marketplace {account.marketplace!r}; there are {', '.join(REGISTRY)}"
        ) from None
