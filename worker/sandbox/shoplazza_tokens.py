"""The grants of the sandbox's Shoplazza: a shop's authorize page, and the call that creates and refreshes a token.

An account's app is its `client_id` and `client_secret`, or the ones of `shoplazza_life` where it names none. How errors
are answered is not published; here they have OAuth's usual form.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from worker.sandbox.fake import Answer, Call
from worker.sandbox.shoplazza_life import CLIENT_ID, CLIENT_SECRET
from worker.sandbox.tokens import Pair, TokenDesk

AUTHORIZE = "/admin/oauth/authorize"
TOKEN = "/admin/oauth/token"  # noqa: S105  (a path)


def answer(call: Call, desk: TokenDesk, accounts: Mapping[str, Mapping[str, str]]) -> Answer:
    """Answer the page or the call; `accounts`: their keys."""
    if call.path == AUTHORIZE and call.method == "GET":
        return _authorize(call, desk, accounts)
    if call.path != TOKEN or call.method != "POST":
        return _told({"error": "not_found"}, 404)
    asked = _fields(call)
    apps = [
        name for name, keys in accounts.items() if _app(keys) == (asked.get("client_id"), asked.get("client_secret"))
    ]
    if not apps:
        return _told({"error": "invalid_client", "error_description": "client authentication failed"}, 401)
    kind, pair = asked.get("grant_type"), None
    if kind == "authorization_code":
        pair = desk.granted("", asked.get("code", ""), call.at)
    elif kind == "refresh_token":
        pair = desk.refreshed("", asked.get("refresh_token", ""), call.at)
    else:
        return _told({"error": "unsupported_grant_type"}, 400)
    if pair is None:
        return _told({"error": "invalid_grant", "error_description": "the code or refresh token is invalid"}, 400)
    blank = desk.plan.blank_refresh and kind == "refresh_token"
    return _told(_pair(pair, accounts[pair.grant.account], blank, call), 200)


def _app(keys: Mapping[str, str]) -> tuple[str, str]:
    return str(keys.get("client_id") or CLIENT_ID), str(keys.get("client_secret") or CLIENT_SECRET)


def _fields(call: Call) -> dict[str, str]:
    """Return a form or a JSON object: both are taken."""
    if "json" not in call.headers.get("content-type", ""):
        return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        body = None
    return {name: str(value) for name, value in body.items()} if isinstance(body, dict) else {}


def _pair(pair: Pair, keys: Mapping[str, str], blank: bool, call: Call) -> dict[str, object]:
    shop = str(keys.get("shop") or "sandbox")
    ends = {} if math.isinf(pair.access_until) else {"expires_at": int(pair.access_until - call.moved)}
    return {
        "token_type": "Bearer",
        "access_token": pair.access,
        "refresh_token": "" if blank else pair.refresh,
        **ends,
        "store_id": str(int(hashlib.sha256(shop.encode()).hexdigest(), 16) % 10**7),
        "store_name": shop,
        "locale": "en-US",
        "scope": "read_order write_order",
        "created_at": int(call.at - call.moved),
    }


def _authorize(call: Call, desk: TokenDesk, accounts: Mapping[str, Mapping[str, str]]) -> Answer:
    named = call.query.get("account")
    apps = [name for name, keys in accounts.items() if _app(keys)[0] == call.query.get("client_id")]
    account = named if named in apps else apps[-1] if apps and named is None else None
    if account is None or call.query.get("response_type") != "code":
        return _told({"error": "invalid_client"}, 400)
    given = {
        "code": desk.code(account, call.at),
        "shop": f"{accounts[account].get('shop') or 'sandbox'}.myshoplaza.com",
    }
    if "state" in call.query:
        given["state"] = call.query["state"]
    back = call.query.get("redirect_uri", "")
    if not back.startswith(("http://", "https://")):
        return Answer(f"code={given['code']}".encode(), 200, "text/plain")
    # Hex, unlike the webhooks' base64.
    joined = "&".join(f"{name}={given[name]}" for name in sorted(given))
    given["hmac"] = hmac.new(_app(accounts[account])[1].encode(), joined.encode(), hashlib.sha256).hexdigest()
    return Answer(b"", 302, "text/plain", {"Location": f"{back}{'&' if '?' in back else '?'}{urlencode(given)}"})


def _told(body: Mapping[str, object], status: int) -> Answer:
    return Answer(json.dumps(body).encode(), status)
