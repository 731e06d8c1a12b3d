"""The grants of the sandbox's AliExpress: its authorize page, and the calls that create and refresh a token.

The page gives its code without asking: to the account whose app it is (`account=NAME` in the query picks one of
several), or to the buyer that `POST /_sandbox/tokens` named.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from worker.sandbox.aliexpress_checks import GatewayError
from worker.sandbox.aliexpress_messages import buyer_id
from worker.sandbox.fake import Answer, Call
from worker.sandbox.tokens import Pair, TokenDesk

AUTHORIZE = "/oauth/authorize"
REST = "/rest"
CREATE_PATHS = ("/auth/token/create", "/auth/token/security/create")
REFRESH_PATHS = ("/auth/token/refresh", "/auth/token/security/refresh")


def api_of(call: Call) -> str | None:
    """Return the path of the token call a request is; None: it is none. /sync takes it as its `method` too."""
    path = call.form.get("method", "") if call.path.rstrip("/") == "/sync" else call.path.removeprefix(REST)
    return path if path in (*CREATE_PATHS, *REFRESH_PATHS) else None


def signature(path: str, form: Mapping[str, str], secret: bytes) -> str:
    """Sign a call to the system's own paths: the path stands before the sorted names and values."""
    joined = path + "".join(name + form[name] for name in sorted(form) if name != "sign")
    return hmac.digest(secret, joined.encode(), hashlib.sha256).hex().upper()


def token_call(
    path: str, form: Mapping[str, str], desk: TokenDesk, accounts: Mapping[str, Any], now: float, moved: float
) -> Any:
    """Answer a right signed call for a token; flat. `accounts`: their keys. Times of day are told less `moved`."""
    if path in CREATE_PATHS:
        if not form.get("code"):
            raise GatewayError("MissingParameter", "code")
        # A uuid beside the code gives InvalidCode: seen live twice.
        pair = None if form.get("uuid") else desk.granted(form["app_key"], form["code"], now)
        if pair is None:
            raise GatewayError("InvalidCode")
    else:
        if not form.get("refresh_token"):
            raise GatewayError("MissingParameter", "refresh_token")
        pair = desk.refreshed(form["app_key"], form["refresh_token"], now)
        if pair is None:
            raise GatewayError("IllegalRefreshToken")
    told = _told(pair, accounts[pair.grant.account], now, moved)
    return told | {"refresh_token": ""} if desk.plan.blank_refresh and path in REFRESH_PATHS else told


def _told(pair: Pair, keys: Mapping[str, str], now: float, moved: float) -> dict[str, Any]:
    account = pair.grant.account
    refresh_left = 0 if math.isinf(pair.grant.refresh_until) else max(int(pair.grant.refresh_until - now), 0)
    user = buyer_id(keys)
    return {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "expires_in": int(pair.access_until - now),
        "refresh_expires_in": refresh_left,
        "expire_time": int((pair.access_until - moved) * 1000),
        "refresh_token_valid_time": int((now + refresh_left - moved) * 1000),
        "user_id": user,
        "seller_id": user,
        "account_id": user,
        "havana_id": user,
        "account": f"{account}@sandbox.invalid",
        "user_nick": account,
        "account_platform": "buyerApp",
        "locale": "en_US",
        "sp": "ae",
        "code": "0",
    }


def authorize(call: Call, desk: TokenDesk) -> Answer:
    """Answer the grant page: send the browser back with a code, or show it where there is nowhere to go back to."""
    named = call.query.get("account")
    apps = [name for name in desk.accounts if desk.client_of(name) == call.query.get("client_id", "")]
    account = named if named in apps else apps[-1] if apps and named is None else None
    if account is None or call.query.get("response_type") != "code":
        return Answer(b"the sandbox knows no such app or account", 400, "text/plain")
    code = desk.code(account, call.at)
    back = call.query.get("redirect_uri", "")
    if not back.startswith(("http://", "https://")):
        return Answer(f"code={code}".encode(), 200, "text/plain")
    given = {"code": code} | ({"state": call.query["state"]} if "state" in call.query else {})
    return Answer(b"", 302, "text/plain", {"Location": f"{back}{'&' if '?' in back else '?'}{urlencode(given)}"})
