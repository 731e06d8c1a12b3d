"""Shoplazza's calls for tokens: plain OAuth at the shop's own address, for an app that has a client id."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from worker.marketplaces.grants import TokenCalls, TokenSteps, number_of, post, read_pair, token_in
from worker.marketplaces.models import Credentials
from worker.marketplaces.replies import text_of
from worker.marketplaces.shoplazza.credentials import ShoplazzaApp
from worker.rules.tokens import Grant, Refusal, TokenRefused, ends_at

EARLY_SECONDS = 10.0
"""The vendor's own library takes a token for ended so long before its end (shoplazza.md)."""
SCOPES = "read_order write_order"
_REFUSALS = {
    "invalid_client": Refusal.SETUP,
    "unauthorized_client": Refusal.SETUP,
    "unsupported_grant_type": Refusal.SETUP,
    "invalid_scope": Refusal.SETUP,
}
"""OAuth's own words (RFC 6749, 5.2); `invalid_grant` is the code or the refresh token, whichever was sent."""


class ShoplazzaTokens(TokenCalls):
    """Grants and renewals of one shop's tokens. Whose they are the account's SHOP says, so no buyer is told."""

    app_model: ClassVar[type[Credentials]] = ShoplazzaApp
    app: ShoplazzaApp

    def grant_page(self) -> str:
        """Return the shop's authorize page."""
        query = {"response_type": "code", "client_id": self.app.client_id, "scope": SCOPES}
        if self.app.redirect_uri:
            query["redirect_uri"] = self.app.redirect_uri
        return f"{self._root}/admin/oauth/authorize?{urlencode(query)}"

    def create(self, code: str) -> TokenSteps:
        """Redeem a code."""
        given = {"grant_type": "authorization_code", "code": code}
        if self.app.redirect_uri:
            given["redirect_uri"] = self.app.redirect_uri
        return (yield from self._call(given, Refusal.CODE))

    def renew(self, refresh: str) -> TokenSteps:
        """Get a new pair; both tokens are new."""
        return (yield from self._call({"grant_type": "refresh_token", "refresh_token": refresh}, Refusal.ENDED))

    @property
    def _root(self) -> str:
        if self.base_url is None:
            return f"https://{self.app.shop}.{self.app.domain_suffix}"
        return self.base_url.partition("/openapi")[0]

    def _call(self, given: Mapping[str, str], invalid: Refusal) -> TokenSteps:
        keys = {"client_id": self.app.client_id, "client_secret": self.app.client_secret.get_secret_value()}
        sent_at = self.clock()
        came = yield post(f"{self._root}/admin/oauth/token", urlencode({**keys, **given}))
        return read_pair(came, lambda held: _grant(held, sent_at), partial(_refusal, invalid=invalid))


def _refusal(document: Mapping[str, Any], status: int, invalid: Refusal) -> TokenRefused | None:
    code = text_of(document.get("error"))
    refusal = invalid if code == "invalid_grant" else _REFUSALS.get(code)
    return TokenRefused(refusal, code) if refusal is not None and 400 <= status < 500 else None


def _grant(held: Mapping[str, Any], sent_at: float) -> Grant:
    told = number_of(held.get("expires_at"))
    until = ends_at(sent_at, number_of(held.get("expires_in")), told)
    ends = None if until is None else max(sent_at, until - EARLY_SECONDS)
    return Grant(token_in(held["access_token"]), token_in(held.get("refresh_token")), None, ends)
