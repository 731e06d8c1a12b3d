"""How AliExpress' calls and push messages are signed: pure functions of what is sent and the app's secret."""

from __future__ import annotations

import hmac
from collections.abc import Mapping


def call_signature(params: Mapping[str, str], secret: str) -> str:
    """Return the signature of a call to the `/sync` gateway with sign_method=sha256 (aliexpress.md, 1, four SDKs).

    Every parameter sent except `sign` is part of it: sorted by key in byte order (Python's order of str is the
    byte order of UTF-8), key and value joined without separators or URL encoding, HMAC-SHA256, upper-case hex.
    Leave empty parameters out: the vendor's Java SDK skips them when it signs, its Python SDK does not.
    """
    joined = "".join([name + params[name] for name in sorted(params)])
    return hmac.digest(secret.encode(), joined.encode(), "sha256").hex().upper()


def path_signature(path: str, params: Mapping[str, str], secret: str) -> str:
    """Return the signature of a call to one of the system's own paths: it stands before what `call_signature` joins."""
    joined = path + "".join([name + params[name] for name in sorted(params)])
    return hmac.digest(secret.encode(), joined.encode(), "sha256").hex().upper()


def is_genuine(headers: Mapping[str, str], body: bytes, app_key: str, secret: str) -> bool:
    """Check a push message's Authorization: lower-case hex HMAC-SHA256 of app key and raw body (aliexpress.md, 7)."""
    given = headers.get("authorization", "").strip()
    wanted = hmac.digest(secret.encode(), app_key.encode() + body, "sha256").hex()
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())
