"""Issues, renews and ends the tokens of one fake's accounts; each fake tells them in its vendor's words.

Until `POST /_sandbox/tokens` says otherwise the configured tokens never end, so that an account without refresh works
for ever. Granted and refreshed tokens always end, by the sandbox's clock. Which pair is valid after a refresh whose
reply was lost is documented nowhere: `old_pair` says how this sandbox has it.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

DAY = 86400.0
Keys = Mapping[str, Mapping[str, str]]
"""Account names to their keys, as plain strings."""


class TokenPlan(BaseModel):
    """How tokens live, as `POST /_sandbox/tokens` sets it; what it does not name is as in the beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marketplace: Literal["aliexpress", "shoplazza"] | None = Field(None, description="unset: both")
    access_seconds: float = Field(30 * DAY, gt=0, description="until an access token given from now on ends")
    refresh_seconds: float = Field(
        60 * DAY, ge=0, description="from a grant until its refresh tokens end, however often they were renewed"
    )
    configured_end_seconds: float | None = Field(
        None, ge=0, description="from now until the access tokens of the configuration end; unset: never"
    )
    old_pair: Literal["until_new_used", "ends", "lives"] = Field(
        "until_new_used", description="whether a refreshed pair still works"
    )
    blank_refresh: bool = Field(False, description="a refresh reply carries no refresh token; the old one stays valid")
    buyer: str | None = Field(
        None, min_length=1, description="who logs in at grant pages instead of the account's buyer"
    )
    code_seconds: float = Field(180, gt=0, description="until the code of a grant page ends")


class CodeAsked(BaseModel):
    """What `POST /_sandbox/tokens/code` asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marketplace: Literal["aliexpress", "shoplazza"]
    account: str
    buyer: str | None = Field(None, min_length=1, description="another who logs in; unset: as the plan says")


@dataclass(slots=True, eq=False)
class Grant:
    """What one person granted; times in unix seconds. `account`: whose orders its tokens make and read."""

    client: str
    account: str
    refresh_until: float


@dataclass(slots=True, eq=False)
class Pair:
    """One access token and the refresh token that renews it."""

    grant: Grant
    access: str
    refresh: str
    access_until: float
    before: Pair | None = None
    ended: bool = False


@dataclass(slots=True)
class _Tally:
    grants: int = 0
    refreshes: int = 0
    refused: int = 0
    newest: Pair | None = field(default=None)


class TokenDesk:
    """The tokens of one fake. `client_field` names the key under which an account keeps its app's id; "": none."""

    def __init__(self, credentials: dict[str, Mapping[str, str]], client_field: str = "") -> None:
        """`credentials`: the fake's own accounts, which a buyer without one is added to when it logs in."""
        self.plan = TokenPlan()
        self._credentials = credentials
        self._client_field = client_field
        self._begin()

    @property
    def accounts(self) -> list[str]:
        """Return the accounts that can be granted."""
        return list(self._credentials)

    def client_of(self, account: str) -> str:
        """Return the id of an account's app, as business calls name it."""
        return str(self._credentials[account].get(self._client_field, ""))

    def reset(self) -> None:
        """Forget what was granted; the configured tokens are valid again, without end."""
        self.plan = TokenPlan()
        self._begin()

    def _begin(self) -> None:
        self._access: dict[tuple[str, str], Pair] = {}
        self._refresh: dict[tuple[str, str], Pair] = {}
        self._codes: dict[str, tuple[Grant, float]] = {}
        self._tallies: dict[str, _Tally] = {}
        self._configured: list[Pair] = []
        for account, keys in self._credentials.items():
            access = str(keys.get("access_token", ""))
            if not access:
                continue  # a buyer who logged in before: it has no token of the configuration
            grant = Grant(self.client_of(account), account, math.inf)
            pair = Pair(grant, access, str(keys.get("refresh_token", "") or f"{access}-refresh"), math.inf)
            self._configured.append(pair)
            self._keep(pair)

    def _keep(self, pair: Pair) -> Pair:
        self._access[pair.grant.client, pair.access] = pair
        self._refresh[pair.grant.client, pair.refresh] = pair
        self._tally(pair.grant.account).newest = pair
        return pair

    def _tally(self, account: str) -> _Tally:
        return self._tallies.setdefault(account, _Tally())

    def set(self, plan: TokenPlan, now: float) -> None:
        """Let tokens live by this plan from now on; what was granted before keeps its end."""
        self.plan = plan
        for pair in self._configured:
            end = plan.configured_end_seconds
            pair.access_until = math.inf if end is None else now + end
            pair.grant.refresh_until = math.inf if end is None else now + plan.refresh_seconds

    def account_of(self, client: str, access: str, now: float) -> str | None:
        """Return whose token this is; None: it is unknown or has ended."""
        pair = self._access.get((client, access))
        if pair is None:
            return None
        if pair.ended or now >= pair.access_until:
            self._tally(pair.grant.account).refused += 1
            return None
        if pair.before is not None and self.plan.old_pair == "until_new_used":
            pair.before.ended = True
            pair.before = None
        return pair.grant.account

    def code(self, account: str, now: float, buyer: str | None = None) -> str:
        """Return a code as the grant page of an account's app gives it to who logs in there."""
        who = buyer or self.plan.buyer or account
        if who not in self._credentials:
            self._credentials[who] = self._stranger(account, who)
        grant = Grant(self.client_of(account), who, math.inf)
        code = f"sandbox-code-{secrets.token_hex(8)}"
        self._codes[code] = grant, now + self.plan.code_seconds
        return code

    def _stranger(self, account: str, who: str) -> Mapping[str, str]:
        """Return the keys of a buyer who has no account here: the same app, another id, no token yet."""
        number = int(hashlib.sha256(who.encode()).hexdigest(), 16) % 10**9
        keys = {name: value for name, value in self._credentials[account].items() if not name.endswith("_token")}
        return {**keys, "buyer_id": str(3_000_000_000 + number)}

    def granted(self, client: str, code: str, now: float) -> Pair | None:
        """Redeem a code, once; None: it is unknown, used, old or another app's."""
        grant, until = self._codes.pop(code, (None, 0.0))
        if grant is None or grant.client != client or now >= until:
            return None
        grant.refresh_until = now + self.plan.refresh_seconds
        self._tally(grant.account).grants += 1
        return self._keep(self._new(grant, now))

    def refreshed(self, client: str, refresh: str, now: float) -> Pair | None:
        """Renew a pair; None: its refresh token is unknown or has ended. The end of the refresh token stays."""
        old = self._refresh.get((client, refresh))
        if old is None or old.ended or now >= old.grant.refresh_until:
            return None
        self._tally(old.grant.account).refreshes += 1
        pair = self._new(old.grant, now)
        if self.plan.blank_refresh:
            pair.refresh = refresh
        elif self.plan.old_pair == "ends":
            old.ended = True
        elif self.plan.old_pair == "until_new_used":
            pair.before = old
        return self._keep(pair)

    def _new(self, grant: Grant, now: float) -> Pair:
        until = now + self.plan.access_seconds
        return Pair(grant, f"sandbox-access-{secrets.token_hex(8)}", f"sandbox-refresh-{secrets.token_hex(8)}", until)

    def public(self, now: float) -> dict[str, Any]:
        """Return what `GET /_sandbox/tokens` shows; a time that never comes is null."""
        accounts = {}
        for account, tally in self._tallies.items():
            told: dict[str, Any] = {"grants": tally.grants, "refreshes": tally.refreshes, "refused": tally.refused}
            if tally.newest is not None:
                told["access_ends_at"] = _time(tally.newest.access_until)
                told["refresh_ends_at"] = _time(tally.newest.grant.refresh_until)
            accounts[account] = told
        return {"plan": self.plan.model_dump(), "now": now, "accounts": accounts}


def _time(at: float) -> float | None:
    return None if math.isinf(at) else at
