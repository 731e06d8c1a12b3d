"""How a call to Xportcn is signed: the headers it carries, made anew for each call."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from worker.marketplaces.xportcn.credentials import XportcnCredentials


def call_signature(parts: Iterable[str]) -> str:
    """Return the parts joined without separators, as MD5 in upper-case hex.

    The vendor's wording of the formula is not stored; a client of the gateway joins access key, timestamp, nonce and
    secret (xportcn.md, 1), hence which parts and in what order is a setting. Body, path and query are not signed.
    """
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest().upper()


def signed_headers(keys: XportcnCredentials, now: float, nonce: str) -> dict[str, str]:
    """Return the headers of one call: a timestamp good for 600 s, and a nonce of 32 characters that counts once."""
    signed = {
        "access_key": keys.access_key,
        "timestamp": str(int(now * 1000 if keys.timestamp_unit == "ms" else now)),
        "nonce": nonce,
        "secret": keys.access_secret.get_secret_value(),
        "user_id": keys.user_id,
    }
    return {
        "access-key": signed["access_key"],
        "nonce-str": signed["nonce"],
        "timestamp": signed["timestamp"],
        "user-id": signed["user_id"],
        "signature": call_signature(signed[name] for name in keys.sign_order),
    }
