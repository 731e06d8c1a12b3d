"""How each marketplace wants its requests signed, as pure functions of what is sent and the account's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping


def aliexpress_sync(params: Mapping[str, str], secret: str) -> str:
    """Sign a call to AliExpress' `/sync` gateway with sign_method=sha256 (facts: section 1, vectors of four SDKs).

    Every parameter sent except `sign` is part of it: sorted by key in byte order (Python's order of str is the
    byte order of UTF-8), key and value joined without separators or URL encoding, HMAC-SHA256, upper-case hex.
    Leave empty parameters out: the vendor's Java SDK skips them when it signs, its Python SDK does not.
    """
    joined = "".join([name + params[name] for name in sorted(params)])
    return hmac.digest(secret.encode(), joined.encode(), "sha256").hex().upper()


def xportcn(parts: Iterable[str]) -> str:
    """Sign a call to Xportcn: the parts joined without separators, MD5, upper-case hex.

    The vendor's wording of the formula is not stored; a client of the gateway joins access key, timestamp, nonce and
    secret (facts: A1), hence which parts and in what order is a setting. Body, path and query are not signed.
    """
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest().upper()
