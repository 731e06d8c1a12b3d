"""AliExpress' calls for tokens: signed with their path in front, answered flat, at /rest beside the gateway's /sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from worker.marketplaces.aliexpress import signing
from worker.marketplaces.aliexpress.credentials import AliExpressApp
from worker.marketplaces.grants import TokenCalls, TokenSteps, number_of, own_name, post, read_pair, token_in
from worker.marketplaces.models import Credentials
from worker.marketplaces.replies import id_of, objects, text_of
from worker.rules.tokens import Grant, Refusal, TokenRefused, ends_at

GATEWAY = "https://api-sg.aliexpress.com"
CREATE, REFRESH = "/auth/token/create", "/auth/token/refresh"

_REFUSALS = {
    "illegalrefreshtoken": Refusal.ENDED,
    "invalidcode": Refusal.CODE,
    "invalidappkey": Refusal.SETUP,
    "incompletesignature": Refusal.SETUP,
    "auth_type_unsupported": Refusal.SETUP,
    "isvblacklist": Refusal.SETUP,
}
"""What is a definite no, by its code in lower case (aliexpress.md, tokens); any other answer proves nothing."""


class AliExpressTokens(TokenCalls):
    """Grants and renewals of one buyer's tokens. A renewal gives a new pair; the refresh token's end stays."""

    app_model: ClassVar[type[Credentials]] = AliExpressApp
    app: AliExpressApp

    def grant_page(self) -> str:
        """Return the authorize page; the code it gives is valid for three minutes, once."""
        query = {"response_type": "code", "force_auth": "true", "client_id": self.app.app_key}
        if self.app.redirect_uri:
            query["redirect_uri"] = self.app.redirect_uri
        return f"{self._root}/oauth/authorize?{urlencode(query)}"

    def create(self, code: str) -> TokenSteps:
        """Redeem a code. No `uuid` is sent: with one the gateway answers InvalidCode (seen live twice)."""
        return (yield from self._call(CREATE, {"code": code}))

    def renew(self, refresh: str) -> TokenSteps:
        """Get a new pair; a reply without a refresh token leaves the old one valid."""
        return (yield from self._call(REFRESH, {"refresh_token": refresh}))

    @property
    def _root(self) -> str:
        if self.base_url is None:
            return GATEWAY
        return self.base_url.removesuffix("/sync") if urlsplit(self.base_url).path else self.base_url

    def _call(self, path: str, business: Mapping[str, str]) -> TokenSteps:
        sent_at = self.clock()
        system = {"app_key": self.app.app_key, "timestamp": str(int(sent_at * 1000)), "sign_method": "sha256"}
        params = {**system, **business}
        params["sign"] = signing.path_signature(path, params, self.app.app_secret.get_secret_value())
        came = yield post(f"{self._root}/rest{path}", urlencode(params))
        return read_pair(came, lambda held: _grant(held, sent_at, creates=path == CREATE), _refusal)


def _refusal(document: Mapping[str, Any], status: int) -> TokenRefused | None:
    # The outermost code alone is the gateway's; one further in may be of anything.
    code = next((code for held in objects(document) if (code := text_of(held.get("code")).strip("0"))), "")
    refusal = _REFUSALS.get(code.lower())
    return TokenRefused(refusal, code) if refusal is not None and status < 500 else None


def _grant(held: Mapping[str, Any], sent_at: float, creates: bool) -> Grant:
    access, refresh = token_in(held["access_token"]), token_in(held.get("refresh_token"))
    lives = number_of(held.get("refresh_expires_in"))
    return Grant(
        access,
        refresh,
        id_of(held.get("user_id")) or (own_name(access) if creates else None),
        ends_at(sent_at, number_of(held.get("expires_in")), _seconds(held.get("expire_time"))),
        ends_at(sent_at, lives, _seconds(held.get("refresh_token_valid_time"))),
        renewable=lives != 0,
    )


def _seconds(milliseconds: object) -> float | None:
    told = number_of(milliseconds)
    return None if told is None else told / 1000
